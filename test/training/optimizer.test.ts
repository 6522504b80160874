import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { Parameters } from '../../src/network/parameters.js';
import type { OptimizerConfig, RatesConfig } from '../../src/spec/optimizerConfig.js';
import { clipGradients, createOptimizer } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';
import { fixture } from '../support/fixtures.js';
import { buildFixture, type FixtureEntry, flatten, type Numbers } from '../support/networks.js';

/** A hundred steps as test/fixtures/pytorch/optimizers.py takes them in float64. */
interface Run {
  name: string;
  optimizer: OptimizerConfig;
  l1: number;
  l2: number;
  clipNorm?: number;
  rates?: RatesConfig;
  norms?: number[];
  /** Of the first step, before it is clipped. */
  gradients: Record<string, Numbers>;
  losses: number[];
  parameters: Record<string, Numbers>;
}

const { network: ENTRY, runs: RUNS } = fixture<{ network: FixtureEntry; runs: Run[] }>(
  'pytorch/optimizers.json',
);

/** A hundred steps carry the rounding of the first one along, most where a sum of squares is still small. */
const PRECISIONS = [
  { dtype: 'float64', tolerance: { relative: 1e-10, absolute: 1e-13 } },
  { dtype: 'float32', tolerance: { relative: 1e-4, absolute: 1e-5 } },
] as const;

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  describe.skipIf(skip).each(PRECISIONS)('in $dtype', ({ dtype, tolerance }) => {
    const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, dtype);

    it.each(RUNS)('goes the way of PyTorch: $name', (run) => {
      const { l1, l2, clipNorm } = run;
      const built = buildFixture({ ...ENTRY, l1, l2 }, recipe, dtype);
      const { kernels, arena, network, x, targets } = built;
      const { parameters } = network;
      const length = { steps: run.losses.length };
      const optimizer = createOptimizer(run.optimizer, parameters, kernels, arena, { ...run, ...length });
      const norms: number[] = [];
      const losses = run.losses.map((_, i) => {
        const loss = network.lossAndGradients(ENTRY.batch, x, targets);
        if (i === 0) {
          for (const { name, gradient } of parameters.list) {
            expect(gradient.data).toBeAllclose(flatten(run.gradients[name]), tolerance);
          }
        }
        if (clipNorm !== undefined) norms.push(clipGradients(kernels, parameters, clipNorm));
        expect(optimizer.step(run.optimizer.learningRate, i + 1)).toBe(true);
        return loss;
      });
      expect(losses).toBeAllclose(run.losses, tolerance);
      expect(norms).toBeAllclose(run.norms ?? [], tolerance);
      for (const { name, value } of parameters.list) {
        expect(value.data).toBeAllclose(flatten(run.parameters[name]), tolerance);
      }
    });
  });
});

const DTYPE = 'float64';
const kernels = referenceKernels(DTYPE);

/** Four weights and two biases at 1, their gradients at `gradient`, and an optimiser for them. */
function block(config: OptimizerConfig, gradient: number) {
  const arena = Arena.ofSize(DTYPE, 4096);
  const layout = { shapes: [], weights: 4, total: 6 };
  const parameters = new Parameters(layout, arena);
  parameters.values.data.fill(1);
  parameters.gradients.data.fill(gradient);
  return { parameters, optimizer: createOptimizer(config, parameters, kernels, arena) };
}

/** The configs of the runs, one of each kind of state. */
const CONFIGS = RUNS.filter(({ l1, clipNorm }) => l1 === 0 && clipNorm === undefined);

describe('an optimiser', () => {
  it.each<[state: string[], name: string]>([
    [[], 'sgd'],
    [['velocity'], 'sgd with nesterov'],
    [['m', 'v'], 'adam'],
    [['m', 'v'], 'adamw'],
    [['squares'], 'rmsprop'],
    [['squares', 'velocity'], 'rmsprop with momentum'],
    [['squares', 'mean'], 'rmsprop, centered'],
    [['squares', 'mean', 'velocity'], 'rmsprop, centered, with momentum'],
    [['squares'], 'adagrad'],
  ])('keeps %j: %s', (names, run) => {
    const config = RUNS.find(({ name }) => name === run)?.optimizer as OptimizerConfig;
    const { optimizer } = block(config, 0.5);
    expect(Object.keys(optimizer.state)).toEqual(names);
    for (const { data } of Object.values(optimizer.state)) expect([...data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it.each(CONFIGS)('goes on from its state as if it had never stopped: $name', ({ optimizer: config }) => {
    const whole = block(config, 0.5);
    for (const step of [1, 2, 3, 4]) whole.optimizer.step(0.1, step);
    const first = block(config, 0.5);
    for (const step of [1, 2]) first.optimizer.step(0.1, step);
    const second = block(config, 0.5);
    second.parameters.values.data.set(first.parameters.values.data);
    for (const [name, { data }] of Object.entries(first.optimizer.state)) {
      second.optimizer.state[name].data.set(data);
    }
    for (const step of [3, 4]) second.optimizer.step(0.1, step);
    expect(second.parameters.values.data).toEqual(whole.parameters.values.data);
  });

  it.each(CONFIGS)('tells a parameter that is no longer finite: $name', ({ optimizer: config }) => {
    const { optimizer, parameters } = block(config, 0.5);
    expect(optimizer.step(0.1, 1)).toBe(true);
    parameters.gradients.data[3] = NaN;
    expect(optimizer.step(0.1, 2)).toBe(false);
  });
});

describe('rates', () => {
  const config = { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false } as const;

  it('are steps over ranges: one where they are equal, one for each run of equal factors', () => {
    const shape = { columns: 1, init: { type: 'zeros' } } as const;
    const shapes = [
      { ...shape, name: 'layers.0.weight', kind: 'weight', rows: 2, start: 0 },
      { ...shape, name: 'layers.0.bias', kind: 'bias', rows: 3, start: 5 },
      { ...shape, name: 'layers.1.weight', kind: 'weight', rows: 3, start: 2 },
      { ...shape, name: 'layers.1.bias', kind: 'bias', rows: 1, start: 8 },
      { ...shape, name: 'layers.2.weight', kind: 'scale', rows: 2, start: 9 },
      { ...shape, name: 'layers.2.bias', kind: 'bias', rows: 2, start: 11 },
    ] as const;
    const rangesOf = (rates: RatesConfig | undefined) => {
      const counts: number[] = [];
      const arena = Arena.ofSize(DTYPE, 4096);
      const parameters = new Parameters({ shapes, weights: 5, total: 13 }, arena);
      parameters.gradients.data.fill(1);
      const watched: typeof kernels = {
        ...kernels,
        optimizerStep(rule, count, ...rest) {
          counts.push(count);
          return kernels.optimizerStep(rule, count, ...rest);
        },
      };
      createOptimizer(config, parameters, watched, arena, { rates, steps: 1 }).step(-1, 1);
      return { counts, values: [...parameters.values.data] };
    };
    expect(rangesOf(undefined)).toEqual({ counts: [13], values: Array(13).fill(1) });
    expect(rangesOf({ weight: 1, embedding: 5 })).toEqual({ counts: [13], values: Array(13).fill(1) });
    expect(rangesOf({ bias: 0.5 })).toEqual({
      counts: [5, 4, 2, 2],
      values: [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 0.5, 0.5],
    });
  });

  it('tell a parameter of any range that is no longer finite', () => {
    const shape = { rows: 1, columns: 1, init: { type: 'zeros' } } as const;
    const shapes = [
      { ...shape, name: 'layers.0.weight', kind: 'weight', start: 0 },
      { ...shape, name: 'layers.0.bias', kind: 'bias', start: 1 },
    ] as const;
    for (const broken of [0, 1]) {
      const arena = Arena.ofSize(DTYPE, 4096);
      const parameters = new Parameters({ shapes, weights: 1, total: 2 }, arena);
      const run = { rates: { bias: 0.5 }, steps: 1 };
      const optimizer = createOptimizer(config, parameters, kernels, arena, run);
      expect(optimizer.step(0.1, 1)).toBe(true);
      parameters.gradients.data[broken] = Number.NaN;
      expect(optimizer.step(0.1, 2)).toBe(false);
    }
  });
});

describe('adamw', () => {
  it('takes a decay by flat-cosine whole in the first half of the run, and less of it after', () => {
    const config = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, learningRate: 0.1, weightDecay: 0.5 } as const;
    const arena = Arena.ofSize(DTYPE, 4096);
    const parameters = new Parameters({ shapes: [], weights: 4, total: 6 }, arena);
    const scheduled = { type: 'adamw', weightDecaySchedule: 'flat-cosine', ...config } as const;
    const optimizer = createOptimizer(scheduled, parameters, kernels, arena, { steps: 4 });
    const factors = [1, 2, 3, 4].map((step) => {
      parameters.values.data.fill(1);
      optimizer.step(0.1, step);
      return 1 - parameters.values.data[0];
    });
    expect(factors).toBeAllclose([0.05, 0.05, 0.05, 0.025], { relative: 1e-12 });
  });

  it('takes learningRate·weightDecay of each weight away, of no bias, whatever the gradient', () => {
    const config = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, learningRate: 0.1, weightDecay: 0.5 } as const;
    const { optimizer, parameters } = block({ type: 'adamw', ...config }, 0);
    optimizer.step(0.1, 1);
    expect([...parameters.values.data]).toEqual([0.95, 0.95, 0.95, 0.95, 1, 1]);
  });
});
