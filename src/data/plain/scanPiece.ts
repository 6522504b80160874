/** The first way over a piece: its structure is checked, its rows are counted, and the captured columns are read. */
import { isUtf8 } from 'node:buffer';
import { isMissing, parseDecimal } from '../cell.js';
import { ByteLevels } from './byteLevels.js';
import { RowsFound } from './module.js';
import { loadStretch, type Piece } from './pieces.js';
import type { Reader } from './reader.js';

/** A column to be kept whole. */
export interface Captured {
  readonly column: number;
  readonly kind: 'numeric' | 'text';
}

/** The cells of a captured column in one piece. */
export type CapturedCells =
  | { readonly kind: 'numeric'; readonly values: Float64Array; readonly missing: number }
  | { readonly kind: 'text'; readonly codes: Int32Array; readonly texts: readonly string[] };

export interface ScannedPiece extends Piece {
  /** In the order of `captured`. */
  readonly cells: readonly CapturedCells[];
}

export interface ScanTask {
  readonly kind: 'scan';
  /** By rising column. */
  readonly captured: readonly Captured[];
}

const BYTES_OF_START = 4;

/** Carries out units of the task: undefined where the piece is not plain. */
export function scanner(reader: Reader, task: ScanTask): (unit: number) => ScannedPiece | undefined {
  return (unit) => scanPiece(reader, task, unit);
}

function scanPiece(reader: Reader, { captured }: ScanTask, unit: number): ScannedPiece | undefined {
  const { space, file, beginning, tuning } = reader;
  const { columns, exports } = space;
  const start = beginning.dataStart + unit * tuning.pieceBytes;
  const limit = Math.min(start + tuning.pieceBytes, file.size);
  const found = loadStretch(space, file, beginning.dataStart, start, limit);
  if (found === undefined) return undefined;
  const { begin, at } = found;
  const end = begin + (found.end - at);
  if (at === found.end) {
    return { begin, end, rows: 0, returns: false, cells: captured.map(({ kind }) => noCells(kind)) };
  }

  captured.forEach(({ column }, i) => {
    space.words[space.at.captured / 4 + i] = column;
  });
  space.words[space.at.captured / 4 + captured.length] = columns;
  const mostRows = Math.ceil((found.end - at) / columns) + 1;
  const starts = space.reserve(found.end - space.at.text, mostRows * captured.length * BYTES_OF_START);
  const check = (textEnd: number) =>
    exports.checkRows(at, textEnd, reader.delimiter, columns, space.at.captured, starts);

  let textEnd = found.end;
  space.endText(textEnd);
  let what = check(textEnd);
  const returns = what === RowsFound.returns;
  if (returns) {
    textEnd = exports.dropReturns(at, textEnd);
    if (textEnd === 0) return undefined;
    space.endText(textEnd);
    what = check(textEnd);
  }
  if (what !== RowsFound.plain) return undefined;
  if (!exports.isAscii.value && !isUtf8(space.bytes.subarray(at, textEnd))) return undefined;

  const rows = exports.rows.value;
  const cells: CapturedCells[] = [];
  for (const [i, { kind }] of captured.entries()) {
    const first = starts + i * BYTES_OF_START;
    const read = kind === 'numeric' ? readNumbers : readTexts;
    const column = read(reader, { starts: first, step: captured.length, rows });
    if (column === undefined) return undefined;
    cells.push(column);
  }
  return { begin, end: Math.min(end, file.size), rows, returns, cells };
}

/** Where the cells of a column are. */
interface Starts {
  /** Of the positions before them. */
  readonly starts: number;
  /** Elements from one row to the next. */
  readonly step: number;
  readonly rows: number;
}

function noCells(kind: Captured['kind']): CapturedCells {
  return kind === 'numeric'
    ? { kind, values: new Float64Array(), missing: 0 }
    : { kind, codes: new Int32Array(), texts: [] };
}

function readNumbers(reader: Reader, { starts, step, rows }: Starts): CapturedCells | undefined {
  const { space } = reader;
  const { exports, at } = space;
  const values = new Float64Array(rows);
  let missing = 0;
  for (let row = 0; row < rows; row += reader.blockSize.cells) {
    const count = Math.min(reader.blockSize.cells, rows - row);
    const first = starts + row * step * BYTES_OF_START;
    const left = exports.readColumn(
      first,
      step,
      count,
      reader.delimiter,
      at.marks,
      at.values,
      at.packed,
      at.others,
    );
    for (let i = 0; i < left; i++) {
      const cell = space.words[at.others / 4 + i];
      const text = reader.cellText(space.words[first / 4 + cell * step] + 1);
      const value = parseDecimal(text);
      if (Number.isFinite(value)) space.doubles[at.values / 8 + cell] = value;
      else if (isMissing(text)) missing++;
      else return undefined;
    }
    values.set(space.numbers(at.values, count), row);
  }
  return { kind: 'numeric', values, missing };
}

function readTexts(reader: Reader, { starts, step, rows }: Starts): CapturedCells | undefined {
  const { words, bytes } = reader.space;
  const levels = new ByteLevels();
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = words[starts / 4 + row * step] + 1;
    codes[row] = levels.code(bytes, start, reader.cellEnd(start));
  }
  // Blanks around a value are an error, unless it is a missing one: csv-parse's table has the word.
  if (levels.texts.some((text) => text !== text.trim() && !isMissing(text))) return undefined;
  return { kind: 'text', codes, texts: levels.texts };
}
