/** A batch ensemble beside its members as networks of their own. The fixtures have its gradients. */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { Network, type NetworkOptions } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { specOf } from '../support/networks.js';

const ROWS = 40;
const INPUTS = 3;
const COUNT = 4;

type Problem = Pick<NetworkOptions, 'loss' | 'lossParameters'> & { readonly targets: number };
const SQUARES: Problem = { loss: 'mean-squared-error', targets: 2 };

function build(
  layers: readonly unknown[],
  members: boolean,
  { targets: width, ...loss } = SQUARES,
  networks = 1,
) {
  const rows = ROWS;
  const arena = Arena.ofSize('float64', 1 << 20);
  const spec = specOf({
    layers,
    ...(members && { members: { count: COUNT, kind: 'batch-ensemble', networks } }),
  });
  const options = { inputs: INPUTS, ...loss, l2: 0, capacity: rows, seed: 3 };
  const network = new Network(spec, options, referenceKernels('float64'), arena);
  const random = new RandomState(1);
  const x = arena.tensor(rows, INPUTS);
  for (let i = 0; i < x.data.length; i++) x.data[i] = random.randn();
  const targets = { values: arena.tensor(rows, width) };
  for (let i = 0; i < targets.values.data.length; i++) targets.values.data[i] = random.randn();
  network.initialize(new RandomState(2), () => [{ rows, x }]);
  const of = (name: string) => network.parameters.get(name)?.value.data ?? new Float64Array();
  return { network, x, targets, of };
}

describe('a batch ensemble', () => {
  it.each<[string, Problem]>([
    ['squares', SQUARES],
    ['quantiles of one target', { loss: 'quantile', lossParameters: { quantiles: [0.1, 0.9] }, targets: 1 }],
  ])('is the mean of networks whose weights are r·W·s, with a last layer of their own: %s', (_, problem) => {
    const layers = [5, 'tanh', 4, 'relu', 2];
    const ensemble = build(layers, true, problem);
    const random = new RandomState(4);
    for (const { kind, value } of ensemble.network.parameters.list) {
      if (kind !== 'weight') for (let i = 0; i < value.data.length; i++) value.data[i] += random.randn();
    }
    const mean = new Float64Array(ROWS * 2);
    let loss = 0;
    for (let m = 0; m < COUNT; m++) {
      const { network, x, targets, of } = build(layers, false, problem);
      for (const [layer, inputs, units] of [
        [0, 3, 5],
        [2, 5, 4],
      ]) {
        const [w, r, s, b] = ['weight', 'input_scale', 'output_scale', 'bias'].map((name) =>
          ensemble.of(`layers.${layer}.${name}`),
        );
        of(`layers.${layer}.weight`).forEach((_, at, own) => {
          const [i, j] = [Math.floor(at / units), at % units];
          own[at] = r[m * inputs + i] * w[at] * s[m * units + j];
        });
        of(`layers.${layer}.bias`).set(b.subarray(m * units, (m + 1) * units));
      }
      of('layers.4.weight').set(ensemble.of('layers.4.weight').subarray(m * 8, (m + 1) * 8));
      of('layers.4.bias').set(ensemble.of('layers.4.bias').subarray(m * 2, (m + 1) * 2));
      network.forward(ROWS, x).data.forEach((value, at) => {
        mean[at] += value / COUNT;
      });
      loss += network.lossOf(ROWS, x, targets) / COUNT;
    }
    const { network, x, targets } = ensemble;
    const tolerance = { relative: 1e-12, absolute: 1e-13 };
    expect([network.lossOf(ROWS, x, targets)]).toBeAllclose([loss], tolerance);
    // Quantiles are sorted, but only once they are averaged.
    if (problem !== SQUARES) return;
    expect(network.forward(ROWS, x).data).toBeAllclose([...mean], tolerance);
    // Fewer rows than there is room for lie elsewhere.
    expect(network.forward(7, x).data.slice(0, 14)).toBeAllclose([...mean.slice(0, 14)], tolerance);
  });

  it('is averaged with others, or with some of them', () => {
    const { network, x, targets } = build([5, 'tanh', 2], true, SQUARES, 3);
    const meanOf = (members: readonly number[]) => network.forward(ROWS, x, members).data.slice();
    const own = [0, 1, 2].map((m) => meanOf([m]));
    expect(new Set(own.map(([first]) => first)).size).toBe(3);
    const tolerance = { relative: 1e-12, absolute: 1e-13 };
    for (const members of [[0, 1, 2], [2, 0], [1]]) {
      const mean = own[0].map((_, at) => members.reduce((sum, m) => sum + own[m][at], 0) / members.length);
      expect(meanOf(members)).toBeAllclose([...mean], tolerance);
    }
    expect(network.forward(ROWS, x).data).toBeAllclose([...meanOf([0, 1, 2])], tolerance);
    // The loss is the sum of theirs, each the mean of its members'.
    const [first] = network.parameters.list.map(({ name }) => name);
    expect(first).toMatch(/^members\.0\.layers\.0\./);
    expect(network.lossAndGradients(ROWS, x, targets)).toBeCloseTo(network.lossOf(ROWS, x, targets), 10);
  });

  it('starts with signs for the inputs of its first layer, and ones elsewhere', () => {
    const { of } = build([5, 'tanh', 4, 2], true);
    const signs = of('layers.0.input_scale');
    expect(signs).toHaveLength(COUNT * INPUTS);
    expect(new Set(signs)).toEqual(new Set([-1, 1]));
    for (const name of ['layers.0.output_scale', 'layers.2.input_scale', 'layers.2.output_scale']) {
      expect(new Set(of(name)), name).toEqual(new Set([1]));
    }
  });

  it('starts with one normal number for all that an embedding makes of an input', () => {
    const embedding = { type: 'numeric-embedding', size: 3, columns: [1, 2] };
    const { of } = build([embedding, 'scale', 5, 'tanh', 2], true);
    const factors = of('layers.2.input_scale');
    expect(factors).toHaveLength(COUNT * 7);
    for (let m = 0; m < COUNT; m++) {
      const own = [...factors.subarray(m * 7, (m + 1) * 7)];
      const [a, , , b, , , c] = own;
      expect(own).toEqual([a, a, a, b, b, b, c]);
      expect(new Set([a, b, c]).size).toBe(3);
    }
    expect(new Set(factors).size).toBe(COUNT * 3);
  });

  it('draws other dropout masks for each member', () => {
    const { network, x, targets, of } = build([{ type: 'dropout', rate: 0.5 }, 5, 'tanh', 2], true);
    of('layers.1.input_scale').fill(1);
    const heads = of('layers.3.weight');
    for (let m = 1; m < COUNT; m++) heads.set(heads.subarray(0, 10), 10 * m);
    network.lossAndGradients(ROWS, x, targets);
    const d = network.parameters.get('layers.3.weight')?.gradient.data ?? new Float64Array();
    for (let m = 1; m < COUNT; m++) {
      expect([...d.subarray(10 * m, 10 * (m + 1))]).not.toEqual([...d.subarray(0, 10)]);
    }
  });

  it('fits shared weights to the views of all members, and biases and last layers to those of each', () => {
    const linear = (units: number) => ({
      ...{ type: 'linear', units, init: { type: 'unit-variance' } },
      ...{ biasInit: { type: 'he+5' }, parametrization: 'ntk' },
    });
    const { network, x, of } = build([linear(5), 'tanh', linear(2)], true);
    const [w, r] = ['weight', 'input_scale'].map((name) => of(`layers.0.${name}`));
    for (let j = 0; j < 5; j++) {
      const z = Array.from({ length: ROWS * COUNT }, (_, view) => {
        const [row, m] = [Math.floor(view / COUNT), view % COUNT];
        const products = [0, 1, 2].map((i) => x.data[row * 3 + i] * r[m * 3 + i] * w[i * 5 + j]);
        return products.reduce((sum, value) => sum + value, 0) / Math.sqrt(3);
      });
      const mean = z.reduce((sum, value) => sum + value, 0) / z.length;
      expect(z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / z.length).toBeCloseTo(1, 10);
    }
    // Two members of two outputs have four biases, of which none is another's.
    expect(new Set(of('layers.2.bias')).size).toBe(2 * COUNT);
    expect(new Set(of('layers.0.bias')).size).toBe(5 * COUNT);
    // Each last layer has outputs of standard deviation 1 over the rows, before its bias.
    of('layers.2.bias').fill(0);
    const heads = of('layers.2.weight').slice();
    for (let m = 0; m < COUNT; m++) {
      const own = of('layers.2.weight').fill(0);
      own.set(heads.subarray(10 * m, 10 * (m + 1)), 10 * m);
      const { data } = network.forward(ROWS, x);
      const h = Array.from({ length: ROWS }, (_, row) => COUNT * data[2 * row]);
      const mean = h.reduce((sum, value) => sum + value, 0) / ROWS;
      expect(h.reduce((sum, value) => sum + (value - mean) ** 2, 0) / ROWS).toBeCloseTo(1, 10);
    }
  });
});
