/** Writing to stdout and stderr, whoever is at the other end. */
import { fstatSync, writeFileSync } from 'node:fs';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';

/** Writes a line, or lines, to stdout. A command goes on where that fails, and ends with 74. */
export function print(text: string): void {
  if (!isPlainFile()) {
    process.stdout.write(`${text}\n`);
    return;
  }
  try {
    writeFileSync(process.stdout.fd, `${text}\n`);
  } catch (error) {
    stdoutFailed(error as Error);
  }
}

let plainFile: boolean | undefined;

/** Whether stdout is a file. Into one, Node's stream writes what there is room for on the disk, and takes it for all (v20). */
export function isPlainFile(): boolean {
  plainFile ??= fstatSync(process.stdout.fd).isFile();
  return plainFile;
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
      if (stream === process.stdout) stdoutFailed(error);
      else process.exitCode = ExitCode.io;
    });
  }
}

let hasFailed = false;

/** Says so once. */
function stdoutFailed({ message }: Error): void {
  process.exitCode = ExitCode.io;
  if (!hasFailed) note(`error: stdout: writing failed: ${message}`);
  hasFailed = true;
}
