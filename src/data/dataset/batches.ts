/** Which rows each minibatch holds. */
import { ExitCode, MlpError } from '../../errors.js';
import type { RandomState } from '../../random/randomState.js';
import type { TrainingConfig } from '../../spec/trainConfig.js';

/** The position in the epoch, as plain data for a checkpoint. */
export interface BatchesState {
  /** Rows of this epoch that have been returned. */
  readonly position: number;
  /** [rows] The permutation of the epoch; absent between two epochs and with replacement. */
  readonly order?: Int32Array;
}

/** Blocks whose rows are shuffled among each other. */
export const POOL = 64;

/**
 * Draws minibatches from `rows` rows without allocating.
 *
 * - `shuffle`: a new permutation each epoch, cut into consecutive slices; the last one may be
 *   shorter. A batch is never larger than the rows.
 *   With `blockRows`, the order is that of blocks of so many consecutive rows: a permutation of the
 *   blocks, then one of the rows of each `POOL` blocks.
 * - `with-replacement`: `batchSize` random rows each step, like `numpy.random.choice(rows,
 *   batchSize)`.
 *
 * The generator also draws the initial weights, so nothing is drawn before the first `next`.
 */
export class Batches {
  readonly #kind: TrainingConfig['batches'];
  readonly #rows: number;
  readonly #random: RandomState;
  readonly #blockRows: number | undefined;
  readonly stepsPerEpoch: number;
  readonly #batchSize: number;
  /** [rows] The permutation of the epoch; empty with replacement. */
  readonly #order: Int32Array;
  /** Rows of this epoch that have been returned. */
  #position = 0;

  /** `rows` and `batchSize` must be at least 1. */
  constructor(
    kind: TrainingConfig['batches'],
    rows: number,
    batchSize: number,
    random: RandomState,
    blockRows?: number,
  ) {
    this.#kind = kind;
    this.#blockRows = blockRows;
    this.#rows = rows;
    this.#random = random;
    this.#batchSize = kind === 'shuffle' ? Math.min(batchSize, rows) : batchSize;
    this.#order = new Int32Array(kind === 'shuffle' ? rows : 0);
    this.stepsPerEpoch = Math.ceil(rows / this.#batchSize);
  }

  /** The number of rows in the next batch. */
  get nextRows(): number {
    if (this.#kind === 'with-replacement') return this.#batchSize;
    return Math.min(this.#batchSize, this.#rows - (this.#position % this.#rows));
  }

  /** A copy of the position; later draws do not change it. */
  state(): BatchesState {
    const position = this.#position;
    const rows = this.#rows;
    return position > 0 && position < rows ? { position, order: this.#order.slice() } : { position: 0 };
  }

  /**
   * Continues from a state, given the generator in its state at that time.
   * @throws MlpError ExitCode.data for a state of other rows
   */
  restore({ position, order }: BatchesState): void {
    const rows = this.#rows;
    const isOrder =
      order === undefined ||
      (order.length === this.#order.length && order.every((row) => row >= 0 && row < rows));
    if (!isOrder || position > (order?.length ?? 0)) {
      throw new MlpError(
        ExitCode.data,
        `checkpoint: batches: found a position or an order that ${rows} rows can't have`,
        'it belongs to other data or another config',
      );
    }
    this.#position = position;
    if (order) this.#order.set(order);
  }

  /** Writes the next batch to the start of `out` [batchSize] and returns its number of rows. */
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
    if (this.#position === 0) this.#draw();
    for (let i = 0; i < nextRows; i++) out[i] = order[this.#position + i];
    this.#position += nextRows;
    return nextRows;
  }

  /** The order of an epoch. */
  #draw(): void {
    const order = this.#order;
    const random = this.#random;
    const blockRows = this.#blockRows;
    if (blockRows === undefined) {
      random.permutationInto(order);
      return;
    }
    const blocks = random.permutation(Math.ceil(order.length / blockRows));
    let end = 0;
    for (let first = 0; first < blocks.length; first += POOL) {
      const start = end;
      for (const block of blocks.subarray(first, first + POOL)) {
        const next = Math.min(order.length, (block + 1) * blockRows);
        for (let row = block * blockRows; row < next; row++) order[end++] = row;
      }
      random.shuffle(order.subarray(start, end));
    }
  }
}
