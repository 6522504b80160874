/** What the values of a column are as cells: numbers, or text as a CSV would have it. */
import { isUtf8 } from 'node:buffer';
import type { SchemaElement } from 'hyparquet';
import { parseFloat16 } from 'hyparquet/src/convert.js';
import { parseDecimal } from '../cell.js';
import { shortestFloat32 } from '../csv/writeCsv.js';
import { Damage } from './codes.js';
import type { Values } from './pages.js';

export interface CellType {
  /** How the values are numbers; absent for text, dates and times. */
  readonly numbers?: (values: Values) => Float64Array;
  readonly texts: (values: Values) => string[];
  /** Whether numbers may have another spelling than the shortest: integers of 64 bits, decimals. */
  readonly isSpelled?: boolean;
}

const MILLISECONDS_A_DAY = 86_400_000;
/** Units in a second. */
const UNITS = { MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n } as const;
const SECONDS_A_DAY = 86_400n;
/** The Julian day of 1970-01-01, from which INT96 counts. */
const UNIX_EPOCH = 2_440_588;

/** The type of a column; undefined if its values are no cells. */
export function cellTypeOf(element: SchemaElement): CellType | undefined {
  const { type, converted_type: converted, logical_type: logical, scale = 0 } = element;
  const annotation = logical?.type ?? converted;
  if (annotation === 'DECIMAL') return decimals(logical?.type === 'DECIMAL' ? logical.scale : scale);
  switch (type) {
    case 'BOOLEAN':
      return { texts: (values) => mapped(values, (value) => (value ? 'true' : 'false')) };
    case 'INT32':
      if (annotation === 'DATE')
        return { texts: (values) => mapped(values, (days) => dateText(Number(days))) };
      if (annotation === 'TIME' || annotation === 'TIME_MILLIS') return times('MILLIS');
      return isUnsigned(element)
        ? integers((values) => new Uint32Array((values as Int32Array).buffer))
        : integers();
    case 'INT64': {
      const unit =
        logical && 'unit' in logical ? logical.unit : converted?.endsWith('MICROS') ? 'MICROS' : 'MILLIS';
      if (annotation === 'TIME' || annotation === 'TIME_MICROS') return times(unit);
      if (annotation?.startsWith('TIMESTAMP')) {
        // Parquet's older annotation means UTC.
        return timestamps(unit, logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : false);
      }
      return longIntegers(isUnsigned(element));
    }
    case 'INT96':
      return { texts: (values) => (values as Uint8Array[]).map(int96Text) };
    case 'FLOAT':
      return {
        numbers: doubles,
        texts: (values) => mapped(values, (value) => floatText(Number(value), shortestFloat32)),
      };
    case 'DOUBLE':
      return {
        numbers: doubles,
        texts: (values) => mapped(values, (value) => floatText(Number(value), String)),
      };
    case 'BYTE_ARRAY':
      if (annotation === 'BSON' || annotation === 'GEOMETRY' || annotation === 'GEOGRAPHY') return undefined;
      return { texts: (values) => (values as Uint8Array[]).map(utf8Text) };
    case 'FIXED_LEN_BYTE_ARRAY':
      if (annotation === 'FLOAT16') return halves;
      if (annotation === 'UUID') return { texts: (values) => (values as Uint8Array[]).map(uuidText) };
      return undefined;
    default:
      return undefined;
  }
}

function mapped(values: Values, text: (value: number | bigint) => string): string[] {
  return Array.from(values as Iterable<number | bigint>, text);
}

function isUnsigned({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return logical?.type === 'INTEGER' ? !logical.isSigned : (converted?.startsWith('UINT') ?? false);
}

function doubles(values: Values): Float64Array {
  return values instanceof Float64Array ? values : new Float64Array(values as Float32Array);
}

/** NaN and infinities as a CSV has them. */
function floatText(value: number, text: (value: number) => string): string {
  return Number.isNaN(value) ? '' : text(value);
}

function integers(unsigned = (values: Values) => values as Int32Array | Uint32Array): CellType {
  return {
    numbers: (values) => new Float64Array(unsigned(values)),
    texts: (values) => Array.from(unsigned(values), String),
  };
}

/** A float64 has 53 bits: above 2^53 it is the nearest one. */
function longIntegers(unsigned: boolean): CellType {
  return {
    isSpelled: true,
    numbers(values) {
      const longs = values as BigInt64Array;
      const low = new Uint32Array(longs.buffer, longs.byteOffset, 2 * longs.length);
      const high = unsigned ? low : new Int32Array(longs.buffer, longs.byteOffset, 2 * longs.length);
      const numbers = new Float64Array(longs.length);
      for (let i = 0; i < numbers.length; i++) numbers[i] = high[2 * i + 1] * 2 ** 32 + low[2 * i];
      return numbers;
    },
    texts: (values) =>
      mapped(values, (value) => String(unsigned ? BigInt.asUintN(64, BigInt(value)) : value)),
  };
}

const halves: CellType = {
  numbers: (values) =>
    Float64Array.from(values as Uint8Array[], (bytes) => parseFloat16(bytes) ?? Number.NaN),
  texts: (values) =>
    (values as Uint8Array[]).map((bytes) => floatText(parseFloat16(bytes) ?? Number.NaN, String)),
};

function decimals(scale: number): CellType {
  const texts = (values: Values) =>
    Array.from(values as Iterable<number | bigint | Uint8Array>, (value) => decimalText(value, scale));
  return { isSpelled: true, texts, numbers: (values) => Float64Array.from(texts(values), parseDecimal) };
}

/** `-1.50` for −150 with a scale of 2. */
function decimalText(value: number | bigint | Uint8Array, scale: number): string {
  const unscaled = value instanceof Uint8Array ? bigEndian(value) : BigInt(value);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  if (scale <= 0) return `${sign}${digits}${'0'.repeat(-scale)}`;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Two's complement. */
function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function dateText(days: number): string {
  return isoText(BigInt(days) * SECONDS_A_DAY).split('T')[0];
}

function times(unit: keyof typeof UNITS): CellType {
  return {
    texts: (values) =>
      mapped(values, (value) => {
        const { seconds, fraction } = split(BigInt(value), unit);
        return isoText(seconds).slice('1970-01-01T'.length) + fraction;
      }),
  };
}

function timestamps(unit: keyof typeof UNITS, isUtc: boolean): CellType {
  return {
    texts: (values) =>
      mapped(values, (value) => {
        const { seconds, fraction } = split(BigInt(value), unit);
        return `${isoText(seconds)}${fraction}${isUtc ? 'Z' : ''}`;
      }),
  };
}

/** Nanoseconds of the day, and the Julian day. */
function int96Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const days = BigInt(view.getInt32(8, true) - UNIX_EPOCH);
  const { seconds, fraction } = split(view.getBigInt64(0, true), 'NANOS');
  return isoText(days * SECONDS_A_DAY + seconds) + fraction;
}

/** Whole seconds, and `.5` or `.000001`, in groups of three digits, none for a whole second. */
function split(value: bigint, unit: keyof typeof UNITS): { seconds: bigint; fraction: string } {
  const units = UNITS[unit];
  const rest = ((value % units) + units) % units;
  const digits = String(rest).padStart(String(units).length - 1, '0');
  return {
    seconds: (value - rest) / units,
    fraction: rest === 0n ? '' : `.${digits.replace(/(?:000)+$/, '')}`,
  };
}

/** `2024-02-29T12:00:00` */
function isoText(seconds: bigint): string {
  const milliseconds = Number(seconds) * 1000;
  if (!(Math.abs(milliseconds) <= 1e8 * MILLISECONDS_A_DAY))
    throw new Damage('found a date beyond all calendars');
  return new Date(milliseconds).toISOString().replace(/\.000Z$/, '');
}

function utf8Text(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  // Only a text that has the replacement character may be no UTF-8.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new Damage('found bytes that are no UTF-8 text');
  return text;
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
