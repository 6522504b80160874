/** Lays a run out in memory, the same in the plan, the main thread and every thread of a team. */
import type { Dataset } from '../../data/dataset/dataset.js';
import type { FeatureMatrix } from '../../data/featureMatrix.js';
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
import { type RowSource, rowsInArena, rowsOutside } from '../rowSource.js';
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
  readonly matrix: FeatureMatrix;
  readonly memory: WebAssembly.Memory;
  /** Of the memory: behind the features, if they are in it. */
  readonly region: Region;
}

/** The run as a thread sees it. The view of the main thread computes nothing but weights at the start. */
export function assembleIn(
  setup: RunSetup,
  { matrix, memory, region }: RunMemory,
  random: RandomState,
  kernelsIn: (memory: WebAssembly.Memory, scratch: number) => Kernels,
  share?: Share,
  exchange?: Exchange,
): Trainer {
  const [{ memory: first, features }] = matrix.parts;
  return assemble(
    setup,
    random,
    new Arena(setup.config.dtype, memory, region),
    (scratch) => kernelsIn(memory, scratch),
    (kernels, capacity, own) =>
      memory === first ? rowsInArena(features, kernels) : rowsOutside(matrix, capacity, own, share),
    exchange,
  );
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
 * The bytes of a run: of its features, and of all else behind them.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function bytesOf(setup: RunSetup): { readonly features: number; readonly own: number } {
  const { config, plan } = setup;
  const features = new ArenaPlan(config.dtype);
  features.tensor(matrixRows(plan), plan.inputs);
  const own = ownBytes(setup, false);
  requireMemory(features.bytes + own, smaller(config.dtype), own);
  return { features: features.bytes, own };
}

/** @param isApart whether the features are elsewhere, so that a chunk of them needs room */
function ownBytes(setup: RunSetup, isApart: boolean): number {
  const { config, plan } = setup;
  const need = new ArenaPlan(config.dtype);
  assemble(
    setup,
    new RandomState(config.seed),
    need,
    () => referenceKernels(config.dtype),
    (kernels, capacity, own) => rowsInArena(isApart ? own.tensor(capacity, plan.inputs) : NOWHERE, kernels),
  );
  return need.bytes;
}

const NOWHERE: Tensor = { data: new Float32Array(), rows: 0, columns: 0, address: 0 };

/** How the memories of datasets are divided among the runs on them. */
const divided = new WeakMap<WebAssembly.Memory, Regions>();

/**
 * A region behind the dataset's features, whose memory grows in place. Where it has no room, or the
 * features are in several memories, the run has a memory apart. To be given back with `release`.
 * @throws MlpError ExitCode.config if the run is too large
 */
export function allocate(setup: RunSetup, { matrix }: Dataset): RunMemory {
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
  const apart = ownBytes(setup, true);
  try {
    const region = { start: RESERVED_BYTES, end: RESERVED_BYTES + apart };
    return { matrix, memory: createMemory(apart), region };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw outOfMemory(
      bytes.features + apart,
      'the system does not have that much',
      smaller(setup.config.dtype),
    );
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
