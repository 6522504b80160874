/**
 * Columns of text that stand for numbers: dates and booleans. Each becomes a few columns of numbers,
 * which are then fitted and written like any others.
 */

import type { MlpError } from '../../errors.js';
import type { DateSetting } from '../../spec/dataConfig.js';
import type { DatePart } from '../../spec/words.js';
import { parseBoolean } from '../booleans.js';
import { ambiguousDates, type DateOrder, findDates, type Moments, notADate, parseDates } from '../dates.js';
import { firstRows } from '../locatedColumn.js';
import { isSingle, robustCounts } from '../scaling.js';
import { cellLocation, columnLabel, type NumericColumn, type Table, textColumn } from '../table.js';
import type {
  BooleanEncoding,
  ConstantEncoding,
  DateEncoding,
  Destination,
  FeatureRequest,
  NumericEncoding,
  Writer,
} from './encoding.js';
import { allMissing, fillPolicy, fitIndicator } from './missing.js';
import { fitNumbers, numberWriter } from './numberEncoding.js';

/** After how many steps a part begins again; the others only grow. */
export const PERIODS: Partial<Record<DatePart, number>> = { month: 12, day: 31, weekday: 7, hour: 24 };

/** The numbers of a column for each of its levels, by the names of the inputs. */
type Derived = ReadonlyMap<string, Float64Array>;

/**
 * Fits the encoding on these rows of the table. `scratch` [rows] is overwritten.
 * @throws MlpError ExitCode.data for a cell that is no date, or dates whose order nothing tells
 */
export function fitDate(
  table: Table,
  request: FeatureRequest,
  setting: DateSetting,
  rows: Int32Array,
  scratch: Float64Array,
): DateEncoding {
  const { index, scaling, missing } = request;
  const column = textColumn(table, index);
  const present = countPresent(table, index, rows);
  if (present === 0) throw allMissing(table, index, rows.length);
  const order = orderOf(table, index, setting);
  requireDates(table, index, order, rows);
  const moments = parseDates(column.levels, order);
  const parts = setting.parts ?? usualParts(moments, order);
  const numbers = derivedTable(table, index, inputsOf(table.names[index], moments, parts));
  const fitted = parts.map((part) => {
    const isRound = PERIODS[part] !== undefined;
    const inputs = inputNames(table.names[index], part).map((name): NumericEncoding => {
      const { indicator: _, ...encoding } = fitNumbers(
        numbers,
        {
          index: numbers.names.indexOf(name),
          category: false,
          scaling: isRound ? 'none' : scaling,
          // No time of the year is the mean of others.
          missing: fillPolicy(missing) && isRound ? 'mean' : missing,
        },
        rows,
        scratch,
      );
      const [least] = encoding.range ?? [0];
      return part === 'elapsed' && scaling === 'none' ? { ...encoding, shift: least } : encoding;
    });
    return { part, inputs };
  });
  // A part with a single value tells nothing.
  const telling = fitted.filter(({ inputs }) => inputs.some(({ range }) => range && !isSingle(range)));
  return {
    kind: 'date',
    column: table.names[index],
    order,
    parts: telling.map(({ part }) => part),
    inputs: telling.flatMap(({ inputs }) => inputs),
    ...(missing === 'indicator' && fitIndicator(scaling, rows.length, rows.length - present)),
  };
}

/** Fits the encoding on these rows of the table. */
export function fitBoolean(
  table: Table,
  { index, missing, scaling }: FeatureRequest,
  rows: Int32Array,
): BooleanEncoding | ConstantEncoding {
  const { codes, levels } = textColumn(table, index);
  const said = levels.map(parseBoolean);
  const present = countPresent(table, index, rows);
  if (present === 0) throw allMissing(table, index, rows.length);
  const yes = rows.reduce((count, row) => count + (codes[row] >= 0 && said[codes[row]] ? 1 : 0), 0);
  const policy = fillPolicy(missing);
  const column = table.names[index];
  const isMarked = policy === 'indicator';
  const indicator = isMarked && fitIndicator(scaling, rows.length, rows.length - present);
  if (yes === 0 || yes === present) {
    const value = levels[codes[rows.find((row) => codes[row] >= 0) ?? 0]];
    return { kind: 'constant', column, value, ...indicator };
  }
  const fill = isMarked ? NEITHER : 2 * yes > present ? 1 : 0;
  const filled = rows.length - present;
  const counts = new Map([
    [0, present - yes + (fill === 0 ? filled : 0)],
    [NEITHER, fill === NEITHER ? filled : 0],
    [1, yes + (fill === 1 ? filled : 0)],
  ]);
  return {
    kind: 'boolean',
    column,
    ...(policy && { fill }),
    ...indicator,
    ...(scaling === 'robust' && { transform: robustCounts(counts) }),
  };
}

/** The input of a cell that says neither yes nor no. */
const NEITHER = 0.5;

/**
 * The writer of the matrix columns from `offset` on.
 * @throws MlpError ExitCode.data for the first cell of the rows that is no date
 */
export function derivedWriter(
  table: Table,
  index: number,
  encoding: DateEncoding | BooleanEncoding,
  offset: number,
  destination: Destination,
): Writer {
  if (encoding.kind === 'date') requireDates(table, index, encoding.order, destination.rows);
  const numbers = derivedTable(table, index, derivedOf(table, index, encoding));
  const writers = inputsWritten(encoding).map((input, j) =>
    numberWriter(numbers, j, input, offset + j, destination),
  );
  return (from, to) => writers.map((write) => write(from, to)).every(Boolean);
}

function derivedOf(table: Table, index: number, encoding: DateEncoding | BooleanEncoding): Derived {
  const { levels } = textColumn(table, index);
  if (encoding.kind === 'boolean') {
    const said = levels.map((level) => Number(parseBoolean(level) ?? NEITHER));
    return new Map([[encoding.column, Float64Array.from(said)]]);
  }
  return inputsOf(encoding.column, parseDates(levels, encoding.order), encoding.parts);
}

/** The inputs of the network, the last of which is followed by the indicator. */
function inputsWritten(encoding: DateEncoding | BooleanEncoding): NumericEncoding[] {
  const { column, indicator } = encoding;
  const marks = indicator && { indicator };
  if (encoding.kind === 'boolean') {
    const { fill, transform = { shift: 0, scale: 1 } } = encoding;
    return [{ kind: 'numeric', column, ...transform, ...(fill !== undefined && { fill }), ...marks }];
  }
  return encoding.inputs.map((input, j) =>
    j === encoding.inputs.length - 1 ? { ...input, ...marks } : input,
  );
}

/** `when year`; `when month sine` and `when month cosine`. */
function inputNames(column: string, part: DatePart): string[] {
  const name = `${column} ${part}`;
  return PERIODS[part] === undefined ? [name] : [`${name} sine`, `${name} cosine`];
}

/** How many inputs a part of a date becomes. */
export function partWidth(part: DatePart): number {
  return inputNames('', part).length;
}

function inputsOf(column: string, moments: Moments, parts: readonly DatePart[]): Derived {
  return new Map(
    parts.flatMap((part): [string, Float64Array][] => {
      const values = moments[part];
      const [first, second] = inputNames(column, part);
      const period = PERIODS[part];
      if (period === undefined) return [[first, values]];
      const angle = (value: number) => (2 * Math.PI * value) / period;
      return [
        [first, values.map((value) => Math.sin(angle(value)))],
        [second, values.map((value) => Math.cos(angle(value)))],
      ];
    }),
  );
}

/** The parts that differ between the cells. Elapsed days say more than the year. */
export function usualParts(moments: Moments, order: DateOrder): DatePart[] {
  if (order === 'time') return ['hour'];
  const differs = (part: DatePart) => {
    const values = moments[part];
    const first = values.find((value) => !Number.isNaN(value));
    return values.some((value) => value !== first && !Number.isNaN(value));
  };
  // Months alone, such as 2024-12, have no weekday.
  const weekday = differs('day') && differs('weekday');
  return [
    ...(differs('month') ? (['month'] as const) : []),
    ...(weekday ? (['weekday'] as const) : []),
    ...(differs('hour') ? (['hour'] as const) : []),
    'elapsed',
  ];
}

function orderOf(table: Table, index: number, { order }: DateSetting): DateOrder {
  if (order !== undefined) return order;
  const { levels } = textColumn(table, index);
  const found = findDates(levels);
  if (found?.order === 'ambiguous') {
    const label = `${table.path}: ${columnLabel(table.header, table.names[index])}`;
    throw ambiguousDates(label, table.names[index], found.other ?? '');
  }
  return found?.order ?? 'ymd';
}

/** @throws MlpError ExitCode.data for the first of these rows, which rise, with a cell that is no date */
function requireDates(table: Table, index: number, order: DateOrder, rows: Int32Array): void {
  const first = rowsWithoutDate(table, index, order, rows).at(0);
  if (first !== undefined) throw noDateAt(table, index, order, first);
}

/** The rows, of all or of these, with a cell that is no date in this order. Missing cells don't count. */
export function rowsWithoutDate(
  table: Table,
  index: number,
  order: DateOrder,
  rows: Int32Array = firstRows(table.rows),
): Int32Array {
  const { codes, levels } = textColumn(table, index);
  const { elapsed } = parseDates(levels, order);
  if (!elapsed.some(Number.isNaN)) return new Int32Array();
  return rows.filter((row) => codes[row] >= 0 && Number.isNaN(elapsed[codes[row]]));
}

/** The error ExitCode.data for the cell of this row, which is no date. */
export function noDateAt(table: Table, index: number, order: DateOrder, row: number): MlpError {
  const { codes, levels } = textColumn(table, index);
  return notADate(cellLocation(table, index, row), levels[codes[row]], order);
}

/** The table with the derived numbers as its only columns. */
function derivedTable(table: Table, index: number, derived: Derived): Table {
  const { codes, missing } = textColumn(table, index);
  const columns = [...derived.values()].map((ofLevel): NumericColumn => {
    const values = new Float64Array(codes.length);
    for (let row = 0; row < codes.length; row++) values[row] = ofLevel[codes[row]] ?? Number.NaN;
    return { kind: 'numeric', values, missing };
  });
  return { ...table, names: [...derived.keys()], columns };
}

function countPresent(table: Table, index: number, rows: Int32Array): number {
  const { codes } = textColumn(table, index);
  return rows.reduce((count, row) => count + (codes[row] >= 0 ? 1 : 0), 0);
}
