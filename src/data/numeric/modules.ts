/** The WebAssembly modules of the numeric path: their exports, and how to load them. */
import { readFileSync } from 'node:fs';
import { readError } from '../../errors.js';

/** The module that parses text; see `assembly/`. Addresses are in bytes. */
export interface ParserExports {
  readonly memory: WebAssembly.Memory;
  readonly constantsEnd: { readonly value: number };
  readonly powersOfTen: { readonly value: number };
  readonly mostPower: { readonly value: number };
  checkRows(
    at: number,
    end: number,
    delimiter: number,
    columns: number,
    kept: number,
    starts: number,
  ): RowsFound;
  /** Results of the last `checkRows`. */
  readonly rows: { readonly value: number };
  readonly isAscii: { readonly value: number };
  dropReturns(at: number, end: number): number;
  findCells(at: number, end: number, delimiter: number, most: number, marks: number): number;
  readTinyNumbers: ReadBlock;
  readShortNumbers: ReadBlock;
  readOtherNumbers(
    marks: number,
    count: number,
    columns: number,
    values: number,
    packed: number,
    others: number,
    wanted: number,
    unpacked: number,
  ): number;
  /** A result of the last `readOtherNumbers`. */
  readonly unpackedCells: { readonly value: number };
  readColumn(
    before: number,
    step: number,
    count: number,
    delimiter: number,
    stops: number,
    values: number,
    packed: number,
    others: number,
  ): number;
  addMoments(
    values: number,
    chosen: number,
    count: number,
    columns: number,
    before: number,
    means: number,
    meanRests: number,
    squares: number,
  ): void;
  addExtremes(
    values: number,
    chosen: number,
    count: number,
    columns: number,
    least: number,
    greatest: number,
  ): void;
  /** Both return 1 if all results are finite, else 0. */
  scaleToFloat32: ScaleBlock;
  scaleToFloat64: ScaleBlock;
}

type ReadBlock = (marks: number, count: number, values: number, packed: number, others: number) => number;

type ScaleBlock = (
  rows: number,
  columns: number,
  x: number,
  shift: number,
  scale: number,
  z: number,
) => number;

/** The module that works in the memory of a matrix. */
export interface MatrixExports {
  placeRows(
    block: number,
    blockRowBytes: number,
    rows: number,
    place: number,
    runs: number,
    count: number,
    matrix: number,
    matrixRowBytes: number,
  ): void;
  /** Both return 1 if all results are finite, else 0. */
  scalePacked: ScaleInPlace;
  scaleFloat64: ScaleInPlace;
}

type ScaleInPlace = (rows: number, columns: number, x: number, shift: number, scale: number) => number;

export const RowsFound = { numeric: 0, returns: 1, foreign: 2 } as const;
export type RowsFound = (typeof RowsFound)[keyof typeof RowsFound];

/** Compiled modules are beside this file, but in dist/ when the sources run (in tests). */
const FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/data/numeric/' : './',
  import.meta.url,
);

/** What `assembly/` compiles to; shared by the threads. */
export interface Modules {
  readonly parse: WebAssembly.Module;
  readonly matrix: WebAssembly.Module;
}

let compiled: Modules | undefined;

export function compileModules(): Modules {
  compiled ??= { parse: compile('parse.wasm'), matrix: compile('matrix.wasm') };
  return compiled;
}

function compile(name: string): WebAssembly.Module {
  const url = new URL(name, FOLDER);
  try {
    return new WebAssembly.Module(readFileSync(url));
  } catch (error) {
    throw readError(url.pathname, error);
  }
}

/** The parser, with a memory of its own. */
export function instantiateParser(module: WebAssembly.Module): ParserExports {
  const exports = new WebAssembly.Instance(module).exports as unknown as ParserExports;
  writePowersOfTen(exports);
  return exports;
}

/** The matrix module. It overwrites the first RESERVED_BYTES (kernels/arena.ts). */
export function instantiateMatrix(module: WebAssembly.Module, memory: WebAssembly.Memory): MatrixExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as MatrixExports;
}

/** ⌊10^q / 2^e⌋ for each exponent q of the table; e gives the quotient 64 bits. */
function writePowersOfTen({ memory, powersOfTen, mostPower }: ParserExports): void {
  const most = mostPower.value;
  const table = new BigUint64Array(memory.buffer, powersOfTen.value, 2 * most + 1);
  let power = 1n;
  for (let q = 0; q <= most; q++, power *= 10n) {
    const bits = power.toString(2).length;
    table[most + q] = bits > 64 ? power >> BigInt(bits - 64) : power << BigInt(64 - bits);
    // 10^−q is between 2^−bits and 2^(1−bits).
    if (q > 0) table[most - q] = (1n << BigInt(63 + bits)) / power;
  }
}
