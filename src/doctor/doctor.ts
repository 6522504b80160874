/** What a run would stand on, as data: what `auto` takes and by which numbers, and how fast each of the kernels is. */
import type { BlasSearch, Machine } from '../kernels/blas/find.js';
import type { DType } from '../kernels/kernels.js';
import type { WasmFeatures } from '../kernels/wasm/loader.js';
import { largestProduct } from '../network/shape.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import type { BackendName } from '../spec/words.js';
import {
  type BackendChoice,
  chooseBackend,
  chooseThreads,
  stepOperations,
} from '../training/engine/backend.js';
import type { TrainingPlan } from '../training/plan.js';
import { measureRate } from './rate.js';

/** What decided for a backend. */
export type BackendReason = 'no SIMD' | 'deterministic' | 'small products' | 'no BLAS' | 'large products';

/** What `auto` takes for a config, and the numbers it goes by. */
export interface AutomaticChoice {
  readonly choice: BackendChoice;
  readonly reason: BackendReason;
  /** Multiply-adds of the largest matrix product of a step. */
  readonly largestProduct: number;
  readonly threads: number;
  /** Floating-point operations of a step's matrix products. */
  readonly stepOperations: number;
}

export interface Rate {
  readonly backend: BackendName;
  readonly relaxed: boolean;
  /** Path of the BLAS, for `blas`. */
  readonly library?: string;
  readonly threads: number;
  /** Rows and columns of the matrices. */
  readonly size: number;
  readonly gflops: Readonly<Record<DType, number>>;
}

/** Matrices that no longer fit a first cache; a product takes milliseconds at most, so that some are undisturbed on a busy machine. */
const SIZE = 256;
/** The plain loops take a hundredth of a BLAS's pace. */
const REFERENCE_SIZE = 128;

/** What `auto` would take for a config, whatever backend and threads the config itself names. */
export function chooseAutomatically(
  { deterministic }: Pick<TrainConfig, 'deterministic'>,
  plan: TrainingPlan,
  machine: Machine,
  features: WasmFeatures,
  available: number,
): AutomaticChoice {
  const choice = chooseBackend({ backend: 'auto', deterministic }, plan, machine, features);
  return {
    // What is allowed and what is there.
    choice: { ...choice, relaxed: choice.relaxed && features.relaxedSimd },
    reason: reasonOf(choice, deterministic),
    largestProduct: largestProduct(plan.network, plan.inputs, plan.batchSize),
    threads: chooseThreads('auto', choice, plan, available),
    stepOperations: stepOperations(plan),
  };
}

function reasonOf({ backend, note }: BackendChoice, deterministic: boolean): BackendReason {
  if (backend === 'reference') return 'no SIMD';
  if (backend === 'blas') return 'large products';
  if (deterministic) return 'deterministic';
  return note === undefined ? 'small products' : 'no BLAS';
}

/** What `auto` takes for networks of small products and for those of large ones. */
export function automaticBackends(
  features: WasmFeatures,
  { libraries: [library] }: BlasSearch,
): { small: BackendChoice; large: BackendChoice } {
  const relaxed = features.relaxedSimd;
  const small: BackendChoice = { backend: features.simd ? 'wasm' : 'reference', relaxed };
  if (!features.simd || !library) return { small, large: small };
  return { small, large: { backend: 'blas', relaxed, library: library.path } };
}

/**
 * The rate of each backend on one thread, and below that of `taken` on all of them. Some 0.25 s for each row.
 * @param threads how many threads "all" are
 */
export async function measureRates(
  features: WasmFeatures,
  { libraries }: BlasSearch,
  taken: BackendChoice,
  threads: number,
): Promise<Rate[]> {
  const choices: BackendChoice[] = [{ backend: 'reference', relaxed: false }];
  if (features.simd) {
    choices.push({ backend: 'wasm', relaxed: false });
    if (features.relaxedSimd) choices.push({ backend: 'wasm', relaxed: true });
    const relaxed = features.relaxedSimd;
    for (const { path } of libraries) choices.push({ backend: 'blas', relaxed, library: path });
  }
  const rates: Rate[] = [];
  for (const choice of choices) rates.push(await rateOf(choice, 1));
  if (threads > 1 && taken.backend !== 'reference') rates.push(await rateOf(taken, threads));
  return rates;
}

async function rateOf(choice: BackendChoice, threads: number): Promise<Rate> {
  const { backend, library } = choice;
  const size = backend === 'reference' ? REFERENCE_SIZE : SIZE;
  const measure = (dtype: DType) => measureRate({ choice, dtype, size, threads });
  return {
    backend,
    relaxed: choice.relaxed,
    ...(library !== undefined && { library }),
    threads,
    size,
    gflops: { float32: await measure('float32'), float64: await measure('float64') },
  };
}
