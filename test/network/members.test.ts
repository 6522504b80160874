/** An ensemble against its members, each trained alone by the same draws. */
import { describe, expect, it } from 'vitest';
import { Arena, slice } from '../../src/kernels/arena.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import type { LossName } from '../../src/spec/words.js';
import { createOptimizer } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';
import { specOf } from '../support/networks.js';

const ROWS = 9;
const INPUTS = 3;
const MEMBERS = 3;
const ADAM = { type: 'adam', learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

interface Case {
  loss: LossName;
  outputs: number;
  layers?: unknown[];
}

const CASES: Case[] = [
  { loss: 'softmax-cross-entropy', outputs: 3 },
  { loss: 'binary-cross-entropy', outputs: 1 },
  { loss: 'binary-cross-entropy', outputs: 2 },
  { loss: 'mean-squared-error', outputs: 2 },
  {
    loss: 'softmax-cross-entropy',
    outputs: 3,
    layers: ['batch-norm', 4, 'tanh', { type: 'residual', layers: [4] }, 3],
  },
];

const BACKEND_CASES = BACKENDS.flatMap((backend) =>
  CASES.map((problem) => ({
    ...backend,
    ...problem,
    name: `${backend.name}, ${problem.loss}, ${problem.outputs}`,
  })),
);

/** A network with a batch and an optimiser, and its state after `steps` steps. */
function build({ choice, loss, outputs, layers }: (typeof BACKEND_CASES)[number], members: number) {
  const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, 'float64');
  const arena = Arena.ofSize('float64', (1 << 20) + recipe.scratchBytes);
  const kernels = recipe.create(arena.memory, arena.block(recipe.scratchBytes));
  const spec = specOf({ layers: layers ?? [5, 'relu', outputs], ...(members > 1 && { members }) });
  const options = { inputs: INPUTS, loss, l2: 0.01, l1: 0.001, capacity: ROWS, seed: 0 };
  const network = new Network(spec, options, kernels, arena);
  const optimizer = createOptimizer(ADAM, network.parameters, kernels, arena);
  const random = new RandomState(7);
  const x = arena.tensor(ROWS, INPUTS);
  for (let i = 0; i < x.data.length; i++) x.data[i] = random.randn();
  const targets =
    loss === 'softmax-cross-entropy' ? { labels: arena.ints(ROWS) } : { values: arena.tensor(ROWS, outputs) };
  const { data } = 'labels' in targets ? targets.labels : targets.values;
  for (let i = 0; i < data.length; i++) data[i] = random.randint(0, 'labels' in targets ? 3 : 2);
  /** @returns the losses of the steps */
  const train = (steps: number): number[] =>
    Array.from({ length: steps }, (_, step) => {
      const found = network.lossAndGradients(ROWS, x, targets, step);
      optimizer.step(ADAM.learningRate, step + 1);
      return found;
    });
  return { network, x, train };
}

describe.each(BACKEND_CASES)('$name', (problem) => {
  it.skipIf(problem.skip)('trains each member as if it were alone, and averages probabilities', () => {
    const ensemble = build(problem, MEMBERS);
    ensemble.network.initialize(new RandomState(1));
    const draws = new RandomState(1);
    const alone = Array.from({ length: MEMBERS }, () => {
      const member = build(problem, 1);
      member.network.initialize(draws);
      return member;
    });
    const losses = alone.map(({ train }) => train(5));
    const sums = losses[0].map((_, step) => losses.reduce((sum, own) => sum + own[step], 0));
    expect(ensemble.train(5)).toBeAllclose(sums, { relative: 1e-13, absolute: 1e-13 });

    for (const [i, { network }] of alone.entries()) {
      for (const { name, value } of [...network.parameters.list, ...network.statistics.list]) {
        const { parameters, statistics } = ensemble.network;
        const own = parameters.get(`members.${i}.${name}`) ?? statistics.get(`members.${i}.${name}`);
        expect([...(own?.value.data ?? [])], `${i}: ${name}`).toEqual([...value.data]);
      }
    }

    // The probabilities of the average are the average of the probabilities.
    const found = probabilitiesOf(problem.loss, ensemble);
    const members = alone.map((member) => probabilitiesOf(problem.loss, member));
    const mean = found.map((_, i) => members.reduce((sum, own) => sum + own[i], 0) / MEMBERS);
    expect(found).toBeAllclose(mean, { relative: 1e-12, absolute: 1e-14 });
  });
});

function probabilitiesOf(loss: LossName, { network, x }: ReturnType<typeof build>): number[] {
  const { data, columns } = network.forward(ROWS, x);
  const outputs = [...data.subarray(0, ROWS * columns)];
  if (loss === 'mean-squared-error') return outputs;
  if (loss === 'binary-cross-entropy') return outputs.map((h) => 1 / (1 + Math.exp(-h)));
  return outputs.map((h, i) => {
    const row = outputs.slice(i - (i % columns), i - (i % columns) + columns);
    return Math.exp(h) / row.reduce((sum, own) => sum + Math.exp(own), 0);
  });
}

describe('an ensemble', () => {
  it('draws other weights and other dropout masks for each member', () => {
    const layers = [4, { type: 'dropout', rate: 0.5 }, 3];
    const problem = { ...BACKEND_CASES[0], layers };
    const { network, train } = build(problem, 2);
    network.initialize(new RandomState(3));
    const [first, second] = [0, 1].map((i) => network.parameters.get(`members.${i}.layers.0.weight`));
    expect([...(first?.value.data ?? [])]).not.toEqual([...(second?.value.data ?? [])]);
    second?.value.data.set(first?.value.data ?? []);
    const [one, two] = [0, 1].map((i) => network.parameters.get(`members.${i}.layers.2.weight`));
    two?.value.data.set(one?.value.data ?? []);
    train(1);
    expect([...(first?.gradient.data ?? [])]).not.toEqual([...(second?.gradient.data ?? [])]);
  });

  it('keeps one block of weights for L1 and L2, then one of the rest', () => {
    const { parameters } = build(BACKEND_CASES[0], 2).network;
    const { weights, total } = parameters.layout;
    expect([weights, total]).toEqual([2 * (15 + 15), 2 * (15 + 15) + 2 * (5 + 3)]);
    const ends = parameters.layout.shapes
      .filter(({ kind }) => kind === 'weight')
      .map(({ start, rows, columns }) => start + rows * columns);
    expect(Math.max(...ends)).toBe(weights);
    expect(slice(parameters.values, 0, 1, weights).data).toHaveLength(weights);
  });
});
