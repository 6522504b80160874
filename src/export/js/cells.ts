/** The cells of a row, and what each becomes: inputs of the network. Part of the runtime. */
import { parseBoolean } from '../../data/booleans.js';
import { parseDecimal } from '../../data/cell.js';
import { type Moment, parseDate } from '../../data/dates.js';
import { clipped } from '../../data/scaling.js';
import type { FloatArray } from '../../kernels/kernels.js';
import type { Encoding, InputColumn, Scale } from '../program.js';

/** Null, undefined and NaN are missing, and so is text that means a missing cell. */
export type Cell = number | string | boolean | null | undefined;
export type Row = Readonly<Record<string, Cell>>;

/** A number, NaN if it is missing; or text, undefined if it is missing. */
export type CleanCell = number | string | undefined;

/** @throws Error if the row lacks the column, or the column cannot hold its cell */
export function cellOf(row: Row, column: InputColumn): CleanCell {
  const { name, kind, missing, missingNumbers, anything } = column;
  if (!Object.hasOwn(row, name)) throw new Error(`found no ${JSON.stringify(name)} in the row, expected one`);
  const value = row[name];
  const isMissing = value === null || value === undefined || Number.isNaN(value);
  if (isMissing && column.required) throw missingCell(name);
  if (kind !== 'number' || anything) return isMissing ? undefined : String(value);
  if (isMissing) return Number.NaN;
  const isText = typeof value === 'string';
  const text = isText ? value.trim() : '';
  const number = isText ? parseDecimal(text) : Number(value);
  if ((isText && missing.includes(text)) || missingNumbers.includes(number)) {
    if (column.required) throw missingCell(name);
    return Number.NaN;
  }
  if (Number.isFinite(number)) return number;
  throw new Error(`${JSON.stringify(name)}: found ${JSON.stringify(String(value))}, expected a number`);
}

function missingCell(name: string): Error {
  return new Error(`${JSON.stringify(name)}: found a missing value, expected one`);
}

/** Whether text means a missing cell. */
function isGap(text: string, { name, missing, required }: InputColumn): boolean {
  if (!missing.includes(text.trim())) return false;
  if (required) throw missingCell(name);
  return true;
}

/** Writes the inputs of a column behind each other from `at` on. */
type Encoder = (cell: CleanCell, x: FloatArray, at: number) => void;

export function createEncoder(encoding: Encoding, column: InputColumn): { width: number; encode: Encoder } {
  const { width, write } = createWriter(encoding, column);
  const { marks } = encoding;
  if (!marks) return { width, encode: write };
  return {
    width: width + 1,
    encode(cell, x, at) {
      x[at + width] = marks[write(cell, x, at) ? 1 : 0];
    },
  };
}

/** As an encoder; returns whether the cell is missing. */
type CellWriter = (cell: CleanCell, x: FloatArray, at: number) => boolean;

function createWriter(encoding: Encoding, column: InputColumn): { width: number; write: CellWriter } {
  switch (encoding.kind) {
    case 'constant':
      return {
        width: 0,
        write: (cell) =>
          typeof cell === 'string' ? isGap(cell, column) : cell === undefined || Number.isNaN(cell),
      };
    case 'number': {
      const { fill = Number.NaN, zero, levels } = encoding;
      const places = levels && new Map(levels.map((level, i) => [level, i + 1]));
      const write: CellWriter = (cell, x, at) => {
        const value = cell as number;
        const isMissing = Number.isNaN(value);
        x[at] = zero ? 0 : scaled(isMissing ? fill : value, encoding);
        if (places) x[at + 1] = places.get(value) ?? 0;
        return isMissing;
      };
      return { width: levels ? 2 : 1, write };
    }
    case 'category':
      return categoryWriter(encoding, column);
    case 'boolean': {
      const { no, yes, other, missing } = encoding;
      const write: CellWriter = (cell, x, at) => {
        const text = cell as string | undefined;
        const isMissing = text === undefined || isGap(text, column);
        const said = isMissing ? undefined : parseBoolean(text);
        x[at] = isMissing ? missing : said === undefined ? other : said ? yes : no;
        return isMissing;
      };
      return { width: 1, write };
    }
    case 'date': {
      const { inputs } = encoding;
      const write: CellWriter = (cell, x, at) => {
        const text = cell as string | undefined;
        const isMissing = text === undefined || isGap(text, column);
        const moment = isMissing ? undefined : momentOf(text, column);
        inputs.forEach((input, j) => {
          x[at + j] = scaled(moment ? partOf(moment, input) : (input.fill ?? Number.NaN), input);
        });
        return isMissing;
      };
      return { width: inputs.length, write };
    }
  }
}

function categoryWriter(
  { levels, byValue, inputs, fill = -1 }: Extract<Encoding, { kind: 'category' }>,
  column: InputColumn,
): { width: number; write: CellWriter } {
  const places = new Map(levels.map((level, i) => [level, i]));
  const placeOf = (text: string) => places.get(byValue ? String(parseDecimal(text.trim())) : text);
  const isSingle = inputs.kind === 'single';
  const width = isSingle ? 1 : levels.length;
  const write: CellWriter = (cell, x, at) => {
    const text = cell as string | undefined;
    let place = text === undefined ? undefined : (placeOf(text) ?? placeOf(text.trim()));
    const isMissing = text === undefined || (place === undefined && isGap(text, column));
    if (isMissing) place = fill < 0 ? undefined : fill;
    if (isSingle) {
      x[at] = place === undefined ? inputs.none : inputs.values[place];
    } else {
      for (let j = 0; j < width; j++) x[at + j] = inputs.off[j];
      if (place !== undefined) x[at + place] = inputs.on[place];
    }
    return isMissing;
  };
  return { width, write };
}

function scaled(x: number, { shift, scale, clip }: Scale): number {
  const z = (x - shift) / scale;
  return clip === undefined ? z : clipped(z, clip);
}

function momentOf(text: string, { name, order = 'ymd' }: InputColumn): Moment {
  const moment = parseDate(text, order);
  if (moment) return moment;
  const written = { ymd: '2024-12-31', dmy: '31/12/2024', mdy: '12/31/2024', time: '13:45' }[order];
  throw new Error(
    `${JSON.stringify(name)}: found ${JSON.stringify(text)}, expected a date such as ${written}`,
  );
}

function partOf(
  moment: Moment,
  { part, wave, period = 1 }: { part: keyof Moment; wave?: 'sine' | 'cosine'; period?: number },
): number {
  const angle = (2 * Math.PI * moment[part]) / period;
  if (wave === undefined) return moment[part];
  return wave === 'sine' ? Math.sin(angle) : Math.cos(angle);
}
