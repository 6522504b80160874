/** Which rows each minibatch holds. */
import type { RandomState } from '../../random/randomState.js';
import type { TrainingConfig } from '../../spec/trainConfig.js';

/** Where the batches are, as plain data: what a checkpoint keeps beside the generator's state. */
export interface BatchesState {
  /** Rows of this epoch that have been handed out. */
  readonly position: number;
  /** [rows] The epoch's permutation; not there between two epochs, nor with replacement. */
  readonly order?: Int32Array;
}

/**
 * Draws minibatches of row numbers out of `rows` rows, without allocating.
 *
 * - `shuffle`: a fresh permutation each epoch, cut into consecutive slices; the last one is what is left over. A batch
 *   is never larger than the rows.
 * - `with-replacement`: `batchSize` rows by lot each step, as `numpy.random.choice(rows, batchSize)`.
 *
 * The generator is shared with whoever drew the weights, and nothing is drawn before the first `next`.
 */
export class Batches {
  readonly #kind: TrainingConfig['batches'];
  readonly #rows: number;
  readonly #random: RandomState;
  readonly stepsPerEpoch: number;
  readonly #batchSize: number;
  /** [rows] The epoch's permutation; empty with replacement. */
  readonly #order: Int32Array;
  /** Rows of this epoch that have been handed out. */
  #position = 0;

  /** rows and batchSize are at least 1. */
  constructor(kind: TrainingConfig['batches'], rows: number, batchSize: number, random: RandomState) {
    this.#kind = kind;
    this.#rows = rows;
    this.#random = random;
    this.#batchSize = kind === 'shuffle' ? Math.min(batchSize, rows) : batchSize;
    this.#order = new Int32Array(kind === 'shuffle' ? rows : 0);
    this.stepsPerEpoch = Math.ceil(rows / this.#batchSize);
  }

  /** How many rows the next batch holds. */
  get nextRows(): number {
    if (this.#kind === 'with-replacement') return this.#batchSize;
    return Math.min(this.#batchSize, this.#rows - (this.#position % this.#rows));
  }

  /** A copy of where they are; drawing on does not change it. */
  state(): BatchesState {
    const position = this.#position;
    const rows = this.#rows;
    return position > 0 && position < rows ? { position, order: this.#order.slice() } : { position: 0 };
  }

  /** Goes on where the state was taken, with the generator as it was then. */
  restore({ position, order }: BatchesState): void {
    this.#position = position;
    if (order) this.#order.set(order);
  }

  /** Writes the next batch over the beginning of `out` [batchSize], and says how many rows it holds. */
  next(out: Int32Array): number {
    const { nextRows } = this;
    const kind = this.#kind;
    const rows = this.#rows;
    const order = this.#order;
    const random = this.#random;
    if (kind === 'with-replacement') {
      random.randintInto(out.length === nextRows ? out : out.subarray(0, nextRows), rows);
      return nextRows;
    }
    if (this.#position === rows) this.#position = 0;
    if (this.#position === 0) random.permutationInto(order);
    for (let i = 0; i < nextRows; i++) out[i] = order[this.#position + i];
    this.#position += nextRows;
    return nextRows;
  }
}
