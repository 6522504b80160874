/** Evaluation by several ranks: each takes a chunk of rows in turn, and all learn its logits. */
import type { Accumulator } from '../evaluation/metrics.js';
import { type Allocator, slice } from '../kernels/arena.js';
import type { FloatArray, Kernels, Tensor } from '../kernels/kernels.js';
import type { Targets } from '../network/loss.js';
import type { Network } from '../network/network.js';
import type { Exchange } from './slices.js';

interface Chunk {
  readonly members?: readonly number[];
  readonly first: number;
  readonly rows: number;
  readonly targets: Targets;
}

/** In elements: two float64 of any precision begin at a multiple of 8 bytes. */
const GRANULE = 4;

/** What each rank has evaluated: the logits of a chunk, then the sum and the terms of its loss as float64. */
export function partsOf(ranks: number, logits: number, allocator: Allocator): Tensor {
  return allocator.tensor(ranks, (Math.ceil(logits / GRANULE) + 1) * GRANULE);
}

export class InTurn {
  readonly #network: Network;
  readonly #kernels: Kernels;
  readonly #exchange: Exchange;
  readonly #parts: Tensor; // [ranks, …]
  readonly #lossUnit: number;

  constructor(network: Network, kernels: Kernels, exchange: Exchange, parts: Tensor, lossUnit: number) {
    this.#network = network;
    this.#kernels = kernels;
    this.#exchange = exchange;
    this.#parts = parts;
    this.#lossUnit = lossUnit;
  }

  /**
   * The same metrics on all ranks, to the bit: those that one process would have.
   * @param xOf [rows, inputs]
   */
  evaluate<C extends Chunk>(chunks: readonly C[], xOf: (chunk: C) => Tensor, accumulator: Accumulator): void {
    const { rows: ranks, columns } = this.#parts;
    const { rank: own } = this.#exchange;
    for (let first = 0; first < chunks.length; first += ranks) {
      const chunk = chunks[first + own];
      if (chunk) {
        const { rows, targets, members } = chunk;
        const logits = this.#network.forward(rows, xOf(chunk), members);
        const part = slice(this.#parts, own * columns, rows, logits.columns);
        this.#kernels.copy(rows, logits, part);
        const { sum, terms } = this.#network.dataLoss(rows, logits, targets);
        // Each thread writes the same.
        lossOf(this.#partOf(own)).set([sum, terms]);
      }
      this.#exchange.gather(this.#parts);
      for (const [rank, { rows, first: row }] of chunks.slice(first, first + ranks).entries()) {
        const part = this.#partOf(rank);
        const [sum, terms] = lossOf(part);
        accumulator.add(rows, part, row);
        accumulator.addLoss(sum * this.#lossUnit, terms);
      }
    }
  }

  #partOf(rank: number): FloatArray {
    const { columns } = this.#parts;
    return slice(this.#parts, rank * columns, 1, columns).data;
  }
}

function lossOf({ buffer, byteOffset, byteLength }: FloatArray): Float64Array {
  const bytes = 2 * Float64Array.BYTES_PER_ELEMENT;
  return new Float64Array(buffer, byteOffset + byteLength - bytes, 2);
}
