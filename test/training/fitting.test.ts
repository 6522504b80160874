import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { closing, csvOf, prepare, resultOf, startTeam } from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
const linear = (units: number, bias = true) => ({
  type: 'linear',
  units,
  init: { type: 'unit-variance' },
  parametrization: 'ntk',
  ...(bias ? { biasInit: { type: 'he+5' } } : { bias }),
});

const LAYERS = [
  linear(33),
  'tanh',
  'batch-norm',
  'dropout',
  { type: 'residual', layers: [linear(9), 'relu', linear(33, false)] },
  linear(3),
];

/** Its edges of bins are fitted, and then the weights to what it makes of the rows. */
const BINNED = [
  { type: 'numeric-embedding', kind: 'piecewise-linear', bins: 12, size: 3 },
  { type: 'numeric-embedding', kind: 'periodic', frequencies: 5, size: 2, std: 0.1 },
  linear(9),
  'relu',
  { type: 'numeric-embedding', kind: 'piecewise-linear', bins: 4, size: 2, columns: [1, 5] },
  3,
];

/** Two epochs; the rows are more than weights are fitted to, if `rows` are above 2048. */
const layeredProblem = (rows: number, layers: readonly unknown[], changes: object = {}) =>
  prepare(
    {
      network: { layers, members: 2 },
      data: { train: 'data.csv', target: 'y', validation: 0.1 },
      training: { epochs: 2, batchSize: 64 },
      seed: 11,
      ...changes,
    },
    csvOf(rows, 7, 'classes'),
  );

describe.each([
  [150, 'weights', LAYERS],
  [2500, 'weights', LAYERS],
  [150, 'bins', BINNED],
  [2500, 'bins', BINNED],
])('a run on %i rows from %s that are fitted to them', (rows, _, layers) => {
  const problemOf = (changes: object = {}) => layeredProblem(rows, layers, changes);

  it('has the same bits for 1, 2 and 3 threads, and in the calling one', async () => {
    const problem = await problemOf();
    const engine = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
    const start = engine.parameters.values.data.slice();
    const expected = await resultOf(engine, problem, problem.plan.steps);
    for (const threads of [1, 2, 3]) {
      const team = closing(await startTeam(problem, WASM, threads));
      expect(team.parameters.values.data).toEqual(start);
      expect(await resultOf(team, problem, problem.plan.steps)).toBe(expected);
    }
  });

  it('goes on from its state, which is not fitted again', async () => {
    const problem = await problemOf();
    const whole = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
    const first = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
    const second = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset, await first.state());
    expect(await resultOf(second, problem, 3)).toBe(await resultOf(whole, problem, 3));
  });

  it('starts as the plain loops do', async () => {
    const problem = await problemOf({ dtype: 'float64' });
    const reference = { backend: 'reference', relaxed: false } as const;
    const [plain, fast] = [reference, WASM].map((choice) =>
      LocalEngine.start({ ...problem, choice }, problem.dataset),
    );
    const tolerance = { relative: 1e-9, absolute: 1e-10 };
    expect(fast.parameters.values.data).toBeAllclose([...plain.parameters.values.data], tolerance);
    expect(fast.statistics.values.data).toBeAllclose([...plain.statistics.values.data], tolerance);
  });
});

describe.each([150, 2500])('weights that are fitted to rows, %i of them', (rows) => {
  it('take the training rows alone, and at most 2048, which are drawn after the weights', async () => {
    const layers = [linear(5), 'tanh', linear(3)];
    const problem = await layeredProblem(rows, LAYERS, { network: { layers }, dtype: 'float64' });
    const { config, plan, dataset } = problem;
    const reference = { backend: 'reference', relaxed: false } as const;
    const { parameters } = LocalEngine.start({ ...problem, choice: reference }, dataset);

    const { features, rows: all } = dataset.train;
    const kernels = referenceKernels('float64');
    const arena = Arena.ofSize('float64', 1 << 22);
    const options = { inputs: 7, loss: plan.loss, l2: 0, capacity: 2048, seed: 0 };
    const network = new Network(config.network, options, kernels, arena);
    const random = new RandomState(11);
    const x = arena.tensor(2048, 7);
    let drawn: Int32Array | undefined;
    network.initialize(random, () => {
      drawn ??= all > 2048 ? random.choice(all, 2048) : Int32Array.from({ length: all }, (_, row) => row);
      for (const [i, row] of drawn.entries()) x.data.set(features.read(row, 1), 7 * i);
      return [{ rows: drawn.length, x }];
    });
    expect(network.parameters.values.data).toBeAllclose([...parameters.values.data], {
      relative: 1e-12,
      absolute: 1e-13,
    });
  });
});
