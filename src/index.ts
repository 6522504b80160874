/**
 * The library behind the command line: everything that `mlp` does, as functions.
 *
 *     const loaded = loadTrainConfig('config.json');
 *     const { config, directory } = loaded;
 *     const dataset = await loadDataset(config, directory);
 *     const plan = planTraining(loaded, dataset);
 *     const choice = { backend: 'wasm', relaxed: true };
 *     const engine = await Team.start({ config, plan, choice, threads: 2 }, dataset);
 *     const result = await runTraining(engine, config, plan);
 *     await engine.close();
 */
export type { Dataset, Split } from './data/dataset/dataset.js';
export { type LoadOptions, loadDataset } from './data/dataset/loadDataset.js';
export { openSource, type Source } from './data/source/source.js';
export { ExitCode, MlpError } from './errors.js';
export type { Evaluation, Metrics } from './evaluation/metrics.js';
export { checkNetworks, networkProblems } from './gradcheck/builtin.js';
export {
  type Check,
  type CheckedParameter,
  checkGraph,
  type GradcheckResult,
} from './gradcheck/check.js';
export { type CheckedGraph, readGraph } from './gradcheck/graphFile.js';
export { checkNetwork, type NetworkProblem } from './gradcheck/networkCheck.js';
export { checkSoftmax } from './gradcheck/softmax.js';
export { Arena, ArenaPlan } from './kernels/arena.js';
export { type KernelsChoice, type KernelsRecipe, kernelsRecipe } from './kernels/create.js';
export type { DType, Kernels, Tensor } from './kernels/kernels.js';
export { referenceKernels } from './kernels/reference/index.js';
export { type WasmOptions, wasmKernels } from './kernels/wasm/index.js';
export { Inference } from './model/inference.js';
export { loadModel, type Model } from './model/load.js';
export { encodeModel, type ModelContent, modelTensors } from './model/model.js';
export { type ModelRows, openModelRows, type RowChunk } from './model/rows.js';
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
export { type BackendChoice, chooseBackend, chooseThreads } from './training/engine/backend.js';
export { type Engine, LocalEngine } from './training/engine/engine.js';
export { Team } from './training/engine/team.js';
export type { EpochRecord, TrainListener, TrainResult } from './training/loop.js';
export { runTraining } from './training/loop.js';
export { modelContent, planTraining, type TrainingPlan } from './training/plan.js';
export type { Evaluations } from './training/step.js';
