/**
 * The parts under the library, for those who build their own training: `import { Network, Team }
 * from 'mlp-train/engine'`. They change between versions more often than `mlp-train` itself.
 *
 *     const loaded = loadTrainConfig('config.json');
 *     const { config, directory } = loaded;
 *     const dataset = await loadDataset(config, directory);
 *     const plan = planTraining(loaded, dataset);
 *     const choice = chooseBackend(config, plan, thisMachine());
 *     const engine = await Team.start({ config, plan, choice, threads: 2 }, dataset);
 *     const result = await runTraining(engine);
 *     await engine.close();
 */
export type { Dataset, Split } from './data/dataset/dataset.js';
export { type LoadOptions, loadDataset } from './data/dataset/loadDataset.js';
export { ExitCode, MlpError } from './errors.js';
export type { Evaluation, Metrics } from './evaluation/metrics.js';
export { checkNetwork, type NetworkProblem } from './gradcheck/networkCheck.js';
export { Arena, ArenaPlan } from './kernels/arena.js';
export { thisMachine } from './kernels/blas/find.js';
export { createKernels, type KernelsChoice, type KernelsRecipe, kernelsRecipe } from './kernels/create.js';
export type { DType, Kernels, Tensor } from './kernels/kernels.js';
export { referenceKernels } from './kernels/reference/index.js';
export { type WasmOptions, wasmKernels } from './kernels/wasm/index.js';
export { encodeModel, type ModelContent, modelTensors } from './model/model.js';
export type { Parameter, Statistic } from './network/layer.js';
export type { Targets } from './network/loss.js';
export { Network, type NetworkOptions } from './network/network.js';
export type { Parameters, Statistics } from './network/parameters.js';
export { type LayerShape, type NetworkShape, networkShape } from './network/shape.js';
export { RandomState } from './random/randomState.js';
export { stratifiedSplit, trainTestSplit } from './random/split.js';
export type { LayerSpec } from './spec/layerSpec.js';
export { type LoadedTrainConfig, loadNetworkSpec, loadTrainConfig } from './spec/loadConfig.js';
export type { NetworkSpec } from './spec/networkSpec.js';
export type { TrainConfig } from './spec/trainConfig.js';
export type { RunSetup } from './training/engine/allocate.js';
export { type BackendChoice, chooseBackend, chooseThreads } from './training/engine/backend.js';
export { type Engine, LocalEngine } from './training/engine/engine.js';
export { Team } from './training/engine/team.js';
export {
  type EpochRecord,
  type RunOptions,
  runTraining,
  type StepRecord,
  type TrainListener,
  type TrainResult,
} from './training/loop.js';
export { modelContent, planTraining, type TrainingPlan } from './training/plan.js';
export type { Evaluations } from './training/step.js';
