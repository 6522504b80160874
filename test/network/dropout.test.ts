import { describe, expect, it } from 'vitest';
import { checkNetwork } from '../../src/gradcheck/networkCheck.js';
import { Arena } from '../../src/kernels/arena.js';
import type { Tensor } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { dropout } from '../../src/network/dropout.js';
import type { LayerContext } from '../../src/network/layer.js';
import { Network } from '../../src/network/network.js';
import { specOf } from '../support/networks.js';

const kernels = referenceKernels('float64');
const SEED = 7;
const TRAINING = { training: true, learning: true, step: 0, slice: 0, dropoutFactor: 1 };
const EVALUATION = { training: false, learning: false, step: 0, slice: 0, dropoutFactor: 1 };

function arenaOf(elements = 10_000): Arena {
  return Arena.ofSize('float64', elements * 8);
}

function filled(arena: Arena, rows: number, values: readonly number[]): Tensor {
  const tensor = arena.tensor(rows, values.length / rows);
  tensor.data.set(values);
  return tensor;
}

/** The factors that dropout multiplies with: 0 or 1/(1 − rate). */
function factors(rows: number, columns: number, rate: number, step = 0, layer = 0, seed = SEED): number[] {
  const x = filled(arenaOf(), rows, Array(rows * columns).fill(1));
  kernels.dropout(rows, { rate, seed, layer, step }, x, x);
  return [...x.data];
}

describe('a dropout layer', () => {
  const values = [1, -2, 3, -4, 5, -6, 7, -8];
  const build = (rate: number) => {
    const arena = arenaOf();
    const context = {
      kernels,
      arena,
      capacity: 2,
      seed: SEED,
      inputs: 4,
      ordinal: 0,
    } as Partial<LayerContext> as LayerContext;
    const layer = dropout.build({ type: 'dropout', rate }, context);
    return { layer, x: filled(arena, 2, values), arena };
  };

  it('multiplies x and dY by the same mask, and leaves x as it was', () => {
    const { layer, x, arena } = build(0.4);
    const mask = factors(2, 4, 0.4);
    expect(new Set(mask)).toEqual(new Set([0, 1 / (1 - 0.4)]));
    expect(layer.forward(2, x, TRAINING).data).toBeAllclose(values.map((value, i) => value * mask[i]));
    expect([...x.data]).toEqual(values);
    const dY = filled(arena, 2, [1, 1, 1, 1, 2, 2, 2, 2]);
    const dX = layer.backward(2, dY, true);
    expect([...dX.data]).toEqual(mask.map((factor, i) => (i < 4 ? 1 : 2) * factor));
  });

  it('drops at its rate times the factor of the pass', () => {
    const { layer, x } = build(0.5);
    const mask = factors(2, 4, 0.2, 3);
    const pass = { ...TRAINING, step: 3, dropoutFactor: 0.4 };
    expect(layer.forward(2, x, pass).data).toBeAllclose(values.map((value, i) => value * mask[i]));
    expect(layer.forward(2, x, { ...pass, dropoutFactor: 0 })).toBe(x);
  });

  it('gives x itself in evaluation, and at rate 0', () => {
    const { layer, x } = build(0.4);
    expect(layer.forward(2, x, EVALUATION)).toBe(x);
    const none = build(0);
    expect(none.layer.forward(2, none.x, TRAINING)).toBe(none.x);
  });

  it('gives dY itself after a pass that dropped nothing', () => {
    const { layer, x, arena } = build(0.4);
    layer.forward(2, x, TRAINING);
    layer.forward(2, x, EVALUATION);
    const dY = filled(arena, 2, values);
    expect([...layer.backward(2, dY, true).data]).toEqual(values);
  });
});

describe('a network with dropout', () => {
  /** Weights of 1 and no biases: the numbers below follow by hand. */
  function build(layers: unknown[], inputs: number, rows: number) {
    const arena = arenaOf();
    const options = { inputs, loss: 'mean-squared-error', l2: 0, capacity: rows, seed: SEED } as const;
    const network = new Network(specOf({ layers }), options, kernels, arena);
    for (const { value, kind } of network.parameters.list) value.data.fill(kind === 'weight' ? 1 : 0);
    return { network, arena };
  }
  const linear = (units: number) => ({ type: 'linear', units, bias: false });

  it('drops in training and not in evaluation', () => {
    const { network, arena } = build([linear(4), { type: 'dropout', rate: 0.5 }, linear(1)], 1, 2);
    const x = filled(arena, 2, [1, 3]);
    const targets = { values: filled(arena, 2, [0, 0]) };
    // Every hidden unit is x, the output the sum of those that are kept.
    expect([...network.forward(2, x).data]).toEqual([4, 12]);
    const mask = factors(2, 4, 0.5);
    const sum = (row: number) =>
      mask.slice(4 * row, 4 * row + 4).reduce((total, factor) => total + factor, 0);
    const outputs = [sum(0), 3 * sum(1)];
    expect(network.lossAndGradients(2, x, targets)).toBe((outputs[0] ** 2 + outputs[1] ** 2) / 2);
    // ∂L/∂w of unit j in the last layer: Σ rows o·x·mask, for L = ½·Σ o²; in the first: the same, for its weight is 1 as well.
    const gradient = [0, 1, 2, 3].map((j) => outputs[0] * mask[j] + outputs[1] * 3 * mask[4 + j]);
    expect([...network.parameters.gradients.data]).toEqual([...gradient, ...gradient]);
    expect([...network.forward(2, x).data]).toEqual([4, 12]);
  });

  it('draws a new mask for each step and each of its layers, the same for the loss with and without gradients', () => {
    const { network, arena } = build(['dropout', { type: 'residual', layers: ['dropout'] }], 200, 1);
    const x = filled(arena, 1, Array(200).fill(1));
    const targets = { values: filled(arena, 1, Array(200).fill(0)) };
    const losses = [0, 1, 2].map((step) => network.lossAndGradients(1, x, targets, step));
    const expected = [0, 1, 2].map((step) => {
      const first = factors(1, 200, 0.5, step, 0);
      const second = factors(1, 200, 0.5, step, 1);
      return first.reduce((total, factor, i) => total + (factor + factor * second[i]) ** 2, 0) / 200;
    });
    expect(losses).toBeAllclose(expected, { relative: 1e-12 });
    expect(new Set(losses).size).toBe(3);
    expect([0, 1, 2].map((step) => network.lossOf(1, x, targets, step))).toEqual(losses);
  });

  it('passes a gradient check also where dropout comes first, last, and twice', () => {
    const layers = [{ type: 'dropout', rate: 0.3 }, 6, 'gelu', 'dropout', 'dropout', 3, 'dropout'];
    const rows = 5;
    const problem = {
      name: 'dropout',
      spec: specOf({ layers }),
      loss: 'mean-squared-error',
      l2: 0,
      seed: 3,
      x: Float64Array.from({ length: rows * 4 }, (_, i) => Math.sin(i)),
      rows,
      inputs: 4,
      targets: Float64Array.from({ length: rows * 3 }, (_, i) => Math.cos(i)),
      outputs: 3,
    } as const;
    const check = checkNetwork(problem, { scratchBytes: 0, create: () => kernels });
    expect(check.passed).toBe(true);
    expect(check.parameters.some(({ analytic }) => analytic !== 0)).toBe(true);
  });
});
