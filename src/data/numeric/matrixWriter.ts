/** Writes a file into a matrix with all threads, scaled at once or in place after fitting. */

import { type FeatureMatrix, partOf } from '../featureMatrix.js';
import type { Quartiles } from '../quartiles.js';
import { type Transform, transformed } from '../scaling.js';
import type { KeptNumbers, PlacedChunk } from './chunks.js';
import type { FittedChunk, Moments } from './fit.js';
import { addScratch, type Columns, type SharedMatrix, type Transforms } from './matrix.js';
import { QUARTILE_COLUMNS, type QuartilesTask } from './quartiles.js';
import type { ReaderPool } from './readerPool.js';

/** Elements of the matrix in one chunk of scaling. */
const SCALED_ELEMENTS = 2 ** 18;
/** Numbers that are read again at a time for their quartiles: 256 MiB. */
const GATHERED_NUMBERS = 2 ** 25;

export class MatrixWriter {
  readonly #pool: ReaderPool;
  readonly #chunks: readonly PlacedChunk[];
  private constructor(
    pool: ReaderPool,
    chunks: readonly PlacedChunk[],
    readonly shared: SharedMatrix,
  ) {
    this.#pool = pool;
    this.#chunks = chunks;
  }

  /** Undefined if the memory of the matrix can't grow by what the threads need. */
  static of(
    pool: ReaderPool,
    chunks: readonly PlacedChunk[],
    place: Int32Array,
    matrix: FeatureMatrix,
  ): MatrixWriter | undefined {
    const scratch = addScratch(matrix, pool.blockSize, pool.threads);
    return scratch && new MatrixWriter(pool, chunks, { matrix, scratch, place: inSharedMemory(place) });
  }

  /**
   * Reads these columns and writes them scaled. Returns whether all numbers fit; undefined if a
   * cell is not a number. Chunks of which no `numbers` are kept are read.
   */
  async write(
    columns: Columns,
    transforms: readonly Transform[],
    numbers?: KeptNumbers,
    done?: (index: number) => void,
  ): Promise<boolean | undefined> {
    let fits = true;
    const isNumeric = await this.#pool.run(
      {
        kind: 'write',
        chunks: this.#chunks,
        ...(numbers && { numbers }),
        ...columns,
        ...numbersOf(transforms),
        ...this.shared,
      },
      this.#chunks.length,
      (result, index) => {
        fits &&= result.fits;
        done?.(index);
      },
    );
    return isNumeric ? fits : undefined;
  }

  /**
   * Scales what fitting wrote, feature j in column j. Returns whether all numbers fit; undefined if
   * a column was read again and now has a cell that is not a number.
   */
  async scale(
    features: readonly number[],
    transforms: readonly Transform[],
    unscaled: UnscaledNumbers,
  ): Promise<boolean | undefined> {
    if (unscaled.numbers) return this.write(inOrder(features), transforms, unscaled.numbers);
    const again = unscaled.wideFeatures;
    const inPlace = again.length < features.length ? await this.#scaleInPlace(transforms) : true;
    const aside = this.#writeNumbers(unscaled.chunks, transforms);
    if (again.length === 0) return inPlace && aside;
    const columns = {
      features: Int32Array.from(again, (j) => features[j]),
      slots: Int32Array.from(again),
    };
    const ofAgain = again.map((j) => transforms[j]);
    const read = await this.write(columns, ofAgain);
    return read === undefined ? undefined : read && inPlace && aside;
  }

  /**
   * The quartiles of these features of the first `trainRows` rows of the matrix, after fitting;
   * undefined if a column was read again and now has a cell that is not a number.
   */
  async quartiles(
    features: readonly number[],
    moments: Moments,
    trainRows: number,
    unscaled: UnscaledNumbers,
  ): Promise<ReadonlyMap<number, Quartiles> | undefined> {
    const { matrix } = this.shared;
    const found = new Map<number, Quartiles>();
    const find = async (slots: readonly number[], more: Partial<QuartilesTask>) => {
      if (slots.length === 0) return;
      await this.#pool.run(
        {
          kind: 'quartiles',
          matrix,
          slots: Int32Array.from(slots),
          trainRows,
          ...moments.boundsOf(slots),
          aside: new Float64Array(),
          ...more,
        },
        Math.ceil(slots.length / QUARTILE_COLUMNS),
        (results, index) => {
          results.forEach((quartiles, i) => {
            found.set(slots[index * QUARTILE_COLUMNS + i], quartiles);
          });
        },
      );
    };
    const { numbers, wideFeatures } = unscaled;
    const isHeld = (j: number) => numbers === undefined && !wideFeatures.includes(j);
    await find(moments.robust.filter(isHeld), { aside: this.#asideOf(unscaled.chunks, trainRows) });
    const others = moments.robust.filter((j) => !isHeld(j));
    const step = Math.max(1, Math.floor(GATHERED_NUMBERS / trainRows));
    for (let from = 0; from < others.length; from += step) {
      const slots = others.slice(from, from + step);
      const values = new Float64Array(new SharedArrayBuffer(8 * slots.length * trainRows));
      const columns = slots.map((j) => features[j]);
      if (!(await this.#gather(columns, trainRows, values, numbers))) return undefined;
      await find(slots, { values });
    }
    return found;
  }

  /** Reads the training rows of these columns of the file; false if a cell is not a number. */
  #gather(
    columns: readonly number[],
    trainRows: number,
    values: Float64Array,
    numbers?: KeptNumbers,
  ): Promise<boolean> {
    const { place } = this.shared;
    const firsts = new Int32Array(this.#chunks.length);
    let count = 0;
    this.#chunks.forEach(({ firstRow, rows }, index) => {
      firsts[index] = count;
      for (let i = firstRow; i < firstRow + rows; i++) if (place[i] >= 0 && place[i] < trainRows) count++;
    });
    return this.#pool.run(
      {
        kind: 'gather',
        chunks: this.#chunks,
        ...(numbers && { numbers }),
        features: Int32Array.from(columns),
        place,
        trainRows,
        firsts,
        values,
      },
      this.#chunks.length,
      () => {},
    );
  }

  /** The numbers of training rows among those that fitting put aside, by rows of the matrix. */
  #asideOf(chunks: readonly Float64Array[], trainRows: number): Float64Array {
    const { place } = this.shared;
    const found: number[] = [];
    for (const numbers of chunks) {
      for (let i = 0; i < numbers.length; i += 3) {
        const row = place[numbers[i]];
        if (row >= 0 && row < trainRows) found.push(row, numbers[i + 1], numbers[i + 2]);
      }
    }
    return Float64Array.from(found);
  }

  async #scaleInPlace(transforms: readonly Transform[]): Promise<boolean> {
    const { matrix, scratch, place } = this.shared;
    const rows = placedRows(place);
    const chunkRows = Math.max(1, Math.floor(SCALED_ELEMENTS / matrix.columns));
    let fits = true;
    await this.#pool.run(
      { kind: 'scale', rows, chunkRows, ...numbersOf(transforms), matrix, scratch },
      Math.ceil(rows / chunkRows),
      (result) => {
        fits &&= result.fits;
      },
    );
    return fits;
  }

  /** Writes numbers, given as row of the file, feature and value. Returns whether all fit. */
  #writeNumbers(chunks: readonly Float64Array[], transforms: readonly Transform[]): boolean {
    const { matrix, place } = this.shared;
    const { columns } = matrix;
    let fits = true;
    for (const numbers of chunks) {
      for (let i = 0; i < numbers.length; i += 3) {
        const row = place[numbers[i]];
        const feature = numbers[i + 1];
        if (row < 0) continue;
        const [{ features }, ofPart] = partOf(matrix, row);
        const { data: elements } = features;
        const at = ofPart * columns + feature;
        elements[at] = transformed(numbers[i + 2], transforms[feature]);
        fits &&= Number.isFinite(elements[at]);
      }
    }
    return fits;
  }
}

/** Numbers that fitting could not pack into the matrix. */
export class UnscaledNumbers {
  readonly chunks: Float64Array[] = [];
  readonly #wide: Uint8Array;

  /** @param numbers if there are any, fitting packed none */
  constructor(
    features: number,
    readonly numbers?: KeptNumbers,
  ) {
    this.#wide = new Uint8Array(features);
  }

  /** Chunks come in the order of the file. */
  add({ unpacked, wide }: FittedChunk): void {
    if (unpacked.length > 0) this.chunks.push(unpacked);
    wide.forEach((isWide, j) => {
      this.#wide[j] |= isWide;
    });
  }

  /** Features to be read again. */
  get wideFeatures(): number[] {
    return Array.from(this.#wide.keys()).filter((j) => this.#wide[j] === 1);
  }
}

/** Feature j goes to column j. */
export function inOrder(features: readonly number[]): Columns {
  return { features: Int32Array.from(features), slots: Int32Array.from(features, (_, j) => j) };
}

function numbersOf(transforms: readonly Transform[]): Transforms {
  const clips = transforms.some(({ clip }) => clip !== undefined);
  return {
    shift: Float64Array.from(transforms, ({ shift }) => shift),
    scale: Float64Array.from(transforms, ({ scale }) => scale),
    ...(clips && {
      clip: Float64Array.from(transforms, ({ clip = Number.POSITIVE_INFINITY }) => clip),
    }),
  };
}

/** How many rows of the matrix may hold rows of this file. Rows of others among them are written later. */
function placedRows(place: Int32Array): number {
  let last = -1;
  for (let row = 0; row < place.length; row++) if (place[row] > last) last = place[row];
  return last + 1;
}

function inSharedMemory(numbers: Int32Array): Int32Array {
  if (numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const copy = new Int32Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}
