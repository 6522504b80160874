/** A file in pieces of whole rows, and their text. */
import { changed, type FileBytes, readAt } from '../source/bytes.js';
import type { Workspace } from './workspace.js';

/** Rows that begin within one stretch of the file. */
export interface Piece {
  /** From where to where they stand in the file, in bytes. */
  readonly begin: number;
  readonly end: number;
  readonly rows: number;
  /** Whether some of them end in \r\n. */
  readonly returns: boolean;
}

/** A piece with the number of its first row. */
export interface PlacedPiece extends Piece {
  readonly firstRow: number;
}

/** Text in a workspace: from where to where. */
export interface Span {
  readonly at: number;
  readonly end: number;
}

const LINE_FEED = 0x0a;
/** A longer row is for csv-parse, which knows whether one of its fields is too long. */
export const LONGEST_ROW = 2 ** 20;
/** How much is read at first to find the end of a row. */
const TAIL = 2 ** 12;

/** How many pieces the bytes from `dataStart` on make. */
export function pieceCount({ size }: FileBytes, dataStart: number, pieceBytes: number): number {
  return Math.ceil((size - dataStart) / pieceBytes);
}

/**
 * Loads the rows that begin in start..limit of the file, given that a row begins at `dataStart`. Undefined where a row is
 * too long; an empty span where none begins.
 */
export function loadStretch(
  space: Workspace,
  file: FileBytes,
  dataStart: number,
  start: number,
  limit: number,
): (Span & { readonly begin: number }) | undefined {
  const { text } = space.at;
  // A row begins behind a line feed: the one before `start` counts.
  const from = start === dataStart ? start : start - 1;
  let length = limit - from;
  space.reserve(length + LONGEST_ROW + 1);
  readAt(file, space.bytes, text, length, from);
  const skipped = start === dataStart ? 0 : indexOfLineFeed(space, text, text + length) + 1;
  const none = { at: text, end: text, begin: limit };
  if (from + skipped === limit) return none;
  if (skipped === 0 && start !== dataStart) return none;
  for (let step = TAIL; space.bytes[text + length - 1] !== LINE_FEED; step *= 2) {
    const position = from + length;
    const more = Math.min(step, file.size - position);
    if (more === 0) {
      space.bytes[text + length++] = LINE_FEED;
      break;
    }
    if (position + more - limit > LONGEST_ROW) return undefined;
    readAt(file, space.bytes, text + length, more, position);
    const found = indexOfLineFeed(space, text + length, text + length + more);
    length += found < 0 ? more : found + 1;
  }
  const lastRow = space.bytes.lastIndexOf(LINE_FEED, text + length - 2) + 1;
  if (text + length - Math.max(lastRow, text + skipped) > LONGEST_ROW) return undefined;
  return { at: text + skipped, end: text + length, begin: from + skipped };
}

/** Loads a piece; its rows all end in a line feed alone. An MlpError (74) where the file is no longer what was scanned. */
export function loadPiece(space: Workspace, file: FileBytes, piece: Piece): Span {
  const { text } = space.at;
  const length = piece.end - piece.begin;
  space.reserve(length + 1);
  readAt(file, space.bytes, text, length, piece.begin);
  let end = text + length;
  if (space.bytes[end - 1] !== LINE_FEED) space.bytes[end++] = LINE_FEED;
  if (piece.returns) {
    space.endText(end);
    end = space.exports.dropReturns(text, end);
    if (end === 0) throw changed(file, file.size);
  }
  space.endText(end);
  return { at: text, end };
}

/** Counted from `at`; −1 where there is none. */
function indexOfLineFeed({ bytes }: Workspace, at: number, end: number): number {
  return bytes.subarray(at, end).indexOf(LINE_FEED);
}
