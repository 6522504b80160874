/** Chunks of a file: where their rows begin and end, and how they are loaded into a workspace. */
import { changed, type FileBytes, readAt } from '../source/fileBytes.js';
import { Unquoted } from './modules.js';
import type { Workspace } from './workspace.js';

/** Rows that start within one part of the file. */
export interface Chunk {
  /** Byte offsets in the file. */
  readonly begin: number;
  readonly end: number;
  readonly rows: number;
  /** Whether there are quotes. */
  readonly quoted: boolean;
  /** Whether some rows end in \r\n, or some cells have spaces around them. */
  readonly untidy: boolean;
}

/** A chunk with the number of its first row. */
export interface PlacedChunk extends Chunk {
  readonly firstRow: number;
}

/**
 * The numbers of each chunk [rows of the chunk, columns of the file] in shared memory; none of a chunk that must be
 * read again.
 */
export type KeptNumbers = readonly (Float64Array | undefined)[];

/** Text in a workspace, by its first and last address. */
export interface Span {
  readonly at: number;
  readonly end: number;
}

/** A longer row is left to csv-parse, which knows whether a field is too long. */
const LONGEST_ROW = 2 ** 20;
/** Bytes of the first read that looks for the end of a row. */
const TAIL = 2 ** 12;
const LINE_FEED = 0x0a;

/** The number of chunks in the bytes from `dataStart` on. */
export function chunkCount({ size }: Pick<FileBytes, 'size'>, dataStart: number, chunkBytes: number): number {
  return Math.ceil((size - dataStart) / chunkBytes);
}

/** A part of a file, whose first row is wanted and all others that start in it. */
interface Part {
  readonly start: number;
  readonly limit: number;
  /** Whether a row starts at `start`. Otherwise the first starts after a line feed. */
  readonly isRowStart: boolean;
}

/** Loaded rows, and their offset in the file; no text if a row is too long. */
interface Loaded {
  readonly begin: number;
  /** Empty if no row starts in the part. */
  readonly text?: Span;
}

/** Loads the rows that start in a part of a file, taking every line feed for the end of a row. */
export function loadRows(space: Workspace, file: FileBytes, { start, limit, isRowStart }: Part): Loaded {
  const { text } = space.at;
  // A row starts after a line feed, so the byte before `start` counts.
  const from = isRowStart ? start : start - 1;
  let length = limit - from;
  const none = { at: text, end: text };
  if (length <= 0) return { begin: from, text: none };
  space.reserve(length + LONGEST_ROW + 1);
  readAt(file, space.bytes, text, length, from);
  const skipped = isRowStart ? 0 : indexOfLineFeed(space, text, text + length) + 1;
  if (from + skipped === limit || (skipped === 0 && !isRowStart)) return { begin: limit, text: none };
  const begin = from + skipped;
  for (let step = TAIL; space.bytes[text + length - 1] !== LINE_FEED; step *= 2) {
    const position = from + length;
    const more = Math.min(step, file.size - position);
    if (more === 0) {
      space.bytes[text + length++] = LINE_FEED;
      break;
    }
    if (position + more - limit > LONGEST_ROW) return { begin };
    readAt(file, space.bytes, text + length, more, position);
    const found = indexOfLineFeed(space, text + length, text + length + more);
    length += found < 0 ? more : found + 1;
  }
  const loaded = { at: text + skipped, end: text + length };
  return isLastTooLong(space, loaded) ? { begin } : { begin, text: loaded };
}

/**
 * Loads the rows from `begin` to the first end of a row at `limit` or later, without their quotes.
 * `fileEnd` is the offset of that end. Undefined if csv-parse should read them.
 */
export function loadUnquoted(
  space: Workspace,
  file: FileBytes,
  delimiter: number,
  begin: number,
  limit: number,
): (Span & { readonly fileEnd: number }) | undefined {
  const { exports } = space;
  const at = space.at.text;
  const from = at + exports.unquoteShift.value;
  // The row that reaches over the limit may have line feeds within quotes.
  for (let tail = TAIL; ; tail *= 8) {
    const length = Math.min(limit + tail, file.size) - begin;
    space.reserve(from - at + length + 1);
    readAt(file, space.bytes, from, length, begin);
    let textEnd = from + length;
    const isWhole = begin + length === file.size;
    if (isWhole && space.bytes[textEnd - 1] !== LINE_FEED) space.bytes[textEnd++] = LINE_FEED;
    space.endText(textEnd);
    const end = exports.unquote(from, textEnd, from + (limit - begin) - 1, delimiter, at);
    if (end === Unquoted.ranOut && !isWhole && tail < LONGEST_ROW) continue;
    if (end === Unquoted.ranOut || end === Unquoted.declined) return undefined;
    space.endText(end);
    if (isLastTooLong(space, { at, end })) return undefined;
    return { at, end, fileEnd: Math.min(begin + (exports.unquotedEnd.value - from), file.size) };
  }
}

/**
 * Loads a chunk; afterwards all its rows end in a line feed.
 * @throws MlpError ExitCode.io if the file has changed since the scan
 */
export function loadChunk(space: Workspace, file: FileBytes, delimiter: number, chunk: Chunk): Span {
  const text = chunk.quoted
    ? loadUnquoted(space, file, delimiter, chunk.begin, chunk.end)
    : loadPlain(space, file, chunk);
  if (text === undefined) throw changed(file, file.size);
  if (!chunk.untidy) return text;
  const end = space.exports.tidy(text.at, text.end, delimiter);
  if (end === 0) throw changed(file, file.size);
  space.endText(end);
  return { at: text.at, end };
}

function loadPlain(space: Workspace, file: FileBytes, { begin, end }: Chunk): Span {
  const { text } = space.at;
  const length = end - begin;
  space.reserve(length + 1);
  readAt(file, space.bytes, text, length, begin);
  let textEnd = text + length;
  if (space.bytes[textEnd - 1] !== LINE_FEED) space.bytes[textEnd++] = LINE_FEED;
  space.endText(textEnd);
  return { at: text, end: textEnd };
}

function isLastTooLong({ bytes }: Workspace, { at, end }: Span): boolean {
  const lastRow = bytes.lastIndexOf(LINE_FEED, end - 2) + 1;
  return end - Math.max(lastRow, at) > LONGEST_ROW;
}

/** Relative to `at`; −1 if there is none. */
function indexOfLineFeed({ bytes }: Workspace, at: number, end: number): number {
  return bytes.subarray(at, end).indexOf(LINE_FEED);
}
