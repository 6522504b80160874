/**
 * A step whose batch is divided: over the ranks of a run, and at each rank into slices that it takes one
 * after the other (`training.accumulate`). A slice has a forward and a backward pass of its own, with its
 * share of the loss of the whole batch. The gradient of the batch is the sum of theirs: at a rank in the
 * order of its slices, then in the order of the ranks. This order fixes the bits, whether the ranks are
 * processes or one process takes the part of each.
 *
 * What the rows of a batch share is shared by a slice alone: batch normalisation takes its mean and
 * variance over the slice, and running statistics move by the mean of what the slices move them, by rows.
 * Dropout draws masks of its own for each slice.
 */
import { type Allocator, slice } from '../kernels/arena.js';
import type { FloatArray, Kernels, Tensor } from '../kernels/kernels.js';
import type { LabelledBatch, Network } from '../network/network.js';
import { parameterLayout, statisticsLayout } from '../network/parameters.js';
import type { NetworkSpec } from '../spec/networkSpec.js';

/** How the batch of each step is divided. */
export interface Division {
  readonly ranks: number;
  /** Slices of a rank. */
  readonly accumulate: number;
}

export function slicesOf(division: Division | undefined): number {
  return division ? division.ranks * division.accumulate : 1;
}

/** The most rows that pass through the network at once in training. */
export function rowsOfPass({
  batchSize,
  division,
}: {
  readonly batchSize: number;
  readonly division?: Division | undefined;
}): number {
  return Math.ceil(batchSize / slicesOf(division));
}

/** What joins the ranks of a run that are processes; each thread has one. */
export interface Exchange {
  readonly rank: number;
  /**
   * block ← its sum over the ranks, in their order; all threads call it together.
   * @param room as long as the block, for what the ranks send
   * @param flags [ranks] in the block: what a rank asks of all with this step
   */
  sum(kernels: Kernels, block: Tensor, room: Tensor, flags: FloatArray): void;
  /** parts [ranks, n] ← what each rank has in its own row; all threads call it together. */
  gather(parts: Tensor): void;
}

/** So long is each rank's piece of the block at least: that of a cache line, in float32. */
const GRANULE = 16;
/** Numbers of each rank behind the sums: its loss in two parts, and its flag. */
const NUMBERS_OF_RANK = 3;

/** Elements behind the gradients: the statistics, numbers of each rank, and room to make equal pieces of it. */
export function elementsBehind(network: NetworkSpec, inputs: number, { ranks }: Division): number {
  const { total } = parameterLayout(network, inputs);
  const needed = total + statisticsLayout(network, inputs).total + NUMBERS_OF_RANK * ranks;
  return Math.ceil(needed / ranks / GRANULE) * GRANULE * ranks - total;
}

/** One of the slices of a batch. */
export interface SlicePart {
  readonly slice: number;
  readonly of: number;
}

/** The rows of a slice among so many: the first, and the end. */
export function rowsOfSlice({ slice, of }: SlicePart, rows: number): readonly [number, number] {
  return [Math.floor((rows * slice) / of), Math.floor((rows * (slice + 1)) / of)];
}

export class SlicedGradients {
  readonly #division: Division;
  readonly #network: Network;
  readonly #kernels: Kernels;
  readonly #exchange: Exchange | undefined;
  readonly #block: Tensor;
  /** The sum over ranks that are not processes; what they send, if they are. */
  readonly #sum: Tensor | undefined;
  /** The sum over the slices of a rank. */
  readonly #ofRank: Tensor | undefined;
  /** The statistics before the step, and in the block what the slices add to them. */
  readonly #statistics: { readonly before: Tensor; readonly moved: Tensor } | undefined;
  /** [ranks] The loss of each rank in two parts, as float32 has half the digits; and its flag. */
  readonly #losses: FloatArray;
  readonly #rests: FloatArray;
  readonly #flags: FloatArray;

  /** @param network has `elementsBehind` its gradients */
  constructor(
    division: Division,
    network: Network,
    kernels: Kernels,
    allocator: Allocator,
    exchange?: Exchange,
  ) {
    this.#division = division;
    this.#network = network;
    this.#kernels = kernels;
    this.#exchange = exchange;
    const { gradientBlock: block, layout } = network.parameters;
    const { ranks, accumulate } = division;
    this.#block = block;
    if (ranks > 1) this.#sum = allocator.tensor(1, block.columns);
    if (accumulate > 1) this.#ofRank = allocator.tensor(1, layout.total);
    const { columns } = network.statistics.values;
    if (columns > 0) {
      this.#statistics = {
        before: allocator.tensor(1, columns),
        moved: slice(block, layout.total, 1, columns),
      };
    }
    const numbers = (of: number) => {
      const start = layout.total + columns + of * ranks;
      return block.data.subarray(start, start + ranks);
    };
    [this.#losses, this.#rests, this.#flags] = [numbers(0), numbers(1), numbers(2)];
  }

  /**
   * The loss of a batch without regularisation; writes its gradient, and moves the statistics.
   * @param rows of the batch
   * @param sliceOf the rows of a slice that a member takes
   */
  lossAndGradients(
    rows: number,
    step: number,
    sliceOf: (part: SlicePart, member: number) => LabelledBatch,
  ): number {
    const kernels = this.#kernels;
    const { ranks, accumulate } = this.#division;
    const { layout, gradients } = this.#network.parameters;
    const { values } = this.#network.statistics;
    const statistics = this.#statistics;
    const of = ranks * accumulate;
    if (statistics) kernels.copy(1, values, statistics.before);
    const [first, last] = this.#exchange ? [this.#exchange.rank, this.#exchange.rank] : [0, ranks - 1];
    for (let rank = first; rank <= last; rank++) {
      let loss = 0;
      for (let i = 0; i < accumulate; i++) {
        const part = { slice: rank * accumulate + i, of };
        const [start, end] = rowsOfSlice(part, rows);
        if (statistics) kernels.copy(1, statistics.before, values);
        loss += this.#network.sliceGradients((member) => sliceOf(part, member), step, part.slice);
        this.#moveStatistics(i === 0, (end - start) / rows);
        if (!this.#ofRank) continue;
        if (i === 0) kernels.copy(1, gradients, this.#ofRank);
        else kernels.addScaled(layout.total, 1, gradients, this.#ofRank);
      }
      if (this.#ofRank) kernels.copy(1, this.#ofRank, gradients);
      this.#tell(rank, loss);
      if (this.#exchange || !this.#sum) continue;
      if (rank === 0) kernels.copy(1, this.#block, this.#sum);
      else kernels.addScaled(this.#block.columns, 1, this.#block, this.#sum);
    }
    if (this.#sum) {
      if (this.#exchange) this.#exchange.sum(kernels, this.#block, this.#sum, this.#flags);
      else kernels.copy(1, this.#sum, this.#block);
    }
    if (statistics) {
      kernels.copy(1, statistics.before, values);
      kernels.addScaled(values.columns, 1, statistics.moved, values);
    }
    return this.#total();
  }

  /** Adds what a slice has moved the statistics by, times its share of the rows. */
  #moveStatistics(isFirst: boolean, share: number): void {
    if (!this.#statistics) return;
    const kernels = this.#kernels;
    const { before, moved } = this.#statistics;
    const { values } = this.#network.statistics;
    const count = values.columns;
    // Edges of bins, which do not move, stay as they are: their difference is exactly 0.
    kernels.addScaled(count, -1, before, values);
    if (isFirst) {
      kernels.copy(1, values, moved);
      kernels.scale(count, share, moved);
    } else kernels.addScaled(count, share, values, moved);
  }

  /** Writes the numbers of a rank beside zeros of the others: each thread writes the same, in any order. */
  #tell(rank: number, loss: number): void {
    const isSingle = this.#losses instanceof Float32Array;
    const head = isSingle ? Math.fround(loss) : loss;
    const rest = isSingle && Number.isFinite(head) ? loss - head : 0;
    for (let other = 0; other < this.#division.ranks; other++) {
      this.#losses[other] = other === rank ? head : 0;
      this.#rests[other] = other === rank ? rest : 0;
    }
  }

  #total(): number {
    let total = 0;
    for (let rank = 0; rank < this.#division.ranks; rank++) total += this.#losses[rank] + this.#rests[rank];
    return total;
  }
}
