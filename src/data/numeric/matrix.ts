/** A thread's access to the matrix: a module on the memory of each part, with room for a block. */
import { bytesPerElement } from '../../kernels/arena.js';
import { type FeatureMatrix, type MatrixPart, placesIn } from '../featureMatrix.js';
import { instantiateMatrix, type MatrixExports } from './modules.js';

const PAGE = 65_536;

/** Which columns of a block go to which columns of the matrix. */
export interface Columns {
  /** Columns of the file. */
  readonly features: Int32Array;
  /** Columns of the matrix. */
  readonly slots: Int32Array;
}

/** How columns are scaled. */
export interface Transforms {
  /** [columns] */
  readonly shift: Float64Array;
  readonly scale: Float64Array;
  /** Infinite for a column that is not clipped; left out if none is. */
  readonly clip?: Float64Array;
}

/** The memory behind a part of the matrix, equally divided among the threads. */
export interface Scratch {
  readonly address: number;
  readonly bytesOfThread: number;
}

/** The matrix as every thread needs it. */
export interface SharedMatrix {
  readonly matrix: FeatureMatrix;
  /** [parts] */
  readonly scratch: readonly Scratch[];
  /** [rows of the file] In shared memory: the row of the matrix, −1 for none. */
  readonly place: Int32Array;
}

/** The cells and rows of a block. */
export interface BlockSize {
  readonly cells: number;
  readonly rows: number;
}

/** Grows the memory of each part by what the threads need; undefined if it can't grow. */
export function addScratch(
  { parts, columns }: FeatureMatrix,
  { cells, rows }: BlockSize,
  threads: number,
): Scratch[] | undefined {
  // Block; shift, scale and clip; places and runs.
  const bytes = 8 * cells + 24 * columns + 4 * rows + 12 * columns;
  const bytesOfThread = Math.ceil(bytes / 64) * 64;
  try {
    const pages = Math.ceil((bytesOfThread * threads) / PAGE);
    return parts.map(({ memory }) => ({ address: memory.grow(pages) * PAGE, bytesOfThread }));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export class ThreadMatrix {
  readonly elementBytes: 4 | 8;
  readonly #matrix: FeatureMatrix;
  readonly #parts: readonly PartSpace[];

  constructor(module: WebAssembly.Module, matrix: FeatureMatrix, scratch: readonly Scratch[], rank: number) {
    this.elementBytes = bytesPerElement(matrix.dtype);
    this.#matrix = matrix;
    this.#parts = matrix.parts.map((part, i) => new PartSpace(module, part, scratch[i], rank));
  }

  /** Returns a function that copies rows of a block to their places in the matrix. */
  placer(columns: Columns, size: BlockSize, blockColumns: number) {
    const placers = this.#parts.map((part) => part.placer(columns, size, blockColumns));
    return (source: Uint8Array, place: Int32Array): void => {
      for (const [i, placeRows] of placers.entries()) placeRows(source, placesIn(this.#matrix, i, place));
    };
  }

  /**
   * Returns a function that writes rows of a block of float64 to their places, scaled, and tells
   * whether all numbers fit.
   */
  scalingPlacer(columns: Columns & Transforms, size: BlockSize, blockColumns: number) {
    const placers = this.#parts.map((part) => part.scalingPlacer(columns, size, blockColumns));
    return (numbers: Float64Array, place: Int32Array): boolean => {
      const fit = placers.map((placeRows, i) => placeRows(numbers, placesIn(this.#matrix, i, place)));
      return !fit.includes(false);
    };
  }

  /** Returns a function that scales rows of the matrix and tells whether all numbers fit. */
  scaler(transforms: Transforms): (from: number, end: number) => boolean {
    const scalers = this.#parts.map((part) => part.scaler(transforms));
    const { rowsOfPart } = this.#matrix;
    return (from, end) => {
      let fits = true;
      for (let row = from; row < end; ) {
        const part = Math.floor(row / rowsOfPart);
        const first = part * rowsOfPart;
        const next = Math.min(end, first + rowsOfPart);
        fits = scalers[part](row - first, next - first) && fits;
        row = next;
      }
      return fits;
    };
  }
}

/** A thread's access to one part. */
class PartSpace {
  readonly exports: MatrixExports;
  readonly elementBytes: 4 | 8;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #block: number;

  constructor(
    module: WebAssembly.Module,
    readonly part: MatrixPart,
    { address, bytesOfThread }: Scratch,
    rank: number,
  ) {
    this.exports = instantiateMatrix(module, part.memory);
    this.elementBytes = part.features.data instanceof Float32Array ? 4 : 8;
    const { buffer } = part.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#block = address + rank * bytesOfThread;
  }

  /** As those of `ThreadMatrix`, for the places of this part. */
  placer(columns: Columns, { cells, rows }: BlockSize, blockColumns: number) {
    const { elementBytes } = this;
    const block = this.#block;
    const { columns: matrixColumns, address } = this.part.features;
    const placeAt = block + 8 * cells;
    const runsAt = placeAt + 4 * rows;
    const runs = findRuns(columns).flatMap((run) => run.map((columns) => columns * elementBytes));
    this.#words.set(runs, runsAt / 4);
    return (source: Uint8Array, place: Int32Array): void => {
      this.#bytes.set(source, block);
      this.#words.set(place, placeAt / 4);
      this.exports.placeRows(
        block,
        blockColumns * elementBytes,
        place.length,
        placeAt,
        runsAt,
        runs.length / 3,
        address,
        matrixColumns * elementBytes,
      );
    };
  }

  scalingPlacer(columns: Columns & Transforms, { cells, rows }: BlockSize, blockColumns: number) {
    const { exports, elementBytes } = this;
    const block = this.#block;
    const { columns: matrixColumns, address } = this.part.features;
    const { shift, scale, clip, end } = this.#storeTransforms(block + 8 * cells, columns);
    const runsAt = end + 4 * rows;
    const runs = findRuns(columns);
    this.#words.set(runs.flat(), runsAt / 4);
    const scaleBlock = elementBytes === 4 ? exports.scaleToFloat32 : exports.scaleToFloat64;
    return (numbers: Float64Array, place: Int32Array): boolean => {
      this.#doubles.set(numbers, block / 8);
      this.#words.set(place, end / 4);
      const { length } = place;
      const from = [block, blockColumns, length, end, runsAt, runs.length] as const;
      return scaleBlock(...from, address, matrixColumns, shift, scale, clip) === 1;
    };
  }

  scaler(transforms: Transforms): (from: number, end: number) => boolean {
    const { exports, elementBytes } = this;
    const { columns, address } = this.part.features;
    const slots = Int32Array.from({ length: columns }, (_, j) => j);
    const { shift, scale, clip } = this.#storeTransforms(this.#block, { slots, ...transforms });
    const scaleRows = elementBytes === 4 ? exports.scalePacked : exports.scaleFloat64;
    return (from, end) => {
      const first = address + from * columns * elementBytes;
      return scaleRows(end - from, columns, first, shift, scale, clip) === 1;
    };
  }

  /** Writes those of columns of the matrix to `shift`; returns the addresses, and where they end. */
  #storeTransforms(shift: number, { slots, ...task }: Pick<Columns, 'slots'> & Transforms) {
    const scale = shift + 8 * this.part.features.columns;
    const clip = scale + 8 * this.part.features.columns;
    slots.forEach((slot, j) => {
      this.#doubles[shift / 8 + slot] = task.shift[j];
      this.#doubles[scale / 8 + slot] = task.scale[j];
      if (task.clip) this.#doubles[clip / 8 + slot] = task.clip[j];
    });
    return { shift, scale, clip: task.clip ? clip : 0, end: clip + 8 * this.part.features.columns };
  }
}

/** Runs of adjacent columns: first in the block, first in the matrix, length. */
function findRuns({ features, slots }: Columns): [number, number, number][] {
  const runs: [number, number, number][] = [];
  features.forEach((feature, j) => {
    const last = runs.at(-1);
    if (last && feature === last[0] + last[2] && slots[j] === last[1] + last[2]) last[2]++;
    else runs.push([feature, slots[j], 1]);
  });
  return runs;
}
