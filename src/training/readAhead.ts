/**
 * Batches that are read from a file while the steps before are taken. A thread of its own draws the same
 * batches as the team, from its own copy of the generator, and reads batch k into slot k mod n of the
 * arena. All that it shares with the team are the counters of batches that are read and taken.
 */
import { Batches, type BatchesState, POOL } from '../data/dataset/batches.js';
import { type MatrixFile, readRows, ScatteredRows } from '../data/matrixFile.js';
import { type Allocator, bytesPerElement, floatsOf } from '../kernels/arena.js';
import type { FloatArray, IntVector, Tensor } from '../kernels/kernels.js';
import { RandomState, type RandomStateSnapshot } from '../random/randomState.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { TeamBroken } from './engine/control.js';

/** A busy machine keeps the thread from running for milliseconds, which may be many steps. */
const MOST_SLOTS = 32;
/** More would leave the processor's cache. */
const SLOT_BYTES = 2 ** 24;
/** Int32 words, each on a cache line of its own. */
const READ = 0;
const TAKEN = 16;
const CLOSED = 32;
const WORDS = 48;
/** How long a thread sleeps before it checks whether the others have ended. */
const LOOK_MILLISECONDS = 100;

export class ReadAhead {
  readonly #matrix: MatrixFile;
  readonly #slots: readonly Tensor[]; // [B, inputs]
  readonly #words: IntVector;
  #taken = 0;

  constructor(matrix: MatrixFile, batchSize: number, allocator: Allocator) {
    this.#matrix = matrix;
    const slots = Math.floor(SLOT_BYTES / (batchSize * matrix.columns * bytesPerElement(matrix.dtype)));
    const length = Math.max(2, Math.min(MOST_SLOTS, slots));
    this.#slots = Array.from({ length }, () => allocator.tensor(batchSize, matrix.columns));
    this.#words = allocator.ints(WORDS);
  }

  /**
   * Waits for the next batch, and gives the slot of the one before to the reader.
   * @param isFirst whether this is the thread of the team that tells the reader
   * @throws TeamBroken if the reader has ended
   */
  next(isFirst: boolean): Tensor {
    const { data } = this.#words;
    const batch = this.#taken++;
    // All have done a step with the batch before: its last barrier comes after the last use of its rows.
    if (isFirst) {
      Atomics.store(data, TAKEN, batch);
      // The other half of the slots is full: to wake the reader takes longer than to read a few rows.
      if (batch % (this.#slots.length >> 1) === 0) Atomics.notify(data, TAKEN);
    }
    for (let read = Atomics.load(data, READ); read <= batch; read = Atomics.load(data, READ)) {
      if (Atomics.load(data, CLOSED) !== 0) throw new TeamBroken('the thread that reads rows has ended');
      Atomics.wait(data, READ, read, LOOK_MILLISECONDS);
    }
    return this.#slots[batch % this.#slots.length];
  }

  /** Ends the reader, and all that wait for it. */
  close(): void {
    const { data } = this.#words;
    Atomics.store(data, CLOSED, 1);
    Atomics.notify(data, TAKEN);
    Atomics.notify(data, READ);
  }

  setup(memory: WebAssembly.Memory): Pick<ReaderSetup, 'matrix' | 'memory' | 'slots' | 'words'> {
    const slots = this.#slots.map(({ address }) => address);
    return { matrix: this.#matrix, memory, slots, words: this.#words.address };
  }
}

/** What the reading thread is started with. */
export interface ReaderSetup {
  readonly matrix: MatrixFile;
  readonly memory: WebAssembly.Memory;
  /** Addresses in the memory. */
  readonly slots: readonly number[];
  readonly words: number;
  readonly batches: TrainConfig['training']['batches'];
  readonly rows: number;
  readonly batchSize: number;
  readonly blockRows?: number | undefined;
  /** Of the team at its start. */
  readonly random: RandomStateSnapshot;
  readonly state: BatchesState;
}

/** Reads batches until it is closed. @throws MlpError ExitCode.io if the file can't be read any more */
export function readBatches(setup: ReaderSetup): void {
  const { matrix, memory, slots, batchSize, state } = setup;
  const words = new Int32Array(memory.buffer, setup.words, WORDS);
  const { blockRows } = setup;
  const random = RandomState.fromState(setup.random);
  const batches = new Batches(setup.batches, setup.rows, batchSize, random, blockRows);
  batches.restore(state);
  const rowBytes = matrix.columns * bytesPerElement(matrix.dtype);
  const targets = slots.map((address) => new Uint8Array(memory.buffer, address, batchSize * rowBytes));
  const drawn = new Int32Array(batchSize);
  const scattered = new ScatteredRows(matrix);
  const warm = blockRows === undefined ? undefined : new WarmBlocks(matrix, blockRows);
  for (let batch = 0; awaitSlot(words, batch, slots.length); batch++) {
    const rows = drawn.subarray(0, batches.next(drawn));
    for (const row of rows) warm?.touch(row);
    scattered.read(rows, targets[batch % slots.length]);
    Atomics.store(words, READ, batch + 1);
    Atomics.notify(words, READ);
  }
}

/** False once the team has ended. */
function awaitSlot(words: Int32Array, batch: number, slots: number): boolean {
  for (;;) {
    if (Atomics.load(words, CLOSED) !== 0) return false;
    const taken = Atomics.load(words, TAKEN);
    // The slot is that of batch − n, which was done when batch − n + 1 was taken.
    if (batch < slots || taken > batch - slots) return true;
    Atomics.wait(words, TAKEN, taken, LOOK_MILLISECONDS);
  }
}

/** Reads a block as a whole before the first of its rows: the next ones are in the page cache then. */
class WarmBlocks {
  readonly #matrix: MatrixFile;
  readonly #blockRows: number;
  readonly #scratch: FloatArray;
  /** Those read last, in their order. */
  readonly #blocks = new Set<number>();

  constructor(matrix: MatrixFile, blockRows: number) {
    this.#matrix = matrix;
    this.#blockRows = blockRows;
    this.#scratch = floatsOf(matrix.dtype, blockRows * matrix.columns);
  }

  touch(row: number): void {
    const block = Math.floor(row / this.#blockRows);
    if (this.#blocks.has(block)) return;
    const [oldest] = this.#blocks;
    // A batch may have rows of two pools.
    if (this.#blocks.size === 2 * POOL) this.#blocks.delete(oldest);
    this.#blocks.add(block);
    const first = block * this.#blockRows;
    const rows = Math.min(this.#blockRows, this.#matrix.rows - first);
    readRows(this.#matrix, first, this.#scratch.subarray(0, rows * this.#matrix.columns));
  }
}
