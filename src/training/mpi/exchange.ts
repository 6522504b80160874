/** What the threads of a team do together with the other ranks: the first calls MPI, the rest wait for it. */
import { createHash } from 'node:crypto';
import { ExitCode, MlpError } from '../../errors.js';
import { slice } from '../../kernels/arena.js';
import type { FloatArray, Kernels, Tensor } from '../../kernels/kernels.js';
import type { Share } from '../../kernels/share.js';
import type { Control } from '../engine/control.js';
import type { Exchange } from '../slices.js';
import type { Trainer } from '../step.js';
import type { Mpi } from './mpi.js';

/** This process among the ranks of a run. Plain data, so that it can be sent to a thread. */
export interface RankPlace {
  readonly rank: number;
  readonly hosts: readonly string[];
  /** Whether the library sums, in an order of its own. */
  readonly allreduce: boolean;
}

/** Ranks do not have the same numbers: all of them find that at once. */
export class RanksDiffer extends MlpError {}

export class RankExchange implements Exchange {
  readonly rank: number;
  /** Time in `sum`, of the first thread: its waiting for slower ranks is in it. */
  milliseconds = 0;
  readonly #place: RankPlace;
  readonly #share: Share;
  readonly #control: Control;
  /** Of the first thread, with the address of the memory in this process. */
  readonly #mpi: { readonly calls: Mpi; readonly base: number } | undefined;

  constructor(place: RankPlace, share: Share, control: Control, memory: WebAssembly.Memory, mpi?: Mpi) {
    this.rank = place.rank;
    this.#place = place;
    this.#share = share;
    this.#control = control;
    this.#mpi = mpi && { calls: mpi, base: mpi.addressOf(new Uint8Array(memory.buffer)) };
  }

  /** Half of it travels twice, as in a ring: each rank sums a piece of the block, and sends the sum to all. */
  sum(kernels: Kernels, block: Tensor, room: Tensor, flags: FloatArray): void {
    const { hosts, allreduce } = this.#place;
    const ranks = hosts.length;
    const elements = block.columns / ranks;
    const { BYTES_PER_ELEMENT: size } = block.data;
    const start = performance.now();
    this.#together(({ calls, base }) => {
      flags.fill(0);
      flags[this.rank] = this.#control.requested;
      if (allreduce) calls.addAll(base + block.address, block.columns, size);
      else calls.exchangePieces(base + block.address, base + room.address, elements * size);
    });
    if (!allreduce) {
      const pieceOf = (rank: number) => slice(room, rank * elements, 1, elements);
      for (let rank = 1; rank < ranks; rank++) kernels.addScaled(elements, 1, pieceOf(rank), pieceOf(0));
    }
    this.#together(({ calls, base }) => {
      if (!allreduce) calls.gatherPieces(base + room.address, base + block.address, elements * size);
      const asked = Math.max(...flags);
      if (asked > 0) this.#control.agreeToStop(asked);
      this.milliseconds += performance.now() - start;
    });
  }

  gather(parts: Tensor): void {
    const bytes = parts.columns * parts.data.BYTES_PER_ELEMENT;
    this.#together(({ calls, base }) => calls.gatherPieces(null, base + parts.address, bytes));
  }

  /**
   * Compares the parameters of the ranks.
   * @param isWhole whether to compare all that the next steps depend on
   * @throws RanksDiffer
   */
  compare(trainer: Trainer, isWhole: boolean): void {
    this.#together(({ calls }) => {
      const hash = createHash('sha256');
      for (const [name, { data }] of trainer.tensors) {
        if (isWhole || name === 'parameters') hash.update(Buffer.from(data.slice().buffer));
      }
      const state = trainer.state();
      if (isWhole) {
        const text = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? String(value) : value);
        hash.update(JSON.stringify(state, text));
      }
      const hashes = calls.tellAll(hash.digest()).map((bytes) => Buffer.from(bytes).toString('hex'));
      const other = hashes.findIndex((found) => found !== hashes[0]);
      if (other < 0) return;
      const { hosts } = this.#place;
      throw new RanksDiffer(
        ExitCode.unavailable,
        `rank ${other} on ${hosts[other]}: after ${state.steps} steps found a state of SHA-256 ${hashes[other]}, expected ${hashes[0]} as rank 0 on ${hosts[0]} has it`,
        'hosts that round differently need --deterministic; without --allreduce, sums have one order',
      );
    });
  }

  /** Runs a call in the first thread, between two barriers. */
  #together(call: (mpi: { readonly calls: Mpi; readonly base: number }) => void): void {
    this.#share.sync();
    if (this.#mpi) call(this.#mpi);
    this.#share.sync();
  }
}
