/** `gradcheck`: the built-in checks, a graph, or the network of a train config on its own data. */
import { Batches } from '../data/dataset/batches.js';
import type { Dataset } from '../data/dataset/dataset.js';
import { loadDataset } from '../data/dataset/loadDataset.js';
import { networkProblems, residualReluGraph } from '../gradcheck/builtin.js';
import { type Check, checkGraph, type GradcheckResult } from '../gradcheck/check.js';
import { type GraphInput, readGraph } from '../gradcheck/graphFile.js';
import { type CheckedBatch, checkNetwork, type NetworkProblem } from '../gradcheck/networkCheck.js';
import { checkSoftmax } from '../gradcheck/softmax.js';
import { thisMachine } from '../kernels/blas/find.js';
import { type KernelsRecipe, kernelsRecipe } from '../kernels/create.js';
import { LOSSES } from '../network/loss.js';
import { isObject, readJson } from '../spec/json.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import type { BackendName } from '../spec/words.js';
import { chooseBackend } from '../training/engine/backend.js';
import { completeFor, planTraining, type TrainingPlan } from '../training/plan.js';
import type { PreparedRun } from '../training/stages.js';
import { loadStart } from '../training/start.js';
import { type ConfigInput, readConfig } from './config.js';

export interface GradcheckOptions {
  /** Elements to check in each parameter of a network; by default all of a small network. */
  readonly samples?: number | undefined;
  /** Kernels of a network; "reference" if left out. */
  readonly backend?: 'auto' | BackendName | undefined;
  /** Relative, for numbers and formulas by hand; 1e-4 if left out. */
  readonly tolerance?: number | undefined;
}

/** The largest batch for a check: more rows would only take longer. */
const CHECKED_ROWS = 16;

/**
 * Compares manual, analytic and numeric gradients, as `mlp gradcheck --json`.
 * @param input a graph, a train config, or the path of either; if left out, all built-in checks
 * @throws MlpError as `train` for a config, ExitCode.config for a mistake in a graph
 */
export async function gradcheck(
  input?: ConfigInput | GraphInput,
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  const checks = await checksOf(input, options);
  return { passed: checks.every(({ passed }) => passed), checks };
}

async function checksOf(
  input: ConfigInput | GraphInput | undefined,
  options: GradcheckOptions,
): Promise<Check[]> {
  if (input === undefined) {
    const [{ check }, others] = builtInChecks(options.backend);
    return [check, ...others];
  }
  const { value, text } = typeof input === 'string' ? readJson(input) : { value: input };
  if (isObject(value) && !('network' in value || 'layers' in value)) {
    const name = typeof input === 'string' ? input : 'graph';
    return [checkGraph(readGraph(value, name, text), name, options.tolerance).check];
  }
  const { check } = await checkConfig(input as ConfigInput, options);
  return [check];
}

/** All built-in checks: the homework's graph with its derivation, then softmax and networks. */
export function builtInChecks(
  backend: GradcheckOptions['backend'],
): [graph: ReturnType<typeof checkGraph>, others: Check[]] {
  const networks = networkProblems().map((problem) =>
    checkNetwork(problem, kernelsFor(problem, backend).kernels),
  );
  const graph = checkGraph(residualReluGraph(), 'residual connection of two neurons');
  return [graph, [...checkSoftmax(), ...networks]];
}

export interface CheckedConfig {
  readonly check: Check;
  readonly plan: TrainingPlan;
  readonly rows: number;
  readonly backend: BackendName;
}

/** Checks the network of a train config on the first rows of its training data. */
export async function checkConfig(
  input: ConfigInput,
  { samples, backend: asked }: GradcheckOptions,
): Promise<CheckedConfig> {
  const { loaded, memory } = readConfig(input);
  const { directory, path, where } = loaded;
  const start = await loadStart(loaded);
  // A cache of float64 would be for a few rows.
  const { cache: _, ...data } = loaded.config.data;
  const dataset = await loadDataset({ ...loaded.config, data, dtype: 'float64' }, directory, where, {
    ...(memory && { memory }),
    ...(start && { encodings: start.model }),
  });
  const whole = completeFor(loaded, dataset);
  const { config } = whole;
  const plan = planTraining(whole, dataset);
  const problem = problemOf(path, config, plan, dataset);
  const { kernels, name: backend } = kernelsFor(problem, asked);
  return { check: checkNetwork(problem, kernels, samples), plan, rows: problem.rows, backend };
}

/** How many elements of each parameter are checked before a training. */
const FIRST_SAMPLES = 3;

/**
 * Checks the network of a run that is about to start on rows of its first batch, with its kernels in
 * float64: a few elements of each parameter.
 */
export function checkFirstBatch(
  { config, plan, dataset, choice }: PreparedRun,
  name: string,
): { check: Check; rows: number } {
  const problem = problemOf(name, config, plan, dataset);
  const { kernels } = kernelsFor(problem, choice.backend);
  const draw: NetworkProblem['draw'] = (random) => {
    const { batchSize, blockRows, rows } = plan;
    const batches = new Batches(config.training.batches, rows.train, batchSize, random, blockRows);
    const chosen = new Int32Array(plan.batchSize);
    batches.next(chosen);
    return batchOf(plan, dataset, chosen.subarray(0, problem.rows));
  };
  return { check: checkNetwork({ ...problem, draw }, kernels, FIRST_SAMPLES), rows: problem.rows };
}

/** The network of a run with the first rows of its training data. */
function problemOf(
  name: string,
  { training, seed }: TrainConfig,
  plan: TrainingPlan,
  dataset: Dataset,
): NetworkProblem {
  const rows = Math.min(plan.batchSize, CHECKED_ROWS, dataset.train.rows);
  return {
    name,
    spec: plan.network,
    loss: plan.loss,
    lossParameters: plan.lossParameters,
    l2: training.l2,
    l1: training.l1,
    labelSmoothing: training.labelSmoothing,
    seed,
    rows,
    inputs: plan.inputs,
    outputs: plan.outputs,
    ...batchOf(
      plan,
      dataset,
      Int32Array.from({ length: rows }, (_, row) => row),
    ),
  };
}

/** Rows of the training data, in float64. */
function batchOf({ loss, targets: width }: TrainingPlan, { train }: Dataset, rows: Int32Array): CheckedBatch {
  const { features, labels, targets = new Float64Array(), weights } = train;
  const gather = (from: ArrayLike<number>, columns: number) =>
    Float64Array.from(
      { length: rows.length * columns },
      (_, i) => from[rows[Math.floor(i / columns)] * columns + (i % columns)],
    );
  const wanted = labels ? gather(labels, 1) : gather(targets, width);
  return {
    x: Float64Array.from([...rows].flatMap((row) => [...features.read(row, 1)])),
    targets: LOSSES[loss].target === 'class' ? Int32Array.from(wanted) : wanted,
    ...(weights && { weights: gather(weights, 1) }),
  };
}

/** The kernels to check a problem with, and their name. */
function kernelsFor(
  { spec, inputs, rows }: NetworkProblem,
  backend: GradcheckOptions['backend'] = 'reference',
): { kernels: KernelsRecipe; name: BackendName } {
  const size = { network: spec, inputs, batchSize: rows };
  const choice = chooseBackend({ backend, deterministic: false }, size, thisMachine());
  // The check is about the library, so it computes every product, however small.
  return { kernels: kernelsRecipe({ ...choice, leastProduct: 1 }, 'float64'), name: choice.backend };
}
