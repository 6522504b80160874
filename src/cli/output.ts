/** Writing to stdout and stderr, whoever is at the other end. */
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';

/** Writes a line, or lines, to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a line, or lines, to stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function warn(text: string): void {
  note(`warning: ${printable(text)}`);
}

/**
 * JSON text of a value. BigInts become plain digits, exact however long, and numbers that JSON has no word for
 * (NaN, infinities) become null.
 */
export function toJson(value: unknown, indent?: number): string {
  // Digits that no other string of ours can hold, unquoted again afterwards.
  const mark = '\u0000bigint:';
  const json = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `${mark}${item}` : item),
    indent,
  );
  return json.replace(/"\\u0000bigint:(-?\d+)"/g, '$1');
}

/** One message: `error: …`, and `hint: …` below where there is one. With `debug` the stack too. */
export function printError(error: unknown, debug: boolean): ExitCode {
  const known = error instanceof MlpError;
  const message = error instanceof Error ? error.message : String(error);
  note(`error: ${known ? printable(message) : `internal error: ${printable(message)}`}`);
  if (known && error.hint) note(`hint: ${printable(error.hint)}`);
  if (!known && !debug) note('hint: this is a bug of mlp; run again with --debug and report what it prints');
  if (debug && error instanceof Error) note(error.stack ?? '');
  return known ? error.exitCode : ExitCode.internal;
}

/**
 * Keeps a closed pipe (`mlp … | head -1`) from being an error: what nobody reads is dropped, and the command goes on.
 * A full disk behind stdout is one: the exit code then says 74.
 */
export function guardStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      process.exitCode = ExitCode.io;
      if (stream === process.stdout) note(`error: stdout: writing failed: ${error.message}`);
    });
  }
}
