/** What `auto` chooses for a config and why, and how fast each backend is. */
import type { BlasSearch, Machine } from '../kernels/blas/find.js';
import type { DType } from '../kernels/kernels.js';
import { findNative, type NativeSearch, type NativeSet } from '../kernels/native/find.js';
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

export type BackendReason =
  | 'no SIMD'
  | 'mixed precision'
  | 'deterministic'
  | 'small products'
  | 'no BLAS'
  | 'large products';

/** What `auto` chooses for a config, and the numbers that decide. */
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
  readonly library?: string;
  readonly set?: NativeSet;
  readonly threads: number;
  readonly size: number;
  readonly gflops: Readonly<Record<DType, number>>;
}

/** Larger than a first-level cache, yet so quick that some products run undisturbed. */
const SIZE = 256;
/** The plain loops are a hundred times slower than a BLAS. */
const REFERENCE_SIZE = 128;

/** What `auto` would choose for a config, whatever backend and threads it asks for: without bfloat16 if there is none. */
export function chooseAutomatically(
  { deterministic, mixedPrecision }: Pick<TrainConfig, 'deterministic' | 'mixedPrecision'>,
  plan: TrainingPlan,
  machine: Machine,
  features: WasmFeatures,
  available: number,
): AutomaticChoice {
  const mixed = mixedPrecision && findNative(machine).bfloat16 && { mixedPrecision };
  const choice = chooseBackend({ backend: 'auto', deterministic, ...mixed }, plan, machine, features);
  return {
    // Allowed by the config and offered by the machine.
    choice: { ...choice, relaxed: choice.relaxed && features.relaxedSimd },
    reason: reasonOf(choice, deterministic),
    largestProduct: largestProduct(plan.network, plan.inputs, plan.batchSize),
    threads: chooseThreads('auto', choice, plan, available),
    stepOperations: stepOperations(plan),
  };
}

function reasonOf({ backend, note, bfloat16 }: BackendChoice, deterministic: boolean): BackendReason {
  if (backend === 'reference') return 'no SIMD';
  if (bfloat16) return 'mixed precision';
  if (backend === 'blas' || backend === 'native') return 'large products';
  if (deterministic) return 'deterministic';
  return note === undefined ? 'small products' : 'no BLAS';
}

/** What `auto` chooses for networks with small products, and with large ones. */
export function automaticBackends(
  features: WasmFeatures,
  { libraries: [library], searched }: BlasSearch,
  { sets: [set] }: NativeSearch,
): { small: BackendChoice; large: BackendChoice } {
  const relaxed = features.relaxedSimd;
  const small: BackendChoice = { backend: features.simd ? 'wasm' : 'reference', relaxed };
  if (features.simd && set && !['MLP_BLAS', 'Accelerate'].includes(searched[0])) {
    return { small, large: { backend: 'native', relaxed: false, set } };
  }
  if (!features.simd || !library) return { small, large: small };
  return { small, large: { backend: 'blas', relaxed, library: library.path } };
}

/** Speed of each backend on one thread, then of `taken` on all `threads`, each in some 0.25 s. */
export async function measureRates(
  features: WasmFeatures,
  { libraries }: BlasSearch,
  { sets }: NativeSearch,
  taken: BackendChoice,
  threads: number,
): Promise<Rate[]> {
  const choices: BackendChoice[] = [{ backend: 'reference', relaxed: false }];
  if (features.simd) {
    choices.push({ backend: 'wasm', relaxed: false });
    if (features.relaxedSimd) choices.push({ backend: 'wasm', relaxed: true });
    const relaxed = features.relaxedSimd;
    for (const { path } of libraries) choices.push({ backend: 'blas', relaxed, library: path });
    for (const set of sets) choices.push({ backend: 'native', relaxed: false, set });
  }
  const rates: Rate[] = [];
  for (const choice of choices) rates.push(await rateOf(choice, 1));
  if (threads > 1 && taken.backend !== 'reference') rates.push(await rateOf(taken, threads));
  return rates;
}

async function rateOf(choice: BackendChoice, threads: number): Promise<Rate> {
  const { backend, library, set } = choice;
  const size = backend === 'reference' ? REFERENCE_SIZE : SIZE;
  const measure = (dtype: DType) => measureRate({ choice, dtype, size, threads });
  return {
    backend,
    relaxed: choice.relaxed,
    ...(library !== undefined && { library }),
    ...(set !== undefined && { set }),
    threads,
    size,
    gflops: { float32: await measure('float32'), float64: await measure('float64') },
  };
}
