/** Measures how fast kernels multiply matrices on this machine, in GFLOP/s. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Allocator, Arena, ArenaPlan } from '../kernels/arena.js';
import { createKernels, type KernelsChoice, kernelScratch } from '../kernels/create.js';
import type { DType, IntVector, Tensor } from '../kernels/kernels.js';
import { alone, type Share } from '../kernels/share.js';
import { Control } from '../training/engine/control.js';

/** The measurement: c ← a·b of square matrices. */
export interface RateSetup {
  readonly choice: KernelsChoice;
  readonly dtype: DType;
  readonly size: number;
  readonly threads: number;
}

export interface RateWorkerSetup {
  readonly setup: RateSetup;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly rank: number;
  readonly crowded: boolean;
}

/** How long the product is repeated: long enough for the engine to optimise the kernels. */
const MEASURED_MILLISECONDS = 120;

/** The compiled thread. Tests run the sources, but threads run from dist/ even then. */
const WORKER = new URL('../../dist/doctor/rateWorker.js', import.meta.url);

/** The fastest of many products, in GFLOP/s (10⁹ additions and multiplications per second). */
export async function measureRate(setup: RateSetup): Promise<number> {
  const plan = new ArenaPlan(setup.dtype);
  takeMatrices(setup, plan);
  const { memory } = Arena.ofSize(setup.dtype, plan.bytes);
  const seconds =
    setup.threads === 1 ? multiply(setup, memory, alone) : await multiplyInThreads(setup, memory);
  return (2 * setup.size ** 3) / seconds / 1e9;
}

/** Runs one thread's part of the measurement. Returns the seconds of the fastest product. */
export function multiply(setup: RateSetup, memory: WebAssembly.Memory, share: Share): number {
  const { choice, dtype, size } = setup;
  const { scratch, a, b, c, done } = takeMatrices(setup, new Arena(dtype, memory));
  const kernels = createKernels(choice, dtype, memory, scratch, share);
  const isFirst = share.rank === 0;
  if (isFirst) {
    a.data.fill(1.5);
    b.data.fill(-0.5);
  }
  share.sync();
  const begin = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  do {
    const start = performance.now();
    kernels.gemm('NN', size, size, size, a, b, 0, c);
    const end = performance.now();
    fastest = Math.min(fastest, end - start);
    // One thread reads the clock for all, since all must stop after the same product.
    if (isFirst) done.data[0] = Number(end - begin >= MEASURED_MILLISECONDS);
    share.sync();
  } while (done.data[0] === 0);
  return fastest / 1000;
}

interface Matrices {
  readonly scratch: number;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
  /** One word: whether to stop. */
  readonly done: IntVector;
}

/** The same in every thread. */
function takeMatrices({ choice, size, threads }: RateSetup, allocator: Allocator): Matrices {
  return {
    scratch: allocator.block(kernelScratch(choice, threads)),
    a: allocator.tensor(size, size),
    b: allocator.tensor(size, size),
    c: allocator.tensor(size, size),
    done: allocator.ints(1),
  };
}

/** Starts the threads, takes the first one's measurement, and ends them all. */
async function multiplyInThreads(setup: RateSetup, memory: WebAssembly.Memory): Promise<number> {
  const control = new Control(0);
  const crowded = setup.threads > availableParallelism();
  const workers = Array.from({ length: setup.threads }, (_, rank) => {
    const workerData: RateWorkerSetup = { setup, memory, control: control.buffer, rank, crowded };
    return new Worker(WORKER, { workerData });
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      workers[0].on('message', resolve);
      for (const worker of workers) {
        worker.on('error', reject);
        worker.on('exit', (code) => code !== 0 && reject(new Error(`a thread ended with code ${code}`)));
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
