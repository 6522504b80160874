/** Lays a run out in memory, the same in the plan, the main thread and every thread of a team. */
import type { Dataset } from '../../data/dataset/dataset.js';
import {
  type Allocator,
  Arena,
  ArenaPlan,
  createMemory,
  growMemory,
  outOfMemory,
  requireMemory,
} from '../../kernels/arena.js';
import { kernelScratch } from '../../kernels/create.js';
import type { DType, Kernels } from '../../kernels/kernels.js';
import { referenceKernels } from '../../kernels/reference/index.js';
import { RandomState } from '../../random/randomState.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { TrainingPlan } from '../plan.js';
import { Trainer } from '../step.js';
import type { BackendChoice } from './backend.js';

/** A run before it starts. Plain data, so that it can be sent to a thread. */
export interface RunSetup {
  readonly config: TrainConfig;
  readonly plan: TrainingPlan;
  readonly choice: BackendChoice;
  readonly threads: number;
}

/** Allocates the run's tensors in a fixed order, features first as in a dataset's memory. */
export function assemble(
  { config, plan, choice, threads }: RunSetup,
  random: RandomState,
  allocator: Allocator,
  createKernels: (scratch: number) => Kernels,
): Trainer {
  const { train, validation, test } = plan.rows;
  const features = allocator.tensor(train + validation + test, plan.inputs);
  const scratch = allocator.block(kernelScratch(choice, threads));
  return new Trainer(config, plan, createKernels(scratch), random, features, allocator);
}

/** The dataset memories that belong to a run. */
const taken = new WeakSet<WebAssembly.Memory>();

/**
 * The bytes of a run's memory.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function bytesOf(setup: RunSetup): number {
  const { dtype, seed } = setup.config;
  const need = new ArenaPlan(dtype);
  assemble(setup, new RandomState(seed), need, () => referenceKernels(dtype));
  requireMemory(need.bytes, smaller(dtype));
  return need.bytes;
}

/**
 * The dataset's memory, grown in place; a second run on the same dataset gets a copy.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function allocate(setup: RunSetup, { memory, features }: Dataset): WebAssembly.Memory {
  const { dtype } = setup.config;
  const bytes = bytesOf(setup);
  try {
    if (!taken.has(memory)) {
      taken.add(memory);
      // An arena hands out zeros, but reading the data has left bytes behind the features.
      new Uint8Array(memory.buffer, features.address + features.data.byteLength).fill(0);
      growMemory(memory, bytes);
      return memory;
    }
    const copy = createMemory(bytes);
    new Arena(dtype, copy).tensor(features.rows, features.columns).data.set(features.data);
    return copy;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw outOfMemory(bytes, 'the system does not have that much', smaller(dtype));
  }
}

function smaller(dtype: DType): string {
  const single = dtype === 'float64' ? ', "dtype": "float32"' : '';
  return `use fewer units${single} or a smaller training.batchSize; mlp params shows where the parameters are`;
}
