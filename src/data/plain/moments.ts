/** The moments of the training rows, gathered piece by piece in the order of the file. */
import { type FittedColumn, rangeColumn, type Scaling, standardColumn } from '../scaling.js';
import { numericColumn, type Table } from '../table.js';
import type { FittedPiece } from './fitPiece.js';
import { blockSizeOf, TUNING } from './workspace.js';

export class Moments {
  private rows = 0;
  private readonly means: Float64Array;
  private readonly meanRests: Float64Array;
  private readonly squares: Float64Array;
  private readonly least: Float64Array;
  private readonly greatest: Float64Array;

  constructor(private readonly scalings: readonly Scaling[]) {
    const { length } = scalings;
    this.means = new Float64Array(length);
    this.meanRests = new Float64Array(length);
    this.squares = new Float64Array(length);
    this.least = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.greatest = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  }

  /** By the formula of Chan, Golub and LeVeque (1983), with means of two parts as in assembly/moments.ts. */
  add({ trainRows, means, meanRests, squares, least, greatest }: ChunkMoments): void {
    if (trainRows === 0) return;
    const rows = this.rows + trainRows;
    const weight = trainRows / rows;
    for (let j = 0; j < means.length; j++) {
      const upper = means[j] - this.means[j];
      const lower = sumRest(means[j], -this.means[j], upper) + (meanRests[j] - this.meanRests[j]);
      const mean = this.means[j] + upper * weight;
      this.meanRests[j] += sumRest(this.means[j], upper * weight, mean) + lower * weight;
      this.means[j] = mean;
      this.squares[j] += squares[j] + (upper + lower) ** 2 * weight * this.rows;
    }
    for (let j = 0; j < least.length; j++) {
      this.least[j] = Math.min(this.least[j], least[j]);
      this.greatest[j] = Math.max(this.greatest[j], greatest[j]);
    }
    this.rows = rows;
  }

  /** Undefined where a mean, variance or range overflows. */
  columns(): FittedColumn[] | undefined {
    const columns = this.scalings.map((scaling, j) => {
      const { shift, scale, constant } = this.column(scaling, j);
      // JSON knows no −0, and x − 0 is not x − (−0) where x is −0.
      return { shift: shift + 0, scale, constant };
    });
    const fits = columns.every(({ shift, scale }) => Number.isFinite(shift) && Number.isFinite(scale));
    return fits ? columns : undefined;
  }

  private column(scaling: Scaling, j: number): FittedColumn {
    return scaling === 'standard'
      ? standardColumn(this.rows, this.means[j] + this.meanRests[j], this.squares[j])
      : rangeColumn(scaling, this.least[j], this.greatest[j]);
  }
}

/**
 * Fits numbers in memory as `fit` does in a file: by blocks of rows, in the order of the file, each as `addMoments` in
 * assembly/moments.ts has it. So the result has the same bits as the numbers' CSV of one chunk. The columns are numeric and
 * miss no cell; `place` and `trainRows` are as for `PlainFile.fit`.
 */
export function fitInBlocks(
  table: Table,
  features: readonly number[],
  scalings: readonly Scaling[],
  place: Int32Array,
  trainRows: number,
): FittedColumn[] | undefined {
  const columns = features.map((index) => numericColumn(table, index).values);
  const zeros = () => new Float64Array(columns.length);
  const moments = new Moments(scalings);
  const chunk = {
    trainRows: 0,
    means: zeros(),
    meanRests: zeros(),
    squares: zeros(),
    least: zeros().fill(Number.POSITIVE_INFINITY),
    greatest: zeros().fill(Number.NEGATIVE_INFINITY),
  };
  const step = blockSizeOf(table.names.length, TUNING).rows;
  for (let from = 0; from < table.rows; from += step) {
    const rows: number[] = [];
    for (let row = from; row < Math.min(from + step, table.rows); row++) {
      if (place[row] >= 0 && place[row] < trainRows) rows.push(row);
    }
    if (rows.length > 0)
      columns.forEach((values, j) => {
        addBlock(chunk, j, values, rows);
      });
    chunk.trainRows += rows.length;
  }
  moments.add(chunk);
  return moments.columns();
}

type ChunkMoments = Omit<FittedPiece, 'wide' | 'unpacked' | 'odd'>;

/** `addMoments` and `addExtremes` for these rows of one column. */
function addBlock(chunk: ChunkMoments, j: number, values: Float64Array, rows: readonly number[]): void {
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

/** What the rounded sum of a and b leaves of the exact one (Knuth's TwoSum). */
function sumRest(a: number, b: number, sum: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
