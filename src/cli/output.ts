/** Writing to stdout and stderr, whatever is connected to them. */
import { fstatSync, writeFileSync } from 'node:fs';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';

/** Writes a line to stdout. If that fails, the command continues and exits with 74. */
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

/** Whether stdout is a file. On a full disk, Node 20's stream loses the rest without an error. */
export function isPlainFile(): boolean {
  plainFile ??= fstatSync(process.stdout.fd).isFile();
  return plainFile;
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function warn(text: string): void {
  note(`warning: ${printable(text)}`);
}

/** JSON text. BigInts become plain digits; NaN and infinities, which JSON lacks, become null. */
export function toJson(value: unknown, indent?: number): string {
  // A marker that no other string contains; its quotes are removed afterwards.
  const mark = '\u0000bigint:';
  const json = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `${mark}${item}` : item),
    indent,
  );
  return json.replace(/"\\u0000bigint:(-?\d+)"/g, '$1');
}

/** Prints `error: …` and `hint: …`, with `debug` the stack trace too. */
export function printError(error: unknown, debug: boolean): ExitCode {
  const known = error instanceof MlpError;
  const message = error instanceof Error ? error.message : String(error);
  note(`error: ${known ? printable(message) : `internal error: ${printable(message)}`}`);
  if (known && error.hint) note(`hint: ${printable(error.hint)}`);
  if (!known && !debug) note('hint: this is a bug in mlp; run it again with --debug and report the output');
  if (debug && error instanceof Error) note(error.stack ?? '');
  return known ? error.exitCode : ExitCode.internal;
}

/** A closed pipe (`mlp … | head -1`) is no error; any other failure exits with 74. */
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

/** Reports only the first failure. */
function stdoutFailed({ message }: Error): void {
  process.exitCode = ExitCode.io;
  if (!hasFailed) note(`error: stdout: writing failed: ${message}`);
  hasFailed = true;
}
