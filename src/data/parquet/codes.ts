/** Integers of a few bits: levels, and codes of a dictionary. */
import { type CodesExports, instantiateCodes } from '../numeric/modules.js';

/** Numbers of the bytes of a chunk that are not where the file says. Becomes an error for the user. */
export class Damage extends Error {}

/** `count` integers of `width` bits, still packed, from `at` to at most `end`. */
export interface Codes {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly width: number;
  readonly count: number;
}

let module: CodesExports | undefined;

/**
 * Writes `table[code]` for each of the codes to the start of `out`.
 * @throws Damage if there are too few codes, or the table lacks one
 */
export function lookUp<T extends Uint8Array | Int32Array | Float64Array>(
  { bytes, at, end, width, count }: Codes,
  table: T,
  out: T,
): void {
  if (!(at <= end && end <= bytes.length && width >= 0 && width <= 32))
    throw new Damage('found levels or codes that are cut short');
  module ??= instantiateCodes();
  const { memory, start, lookUp8, lookUp32, lookUp64 } = module;
  const { BYTES_PER_ELEMENT: size } = table;
  const outAt = start.value;
  const tableAt = aligned(outAt + count * size);
  const codesAt = aligned(tableAt + table.length * size);
  const codesEnd = codesAt + end - at;
  const lacking = codesEnd + MARGIN - memory.buffer.byteLength;
  if (lacking > 0) memory.grow(Math.ceil(lacking / MEMORY_PAGE));
  const { buffer } = memory;
  const Numbers = table.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => T;
  new Numbers(buffer, tableAt, table.length).set(table);
  new Uint8Array(buffer, codesAt, end - at).set(bytes.subarray(at, end));
  const run = size === 1 ? lookUp8 : size === 4 ? lookUp32 : lookUp64;
  const result = run(codesAt, codesEnd, width, count, tableAt, table.length, outAt);
  if (result === TOO_FEW) throw new Damage('found too few levels or codes');
  if (result === UNKNOWN) throw new Damage('found a code that the dictionary lacks');
  out.set(new Numbers(buffer, outAt, count));
}

/** See `assembly/codes.ts`. */
const TOO_FEW = 1;
const UNKNOWN = 2;
const MARGIN = 8;
const MEMORY_PAGE = 2 ** 16;

function aligned(address: number): number {
  return Math.ceil(address / 8) * 8;
}
