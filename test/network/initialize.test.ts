import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { initialize } from '../../src/network/initialize.js';
import { Parameters, parameterLayout } from '../../src/network/parameters.js';
import { RandomState } from '../../src/random/randomState.js';
import { specOf } from '../support/networks.js';

const FAN_IN = 300;
const FAN_OUT = 200;

function weightsOf(init: unknown, options: object = {}): ArrayLike<number> {
  const spec = specOf({ layers: [{ type: 'linear', units: FAN_OUT, init, ...options }] });
  const parameters = new Parameters(parameterLayout(spec, FAN_IN), Arena.ofSize('float64', 1 << 20));
  initialize(parameters.list, new RandomState(1));
  return parameters.list[0].value.data;
}

function moments(values: ArrayLike<number>): { mean: number; variance: number; largest: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const variance = list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length;
  return { mean, variance, largest: list.reduce((most, x) => Math.max(most, Math.abs(x)), 0) };
}

describe('initialize', () => {
  it.each([
    ['he-normal', 2 / FAN_IN],
    ['he-uniform', 2 / FAN_IN],
    ['glorot-normal', 2 / (FAN_IN + FAN_OUT)],
    ['glorot-uniform', 2 / (FAN_IN + FAN_OUT)],
    ['lecun-normal', 1 / FAN_IN],
  ])('%s has mean 0 and the variance of its paper', (type, expected) => {
    const { mean, variance, largest } = moments(weightsOf({ type }));
    // 60,000 draws: a deviation of 2 % of the variance is about four of its standard errors
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.025);
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(expected / (FAN_IN * FAN_OUT)));
    if (type.endsWith('uniform')) expect(largest).toBeLessThanOrEqual(Math.sqrt(3 * expected));
  });

  it.each(['he-normal', 'he-uniform', 'glorot-normal', 'glorot-uniform', 'lecun-normal'])(
    '%s draws alike for W/√inputs of the NTK parametrisation',
    (type) => {
      const expected = Array.from(weightsOf({ type }), (weight) => weight * Math.sqrt(FAN_IN));
      const tolerance = { relative: 1e-14, absolute: 1e-14 };
      expect(weightsOf({ type }, { parametrization: 'ntk' })).toBeAllclose(expected, tolerance);
    },
  );

  it('normal and uniform say how W itself starts', () => {
    for (const init of [
      { type: 'normal', std: 1 },
      { type: 'uniform', low: 1, high: 2 },
    ]) {
      expect(weightsOf(init, { parametrization: 'ntk' })).toEqual(weightsOf(init));
    }
  });

  it('draws std·randn layer by layer in row-major order, and biases are 0', () => {
    const spec = specOf({
      layers: [
        { type: 'linear', units: 3, init: { type: 'normal', std: 0.1 } },
        { type: 'linear', units: 2, init: { type: 'uniform', low: -1, high: 2 } },
        { type: 'linear', units: 2, init: { type: 'zeros' } },
      ],
    });
    const parameters = new Parameters(parameterLayout(spec, 2), Arena.ofSize('float64', 1 << 16));
    const random = new RandomState(7);
    initialize(parameters.list, random);
    const expected = new RandomState(7);
    const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
    const [w0, b0, w1, b1, w2] = parameters.list.map(({ value }) => Array.from(value.data));
    expect(w0).toEqual(draw(6, () => 0.1 * expected.randn()));
    expect(w1).toEqual(draw(6, () => -1 + 3 * expected.rand()));
    expect([...b0, ...b1, ...w2].every((x) => x === 0)).toBe(true);
    expect(random.rand()).toBe(expected.rand());
  });
});
