/** Lays a run out in memory, the same in the plan, the main thread and every thread of a team. */
import type { Dataset } from '../../data/dataset/dataset.js';
import {
  type Allocator,
  Arena,
  ArenaPlan,
  createMemory,
  outOfMemory,
  RESERVED_BYTES,
  type Region,
  requireMemory,
} from '../../kernels/arena.js';
import { kernelScratch } from '../../kernels/create.js';
import type { DType, Kernels } from '../../kernels/kernels.js';
import { referenceKernels } from '../../kernels/reference/index.js';
import { Regions } from '../../kernels/regions.js';
import { RandomState } from '../../random/randomState.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { TrainingPlan } from '../plan.js';
import type { Exchange } from '../slices.js';
import { matrixRows, Trainer } from '../step.js';
import type { BackendChoice } from './backend.js';

/** A run before it starts. Plain data, so that it can be sent to a thread. */
export interface RunSetup {
  readonly config: TrainConfig;
  readonly plan: TrainingPlan;
  readonly choice: BackendChoice;
  readonly threads: number;
}

/** Where the tensors of a run are taken from: the features, which runs may share, and its own. */
export interface RunAllocators {
  readonly features: Allocator;
  readonly own: Allocator;
}

/** A part of a dataset's memory, behind its features. Plain data, so that it can be sent to a thread. */
export interface RunMemory {
  readonly memory: WebAssembly.Memory;
  readonly region: Region;
}

/** Allocates the run's tensors in a fixed order, features first as in a dataset's memory. */
export function assemble(
  { config, plan, choice, threads }: RunSetup,
  random: RandomState,
  { features, own }: RunAllocators,
  createKernels: (scratch: number) => Kernels,
  exchange?: Exchange,
): Trainer {
  const matrix = features.tensor(matrixRows(plan), plan.inputs);
  const scratch = own.block(kernelScratch(choice, threads));
  return new Trainer(config, plan, createKernels(scratch), random, matrix, own, exchange);
}

/** The same as seen by every thread. */
export function allocatorsOf(dtype: DType, { memory, region }: RunMemory): RunAllocators {
  return { features: new Arena(dtype, memory), own: new Arena(dtype, memory, region) };
}

/** The bytes of a run: of its features, and of all else. */
interface RunBytes {
  readonly features: number;
  readonly own: number;
}

/**
 * The bytes of a run's memory.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function bytesOf(setup: RunSetup): RunBytes {
  const { dtype, seed } = setup.config;
  const need = { features: new ArenaPlan(dtype), own: new ArenaPlan(dtype) };
  assemble(setup, new RandomState(seed), need, () => referenceKernels(dtype));
  const [features, own] = [need.features.bytes, need.own.bytes];
  requireMemory(features + own, smaller(dtype));
  return { features, own };
}

/** How the memories of datasets are divided among the runs on them. */
const divided = new WeakMap<WebAssembly.Memory, Regions>();

/**
 * A region of the dataset's memory, which grows in place. Where other runs have left no room in
 * it, a copy of the features begins another memory. To be given back with `release`.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function allocate(setup: RunSetup, { memory, features }: Dataset): RunMemory {
  const { dtype } = setup.config;
  const bytes = bytesOf(setup);
  const start = RESERVED_BYTES + bytes.features;
  let regions = divided.get(memory);
  if (!regions) {
    regions = new Regions(memory, start);
    divided.set(memory, regions);
  }
  try {
    try {
      return { memory, region: regions.take(bytes.own) };
    } catch (error) {
      if (!(error instanceof RangeError) || regions.isEmpty) throw error;
      const copy = createMemory(bytes.features + bytes.own);
      new Arena(dtype, copy).tensor(features.rows, features.columns).data.set(features.data);
      return { memory: copy, region: { start, end: start + bytes.own } };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const total = bytes.features + bytes.own;
    throw outOfMemory(total, 'the system does not have that much', smaller(dtype));
  }
}

/** Gives the region of a run to the next one: nothing may read or write it any more. */
export function release({ memory, region }: RunMemory): void {
  divided.get(memory)?.release(region);
}

function smaller(dtype: DType): string {
  const single = dtype === 'float64' ? ', "dtype": "float32"' : '';
  return `use fewer units${single} or a smaller training.batchSize; mlp params shows where the parameters are`;
}
