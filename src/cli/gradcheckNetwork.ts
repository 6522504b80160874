/** mlp gradcheck of networks: the built-in checks, or a train config on its own data. */
import { loadDataset } from '../data/dataset/loadDataset.js';
import { networkProblems, residualReluGraph } from '../gradcheck/builtin.js';
import { type Check, checkGraph } from '../gradcheck/check.js';
import { checkNetwork, type NetworkProblem } from '../gradcheck/networkCheck.js';
import { checkSoftmax } from '../gradcheck/softmax.js';
import { thisMachine } from '../kernels/blas/find.js';
import { type KernelsRecipe, kernelsRecipe } from '../kernels/create.js';
import { loadTrainConfig } from '../spec/loadConfig.js';
import type { BackendName } from '../spec/words.js';
import { formatCount } from '../text.js';
import { chooseBackend } from '../training/engine/backend.js';
import { planTraining } from '../training/plan.js';
import { note, warn } from './output.js';

type Backend = 'auto' | BackendName;

/** The largest batch for a check: more rows would only take longer. */
const CHECKED_ROWS = 16;

/** All built-in checks: the homework's graph with its derivation, then softmax and networks. */
export function builtInChecks(backend: Backend): [graph: ReturnType<typeof checkGraph>, others: Check[]] {
  const networks = networkProblems().map((problem) =>
    checkNetwork(problem, kernelsFor(problem, backend).kernels),
  );
  const graph = checkGraph(residualReluGraph(), 'residual connection of two neurons');
  return [graph, [...checkSoftmax(), ...networks]];
}

/** Checks the network of a train config on the first rows of its training data. */
export async function checkConfig(
  path: string,
  { samples, backend }: { readonly samples?: number; readonly backend: Backend },
): Promise<Check> {
  const loaded = loadTrainConfig(path);
  const { config, directory } = loaded;
  const dataset = await loadDataset({ ...config, dtype: 'float64' }, directory, path);
  const plan = planTraining(loaded, dataset);
  for (const warning of plan.warnings) warn(warning);
  const { features, labels, targets, weights, rows: available } = dataset.train;
  const rows = Math.min(plan.batchSize, CHECKED_ROWS, available);
  const all = (plan.loss === 'softmax-cross-entropy' ? labels : Float64Array.from(labels ?? targets ?? [])) as
    | Int32Array
    | Float64Array;
  const problem = {
    name: path,
    spec: plan.network,
    loss: plan.loss,
    l2: config.training.l2,
    l1: config.training.l1,
    seed: config.seed,
    x: Float64Array.from(features.subarray(0, rows * plan.inputs)),
    rows,
    inputs: plan.inputs,
    targets: all.subarray(0, rows * (labels ? 1 : plan.outputs)),
    outputs: plan.outputs,
    ...(weights && { weights: weights.subarray(0, rows) }),
  };
  const { kernels, name } = kernelsFor(problem, backend);
  const check = checkNetwork(problem, kernels, samples);
  note(
    `checking ${formatCount(check.parameters.length)} of ${formatCount(plan.parameters)} parameters on ${rows} training rows, ` +
      `in float64 with ${name} kernels; --samples sets how many of each parameter`,
  );
  return check;
}

/** The kernels to check a problem with, and their name. */
function kernelsFor(
  { spec, inputs, rows }: NetworkProblem,
  backend: Backend,
): { kernels: KernelsRecipe; name: BackendName } {
  const size = { network: spec, inputs, batchSize: rows };
  const choice = chooseBackend({ backend, deterministic: false }, size, thisMachine());
  // The check is about the library, so it computes every product, however small.
  return { kernels: kernelsRecipe({ ...choice, leastBlasProduct: 1 }, 'float64'), name: choice.backend };
}
