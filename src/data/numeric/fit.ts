/**
 * The second pass over a chunk: computes the moments of the training rows and writes every number,
 * unscaled, to its place in the matrix. Then the moments of all chunks are merged.
 */
import { looksNumeric } from '../cell.js';
import { isMissingNumber } from '../missingValues.js';
import { type Quartiles, quartilesOf } from '../quartiles.js';
import {
  type FittedColumn,
  fittedColumn,
  rangeColumn,
  robustColumn,
  type ScaledColumn,
  type Scaling,
  standardColumn,
} from '../scaling.js';
import type { Block, Reader } from './chunkReader.js';
import type { KeptNumbers, PlacedChunk } from './chunks.js';
import { type Columns, type SharedMatrix, ThreadMatrix } from './matrix.js';
import { blockSizeOf, TUNING } from './workspace.js';

/** The first `trainRows` rows of the matrix are fitted on. */
export interface FitTask extends Columns, SharedMatrix {
  readonly kind: 'fit';
  readonly chunks: readonly PlacedChunk[];
  readonly trainRows: number;
  /** Whether numbers are written to the matrix, if they can be packed. */
  readonly writes: boolean;
  /** If there are any, no number is written: they are too long to pack. */
  readonly numbers?: KeptNumbers;
  /** Whether mean and deviation are needed. */
  readonly moments: boolean;
  /** Whether a missing cell is an error; otherwise the file is declined. */
  readonly missingIsError: boolean;
}

/** A cell that is not a number. */
export interface BadCell {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

/** The first bad cell of each kind, by row. */
export interface BadCells {
  readonly notNumber?: BadCell;
  readonly missingInTraining?: BadCell;
  readonly missingElsewhere?: BadCell;
  /** For each column with bad cells: how many are words, and how many are missing. */
  readonly counts: ReadonlyMap<number, { readonly words: number; readonly missing: number }>;
}

/** Results of the training rows in a chunk. Arrays are [features], or empty if not needed. */
export interface FittedChunk {
  readonly trainRows: number;
  /** Each mean is the sum of two parts. */
  readonly means: Float64Array;
  readonly meanRests: Float64Array;
  readonly squares: Float64Array;
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  /** [features] 1 if so many numbers can't be packed that the column must be read again. */
  readonly wide: Uint8Array;
  /** The other numbers that can't be packed, each as row of the file, feature and value. */
  readonly unpacked: Float64Array;
  readonly badCells?: BadCells;
}

/** Returns the function that does chunks. Undefined means that the file is declined. */
export function fitter(reader: Reader, task: FitTask): (index: number) => FittedChunk | undefined {
  const { space, blockSize } = reader;
  const { columns, exports, at } = space;
  const { place, trainRows, features, matrix } = task;
  const matrixSpace = new ThreadMatrix(reader.modules.matrix, matrix, task.scratch, reader.rank);
  const placeBlock = matrixSpace.placer(task, blockSize, columns);
  const isFloat32 = matrixSpace.elementBytes === 4;
  const source = isFloat32 ? at.packed : at.values;
  const rowBytes = columns * matrixSpace.elementBytes;
  const unpacked = new UnpackedNumbers(reader, task);

  return (index) => {
    const chunk = task.chunks[index];
    const badCells = new BadCellFinder(task);
    let count = 0;
    space.numbers(at.means, columns).fill(0);
    space.numbers(at.meanRests, columns).fill(0);
    space.numbers(at.squares, columns).fill(0);
    space.numbers(at.least, columns).fill(Number.POSITIVE_INFINITY);
    space.numbers(at.greatest, columns).fill(Number.NEGATIVE_INFINITY);
    const addRows = (chosen: number): void => {
      const { values, means, meanRests, squares, least, greatest } = at;
      const rows = [values, at.chosen, chosen, columns] as const;
      if (task.moments) {
        exports.addMoments(...rows, count, means, meanRests, squares, least, greatest);
      } else {
        exports.addExtremes(...rows, least, greatest);
      }
      count += chosen;
    };
    const takeBlock = ({ firstRow, rows }: Block): void => {
      let chosen = 0;
      for (let r = 0; r < rows; r++) {
        const row = place[firstRow + r];
        if (row >= 0 && row < trainRows) space.words[at.chosen / 4 + chosen++] = r * columns * 8;
      }
      if (chosen > 0) addRows(chosen);
      if (!task.writes || task.numbers || unpacked.isAllWide) return;
      if (isFloat32) unpacked.add(firstRow);
      if (unpacked.isAllWide) return;
      const block = space.bytes.subarray(source, source + rows * rowBytes);
      placeBlock(block, place.subarray(firstRow, firstRow + rows));
    };
    const kept = task.numbers?.[index];
    if (kept) {
      reader.forEachKeptBlock(chunk, kept, (block, numbers) => {
        space.doubles.set(numbers, at.values / 8);
        takeBlock(block);
      });
    } else {
      const packs = isFloat32 && task.writes && !task.numbers && !unpacked.isAllWide;
      const otherCell = (row: number, column: number, text: string) => badCells.add(row, column, text);
      if (!reader.forEachBlock(chunk, features, packs, otherCell, takeBlock)) return undefined;
    }
    const pick = (address: number) => {
      const found = space.numbers(address, columns);
      const picked = new Float64Array(features.length);
      for (let j = 0; j < features.length; j++) picked[j] = found[features[j]];
      return picked;
    };
    const moments = (address: number) => (task.moments ? pick(address) : new Float64Array());
    return {
      trainRows: count,
      means: moments(at.means),
      meanRests: moments(at.meanRests),
      squares: moments(at.squares),
      least: pick(at.least),
      greatest: pick(at.greatest),
      ...unpacked.take(),
      ...badCells.found,
    };
  };
}

/** One cell in this many may be kept aside in a block. */
const UNPACKED_SHARE = 64;

/** Numbers that can't be packed: a few are kept aside; columns with many are noted. */
class UnpackedNumbers {
  readonly #reader: Reader;
  isAllWide = false;
  /** [features] 1 for a column that must be read again. */
  readonly #wide: Uint8Array;
  readonly #featureOf: Int32Array;
  #aside: number[] = [];

  constructor(reader: Reader, { features }: FitTask) {
    this.#reader = reader;
    this.#wide = new Uint8Array(features.length);
    this.#featureOf = new Int32Array(reader.space.columns);
    features.forEach((column, j) => {
      this.#featureOf[column] = j;
    });
  }

  /** Looks at the block just read. */
  add(firstRow: number): void {
    if (this.isAllWide) return;
    const { space, unpackedCells, blockSize } = this.#reader;
    const { words, doubles, columns, at } = space;
    const isMany = unpackedCells * UNPACKED_SHARE > blockSize.cells;
    for (let i = 0; i < unpackedCells; i++) {
      const cell = words[at.unpacked / 4 + i];
      const column = cell % columns;
      const feature = this.#featureOf[column];
      if (isMany) this.#wide[feature] = 1;
      if (this.#wide[feature]) continue;
      this.#aside.push(firstRow + (cell - column) / columns, feature, doubles[at.values / 8 + cell]);
    }
    if (isMany) this.isAllWide = !this.#wide.includes(0);
  }

  /** Returns what was found since the last call. */
  take(): Pick<FittedChunk, 'wide' | 'unpacked'> {
    const unpacked = Float64Array.from(this.#aside);
    this.#aside = [];
    return { wide: this.#wide.slice(), unpacked };
  }
}

class BadCellFinder {
  readonly #task: FitTask;
  #notNumber: BadCell | undefined;
  #missingInTraining: BadCell | undefined;
  #missingElsewhere: BadCell | undefined;
  readonly #counts = new Map<number, { words: number; missing: number }>();

  constructor(task: FitTask) {
    this.#task = task;
  }

  /** Cells come in the order of the file. False declines the file. */
  add(row: number, column: number, text: string): boolean {
    const { place, trainRows, missingIsError } = this.#task;
    const count = this.#counts.get(column) ?? { words: 0, missing: 0 };
    this.#counts.set(column, count);
    const cell = { row, column, text };
    if (!isMissingNumber(text)) {
      this.#notNumber ??= cell;
      if (!looksNumeric(text)) count.words++;
      return true;
    }
    if (!missingIsError) return false;
    count.missing++;
    const target = place[row];
    if (target >= 0 && target < trainRows) this.#missingInTraining ??= cell;
    else if (target >= 0) this.#missingElsewhere ??= cell;
    return true;
  }

  get found(): { badCells?: BadCells } {
    const notNumber = this.#notNumber;
    const missingInTraining = this.#missingInTraining;
    const missingElsewhere = this.#missingElsewhere;
    const counts = this.#counts;
    if (counts.size === 0) return {};
    return {
      badCells: {
        ...(notNumber && { notNumber }),
        ...(missingInTraining && { missingInTraining }),
        ...(missingElsewhere && { missingElsewhere }),
        counts,
      },
    };
  }
}

/** A fitted column; under robust scaling with the mean, which fills missing cells. */
export type NumericFit = FittedColumn & { readonly mean?: number };

export class Moments {
  readonly #scalings: readonly Scaling[];
  #rows = 0;
  readonly #means: Float64Array;
  readonly #meanRests: Float64Array;
  readonly #squares: Float64Array;
  readonly #least: Float64Array;
  readonly #greatest: Float64Array;

  constructor(scalings: readonly Scaling[]) {
    this.#scalings = scalings;
    const { length } = scalings;
    this.#means = new Float64Array(length);
    this.#meanRests = new Float64Array(length);
    this.#squares = new Float64Array(length);
    this.#least = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.#greatest = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  }

  /** By the formula of Chan, Golub and LeVeque (1983), see assembly/moments.ts. */
  add({ trainRows, means, meanRests, squares, least, greatest }: ChunkMoments): void {
    if (trainRows === 0) return;
    const rows = this.#rows + trainRows;
    const weight = trainRows / rows;
    for (let j = 0; j < means.length; j++) {
      const upper = means[j] - this.#means[j];
      const lower = sumRest(means[j], -this.#means[j], upper) + (meanRests[j] - this.#meanRests[j]);
      const mean = this.#means[j] + upper * weight;
      this.#meanRests[j] += sumRest(this.#means[j], upper * weight, mean) + lower * weight;
      this.#means[j] = mean;
      this.#squares[j] += squares[j] + (upper + lower) ** 2 * weight * this.#rows;
    }
    for (let j = 0; j < least.length; j++) {
      this.#least[j] = Math.min(this.#least[j], least[j]);
      this.#greatest[j] = Math.max(this.#greatest[j], greatest[j]);
    }
    this.#rows = rows;
  }

  /** The columns that are scaled by their quartiles. */
  get robust(): number[] {
    return [...this.#scalings.keys()].filter((j) => this.#scalings[j] === 'robust');
  }

  /** The least and the greatest number of each of these columns. */
  boundsOf(columns: readonly number[]): { readonly least: Float64Array; readonly greatest: Float64Array } {
    return {
      least: Float64Array.from(columns, (j) => this.#least[j]),
      greatest: Float64Array.from(columns, (j) => this.#greatest[j]),
    };
  }

  /**
   * Undefined if a mean, variance or range overflows.
   * @param quartiles of each column of `robust`
   */
  columns(quartiles: ReadonlyMap<number, Quartiles>): NumericFit[] | undefined {
    const columns = this.#scalings.map((scaling, j) => ({
      ...fittedColumn(this.#column(scaling, j, quartiles.get(j)), this.#least[j], this.#greatest[j]),
      ...(scaling === 'robust' && { mean: this.#means[j] + this.#meanRests[j] + 0 }),
    }));
    const fits = columns.every(({ shift, scale }) => Number.isFinite(shift) && Number.isFinite(scale));
    return fits ? columns : undefined;
  }

  #column(scaling: Scaling, j: number, quartiles: Quartiles | undefined): ScaledColumn {
    if (scaling === 'robust') {
      if (quartiles === undefined) throw new RangeError(`column ${j} has no quartiles`);
      return robustColumn(quartiles, this.#least[j], this.#greatest[j]);
    }
    return scaling === 'standard'
      ? standardColumn(this.#rows, this.#means[j] + this.#meanRests[j], this.#squares[j])
      : rangeColumn(scaling, this.#least[j], this.#greatest[j]);
  }
}

/**
 * The rows of a table that are trained on, in the blocks in which `fit` would read them of a file.
 * @param columns of the file
 */
export function trainBlocks(columns: number, place: Int32Array, trainRows: number): Int32Array[] {
  const blocks: Int32Array[] = [];
  const step = blockSizeOf(columns, TUNING).rows;
  for (let from = 0; from < place.length; from += step) {
    const rows: number[] = [];
    for (let row = from; row < Math.min(from + step, place.length); row++) {
      if (place[row] >= 0 && place[row] < trainRows) rows.push(row);
    }
    if (rows.length > 0) blocks.push(Int32Array.from(rows));
  }
  return blocks;
}

/**
 * Fits the numbers of a column in memory, none missing, as `fit` does those of a file, in blocks of rows, so that the
 * numbers of a one-chunk CSV give the same bits. Undefined if mean, variance or range overflows.
 */
export function fitInBlocks(
  values: Float64Array,
  scaling: Scaling,
  blocks: readonly Int32Array[],
): NumericFit | undefined {
  const moments = new Moments([scaling]);
  const chunk = {
    trainRows: 0,
    means: new Float64Array(1),
    meanRests: new Float64Array(1),
    squares: new Float64Array(1),
    least: Float64Array.of(Number.POSITIVE_INFINITY),
    greatest: Float64Array.of(Number.NEGATIVE_INFINITY),
  };
  for (const rows of blocks) {
    addBlock(chunk, 0, values, rows);
    chunk.trainRows += rows.length;
  }
  moments.add(chunk);
  const quartiles = moments.robust.map((j): [number, Quartiles] => {
    const trained = new Float64Array(chunk.trainRows);
    let next = 0;
    for (const rows of blocks) for (const row of rows) trained[next++] = values[row];
    return [j, quartilesOf(trained, chunk.least[0], chunk.greatest[0])];
  });
  return moments.columns(new Map(quartiles))?.[0];
}

type ChunkMoments = Omit<FittedChunk, 'wide' | 'unpacked' | 'badCells'>;

/** `addMoments` and `addExtremes` of assembly/moments.ts, for one column. */
function addBlock(chunk: ChunkMoments, j: number, values: Float64Array, rows: Int32Array): void {
  const { means, meanRests, squares, least, greatest } = chunk;
  const count = rows.length;
  const weight = count / (chunk.trainRows + count);
  let sum = 0;
  for (const row of rows) sum += values[row];
  const mean = sum / count;
  let deviations = 0;
  let square = 0;
  for (const row of rows) {
    const deviation = values[row] - mean;
    deviations += deviation;
    square += deviation * deviation;
    least[j] = Math.min(least[j], values[row]);
    greatest[j] = Math.max(greatest[j], values[row]);
  }
  const rest = deviations / count;
  square -= deviations * rest;

  const upper = mean - means[j];
  const lower = sumRest(mean, -means[j], upper) + (rest - meanRests[j]);
  const newMean = means[j] + upper * weight;
  const newRest = sumRest(means[j], upper * weight, newMean) + lower * weight;
  const difference = upper + lower;
  squares[j] += square + difference * (difference * weight) * chunk.trainRows;
  means[j] = newMean;
  meanRests[j] += newRest;
}

/** What rounding takes from the exact sum of a and b (Knuth's TwoSum). */
function sumRest(a: number, b: number, sum: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
