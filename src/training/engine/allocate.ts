/** Lays a run out in memory, the same in the plan, the main thread and every thread of a team. */
import { type Dataset, type DatasetMatrix, isInFile } from '../../data/dataset/dataset.js';
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
import type { DType, Kernels, Tensor } from '../../kernels/kernels.js';
import { referenceKernels } from '../../kernels/reference/index.js';
import { Regions } from '../../kernels/regions.js';
import type { Share } from '../../kernels/share.js';
import { RandomState } from '../../random/randomState.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { TrainingPlan } from '../plan.js';
import { type RowSource, rowsInArena, rowsInFile, rowsOutside } from '../rowSource.js';
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

/** Where a run lies. Plain data, so that it can be sent to a thread. */
export interface RunMemory {
  readonly matrix: DatasetMatrix;
  readonly memory: WebAssembly.Memory;
  /** Of the memory: behind the features, if they are in it. */
  readonly region: Region;
}

/** What a thread computes with. */
export interface ThreadParts {
  kernelsIn(memory: WebAssembly.Memory, scratch: number): Kernels;
  /** Its place in a team; by default it is alone. */
  readonly share?: Share;
  /** Whether batches of rows in a file are read ahead by another thread. */
  readonly readsAhead?: boolean;
  readonly exchange?: Exchange | undefined;
}

/** The run as a thread sees it. */
export function assembleIn(
  setup: RunSetup,
  { matrix, memory, region }: RunMemory,
  random: RandomState,
  { kernelsIn, share, readsAhead = false, exchange }: ThreadParts,
): Trainer {
  const sourceOf = (kernels: Kernels, capacity: number, own: Allocator): RowSource => {
    if (isInFile(matrix)) {
      const { batchSize } = setup.plan;
      return rowsInFile(matrix, { batchSize, capacity, waits: readsAhead }, own, share);
    }
    const [{ memory: first, features }] = matrix.parts;
    return memory === first ? rowsInArena(features, kernels) : rowsOutside(matrix, capacity, own, share);
  };
  const own = new Arena(setup.config.dtype, memory, region);
  return assemble(setup, random, own, (scratch) => kernelsIn(memory, scratch), sourceOf, exchange);
}

/** Allocates the run's tensors in a fixed order. */
function assemble(
  { config, plan, choice, threads }: RunSetup,
  random: RandomState,
  own: Allocator,
  createKernels: (scratch: number) => Kernels,
  sourceOf: (kernels: Kernels, capacity: number, own: Allocator) => RowSource,
  exchange?: Exchange,
): Trainer {
  const scratch = own.block(kernelScratch(choice, threads));
  return new Trainer(config, plan, createKernels(scratch), random, sourceOf, own, exchange);
}

/**
 * The bytes of a run in the memory of its features: those, and all else.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function bytesOf(setup: RunSetup): { readonly features: number; readonly own: number } {
  const { config, plan } = setup;
  const features = new ArenaPlan(config.dtype);
  features.tensor(matrixRows(plan), plan.inputs);
  const own = ownBytes(setup, (kernels) => rowsInArena(NOWHERE, kernels));
  requireMemory(features.bytes + own, smaller(config.dtype), own);
  return { features: features.bytes, own };
}

const NOWHERE: Tensor = { data: new Float32Array(), rows: 0, columns: 0, address: 0 };

function ownBytes(
  setup: RunSetup,
  sourceOf: (kernels: Kernels, capacity: number, own: Allocator) => RowSource,
): number {
  const { dtype, seed } = setup.config;
  const need = new ArenaPlan(dtype);
  assemble(setup, new RandomState(seed), need, () => referenceKernels(dtype), sourceOf);
  return need.bytes;
}

/** How the memories of datasets are divided among the runs on them. */
const divided = new WeakMap<WebAssembly.Memory, Regions>();

/**
 * A region behind the dataset's features, whose memory grows in place. Where it has no room, or the
 * features are in a file or in several memories, the run has a memory apart. To be given back with
 * `release`.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function allocate(setup: RunSetup, { matrix }: Dataset): RunMemory {
  const { batchSize } = setup.plan;
  if (isInFile(matrix)) {
    const how = (capacity: number) => ({ batchSize, capacity, waits: false });
    const own = ownBytes(setup, (_, capacity, own) => rowsInFile(matrix, how(capacity), own));
    requireMemory(own, smaller(setup.config.dtype));
    return apart(setup, matrix, own);
  }
  const bytes = bytesOf(setup);
  const [{ memory }, ...others] = matrix.parts;
  let regions = divided.get(memory);
  if (!regions) {
    regions = new Regions(memory, RESERVED_BYTES + bytes.features);
    divided.set(memory, regions);
  }
  try {
    if (others.length === 0) return { matrix, memory, region: regions.take(bytes.own) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const own = ownBytes(setup, (_, capacity, own) => rowsOutside(matrix, capacity, own));
  return apart(setup, matrix, own, bytes.features);
}

/** @param others bytes that the run needs elsewhere, for the error */
function apart(setup: RunSetup, matrix: DatasetMatrix, own: number, others = 0): RunMemory {
  try {
    const region = { start: RESERVED_BYTES, end: RESERVED_BYTES + own };
    return { matrix, memory: createMemory(own), region };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { dtype } = setup.config;
    throw outOfMemory(others + own, 'the system does not have that much', smaller(dtype));
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
