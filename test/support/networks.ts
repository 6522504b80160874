import { Arena } from '../../src/kernels/arena.js';
import type { KernelsRecipe } from '../../src/kernels/create.js';
import type { DType, Kernels, Tensor } from '../../src/kernels/kernels.js';
import type { Targets } from '../../src/network/loss.js';
import { Network } from '../../src/network/network.js';
import { expandNetwork } from '../../src/spec/layerSpec.js';
import { checkSchema } from '../../src/spec/messages.js';
import type { NetworkSpec } from '../../src/spec/networkSpec.js';
import { networkSchema } from '../../src/spec/networkSpec.js';
import type { OptimizerConfig } from '../../src/spec/optimizerConfig.js';
import type { LossName, LossParameters } from '../../src/spec/words.js';
import { fixture } from './fixtures.js';

/** The checked spec of a JSON value with shorthands. */
export function specOf(json: unknown): NetworkSpec {
  return checkSchema(networkSchema, expandNetwork(json), (path) => ({ file: 'spec', path }));
}

export type Numbers = number | Numbers[];

/** A network with its batch, as test/fixtures/pytorch/networks.py writes it. */
export interface FixtureEntry {
  name: string;
  spec: unknown;
  loss: LossName;
  lossParameters?: LossParameters;
  l2: number;
  l1?: number;
  labelSmoothing?: number;
  batch: number;
  x: number[][];
  targets?: number[][];
  labels?: number[];
  weights?: number[];
  parameters: Record<string, Numbers>;
  statistics?: Record<string, number[]>;
}

/** The same with what PyTorch makes of it in float64. */
export interface PyTorchNetwork extends FixtureEntry {
  expected: { logits: number[][]; loss: number; dataLoss: number; gradients: Record<string, Numbers> };
  training?: {
    optimizer: OptimizerConfig;
    steps: number;
    losses: number[];
    parameters: Record<string, Numbers>;
  };
}

export const PYTORCH_NETWORKS = fixture<PyTorchNetwork[]>('pytorch/networks.json');

/** The elements of a nested array in row-major order. */
export function flatten(numbers: Numbers): number[] {
  return typeof numbers === 'number' ? [numbers] : numbers.flatMap(flatten);
}

/** A fixture's network in memory, with its parameters and its batch, and room in the arena for an optimiser. */
export interface FixtureNetwork {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly network: Network;
  readonly x: Tensor;
  readonly targets: Targets;
}

const ROOM = 1 << 20;

/** @param recipe of kernels for `dtype` */
export function buildFixture(
  entry: FixtureEntry | PyTorchNetwork,
  recipe: KernelsRecipe,
  dtype: DType = 'float64',
): FixtureNetwork {
  const { loss, lossParameters, l2, l1 = 0, labelSmoothing = 0, batch, labels, weights } = entry;
  const arena = Arena.ofSize(dtype, ROOM + recipe.scratchBytes);
  const kernels = recipe.create(arena.memory, arena.block(recipe.scratchBytes));
  const inputs = entry.x[0].length;
  const options = { inputs, loss, lossParameters, l2, l1, labelSmoothing, capacity: batch, seed: 0 };
  const network = new Network(specOf(entry.spec), options, kernels, arena);
  const x = arena.tensor(batch, options.inputs);
  x.data.set(flatten(entry.x));
  const targets: Targets = {
    ...(labels
      ? { labels: arena.ints(batch) }
      : { values: arena.tensor(batch, entry.targets?.[0].length ?? 0) }),
    ...(weights && { weights: arena.tensor(batch, 1) }),
  };
  if ('labels' in targets) targets.labels.data.set(labels ?? []);
  else targets.values.data.set(flatten(entry.targets ?? []));
  targets.weights?.data.set(weights ?? []);
  for (const { name, value } of network.parameters.list) value.data.set(flatten(entry.parameters[name]));
  for (const { name, value } of network.statistics.list) value.data.set(entry.statistics?.[name] ?? []);
  return { kernels, arena, network, x, targets };
}
