/** Puts a run together in memory: the same in the plan that counts, in the main thread, and in every thread of a team. */
import { totalmem } from 'node:os';
import { ExitCode, MlpError } from '../errors.js';
import { type Allocator, ARENA_LIMIT, ArenaPlan, createMemory } from '../kernels/arena.js';
import { kernelScratch } from '../kernels/create.js';
import type { Kernels } from '../kernels/kernels.js';
import { ReferenceKernels } from '../kernels/reference.js';
import { RandomState } from '../random/randomState.js';
import type { TrainConfig } from '../spec/train.js';
import type { BackendChoice } from './backend.js';
import type { TrainingPlan } from './plan.js';
import { Trainer } from './trainer.js';

/** What a run is made of. Plain data, so that it can be handed to a thread. */
export interface RunSetup {
  readonly config: TrainConfig;
  readonly plan: TrainingPlan;
  readonly choice: BackendChoice;
  readonly threads: number;
}

/** Takes the run's tensors in their one order. `createKernels` gets the address of the kernels' scratch. */
export function assemble(
  { config, plan, choice, threads }: RunSetup,
  random: RandomState,
  allocator: Allocator,
  createKernels: (scratch: number) => Kernels,
): Trainer {
  const scratch = allocator.block(kernelScratch(choice, threads));
  return new Trainer(config, plan, createKernels(scratch), random, allocator);
}

/**
 * The memory for a run, its size known before anything is allocated.
 * @throws MlpError (78) where the run is too large
 */
export function allocate(setup: RunSetup): WebAssembly.Memory {
  const { dtype, seed } = setup.config;
  const need = new ArenaPlan(dtype);
  assemble(setup, new RandomState(seed), need, () => new ReferenceKernels(dtype));
  const limit = Math.min(ARENA_LIMIT, totalmem());
  if (!(need.bytes <= limit)) {
    const owner = limit < ARENA_LIMIT ? 'this machine has' : 'the limit of one run is';
    throw tooLarge(need.bytes, `${owner} ${gigabytes(limit)}`);
  }
  try {
    return createMemory(need.bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooLarge(need.bytes, 'the system has not that much to give');
  }
}

function tooLarge(bytes: number, limit: string): MlpError {
  return new MlpError(
    ExitCode.config,
    `this network and its data need ${gigabytes(bytes)} of memory: ${limit}`,
    'use fewer units, a smaller training.batchSize, or "dtype": "float32"; mlp params shows where the parameters are',
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
