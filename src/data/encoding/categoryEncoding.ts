/** Columns of categories: one matrix column for each level of the training rows. */
import { parseBoolean } from '../booleans.js';
import { Levels } from '../levels.js';
import { robustCounts, type Transform, transformed } from '../scaling.js';
import { type Table, textColumn } from '../table.js';
import {
  type BooleanEncoding,
  type CategoryEncoding,
  type Destination,
  encodingWidth,
  type FeatureRequest,
  indicatorValues,
  type ScaledLevels,
  type Writer,
} from './encoding.js';
import { allMissing, fillPolicy, fitIndicator } from './missing.js';

/** A level that the encoding does not know, and how many of the rows have it. */
export interface UnknownLevel {
  readonly column: string;
  readonly level: string;
  readonly rows: number;
}

/** Fits the encoding on these rows of the table. */
export function fitCategory(
  table: Table,
  {
    index,
    missing,
    scaling,
    leastEmbedded = Number.POSITIVE_INFINITY,
    leastGathered = Number.POSITIVE_INFINITY,
  }: FeatureRequest,
  rows: Int32Array,
): CategoryEncoding {
  const column = textColumn(table, index);
  const rowsOfCode = countCodes(column.codes, column.levels.length, rows);
  const present = rowsOfCode.reduce((sum, count) => sum + count, 0);
  if (present === 0) throw allMissing(table, index, rows.length);

  const levels = Levels.of(column.levels.filter((_, code) => rowsOfCode[code] > 0));
  const policy = fillPolicy(missing);
  const { length } = levels.names;
  if (length > 1 && length >= leastEmbedded && (policy === undefined || policy === 'indicator')) {
    const numbered = {
      kind: 'category',
      column: table.names[index],
      levels: levels.names,
      numbered: true,
    } as const;
    return policy ? { ...numbered, takesMissing: true } : numbered;
  }
  const indicator = policy === 'indicator' && fitIndicator(scaling, rows.length, rows.length - present);
  const isMarked = indicator && 'indicator' in indicator;
  const rowsOfLevel = countLevels(levels, column.levels, rowsOfCode);
  // The first of equally frequent levels.
  const fill = rowsOfLevel.indexOf(rowsOfLevel.reduce((a, b) => Math.max(a, b)));
  const fills = policy !== undefined && !isMarked;
  if (fills) rowsOfLevel[fill] += rows.length - present;
  const scaledLevels = (rowsOfLevel: Float64Array): Partial<CategoryEncoding> => {
    if (length >= leastEmbedded) return { numbered: true };
    const robust = scaling === 'robust' && fitRobust(rowsOfLevel, rows.length);
    if (length < leastGathered) return robust || {};
    return { numbered: true, ...(robust && { scaled: joinedTransforms(robust.transforms ?? []) }) };
  };
  return {
    kind: 'category',
    column: table.names[index],
    levels: levels.names,
    ...(fills && { fill: levels.names[fill] }),
    ...indicator,
    ...(length > 1 && scaledLevels(rowsOfLevel)),
  };
}

/** [levels] The rows of each. */
function countLevels(levels: Levels, cells: readonly string[], rowsOfCode: Int32Array): Float64Array {
  const rowsOfLevel = new Float64Array(levels.names.length);
  cells.forEach((cell, code) => {
    const index = levels.index(cell);
    if (index !== undefined) rowsOfLevel[index] += rowsOfCode[code];
  });
  return rowsOfLevel;
}

/** The transforms of the matrix columns of more than one level. */
function fitRobust(rowsOfLevel: Float64Array, rows: number): Pick<CategoryEncoding, 'transforms' | 'signs'> {
  const [first, second] = rowsOfLevel;
  if (rowsOfLevel.length === 2) {
    const counts = new Map([
      [-1, first],
      [0, rows - first - second],
      [1, second],
    ]);
    return { signs: true, transforms: [robustCounts(counts)] };
  }
  const transforms = Array.from(rowsOfLevel, (count) =>
    robustCounts(
      new Map([
        [0, rows - count],
        [1, count],
      ]),
    ),
  );
  return { transforms };
}

/** Of many levels: those that a quarter of the rows and more have are at most four. */
function joinedTransforms(transforms: readonly Transform[]): ScaledLevels {
  const isRare = ({ shift, scale }: Transform) => shift === 0 && scale === RARE_SCALE;
  const transform = transforms.find(isRare);
  if (!transform) throw new RangeError('found no rare level among many');
  const apart = transforms.flatMap((own, level) => (isRare(own) ? [] : [{ level, transform: own }]));
  return { transform, apart };
}

/** Half the range of 0 and 1, since the quartiles of a rare level are equal. */
const RARE_SCALE = 0.5;

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

/** Which of a category's columns is not as in a row of no level; −1 for none. */
interface OneHot {
  /** [columns] A row of no known level. */
  readonly none: Float64Array;
  /** [codes] */
  readonly columnOf: Int32Array;
  /** [codes] What that column holds. */
  readonly marks: Float64Array;
  readonly columnOfMissing: number;
  readonly missingMark: number;
}

function oneHotOf(encoding: CategoryEncoding, cells: readonly string[]): OneHot {
  const { fill, indicator, signs, numbered, scaled, transforms } = encoding;
  const known = levelsOf(encoding);
  const columns = encodingWidth(encoding);
  const [present, missing] = indicatorValues(indicator);
  const apart = new Map(scaled?.apart.map(({ level }, i) => [level, i + 1]));
  const transformOf = (column: number) =>
    scaled ? scaled.apart[column - 1]?.transform : transforms?.[column];
  const valueIn = (value: number, column: number) => {
    const transform = transformOf(column);
    return transform === undefined ? value : transformed(value, transform);
  };
  // Of two levels, the second is 1 and the first −1 in the same column.
  const place = (level: number | undefined): [column: number, value: number] => {
    if (level === undefined) return [-1, 0];
    const own = apart.get(level);
    if (numbered && own === undefined) return [0, level + 1];
    const column = own ?? (signs ? 0 : level);
    return [column, valueIn(signs && level === 0 ? -1 : 1, column)];
  };
  const none = Float64Array.from({ length: columns }, (_, column) =>
    indicator && column === columns - 1 ? present : valueIn(0, column),
  );
  const places = cells.map((cell) => place(known.index(cell)));
  const [columnOfMissing, missingMark] = indicator
    ? [columns - 1, missing]
    : place(fill === undefined ? undefined : known.index(fill));
  return {
    none,
    columnOf: Int32Array.from(places, ([column]) => column),
    marks: Float64Array.from(places, ([, value]) => value),
    columnOfMissing,
    missingMark,
  };
}

// A function on parameters: over a closure's variables the loop takes three times as long.
function writeLevels(
  { rows, place, elements, width }: Destination,
  offset: number,
  codes: Int32Array,
  { none, columnOf, marks, columnOfMissing, missingMark }: OneHot,
  from: number,
  to: number,
): boolean {
  const columns = none.length;
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const code = codes[row];
    const column = code < 0 ? columnOfMissing : columnOf[code];
    const at = place[row] * width + offset;
    for (let j = 0; j < columns; j++) elements[at + j] = none[j];
    if (column >= 0) elements[at + column] = code < 0 ? missingMark : marks[code];
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
