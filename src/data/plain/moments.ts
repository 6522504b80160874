/** The moments of the training rows, gathered piece by piece in the order of the file. */
import { type FittedColumn, rangeColumn, type Scaling, standardColumn } from '../scaling.js';
import type { FittedPiece } from './fitPiece.js';

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
  add({ trainRows, means, meanRests, squares, least, greatest }: FittedPiece): void {
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

/** What the rounded sum of a and b leaves of the exact one (Knuth's TwoSum). */
function sumRest(a: number, b: number, sum: number): number {
  const ofB = sum - a;
  return a - (sum - ofB) + (b - ofB);
}
