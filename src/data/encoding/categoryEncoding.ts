/** Columns of categories: one matrix column for each level of the training rows. */
import { parseBoolean } from '../booleans.js';
import { Levels } from '../levels.js';
import { type Table, textColumn } from '../table.js';
import {
  type BooleanEncoding,
  type CategoryEncoding,
  type Destination,
  encodingWidth,
  type FeatureRequest,
  type Writer,
} from './encoding.js';
import { allMissing, fillPolicy } from './missing.js';

/** A level that the encoding does not know, and how many of the rows have it. */
export interface UnknownLevel {
  readonly column: string;
  readonly level: string;
  readonly rows: number;
}

/** Fits the encoding on these rows of the table. */
export function fitCategory(
  table: Table,
  { index, missing }: FeatureRequest,
  rows: Int32Array,
): CategoryEncoding {
  const column = textColumn(table, index);
  const rowsOfCode = countCodes(column.codes, column.levels.length, rows);
  const present = rowsOfCode.reduce((sum, count) => sum + count, 0);
  if (present === 0) throw allMissing(table, index, rows.length);

  const levels = Levels.of(column.levels.filter((_, code) => rowsOfCode[code] > 0));
  const policy = fillPolicy(missing);
  const indicator = policy === 'indicator' && present < rows.length;
  return {
    kind: 'category',
    column: table.names[index],
    levels: levels.names,
    ...(policy && !indicator && { fill: mostFrequentLevel(levels, column.levels, rowsOfCode) }),
    ...(indicator && { indicator }),
  };
}

/** The first of equally frequent levels. */
function mostFrequentLevel(levels: Levels, cells: readonly string[], rowsOfCode: Int32Array): string {
  const rowsOfLevel = new Float64Array(levels.names.length);
  cells.forEach((cell, code) => {
    const index = levels.index(cell);
    if (index !== undefined) rowsOfLevel[index] += rowsOfCode[code];
  });
  const most = rowsOfLevel.reduce((a, b) => Math.max(a, b));
  return levels.names[rowsOfLevel.indexOf(most)];
}

/** The writer of the matrix columns from `offset` on. */
export function categoryWriter(
  table: Table,
  index: number,
  encoding: CategoryEncoding,
  offset: number,
  destination: Destination,
): Writer {
  const { codes, levels } = textColumn(table, index);
  const oneHot = oneHotOf(encoding, levels);
  return (from, to) => writeLevels(destination, offset, codes, oneHot, from, to);
}

/** Which of a category's columns is 1; −1 for none. */
interface OneHot {
  readonly columns: number;
  /** [codes] */
  readonly columnOf: Int32Array;
  readonly columnOfMissing: number;
}

function oneHotOf(encoding: CategoryEncoding, cells: readonly string[]): OneHot {
  const { fill, indicator } = encoding;
  const known = levelsOf(encoding);
  const columns = encodingWidth(encoding);
  const columnOf = Int32Array.from(cells, (cell) => known.index(cell) ?? -1);
  if (indicator) return { columns, columnOf, columnOfMissing: columns - 1 };
  return { columns, columnOf, columnOfMissing: fill === undefined ? -1 : (known.index(fill) ?? -1) };
}

// A function on parameters: over a closure's variables the loop takes three times as long.
function writeLevels(
  { rows, place, elements, width }: Destination,
  offset: number,
  codes: Int32Array,
  { columns, columnOf, columnOfMissing }: OneHot,
  from: number,
  to: number,
): boolean {
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const code = codes[row];
    const one = code < 0 ? columnOfMissing : columnOf[code];
    const at = place[row] * width + offset;
    for (let j = 0; j < columns; j++) elements[at + j] = 0;
    if (one >= 0) elements[at + one] = 1;
  }
  return true;
}

/** The unknown levels among these rows, in the order of their first row in the file. */
export function unknownLevels(
  table: Table,
  index: number,
  encoding: CategoryEncoding | BooleanEncoding,
  rows: Int32Array,
): UnknownLevel[] {
  const { levels, codes } = textColumn(table, index);
  const isKnown = encoding.kind === 'boolean' ? parseBoolean : inLevels(levelsOf(encoding));
  const isUnknown = levels.map((level) => isKnown(level) === undefined);
  if (!isUnknown.includes(true)) return [];
  const rowsOfCode = countCodes(codes, levels.length, rows);
  return levels
    .map((level, code) => ({ column: encoding.column, level, rows: rowsOfCode[code] }))
    .filter(({ rows }, code) => isUnknown[code] && rows > 0);
}

function inLevels(levels: Levels) {
  return (level: string) => levels.index(level);
}

function levelsOf({ levels, byValue }: CategoryEncoding): Levels {
  return byValue ? Levels.byValue(levels) : Levels.of(levels);
}

/** [levels] How many of these rows have each code. */
function countCodes(codes: Int32Array, levels: number, rows: Int32Array): Int32Array {
  const counts = new Int32Array(levels);
  for (let i = 0; i < rows.length; i++) if (codes[rows[i]] >= 0) counts[codes[rows[i]]]++;
  return counts;
}
