/** Writing to stdout and stderr, whatever is connected to them. */
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';
import { ExitCode, MlpError } from '../errors.js';
import { printable, printableText } from '../text.js';

/** Streams that show colours: only there the codes of `Style` are not escaped. */
const coloured = new Set<NodeJS.WriteStream>();

export function showColours(stream: NodeJS.WriteStream): void {
  coloured.add(stream);
}

/** `text` as a line, harmless for whatever terminal shows it. */
function lineFor(stream: NodeJS.WriteStream, text: string): string {
  return `${printableText(text, { colours: coloured.has(stream) })}\n`;
}

/**
 * Writes a line to stdout, with `printableText`. If that fails, the command continues and exits with
 * 74.
 */
export function print(text: string): void {
  const line = lineFor(process.stdout, text);
  if (!isPlainFile()) {
    process.stdout.write(line);
    return;
  }
  try {
    writeFileSync(process.stdout.fd, line);
  } catch (error) {
    stdoutFailed(error as Error);
  }
}

/** Lines that are one text: that of 100,000 would take several times its size. */
const LINES_OF_PART = 1000;

/** Writes lines to stdout as `print` does. */
export function printLines(lines: readonly string[]): void {
  for (let i = 0; i < lines.length; i += LINES_OF_PART) {
    print(lines.slice(i, i + LINES_OF_PART).join('\n'));
  }
}

let plainFile: boolean | undefined;

/** Whether stdout is a file. On a full disk, Node 20's stream loses the rest without an error. */
export function isPlainFile(): boolean {
  plainFile ??= fstatSync(process.stdout.fd).isFile();
  return plainFile;
}

/** Writes a line to stderr, with `printableText`. */
export function note(text: string): void {
  process.stderr.write(lineFor(process.stderr, text));
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

/**
 * A closed pipe (`mlp … | head -1`) or terminal is no error, and a run continues without a reader. Any
 * other failure exits with 74.
 */
export function guardStreams(): void {
  // Node.js aborts at its end if one of these has gone meanwhile, unless its number is another file's.
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on('exit', () => {
    for (const fd of terminals) {
      if (isatty(fd)) continue;
      closeSync(fd);
      openSync(devNull, 'r+');
    }
  });
  for (const stream of [process.stdout, process.stderr]) {
    const isTerminal = stream.isTTY;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || (isTerminal && error.code === 'EIO')) return;
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
