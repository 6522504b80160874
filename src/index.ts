/**
 * mlp as a library: train, load, predict, check. Nothing is written to disk unless you name a file
 * or a run directory. docs/library.md is the guide; `mlp-train/engine` exports the parts
 * underneath.
 *
 *     import { loadModel, train } from 'mlp-train';
 *
 *     const run = await train({
 *       data: { train: 'iris.csv', target: 'species' },
 *       network: { layers: [16, 'relu', 3] },
 *       training: { epochs: 100 },
 *     });
 *     run.metrics.validation?.accuracy; // 0.97
 *     await run.save('iris.safetensors');
 *
 *     const model = await loadModel('iris.safetensors');
 *     const [first] = await model.predict([{ 'sepal length (cm)': 5.1, … }]);
 */
export type { Cell } from './data/memory.js';
export type { ColumnProfile, TableProfile, TargetProfile } from './data/profile/profile.js';
export { setMaxUnpacked } from './data/source/unpack.js';
export { ExitCode, MlpError } from './errors.js';
export type { Check, CheckedParameter, GradcheckResult } from './gradcheck/check.js';
export type { GraphInput } from './gradcheck/graphFile.js';
export type { ConfigInput, MatrixInput, MemoryConfig, RowsInput } from './library/config.js';
export { type CsvOptions, inspect, type SuggestedTraining, suggestConfig } from './library/data.js';
export { type GradcheckOptions, gradcheck } from './library/gradcheck.js';
export { loadModel, type Model, type Prediction, type Rows } from './library/model.js';
export { type Epoch, type Run, type SplitMetrics, type TrainOptions, train } from './library/train.js';
export type { EvaluationReport } from './model/scorer.js';
export type { DataInput } from './spec/dataConfig.js';
export type { LayerInput } from './spec/layerSpec.js';
export type { NetworkInput } from './spec/networkSpec.js';
export type { TrainConfigInput, TrainingInput } from './spec/trainConfig.js';
