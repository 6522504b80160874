/** Batch and layer normalisation in networks: by PyTorch on every backend, and at their edges. */
import { describe, expect, it } from 'vitest';
import { checkNetwork } from '../../src/gradcheck/networkCheck.js';
import { Arena, slice } from '../../src/kernels/arena.js';
import { type KernelsRecipe, kernelsRecipe } from '../../src/kernels/create.js';
import type { DType, Kernels, Tensor } from '../../src/kernels/kernels.js';
import type { Targets } from '../../src/network/loss.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import type { OptimizerConfig } from '../../src/spec/optimizerConfig.js';
import type { LossName } from '../../src/spec/words.js';
import { createOptimizer } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';
import { fixture } from '../support/fixtures.js';
import { flatten, specOf } from '../support/networks.js';

type Numbers = number | Numbers[];
type Tensors = Record<string, Numbers>;

/** A network as test/fixtures/pytorch/normalization.py computes it. */
interface NormalizedNetwork {
  name: string;
  spec: { input: number; layers: unknown[] };
  loss: LossName;
  l2: number;
  optimizer: OptimizerConfig;
  /** First row and end of each batch; the steps take them in turn. */
  batches: [first: number, end: number][];
  /** What parameters and statistics start at. */
  tensors: Tensors;
  x: number[][];
  labels?: number[];
  targets?: number[][];
  /** Logits of all rows in evaluation, before the first step. */
  evaluation: number[][];
  firstStep: { gradients: Tensors; statistics: Tensors };
  losses: number[];
  after: { parameters: Tensors; statistics: Tensors; evaluation: number[][] };
}

const ENTRIES = fixture<NormalizedNetwork[]>('pytorch/normalization.json');
const PLAIN = kernelsRecipe({ backend: 'reference', relaxed: false }, 'float64');

interface Built {
  readonly network: Network;
  readonly kernels: Kernels;
  readonly arena: Arena;
}

function build(
  layers: unknown[],
  inputs: number,
  capacity: number,
  { loss = 'mean-squared-error', l2 = 0 }: { loss?: LossName; l2?: number } = {},
  recipe: KernelsRecipe = PLAIN,
  dtype: DType = 'float64',
): Built {
  const arena = Arena.ofSize(dtype, (1 << 18) + recipe.scratchBytes);
  const kernels = recipe.create(arena.memory, arena.block(recipe.scratchBytes));
  const options = { inputs, loss, l2, capacity, seed: 0 };
  const network = new Network(specOf({ layers }), options, kernels, arena);
  network.initialize(new RandomState(0));
  return { network, kernels, arena };
}

function filled(arena: Arena, rows: number, values: ArrayLike<number>): Tensor {
  const tensor = arena.tensor(rows, values.length / rows);
  tensor.data.set(values);
  return tensor;
}

const VARIANTS = BACKENDS.flatMap((backend) =>
  (['float64', 'float32'] as const).map((dtype) => ({ ...backend, dtype })),
);

describe.each(VARIANTS)('$name in $dtype', ({ choice, skip, dtype }) => {
  const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, dtype);
  const unit = dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  /** Of a single pass, and of a hundred steps, each of which takes the rounding of the last one further. */
  const once = { relative: 1e4 * unit, absolute: 1e2 * unit };
  const inTheEnd = { relative: 1e4 * unit, absolute: 1e4 * unit };

  it.skipIf(skip).each(ENTRIES)('has the numbers of PyTorch: $name', (entry) => {
    const { spec, loss, l2, batches, tensors, labels, targets: values } = entry;
    const rows = entry.x.length;
    const { network, kernels, arena } = build(spec.layers, spec.input, rows, { loss, l2 }, recipe, dtype);
    const { parameters, statistics } = network;
    expect([...parameters.list, ...statistics.list].map(({ name }) => name).sort()).toEqual(
      Object.keys(tensors).sort(),
    );
    for (const { name, value } of [...parameters.list, ...statistics.list])
      value.data.set(flatten(tensors[name]));
    const x = filled(arena, rows, flatten(entry.x));
    const batch = batches.map(([first, end]) => {
      const inputs = slice(x, first * x.columns, end - first, x.columns);
      if (!labels) {
        const targets: Targets = {
          values: filled(arena, end - first, flatten(values?.slice(first, end) ?? [])),
        };
        return { inputs, targets };
      }
      const ints = arena.ints(end - first);
      ints.data.set(labels.slice(first, end));
      return { inputs, targets: { labels: ints } satisfies Targets };
    });
    expect(network.forward(rows, x).data).toBeAllclose(flatten(entry.evaluation), once);

    const optimizer = createOptimizer(entry.optimizer, parameters, kernels, arena);
    const losses = entry.losses.map((_, step) => {
      const { inputs, targets } = batch[step % batch.length];
      const lossAlone = step === 0 ? network.lossOf(inputs.rows, inputs, targets) : undefined;
      const value = network.lossAndGradients(inputs.rows, inputs, targets, step);
      if (step === 0) {
        expect(lossAlone).toBe(value);
        for (const { name, gradient } of parameters.list) {
          expect(gradient.data, name).toBeAllclose(flatten(entry.firstStep.gradients[name]), once);
        }
        for (const { name, value } of statistics.list) {
          expect(value.data, name).toBeAllclose(flatten(entry.firstStep.statistics[name]), once);
        }
      }
      optimizer.step(entry.optimizer.learningRate, step + 1);
      return value;
    });
    expect(losses).toBeAllclose(entry.losses, inTheEnd);
    for (const { name, value } of parameters.list) {
      expect(value.data, name).toBeAllclose(flatten(entry.after.parameters[name]), inTheEnd);
    }
    for (const { name, value } of statistics.list) {
      expect(value.data, name).toBeAllclose(flatten(entry.after.statistics[name]), inTheEnd);
    }
    expect(network.forward(rows, x).data).toBeAllclose(flatten(entry.after.evaluation), inTheEnd);
  });

  it.skipIf(skip)('makes of a single row the shift in training, and leaves the running statistics', () => {
    const { network, arena } = build([3, 'batch-norm', 'relu', 2], 4, 5, {}, recipe, dtype);
    const { parameters, statistics } = network;
    const x = filled(
      arena,
      5,
      Array.from({ length: 20 }, (_, i) => Math.sin(i)),
    );
    const targets = { values: filled(arena, 5, Array(10).fill(1)) };
    network.lossAndGradients(5, x, targets);
    const before = statistics.values.data.slice();
    parameters.get('layers.1.bias')?.value.data.set([-1, 0.5, 2]);
    expect(network.lossAndGradients(1, x, targets)).toSatisfy(Number.isFinite);
    expect(statistics.values.data).toEqual(before);
    // Through relu: 0, 0.5 and 2, whatever is in the row.
    const weight = parameters.get('layers.3.weight') as { value: Tensor; gradient: Tensor };
    const residuals = [0, 1].map((j) => 0.5 * weight.value.data[2 + j] + 2 * weight.value.data[4 + j] - 1);
    const gradient = [0, 0.5, 2].flatMap((y) => residuals.map((residual) => y * residual));
    expect(weight.gradient.data).toBeAllclose(gradient, { relative: 10 * unit, absolute: 10 * unit });
    expect([...(parameters.get('layers.0.weight')?.gradient.data ?? [])]).toEqual(Array(12).fill(0));
  });

  it.skipIf(skip)(
    'evaluates a row by itself: the same bits alone, among others, and after training on others',
    () => {
      const layers = [6, 'batch-norm', 'gelu', { type: 'residual', layers: ['layer-norm', 6] }, 3];
      const rows = 9;
      const { network, arena } = build(layers, 4, rows, {}, recipe, dtype);
      const values = Array.from({ length: rows * 4 }, (_, i) => Math.sin(i) + 1);
      const x = filled(arena, rows, values);
      network.lossAndGradients(rows, x, { values: filled(arena, rows, Array(rows * 3).fill(0)) });
      const all = network.forward(rows, x).data.slice();
      const changed = filled(
        arena,
        rows,
        values.map((value, i) => (i >= 4 && i < 8 ? value : -100 * value)),
      );
      expect(network.forward(rows, changed).data.slice(3, 6)).toEqual(all.slice(3, 6));
    },
  );
});

describe('a network with batch-norm', () => {
  const x = Array.from({ length: 6 * 4 }, (_, i) => Math.cos(3 * i));

  it('starts at scale 1, shift 0, running mean 0 and variance 1, and draws nothing for them', () => {
    const { network } = build([3, 'batch-norm', 3, 'layer-norm'], 2, 4);
    const { parameters, statistics } = network;
    const start = ['layers.1.weight', 'layers.1.bias', 'layers.3.weight', 'layers.3.bias'].map((name) => [
      ...(parameters.get(name)?.value.data ?? []),
    ]);
    expect(start).toEqual([
      [1, 1, 1],
      [0, 0, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    expect([...statistics.values.data]).toEqual([0, 0, 0, 1, 1, 1]);
    const without = build([3, 'relu', 3, 'relu'], 2, 4).network.parameters;
    expect(parameters.get('layers.2.weight')?.value.data).toEqual(without.get('layers.2.weight')?.value.data);
  });

  it('has no statistics where nothing needs any', () => {
    const { statistics } = build([3, 'layer-norm'], 2, 4).network;
    expect([statistics.list, statistics.values.columns]).toEqual([[], 0]);
  });

  it('moves its statistics once for each gradient, and not where a loss alone is asked for or in evaluation', () => {
    const { network, arena } = build([3, 'batch-norm', 2], 4, 6);
    const { values } = network.statistics;
    const inputs = filled(arena, 6, x);
    const targets = { values: filled(arena, 6, Array(12).fill(0)) };
    network.lossOf(6, inputs, targets);
    network.forward(6, inputs);
    expect([...values.data]).toEqual([0, 0, 0, 1, 1, 1]);
    network.lossAndGradients(6, inputs, targets);
    const first = values.data.slice();
    network.lossAndGradients(6, inputs, targets);
    // Of the mean, 0.1·m after one step, 0.1·m + 0.09·m after two.
    expect(values.data.slice(0, 3)).toBeAllclose(
      first.slice(0, 3).map((mean) => 1.9 * mean),
      { relative: 1e-12 },
    );
  });

  it('leaves its input to the layers that read it too, and passes a gradient check among all others', () => {
    const layers = [
      5,
      'tanh',
      {
        type: 'residual',
        layers: ['batch-norm', 'relu', 'dropout', 5, { type: 'residual', layers: ['layer-norm', 'silu'] }],
      },
      'layer-norm',
      'batch-norm',
      'gelu',
      'batch-norm',
      'dropout',
      'relu',
      3,
      'batch-norm',
    ];
    const problem = {
      name: 'normalisation',
      spec: specOf({ layers }),
      loss: 'mean-squared-error',
      l2: 0.01,
      seed: 5,
      x: Float64Array.from(x),
      rows: 6,
      inputs: 4,
      targets: Float64Array.from({ length: 18 }, (_, i) => Math.sin(i)),
      outputs: 3,
      weights: Float64Array.of(1, 0, 2, 0.5, 1, 3),
    } as const;
    const check = checkNetwork(problem, PLAIN, 5);
    expect(check.parameters.filter(({ passed }) => !passed)).toEqual([]);
    expect(check.parameters.filter(({ kink }) => !kink).length).toBeGreaterThan(60);
  });

  it('keeps scale and shift out of L2', () => {
    const { network } = build(['batch-norm', 'layer-norm'], 4, 6, { l2: 1 });
    expect([network.parameters.layout.weights, network.regularization()]).toEqual([0, 0]);
  });
});
