/** A team of ranks without threads: each does its share of an operation in turn. */
import { Arena, bytesPerElement, slice } from '../../../src/kernels/arena.js';
import type { DType, IntVector, Kernels, Tensor } from '../../../src/kernels/kernels.js';
import { wasmKernels } from '../../../src/kernels/wasm/index.js';
import { scratchBytes } from '../../../src/kernels/wasm/loader.js';

export interface Team {
  /** The kernels of each rank. */
  readonly ranks: Kernels[];
  /** How often the ranks met. */
  syncs: number;
  /** Gives back all tensors. */
  clear(): void;
  tensor(rows: number, columns: number, values?: ArrayLike<number>): Tensor;
  labels(values: ArrayLike<number>): IntVector;
  /** Does an operation, rank after rank; returns what the last one returned. */
  run<T>(operation: (kernels: Kernels) => T): T;
}

/**
 * A team with an arena of `elements`. The memory is full of NaN where no tensor lies, so that what an operation reads past the end
 * of its input would show; `guard` finds what was written past the end of an output.
 */
export function simulateTeam(dtype: DType, relaxed: boolean, size: number, elements: number): Team {
  const scratch = scratchBytes(size);
  const arena = Arena.ofSize(dtype, scratch + (elements + 4096) * bytesPerElement(dtype));
  new Float64Array(arena.memory.buffer).fill(NaN);
  const { address } = arena.tensor(1, scratch / bytesPerElement(dtype));
  const pool = arena.tensor(1, elements + 2048);
  let next = 0;
  const take = (bytes: number) => {
    const at = pool.address + next;
    next += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const team: Team = {
    ranks: [],
    syncs: 0,
    clear() {
      new Float64Array(arena.memory.buffer, pool.address, next / 8).fill(NaN);
      next = 0;
    },
    tensor(rows, columns, values) {
      const at = take(rows * columns * bytesPerElement(dtype));
      const start = (at - pool.address) / bytesPerElement(dtype);
      const tensor = slice(pool, start, rows, columns);
      if (values) tensor.data.set(values);
      return tensor;
    },
    labels(values) {
      const at = take(values.length * 4);
      const data = new Int32Array(arena.memory.buffer, at, values.length);
      data.set(values);
      return { data, address: at };
    },
    run(operation) {
      const results = team.ranks.map(operation);
      return results[results.length - 1];
    },
  };
  for (let rank = 0; rank < size; rank++) {
    const share = { rank, size, sync: () => void team.syncs++ };
    team.ranks.push(wasmKernels({ dtype, memory: arena.memory, scratch: address, relaxed, share }));
  }
  return team;
}

/** Whether the memory right behind a tensor is untouched. */
export function guardHolds({ data }: Tensor): boolean {
  const behind = data.byteOffset + data.byteLength;
  const rest = (64 - (behind % 64)) % 64;
  // In whole elements: each NaN of simulateTeam is eight bytes.
  const bytes = new Uint8Array(data.buffer, behind, rest);
  return bytes.every((byte, i) => byte === NAN_BYTES[(behind + i) % 8]);
}

const NAN_BYTES = new Uint8Array(Float64Array.of(NaN).buffer);

export function epsilon(dtype: DType): number {
  return dtype === 'float32' ? 2 ** -23 : 2 ** -52;
}

/** Numbers that look random, the same on every run: uniform in (−scale, scale), rounded to float32 so that both dtypes hold them. */
export function pseudoRandom(count: number, seed: number, scale = 1): Float32Array {
  const out = new Float32Array(count);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let i = 0; i < count; i++) {
    // Numerical Recipes' linear congruential generator
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = (state / 2 ** 31 - 1) * scale;
  }
  return out;
}
