/** The checks that `mlp gradcheck` runs when it is given no file: the homework's, then networks that between them hold every layer, loss and regulariser, and each loss with weighted rows. */
import type { KernelsRecipe } from '../kernels/create.js';
import { RandomState } from '../random/randomState.js';
import type {
  ActivationSpec,
  BatchNormSpec,
  LayerNormSpec,
  LayerSpec,
  LinearSpec,
} from '../spec/layerSpec.js';
import type { LossName } from '../spec/words.js';
import type { Check } from './check.js';
import { type CheckedGraph, readGraph } from './graphFile.js';
import { checkNetwork, type NetworkProblem } from './network.js';

/** A residual connection around two neurons: z = relu(relu(x0·w0 + b0)·w1 + b1 + x0), with its derivatives by hand. */
export function residualReluGraph(): CheckedGraph {
  return readGraph(
    {
      inputs: { x0: 1.0, w0: 0.3, b0: 0.1, w1: -0.2, b1: -0.3 },
      nodes: {
        xw0: 'x0 * w0',
        xwb0: 'xw0 + b0',
        x1: 'relu(xwb0)',
        xw1: 'x1 * w1',
        y1: 'xw1 + b1',
        yx: 'y1 + x0',
        z: 'relu(yx)',
      },
      output: 'z',
      manual: { w0: -0.2, b0: -0.2, w1: 0.4, b1: 1.0 },
    },
    'built-in graph',
  );
}

const BATCH_NORM: BatchNormSpec = { type: 'batch-norm', momentum: 0.1, epsilon: 1e-5 };
const LAYER_NORM: LayerNormSpec = { type: 'layer-norm', epsilon: 1e-5 };

const INPUTS = 4;
const WIDTH = 5;

const ACTIVATIONS: readonly ActivationSpec[] = [
  { type: 'identity' },
  { type: 'relu' },
  { type: 'leaky-relu', slope: 0.1 },
  { type: 'tanh' },
  { type: 'sigmoid' },
  { type: 'gelu' },
  { type: 'silu' },
  { type: 'elu', alpha: 0.7 },
  { type: 'softplus' },
];

function linear(units: number, bias = true): LinearSpec {
  return { type: 'linear', units, bias, init: { type: 'glorot-normal' } };
}

interface Case {
  readonly name: string;
  readonly layers: LayerSpec[];
  readonly loss: LossName;
  readonly outputs: number;
  readonly l2?: number;
  readonly l1?: number;
  readonly rows?: number;
  /** Whether its rows have weights. */
  readonly weighted?: boolean;
}

function cases(): Case[] {
  const tanh: ActivationSpec = { type: 'tanh' };
  const residual: LayerSpec = { type: 'residual', layers: [linear(WIDTH), tanh, linear(WIDTH)] };
  const nested: LayerSpec = { type: 'residual', layers: [linear(WIDTH), { ...residual }, tanh] };
  return [
    ...ACTIVATIONS.map(
      (activation): Case => ({
        name: `${activation.type}, softmax cross-entropy`,
        layers: [linear(WIDTH), activation, linear(3)],
        loss: 'softmax-cross-entropy',
        outputs: 3,
      }),
    ),
    {
      name: 'mean squared error',
      layers: [linear(WIDTH), tanh, linear(2)],
      loss: 'mean-squared-error',
      outputs: 2,
    },
    {
      name: 'binary cross-entropy, fused with its sigmoid',
      layers: [linear(WIDTH), tanh, linear(1), { type: 'sigmoid' }],
      loss: 'binary-cross-entropy',
      outputs: 1,
    },
    {
      name: 'softmax cross-entropy, fused with its softmax, L2',
      layers: [linear(WIDTH), { type: 'silu' }, linear(3), { type: 'softmax' }],
      loss: 'softmax-cross-entropy',
      outputs: 3,
      l2: 0.1,
    },
    {
      name: 'no bias, L2, a batch of one row',
      layers: [linear(WIDTH, false), tanh, linear(1, false)],
      loss: 'mean-squared-error',
      outputs: 1,
      l2: 0.05,
      rows: 1,
    },
    {
      name: 'residual block, binary cross-entropy',
      layers: [linear(WIDTH), tanh, residual, { type: 'gelu' }, linear(1)],
      loss: 'binary-cross-entropy',
      outputs: 1,
    },
    {
      name: 'dropout, before and inside a residual block',
      layers: [
        linear(WIDTH),
        tanh,
        { type: 'dropout', rate: 0.2 },
        { type: 'residual', layers: [linear(WIDTH), { type: 'dropout', rate: 0.5 }] },
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
      outputs: 3,
    },
    {
      name: 'batch-norm, before and after an activation',
      layers: [
        linear(WIDTH, false),
        BATCH_NORM,
        tanh,
        linear(WIDTH),
        { type: 'gelu' },
        BATCH_NORM,
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
      outputs: 3,
    },
    {
      name: 'batch-norm, first and inside a residual block, L2',
      layers: [
        BATCH_NORM,
        { type: 'residual', layers: [linear(INPUTS, false), BATCH_NORM, { type: 'relu' }, linear(INPUTS)] },
        linear(2),
      ],
      loss: 'mean-squared-error',
      outputs: 2,
      l2: 0.05,
    },
    {
      name: 'layer-norm, before and after an activation',
      layers: [linear(WIDTH), LAYER_NORM, { type: 'silu' }, linear(WIDTH), tanh, LAYER_NORM, linear(3)],
      loss: 'softmax-cross-entropy',
      outputs: 3,
    },
    {
      name: 'layer-norm, first and inside a residual block, L2',
      layers: [
        LAYER_NORM,
        { type: 'residual', layers: [LAYER_NORM, linear(WIDTH), { type: 'relu' }, linear(INPUTS)] },
        linear(2),
      ],
      loss: 'mean-squared-error',
      outputs: 2,
      l2: 0.05,
    },
    {
      name: 'nested residual blocks, L2',
      layers: [linear(WIDTH), nested, linear(3)],
      loss: 'softmax-cross-entropy',
      outputs: 3,
      l2: 0.02,
    },
    {
      name: 'L1 and L2',
      layers: [linear(WIDTH), tanh, linear(3)],
      loss: 'softmax-cross-entropy',
      outputs: 3,
      l2: 0.05,
      l1: 0.02,
    },
    {
      name: 'L1, with weights at its kink',
      layers: [linear(WIDTH), tanh, residual, { ...linear(2), init: { type: 'zeros' } }],
      loss: 'mean-squared-error',
      outputs: 2,
      l1: 0.1,
    },
    {
      name: 'six layers of relu',
      layers: [...Array.from({ length: 5 }, () => [linear(8), { type: 'relu' } as const]).flat(), linear(2)],
      loss: 'mean-squared-error',
      outputs: 2,
    },
    {
      name: 'weighted rows, softmax cross-entropy, L2',
      layers: [linear(WIDTH), tanh, linear(3)],
      loss: 'softmax-cross-entropy',
      outputs: 3,
      l2: 0.1,
      weighted: true,
    },
    {
      name: 'weighted rows, binary cross-entropy',
      layers: [linear(WIDTH), tanh, linear(1)],
      loss: 'binary-cross-entropy',
      outputs: 1,
      weighted: true,
    },
    {
      name: 'weighted rows, mean squared error of two outputs',
      layers: [linear(WIDTH), tanh, linear(2)],
      loss: 'mean-squared-error',
      outputs: 2,
      weighted: true,
    },
  ];
}

/** The built-in networks with their batches: drawn from a seed, so that every run checks the same. */
export function networkProblems(): NetworkProblem[] {
  return cases().map(({ name, layers, loss, outputs, l2 = 0, l1 = 0, rows = 7, weighted }, i) => {
    const random = new RandomState(i);
    const targets =
      loss === 'softmax-cross-entropy'
        ? random.choice(outputs, rows)
        : Float64Array.from({ length: rows * outputs }, () =>
            loss === 'binary-cross-entropy' ? random.randint(0, 2) : random.randn(),
          );
    const x = Float64Array.from({ length: rows * INPUTS }, () => random.randn());
    const problem = {
      name,
      spec: { layers },
      loss,
      l2,
      l1,
      seed: i,
      x,
      rows,
      inputs: INPUTS,
      targets,
      outputs,
    };
    // The first row counts nothing.
    const weights = weighted && Float64Array.from({ length: rows }, (_, row) => row * random.rand());
    return weights ? { ...problem, weights } : problem;
  });
}

/** @param kernels of float64 */
export function checkNetworks(kernels: KernelsRecipe): Check[] {
  return networkProblems().map((problem) => checkNetwork(problem, kernels));
}
