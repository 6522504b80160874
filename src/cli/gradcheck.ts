/** mlp gradcheck: manual derivation, backpropagation and numeric gradient side by side. */
import { Command } from 'commander';
import type { Check, GradcheckResult } from '../gradcheck/check.js';
import type { NetworkProblem } from '../gradcheck/network.js';
import type { KernelsRecipe } from '../kernels/create.js';
import type { BackendName } from '../spec/train.js';
import { backendName, positiveInteger } from './options.js';

interface GradcheckOptions {
  samples?: number;
  backend: 'auto' | BackendName;
  json?: boolean;
  color: boolean;
}

/** What a check has to show beside its verdict. */
interface Page {
  readonly check: Check;
  /** Its whole page; a line is enough for the rest. */
  readonly text?: string;
}

/** The rows of a batch that a network is checked on: more would only take longer. */
const CHECKED_ROWS = 16;
/** Up to so many parameters a network's check is printed as a table. */
const TABLE_ROWS = 40;

export function gradcheckCommand(): Command {
  return new Command('gradcheck')
    .description('compare manual, backpropagated and numeric gradients; all built-in checks without a file')
    .argument('[file.json]', 'a graph with its manual derivatives, or a train config')
    .option('--samples <n>', 'elements of each parameter of a network that are checked', positiveInteger)
    .option('--backend <name>', 'kernels of a network: auto, reference, wasm, blas', backendName, 'reference')
    .action(run);
}

async function run(path: string | undefined, options: GradcheckOptions): Promise<void> {
  const { ExitCode } = await import('../errors.js');
  const { print, toJson } = await import('./output.js');
  const { displayOf } = await import('./terminal.js');
  const { style } = await displayOf(process.stdout, options.color);
  const { renderSummary } = await import('../gradcheck/text.js');
  const pages = path === undefined ? await builtIn(options, style) : await pagesOf(path, options, style);

  const checks = pages.map(({ check }) => check);
  const result: GradcheckResult = { passed: checks.every(({ passed }) => passed), checks };
  if (options.json) {
    print(toJson(result, 2));
  } else {
    for (const { check, text } of pages) print(text ?? renderSummary(check, style));
    const failed = checks.filter(({ passed }) => !passed).length;
    const verdict =
      failed === 0
        ? style.good(checks.length === 1 ? 'the check passed' : `all ${checks.length} checks passed`)
        : style.bad(`${failed} of ${checks.length} ${checks.length === 1 ? 'check' : 'checks'} did not pass`);
    print(`\n${verdict}`);
  }
  if (!result.passed) process.exitCode = ExitCode.checkFailed;
}

type TextStyle = import('../gradcheck/text.js').Style;

/** The homework's graph in full, then a line for each of the rest. */
async function builtIn({ backend }: GradcheckOptions, style: TextStyle): Promise<Page[]> {
  const { checkGraph } = await import('../gradcheck/check.js');
  const { networkProblems, residualReluGraph } = await import('../gradcheck/builtin.js');
  const { checkSoftmax } = await import('../gradcheck/softmax.js');
  const { renderGraphCheck } = await import('../gradcheck/text.js');
  const { checkNetwork } = await import('../gradcheck/network.js');
  const { check, derivation } = checkGraph(residualReluGraph(), 'residual connection of two neurons');
  const checks = checkSoftmax();
  for (const problem of networkProblems()) {
    const { kernels } = await kernelsFor(problem, backend);
    checks.push(checkNetwork(problem, kernels));
  }
  return [{ check, text: renderGraphCheck(check, derivation, style) }, ...checks.map((check) => ({ check }))];
}

/** The kernels that a problem is checked on, and their name. */
async function kernelsFor(
  { spec, inputs, rows }: NetworkProblem,
  backend: GradcheckOptions['backend'],
): Promise<{ kernels: KernelsRecipe; name: BackendName }> {
  const { kernelsRecipe } = await import('../kernels/create.js');
  const { chooseBackend } = await import('../training/engine/backend.js');
  const { thisMachine } = await import('./machine.js');
  const size = { network: spec, inputs, batchSize: rows };
  const choice = chooseBackend({ backend, deterministic: false }, size, thisMachine());
  // Every product by the library, however small: it is what is checked.
  return { kernels: kernelsRecipe({ ...choice, leastBlasProduct: 1 }, 'float64'), name: choice.backend };
}

/** The check of a file: a graph, or the network of a train config. */
async function pagesOf(path: string, options: GradcheckOptions, style: TextStyle): Promise<Page[]> {
  const { readJson } = await import('../spec/json.js');
  const { isObject } = await import('../spec/shorthand.js');
  const { value } = readJson(path);
  const keys = isObject(value) ? Object.keys(value) : [];
  if (keys.includes('network') || keys.includes('layers')) return [await networkPage(path, options, style)];

  const { checkGraph } = await import('../gradcheck/check.js');
  const { readGraph } = await import('../gradcheck/graphFile.js');
  const { renderGraphCheck } = await import('../gradcheck/text.js');
  const { check, derivation } = checkGraph(readGraph(value, path), path);
  return [{ check, text: renderGraphCheck(check, derivation, style) }];
}

async function networkPage(
  path: string,
  { samples, backend }: GradcheckOptions,
  style: TextStyle,
): Promise<Page> {
  const { loadTrainConfig } = await import('../spec/load.js');
  const { loadDataset } = await import('../data/dataset/loadDataset.js');
  const { planTraining } = await import('../training/plan.js');
  const { checkNetwork } = await import('../gradcheck/network.js');
  const { renderSummary, renderTable } = await import('../gradcheck/text.js');
  const { formatCount } = await import('../text.js');
  const { note, warn } = await import('./output.js');

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
  const { kernels, name } = await kernelsFor(problem, backend);
  const check = checkNetwork(problem, kernels, samples);
  note(
    `${formatCount(check.parameters.length)} of ${formatCount(plan.parameters)} parameters on ${rows} training rows, ` +
      `in float64 by the ${name} kernels; --samples sets how many of each`,
  );
  const summary = renderSummary(check, style);
  const isShort = check.parameters.length <= TABLE_ROWS || !check.passed;
  return { check, text: isShort ? `${renderTable(check, style)}\n\n${summary}` : summary };
}
