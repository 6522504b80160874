/** Chooses the kernels and threads of a run, by its config and by what the machine has. */
import { ExitCode, MlpError } from '../../errors.js';
import { blasUnavailable, explainSearch, findBlas, type Machine } from '../../kernels/blas/find.js';
import type { KernelsChoice } from '../../kernels/create.js';
import { bfloat16Missing, findNative, nativeUnavailable } from '../../kernels/native/find.js';
import { WORK_BEFORE_CODE } from '../../kernels/native/index.js';
import { detectFeatures, type WasmFeatures } from '../../kernels/wasm/loader.js';
import { largestProduct, networkShape } from '../../network/shape.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { viewsOf } from '../../spec/widths.js';
import type { TrainingPlan } from '../plan.js';
import { rowsOfPass } from '../slices.js';

/** The kernels of a run. Plain data, so that it can be sent to a thread. */
export interface BackendChoice extends KernelsChoice {
  readonly note?: string;
}

/**
 * The least m·n·k of the largest product for which `auto` writes machine code, some 30 ms, or looks for
 * a BLAS, some 40 ms.
 */
export const LEAST_LARGE_PRODUCT = 2 ** 17;

/** One more thread pays for its barriers with this many floating-point operations of a step. */
const OPERATIONS_PER_THREAD = 1.5e6;

/** What a config says of kernels. */
export type KernelKeys = Pick<TrainConfig, 'backend' | 'deterministic' | 'mixedPrecision'>;

/** @throws MlpError ExitCode.unavailable if the config demands a backend that the machine lacks */
export function chooseBackend(
  { backend, deterministic, mixedPrecision }: KernelKeys,
  plan: Pick<TrainingPlan, 'network' | 'inputs' | 'batchSize' | 'division'>,
  machine: Machine,
  features: WasmFeatures = detectFeatures(),
): BackendChoice {
  const relaxed = !deterministic;
  if (mixedPrecision) return mixedPrecisionChoice(mixedPrecision, machine, features);
  if (backend === 'reference') return { backend, relaxed };
  if (!features.simd) {
    const found = 'found an engine without WebAssembly SIMD';
    if (backend === 'auto')
      return { backend: 'reference', relaxed, note: `${found}: using the reference kernels` };
    throw new MlpError(
      ExitCode.unavailable,
      `backend "${backend}": ${found}, expected one that has it`,
      'take --backend reference, or a newer CPU or Node',
    );
  }
  const isLarge = largestProduct(plan.network, plan.inputs, rowsOfPass(plan)) >= LEAST_LARGE_PRODUCT;
  if (backend === 'native' || (backend === 'auto' && isLarge && !deterministic && !prefersBlas(machine))) {
    const search = findNative(machine);
    const [set] = search.sets;
    if (set) return { backend: 'native', relaxed: false, set };
    if (backend === 'native') throw nativeUnavailable(search);
  }
  if (backend === 'wasm' || deterministic) {
    if (backend === 'blas') {
      throw new MlpError(
        ExitCode.config,
        'backend: found "blas" with "deterministic", expected "wasm", "native" or "auto": the bits of a BLAS depend on the machine',
        'leave out one of the two',
      );
    }
    // Machine code gives the bits of wasm, too, at half the speed of its own.
    const exact = backend === 'auto' && isLarge && { exact: { waits: WORK_BEFORE_CODE } };
    return { backend: 'wasm', relaxed, ...exact };
  }
  if (backend === 'auto' && !isLarge) return { backend: 'wasm', relaxed };
  const search = findBlas(machine);
  const [library] = search.libraries;
  if (library) return { backend: 'blas', relaxed, library: library.path };
  if (backend === 'blas') throw blasUnavailable(search);
  return { backend: 'wasm', relaxed, note: `${explainSearch(search)}: using the wasm kernels` };
}

/** Its products are those of machine code alone. Never of float32 instead: results would say what they are not. */
function mixedPrecisionChoice(asked: string, machine: Machine, { simd }: WasmFeatures): BackendChoice {
  const search = findNative(machine);
  const [set] = search.sets;
  const missing = simd ? bfloat16Missing(search, machine) : 'found an engine without WebAssembly SIMD';
  if (set && missing === undefined) return { backend: 'native', relaxed: false, set, bfloat16: true };
  throw new MlpError(
    ExitCode.unavailable,
    `mixedPrecision "${asked}": ${missing}, expected AVX512-BF16 (AMD from Zen 4 on, Intel Xeon from Sapphire Rapids on)`,
    'leave mixedPrecision out, so that products are of float32, or use a machine of which mlp doctor says that it has bfloat16',
  );
}

/** Whoever names a BLAS wants that one, and Accelerate has units for matrices that no other code reaches. */
function prefersBlas({ env, platform }: Machine): boolean {
  return Boolean(env.MLP_BLAS) || platform === 'darwin';
}

/**
 * The kernels of a run that is resumed: where the config says "auto", those that it was started with,
 * if the machine still has them.
 * @throws MlpError as `chooseBackend`
 */
export function chooseAgain(
  config: KernelKeys,
  plan: Pick<TrainingPlan, 'network' | 'inputs' | 'batchSize' | 'division'>,
  machine: Machine,
  then: BackendChoice['backend'],
): BackendChoice {
  if (config.backend === 'auto') {
    try {
      return chooseBackend({ ...config, backend: then }, plan, machine);
    } catch (error) {
      // What the machine has instead is then compared with what the run had.
      if (!(error instanceof MlpError)) throw error;
    }
  }
  return chooseBackend(config, plan, machine);
}

/** Floating-point operations of the products of a step, or of a slice of one: three multiply-adds per weight and row. */
export function stepOperations({ parameters, network, inputs, ...plan }: TrainingPlan): number {
  const perRow = viewsOf(network) > 1 ? networkShape(network, inputs).multiplyAdds : parameters;
  return 6 * Number(perRow) * rowsOfPass(plan);
}

/** The number of threads: the config's, or for `auto` what a step is worth, at most `available`. */
export function chooseThreads(
  threads: TrainConfig['threads'],
  choice: BackendChoice,
  plan: TrainingPlan,
  available: number,
): number {
  if (choice.backend === 'reference') return 1;
  if (threads !== 'auto') return threads;
  return Math.max(1, Math.min(available, Math.floor(stepOperations(plan) / OPERATIONS_PER_THREAD)));
}
