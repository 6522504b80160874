/** The WebAssembly modules of the numeric path: their exports, and how to load them. */
import { readFileSync } from 'node:fs';
import { readError } from '../../errors.js';

/** An address in bytes, or a count. */
type N = number;

/** The module that parses text; see `assembly/`. Addresses are in bytes. */
export interface ParserExports {
  readonly memory: WebAssembly.Memory;
  readonly constantsEnd: { readonly value: number };
  readonly powersOfTen: { readonly value: number };
  readonly mostPower: { readonly value: number };
  checkRows(at: N, end: N, delimiter: N, columns: N, kept: N, starts: N, isUnquoted: boolean): RowsFound;
  /** Results of the last `checkRows`. */
  readonly rows: { readonly value: number };
  readonly isAscii: { readonly value: number };
  tidy(at: N, end: N, delimiter: N): N;
  /** A result of the last `tidy`. */
  readonly spaces: { readonly value: number };
  /** The end of what is written; below `constantsEnd` if there is none. */
  unquote(at: N, end: N, stop: N, delimiter: N, begin: N): N;
  readonly unquoteShift: { readonly value: number };
  /** Results of the last `unquote`. */
  readonly unquotedEnd: { readonly value: number };
  readonly spacesAroundQuotes: { readonly value: number };
  readonly hasLineBreaks: { readonly value: number };
  findCells(at: N, end: N, delimiter: N, most: N, marks: N): N;
  readTinyNumbers: ReadBlock;
  readShortNumbers: ReadBlock;
  readLongNumbers(marks: N, count: N, values: N, others: N): N;
  readOtherNumbers(marks: N, count: N, values: N, packed: N, others: N, wanted: N, unpacked: N): N;
  /** A result of the last `readOtherNumbers`. */
  readonly unpackedCells: { readonly value: number };
  readColumn(before: N, step: N, count: N, delimiter: N, stops: N, values: N, packed: N, others: N): N;
  codeTexts(
    before: N,
    step: N,
    count: N,
    delimiter: N,
    codes: N,
    levels: N,
    known: N,
    most: N,
    slots: N,
    mask: N,
  ): N;
  addMoments(
    values: N,
    chosen: N,
    count: N,
    columns: N,
    before: N,
    means: N,
    meanRests: N,
    squares: N,
    least: N,
    greatest: N,
  ): void;
  addExtremes(values: N, chosen: N, count: N, columns: N, least: N, greatest: N): void;
}

/** What `unquote` returns instead of an end. */
export const Unquoted = { declined: 0, ranOut: 1 } as const;

type ReadBlock = (marks: N, count: N, values: N, packed: N, others: N) => number;

/** The module that works in the memory of a matrix. */
export interface MatrixExports {
  placeRows(
    block: N,
    blockRowBytes: N,
    rows: N,
    place: N,
    runs: N,
    count: N,
    matrix: N,
    matrixRowBytes: N,
  ): void;
  /** All return 1 if all results are finite, else 0. `clip` is 0 if no column is clipped. */
  scaleToFloat32: ScaleBlock;
  scaleToFloat64: ScaleBlock;
  scalePacked: ScaleInPlace;
  scaleFloat64: ScaleInPlace;
}

type ScaleBlock = (
  block: N,
  blockColumns: N,
  rows: N,
  place: N,
  runs: N,
  count: N,
  matrix: N,
  columns: N,
  shift: N,
  scale: N,
  clip: N,
) => number;

type ScaleInPlace = (rows: N, columns: N, x: N, shift: N, scale: N, clip: N) => number;

export const RowsFound = { plain: 0, untidy: 1, foreign: 2, quoted: 3 } as const;
export type RowsFound = (typeof RowsFound)[keyof typeof RowsFound];

/** As seen from the sources and from dist/ alike. */
const FOLDER = new URL('../../../dist/data/numeric/', import.meta.url);

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

/** The module that unpacks codes of a Parquet dictionary, with a memory of its own. */
export interface CodesExports {
  readonly memory: WebAssembly.Memory;
  /** Free memory begins here. */
  readonly start: { readonly value: number };
  readonly lookUp8: LookUp;
  readonly lookUp32: LookUp;
  readonly lookUp64: LookUp;
}

type LookUp = (at: N, end: N, width: N, count: N, table: N, entries: N, out: N) => number;

export function instantiateCodes(): CodesExports {
  return new WebAssembly.Instance(compile('codes.wasm')).exports as unknown as CodesExports;
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
