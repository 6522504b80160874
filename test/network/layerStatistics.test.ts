/** Statistics of layers against sums over outputs that plain loops compute. */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import type { Tensor } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { type LayerStatistics, layerStatistics } from '../../src/network/layerStatistics.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { isObserved } from '../../src/training/loop.js';
import { specOf } from '../support/networks.js';
import { closing, csvOf, prepare, trainSteps } from '../support/runs.js';

const ROWS = 7;
const INPUTS = 3;
const OUTPUTS = 2;
const KERNELS = referenceKernels('float64');

/** A network after a step, with the batch of that. */
function networkOf(layers: unknown[], members?: unknown) {
  const arena = Arena.ofSize('float64', 1 << 20);
  const spec = specOf({ input: INPUTS, layers, ...(members !== undefined && { members }) });
  const options = { inputs: INPUTS, loss: 'mean-squared-error', l2: 0, capacity: ROWS, seed: 1 } as const;
  const network = new Network(spec, options, KERNELS, arena);
  const random = new RandomState(3);
  network.initialize(random);
  const drawn = (columns: number) => {
    const tensor = arena.tensor(ROWS, columns);
    tensor.data.forEach((_, i) => {
      tensor.data[i] = random.randn();
    });
    return tensor;
  };
  const x = drawn(INPUTS);
  network.lossAndGradients(ROWS, x, { values: drawn(OUTPUTS) });
  return { network, x };
}

function norm(network: Network, pattern: RegExp): number {
  const own = network.parameters.list.filter(({ name }) => pattern.test(name));
  return Math.hypot(...own.flatMap(({ gradient }) => [...gradient.data]));
}

/** max(0, x·W + b) or x·W + b, by plain loops. */
function linear(network: Network, name: string, x: Tensor, relu: boolean): Tensor {
  const weight = network.parameters.get(`${name}.weight`)?.value as Tensor;
  const bias = network.parameters.get(`${name}.bias`)?.value as Tensor;
  const { columns } = weight;
  const data = Float64Array.from({ length: ROWS * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    let sum = bias.data[at % columns];
    for (let i = 0; i < x.columns; i++)
      sum += x.data[row * x.columns + i] * weight.data[i * columns + (at % columns)];
    return relu ? Math.max(0, sum) : sum;
  });
  return { rows: ROWS, columns, data, address: 0 };
}

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
  const squares = values.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  return {
    mean: expect.closeTo(mean, 12),
    deviation: expect.closeTo(Math.sqrt(squares / values.length), 12),
    zeros: values.filter((y) => y === 0).length / values.length,
  };
}

const byName = (found: readonly LayerStatistics[]) =>
  Object.fromEntries(found.map((one) => [one.layer, one]));

describe('statistics of layers', () => {
  it('are those of all outputs and all gradients', () => {
    const { network, x } = networkOf([5, 'relu', { type: 'dropout', rate: 0.5 }, OUTPUTS]);
    const hidden = linear(network, 'layers.0', x, true);
    const output = linear(network, 'layers.3', hidden, false);
    expect(hidden.data).toContain(0);
    expect(layerStatistics(KERNELS, network, ROWS, x)).toEqual([
      { layer: 'layers.0', gradientNorm: expect.closeTo(norm(network, /layers\.0\./), 12) },
      { layer: 'layers.1', outputs: momentsOf([...hidden.data]) },
      {
        layer: 'layers.3',
        gradientNorm: expect.closeTo(norm(network, /layers\.3\./), 12),
        outputs: momentsOf([...output.data]),
      },
    ]);
  });

  it('of an ensemble are over its members', () => {
    const { network, x } = networkOf([4, 'tanh', OUTPUTS], 3);
    const outputs: number[] = [];
    network.observe(ROWS, x, (name, { data }) => {
      if (name.endsWith('layers.2')) outputs.push(...data.subarray(0, ROWS * OUTPUTS));
    });
    expect(outputs).toHaveLength(3 * ROWS * OUTPUTS);
    const found = byName(layerStatistics(KERNELS, network, ROWS, x));
    expect(Object.keys(found)).toEqual(['layers.0', 'layers.1', 'layers.2']);
    expect(found['layers.2']).toMatchObject({
      gradientNorm: expect.closeTo(norm(network, /layers\.2\./), 12),
      outputs: momentsOf(outputs),
    });
  });

  it('are in the order of the network, also beyond ten layers and within blocks', () => {
    const layers = [
      4,
      { type: 'residual', layers: [4, 'relu', 4] },
      ...Array.from({ length: 5 }, () => [4, 'tanh']).flat(),
      OUTPUTS,
    ];
    const { network, x } = networkOf(layers);
    const names = layerStatistics(KERNELS, network, ROWS, x).map(({ layer }) => layer);
    expect(names.slice(0, 4)).toEqual(['layers.0', 'layers.1.layers.0', 'layers.1.layers.2', 'layers.1']);
    expect(names.slice(-3)).toEqual(['layers.10', 'layers.11', 'layers.12']);
  });

  it('change nothing that training or evaluation reads', () => {
    const { network, x } = networkOf(['batch-norm', 4, 'relu', OUTPUTS], 2);
    const before = [network.parameters.values, network.parameters.gradients, network.statistics.values].map(
      ({ data }) => data.slice(),
    );
    layerStatistics(KERNELS, network, ROWS, x);
    const after = [network.parameters.values, network.parameters.gradients, network.statistics.values];
    expect(after.map(({ data }) => data)).toEqual(before);
  });
});

describe('rows that have statistics', () => {
  it.each([
    [1, 64],
    [3, 22],
  ])('are 64 divided by the members: %i', async (members, rows) => {
    const config = {
      network: { layers: [5, 'relu', 3], members },
      data: { train: 'data.csv', target: 'y' },
      training: { steps: 3, batchSize: 100 },
    };
    const problem = await prepare(config, csvOf(100, 4, 'classes'));
    const { plan, dataset } = problem;
    const choice = { backend: 'reference', relaxed: false } as const;
    const engine = closing(LocalEngine.start({ config: problem.config, plan, choice }, dataset));
    await trainSteps(engine, problem, 3);
    const zeros = byName(engine.layerStatistics())['layers.1'].outputs?.zeros ?? 0;
    const count = zeros * rows * 5 * members;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeCloseTo(Math.round(count), 9);
  });
});

describe('epochs that have statistics', () => {
  it('are all at first, and some hundreds of any number', () => {
    const of = (epochs: number) => Array.from({ length: epochs }, (_, i) => i + 1).filter(isObserved);
    expect(of(130)).toEqual([...Array.from({ length: 128 }, (_, i) => i + 1), 130]);
    expect(of(100_000).length).toBeLessThan(1000);
    expect(of(100_000).at(-1)).toBeGreaterThan(99_000);
  });
});
