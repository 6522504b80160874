/** Writes a file into a matrix with all threads, scaled at once or in place after fitting. */

import type { FeatureMatrix } from '../featureMatrix.js';
import type { Affine } from '../scaling.js';
import type { PlacedChunk } from './chunks.js';
import type { FittedChunk } from './fit.js';
import { addScratch, type Columns, type SharedMatrix } from './matrix.js';
import type { ReaderPool } from './readerPool.js';

/** Elements of the matrix in one chunk of scaling. */
const SCALED_ELEMENTS = 2 ** 18;

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
   * cell is not a number. `numbers` are those of each chunk, if they need not be read.
   */
  async write(
    columns: Columns,
    transforms: readonly Affine[],
    done?: (index: number) => void,
    numbers?: readonly Float64Array[],
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
    transforms: readonly Affine[],
    unscaled: UnscaledNumbers,
  ): Promise<boolean | undefined> {
    const again = unscaled.wideFeatures;
    const { long } = unscaled;
    const packed = features.length - again.length - long.length;
    const inPlace = packed > 0 ? await this.#scaleInPlace(transforms) : true;
    const aside = this.#writeNumbers(unscaled.chunks, transforms);
    const write = (chosen: readonly number[], numbers?: readonly Float64Array[]) => {
      if (chosen.length === 0) return true;
      const columns = {
        features: Int32Array.from(chosen, (j) => features[j]),
        slots: Int32Array.from(chosen),
      };
      const ofChosen = chosen.map((j) => transforms[j]);
      return this.write(columns, ofChosen, undefined, numbers);
    };
    const kept = await write(long, unscaled.numbers);
    const read = await write(again);
    return read === undefined ? undefined : read && kept === true && inPlace && aside;
  }

  async #scaleInPlace(transforms: readonly Affine[]): Promise<boolean> {
    const { matrix, scratch, place } = this.shared;
    const rows = placedRows(place);
    const chunkRows = Math.max(1, Math.floor(SCALED_ELEMENTS / matrix.features.columns));
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
  #writeNumbers(chunks: readonly Float64Array[], transforms: readonly Affine[]): boolean {
    const { matrix, place } = this.shared;
    const { data: elements, columns } = matrix.features;
    let fits = true;
    for (const numbers of chunks) {
      for (let i = 0; i < numbers.length; i += 3) {
        const row = place[numbers[i]];
        const feature = numbers[i + 1];
        if (row < 0) continue;
        const { shift, scale } = transforms[feature];
        const at = row * columns + feature;
        elements[at] = (numbers[i + 2] - shift) / scale;
        fits &&= Number.isFinite(elements[at]);
      }
    }
    return fits;
  }
}

/** Numbers that fitting could not pack into the matrix. */
export class UnscaledNumbers {
  readonly chunks: Float64Array[] = [];
  /** [rows of the chunk, columns of the file] Of each chunk, if there are long features. */
  readonly numbers: Float64Array[] = [];
  readonly #wide: Uint8Array;

  /** @param long features whose numbers are kept */
  constructor(
    features: number,
    readonly long: readonly number[],
  ) {
    this.#wide = new Uint8Array(features);
  }

  /** Chunks come in the order of the file. */
  add({ unpacked, wide, numbers }: FittedChunk): void {
    if (unpacked.length > 0) this.chunks.push(unpacked);
    if (numbers) this.numbers.push(numbers);
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

function numbersOf(transforms: readonly Affine[]) {
  return {
    shift: Float64Array.from(transforms, ({ shift }) => shift),
    scale: Float64Array.from(transforms, ({ scale }) => scale),
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
