import { buildNetwork, type CheckedNetwork } from '../../src/gradcheck/network.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { checkSchema } from '../../src/spec/issues.js';
import type { NetworkSpec } from '../../src/spec/network.js';
import { networkSchema } from '../../src/spec/networkSchema.js';
import { expandNetwork } from '../../src/spec/shorthand.js';
import type { LossName, OptimizerConfig } from '../../src/spec/train.js';
import { fixture } from './fixtures.js';

/** The checked spec of a JSON value with shorthands. */
export function specOf(json: unknown): NetworkSpec {
  return checkSchema(networkSchema, expandNetwork(json), (path) => ({ file: 'spec', path }));
}

type Numbers = number | Numbers[];

/** A network as test/fixtures/pytorch/networks.py computes it in float64. */
export interface PyTorchNetwork {
  name: string;
  spec: unknown;
  loss: LossName;
  l2: number;
  batch: number;
  x: number[][];
  targets?: number[][];
  labels?: number[];
  parameters: Record<string, Numbers>;
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

/** A fixture's network in memory, with its parameters and its batch. */
export function buildFixture(entry: PyTorchNetwork, kernels: Kernels): CheckedNetwork {
  const { name, loss, l2, batch, x, targets, labels } = entry;
  const built = buildNetwork(
    {
      name,
      spec: specOf(entry.spec),
      loss,
      l2,
      seed: 0,
      x: Float64Array.from(flatten(x)),
      rows: batch,
      inputs: x[0].length,
      targets: labels ? Int32Array.from(labels) : Float64Array.from(flatten(targets ?? [])),
      outputs: entry.expected.logits[0].length,
    },
    kernels,
  );
  for (const parameter of built.network.parameters.list) {
    parameter.value.data.set(flatten(entry.parameters[parameter.name]));
  }
  return built;
}
