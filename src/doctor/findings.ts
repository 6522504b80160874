/** The facts for `mlp doctor`: what the machine has, and what `auto` chooses for a config. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { loadDataset } from '../data/dataset/loadDataset.js';
import { type BlasSearch, type FoundBlas, thisMachine } from '../kernels/blas/find.js';
import type { BlasFailure } from '../kernels/blas/library.js';
import type { NativeSearch, NativeSet } from '../kernels/native/find.js';
import type { WasmFeatures } from '../kernels/wasm/loader.js';
import { loadTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import type { BackendChoice } from '../training/engine/backend.js';
import { completeFor, planTraining } from '../training/plan.js';
import { loadStart } from '../training/start.js';
import { type AutomaticChoice, chooseAutomatically } from './doctor.js';

export interface Findings {
  readonly mlp: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpu: {
    readonly model: string;
    readonly processors: number;
    /** Threads that this process may run at once; often fewer in a container. */
    readonly available: number;
  };
  readonly memoryBytes: number;
  readonly wasm: WasmFeatures;
  readonly blas: {
    /** The library that MLP_BLAS names; then no other is searched for. */
    readonly named: string | null;
    /** In order of preference. */
    readonly found: readonly Pick<FoundBlas, 'path' | 'vendor' | 'version' | 'integerBits' | 'source'>[];
    readonly unusable: readonly BlasFailure[];
    readonly searched: readonly string[];
  };
  /** The instruction sets of `native`, or why there is none. */
  readonly native: NativeSearch;
  /** What `auto` chooses for networks with small products, and with large ones. */
  readonly auto: { readonly small: BackendChoice; readonly large: BackendChoice };
  readonly config?: ConfigFindings;
}

export interface ConfigFindings extends Omit<AutomaticChoice, 'choice'> {
  readonly path: string;
  readonly backend: BackendChoice['backend'];
  readonly relaxed: boolean;
  readonly library?: string;
  readonly set?: NativeSet;
  readonly asked: Pick<TrainConfig, 'backend' | 'threads' | 'deterministic' | 'mixedPrecision'>;
}

/** @throws MlpError as `mlp train` does for a wrong config or wrong data */
export async function findingsOfConfig(path: string, features: WasmFeatures): Promise<ConfigFindings> {
  const loaded = loadTrainConfig(path);
  const { directory, where } = loaded;
  const start = await loadStart(loaded);
  const dataset = await loadDataset(loaded.config, directory, where, start && { encodings: start.model });
  const whole = completeFor(loaded, dataset);
  const { config } = whole;
  const plan = planTraining(whole, dataset);
  const available = availableParallelism();
  const { choice, ...numbers } = chooseAutomatically(config, plan, thisMachine(), features, available);
  const { backend, relaxed, library, set } = choice;
  const { threads, deterministic, mixedPrecision } = config;
  return {
    path,
    backend,
    relaxed,
    ...(library !== undefined && { library }),
    ...(set !== undefined && { set }),
    ...numbers,
    asked: { backend: config.backend, threads, deterministic, ...(mixedPrecision && { mixedPrecision }) },
  };
}

/** Facts from Node, the system, and the searches for a BLAS and for instruction sets. */
export function gatherFindings(
  wasm: WasmFeatures,
  search: BlasSearch,
  native: NativeSearch,
): Omit<Findings, 'mlp' | 'auto' | 'config'> {
  const processors = cpus();
  const { versions, platform, arch } = process;
  return {
    node: versions.node,
    v8: versions.v8,
    platform,
    arch,
    cpu: {
      // Some systems do not describe their processors.
      model: processors[0]?.model.trim() || 'unknown',
      processors: processors.length,
      available: availableParallelism(),
    },
    memoryBytes: totalmem(),
    wasm,
    blas: blasFindings(search),
    native,
  };
}

function blasFindings({ libraries, failures, searched }: BlasSearch): Findings['blas'] {
  return {
    named: process.env.MLP_BLAS || null,
    found: libraries.map(({ path, vendor, version, integerBits, source }) => ({
      path,
      vendor,
      version,
      integerBits,
      source,
    })),
    unusable: failures,
    searched,
  };
}
