import { describe, expect, it } from 'vitest';
import { networkProblems } from '../../src/gradcheck/builtin.js';
import { checkNetwork, type NetworkProblem } from '../../src/gradcheck/networkCheck.js';
import { KINK_STEP } from '../../src/gradcheck/numeric.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';

const RECIPE = { scratchBytes: 0, create: () => referenceKernels('float64') };

/** A linear layer on three rows whose weights are all `weight`. */
function linear(weight: number, l1: number): NetworkProblem {
  const init = { type: 'uniform', low: weight, high: weight } as const;
  return {
    name: 'linear',
    spec: { layers: [{ type: 'linear', units: 1, bias: true, init }] },
    loss: 'mean-squared-error',
    l2: 0,
    l1,
    seed: 1,
    x: Float64Array.of(1, 2, -1, 0.5, 3, -2),
    rows: 3,
    inputs: 2,
    targets: Float64Array.of(1, -1, 2),
    outputs: 1,
  };
}

describe('the check of a network with L1', () => {
  it.each([0, KINK_STEP / 4, -KINK_STEP / 4])('reports weights of %d as kinks, and passes', (weight) => {
    const { passed, parameters } = checkNetwork(linear(weight, 0.1), RECIPE);
    expect(passed).toBe(true);
    expect(parameters.map(({ name, kink = false }) => [name, kink])).toEqual([
      ['layers.0.weight[0][0]', true],
      ['layers.0.weight[1][0]', true],
      ['layers.0.bias[0]', false],
    ]);
  });

  it('finds none away from 0, nor without L1', () => {
    for (const problem of [linear(0.01, 0.1), linear(-0.01, 0.1), linear(0, 0)]) {
      const { passed, parameters } = checkNetwork(problem, RECIPE);
      expect(passed).toBe(true);
      expect(parameters.some(({ kink }) => kink)).toBe(false);
    }
  });

  it('has a built-in case where it meets them', () => {
    const problem = networkProblems().find(({ name }) => name.includes('kink')) as NetworkProblem;
    const { passed, parameters } = checkNetwork(problem, RECIPE);
    expect(passed).toBe(true);
    const kinks = parameters.filter(({ kink }) => kink);
    expect(kinks.length).toBeGreaterThan(0);
    expect(kinks.length).toBeLessThan(parameters.length);
  });
});

describe('the check of a loss with a kink', () => {
  /** o = 0 in every row; the first target is `target`. */
  const atZero = (loss: NetworkProblem['loss'], target: number, lossParameters = {}): NetworkProblem => ({
    ...linear(0, 0),
    spec: { layers: [{ type: 'linear', units: 1, bias: false, init: { type: 'zeros' } }] },
    loss,
    lossParameters,
    targets: Float64Array.of(target, -1, 2),
  });

  it.each([
    ['mean-absolute-error', 0, {}],
    ['quantile', 0, { quantiles: [0.3] }],
    ['huber', 0.5, { delta: 0.5 }],
  ] as const)('reports that of %s, and passes', (loss, target, lossParameters) => {
    const { passed, parameters } = checkNetwork(atZero(loss, target, lossParameters), RECIPE);
    expect(passed).toBe(true);
    expect(parameters.every(({ kink }) => kink)).toBe(true);
  });

  it.each(['mean-absolute-error', 'poisson', 'huber'] as const)('finds none elsewhere: %s', (loss) => {
    const { passed, parameters } = checkNetwork(atZero(loss, 0.3, { delta: 0.7 }), RECIPE);
    expect(passed).toBe(true);
    expect(parameters.some(({ kink }) => kink)).toBe(false);
  });
});
