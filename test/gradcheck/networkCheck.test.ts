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
