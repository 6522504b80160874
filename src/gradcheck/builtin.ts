/**
 * The checks of `mlp gradcheck` without a file: a graph with derivatives by hand, then networks
 * with every layer, activation, loss and regulariser of the lists in `network/`.
 */
import { ACTIVATIONS } from '../kernels/activations.js';
import { LAYER_TYPES } from '../network/layerTypes.js';
import { LOSSES } from '../network/loss.js';
import { networkShape } from '../network/shape.js';
import { RandomState } from '../random/randomState.js';
import { type LayerSpec, type LinearSpec, layerSchema } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { LossName, LossParameters } from '../spec/words.js';
import { type CheckedGraph, readGraph } from './graphFile.js';
import type { NetworkProblem } from './networkCheck.js';

/** A residual around two neurons: z = relu(relu(x0·w0 + b0)·w1 + b1 + x0), with its derivatives. */
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

const INPUTS = 4;
const WIDTH = 5;

/** Parameters of activations, away from the defaults, which are close to other activations. */
const ACTIVATION_PARAMETERS: Readonly<Record<string, object>> = {
  'leaky-relu': { slope: 0.1 },
  elu: { alpha: 0.7 },
};

/** A layer with the defaults of the spec; a type with a required option needs it here. */
function layer(type: string, options: object = {}): LayerSpec {
  return layerSchema.parse({ type, ...options });
}

function parametric(type: string): LayerSpec {
  return layer(type, { ...ACTIVATION_PARAMETERS[type], parametric: true });
}

function linear(units: number, bias = true): LinearSpec {
  return { type: 'linear', units, bias, init: { type: 'glorot-normal' } };
}

function ntk(units: number, bias = true): LinearSpec {
  const fitted = { ...linear(units, bias), init: { type: 'unit-variance' }, parametrization: 'ntk' } as const;
  return bias ? { ...fitted, biasInit: { type: 'he+5' } } : fitted;
}

/** Away from the defaults. */
const LOSS_PARAMETERS: LossParameters = { delta: 0.7, quantiles: [0.1, 0.5, 0.8] };

interface Case {
  readonly name: string;
  readonly layers: LayerSpec[];
  readonly loss: LossName;
  readonly l2?: number;
  readonly l1?: number;
  readonly labelSmoothing?: number;
  readonly rows?: number;
  readonly weighted?: boolean;
  readonly members?: NetworkSpec['members'];
}

function writtenCases(): Case[] {
  const tanh = layer('tanh');
  const batchNorm = layer('batch-norm');
  const layerNorm = layer('layer-norm');
  const residual: LayerSpec = { type: 'residual', layers: [linear(WIDTH), tanh, linear(WIDTH)] };
  const nested: LayerSpec = { type: 'residual', layers: [linear(WIDTH), { ...residual }, tanh] };
  return [
    ...Object.keys(ACTIVATIONS).map(
      (type): Case => ({
        name: `${type}, softmax cross-entropy`,
        layers: [linear(WIDTH), layer(type, ACTIVATION_PARAMETERS[type]), linear(3)],
        loss: 'softmax-cross-entropy',
      }),
    ),
    {
      name: 'mean squared error',
      layers: [linear(WIDTH), tanh, linear(2)],
      loss: 'mean-squared-error',
    },
    {
      name: 'binary cross-entropy, fused with its sigmoid',
      layers: [linear(WIDTH), tanh, linear(1), { type: 'sigmoid' }],
      loss: 'binary-cross-entropy',
    },
    {
      name: 'softmax cross-entropy, fused with its softmax, L2',
      layers: [linear(WIDTH), { type: 'silu' }, linear(3), { type: 'softmax' }],
      loss: 'softmax-cross-entropy',
      l2: 0.1,
    },
    {
      name: 'no bias, L2, a batch of one row',
      layers: [linear(WIDTH, false), tanh, linear(1, false)],
      loss: 'mean-squared-error',
      l2: 0.05,
      rows: 1,
    },
    {
      name: 'residual block, binary cross-entropy',
      layers: [linear(WIDTH), tanh, residual, { type: 'gelu' }, linear(1)],
      loss: 'binary-cross-entropy',
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
    },
    {
      name: 'batch-norm, before and after an activation',
      layers: [linear(WIDTH, false), batchNorm, tanh, linear(WIDTH), { type: 'gelu' }, batchNorm, linear(3)],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'batch-norm, first and inside a residual block, L2',
      layers: [
        batchNorm,
        { type: 'residual', layers: [linear(INPUTS, false), batchNorm, { type: 'relu' }, linear(INPUTS)] },
        linear(2),
      ],
      loss: 'mean-squared-error',
      l2: 0.05,
    },
    {
      name: 'layer-norm, before and after an activation',
      layers: [linear(WIDTH), layerNorm, { type: 'silu' }, linear(WIDTH), tanh, layerNorm, linear(3)],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'layer-norm, first and inside a residual block, L2',
      layers: [
        layerNorm,
        { type: 'residual', layers: [layerNorm, linear(WIDTH), { type: 'relu' }, linear(INPUTS)] },
        linear(2),
      ],
      loss: 'mean-squared-error',
      l2: 0.05,
    },
    {
      name: 'NTK parametrisation, fitted to the rows, before and inside a residual block, L2',
      layers: [
        ntk(WIDTH),
        { type: 'silu' },
        { type: 'residual', layers: [ntk(WIDTH, false), tanh, ntk(WIDTH)] },
        ntk(3),
      ],
      loss: 'softmax-cross-entropy',
      l2: 0.02,
    },
    {
      name: 'parametric activations, first, behind a bias or none, and behind a residual block',
      layers: [
        parametric('tanh'),
        linear(WIDTH),
        parametric('mish'),
        linear(WIDTH, false),
        parametric('gelu'),
        { type: 'residual', layers: [linear(WIDTH), parametric('silu')] },
        parametric('softplus'),
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'parametric activations that bend at 0, L2',
      layers: [
        linear(WIDTH),
        parametric('selu'),
        { type: 'residual', layers: [parametric('relu'), linear(WIDTH), parametric('leaky-relu')] },
        linear(WIDTH),
        parametric('elu'),
        linear(2),
      ],
      loss: 'mean-squared-error',
      l2: 0.05,
    },
    {
      name: 'nested residual blocks, L2',
      layers: [linear(WIDTH), nested, linear(3)],
      loss: 'softmax-cross-entropy',
      l2: 0.02,
    },
    {
      name: 'numeric-embedding of two of four inputs',
      layers: [
        layer('numeric-embedding', { frequencies: 5, std: 0.3, columns: [0, 2] }),
        linear(WIDTH),
        tanh,
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'numeric-embedding inside, of one input and of all',
      layers: [
        linear(3),
        layer('numeric-embedding', { size: 3, frequencies: 6, std: 0.2, columns: [1] }),
        linear(3),
        layer('numeric-embedding', { frequencies: 3, std: 0.2 }),
        linear(2),
      ],
      loss: 'mean-squared-error',
      l2: 0.05,
    },
    {
      name: 'embedding of two of four inputs',
      layers: [
        layer('embedding', { size: 3, columns: [1, 3], levels: [2, 3] }),
        linear(WIDTH),
        tanh,
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'embedding inside, in front of others',
      layers: [linear(4), layer('embedding', { size: 2, columns: [2], levels: [1] }), linear(2)],
      loss: 'mean-squared-error',
    },
    {
      name: 'L1 and L2',
      layers: [linear(WIDTH), tanh, linear(3)],
      loss: 'softmax-cross-entropy',
      l2: 0.05,
      l1: 0.02,
    },
    {
      name: 'L1, with weights at its kink',
      layers: [linear(WIDTH), tanh, residual, { ...linear(2), init: { type: 'zeros' } }],
      loss: 'mean-squared-error',
      l1: 0.1,
    },
    {
      name: 'six layers of relu',
      layers: [...Array.from({ length: 5 }, () => [linear(8), { type: 'relu' } as const]).flat(), linear(2)],
      loss: 'mean-squared-error',
    },
    {
      name: 'weighted rows, softmax cross-entropy, L2',
      layers: [linear(WIDTH), tanh, linear(3)],
      loss: 'softmax-cross-entropy',
      l2: 0.1,
      weighted: true,
    },
    {
      name: 'weighted rows, binary cross-entropy',
      layers: [linear(WIDTH), tanh, linear(1)],
      loss: 'binary-cross-entropy',
      weighted: true,
    },
    {
      name: 'three labels, binary cross-entropy fused with its sigmoid, L2, weighted rows',
      layers: [linear(WIDTH), tanh, linear(3), { type: 'sigmoid' }],
      loss: 'binary-cross-entropy',
      l2: 0.1,
      weighted: true,
    },
    {
      name: 'smoothed labels, softmax cross-entropy, weighted rows',
      layers: [linear(WIDTH), tanh, linear(3)],
      loss: 'softmax-cross-entropy',
      labelSmoothing: 0.2,
      weighted: true,
    },
    {
      name: 'smoothed labels, binary cross-entropy of two labels',
      layers: [linear(WIDTH), tanh, linear(2)],
      loss: 'binary-cross-entropy',
      labelSmoothing: 0.2,
    },
    {
      name: 'three members of an ensemble, dropout, L2',
      layers: [linear(WIDTH), tanh, { type: 'dropout', rate: 0.2 }, linear(3)],
      loss: 'softmax-cross-entropy',
      l2: 0.1,
      members: 3,
    },
    {
      name: 'weighted rows, mean squared error of two outputs',
      layers: [linear(WIDTH), tanh, linear(2)],
      loss: 'mean-squared-error',
      weighted: true,
    },
    {
      name: 'periodic numeric-embedding of two of four inputs, then without its relu',
      layers: [
        layer('numeric-embedding', { kind: 'periodic', size: 3, frequencies: 5, std: 0.3, columns: [0, 2] }),
        linear(3),
        layer('numeric-embedding', {
          ...{ kind: 'periodic', size: 2, frequencies: 4, std: 0.2 },
          ...{ columns: [1, 2], activation: 'none' },
        }),
        linear(2),
      ],
      loss: 'mean-squared-error',
    },
    {
      name: 'piecewise-linear numeric-embedding of two of four inputs, and inside',
      layers: [
        layer('numeric-embedding', { kind: 'piecewise-linear', size: 3, bins: 5, columns: [1, 2] }),
        linear(3),
        layer('numeric-embedding', { kind: 'piecewise-linear', size: 2, bins: 4, columns: [0] }),
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
    },
    {
      name: 'batch ensemble of four, with dropout, parametric activations and a residual block, L2',
      layers: [
        layer('numeric-embedding', { frequencies: 3, std: 0.3, columns: [1] }),
        { type: 'scale' },
        linear(WIDTH),
        { type: 'relu' },
        { type: 'dropout', rate: 0.2 },
        { type: 'residual', layers: [ntk(WIDTH, false), parametric('silu')] },
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
      l2: 0.05,
      members: { count: 4, kind: 'batch-ensemble' },
    },
    {
      name: 'two batch ensembles of two from dropout on, two outputs, weighted rows',
      layers: [
        { type: 'dropout', rate: 0.2 },
        linear(WIDTH),
        tanh,
        { type: 'residual', layers: [{ type: 'relu' }] },
        linear(2),
      ],
      loss: 'mean-squared-error',
      weighted: true,
      members: { count: 2, kind: 'batch-ensemble', networks: 2 },
    },
    {
      name: 'linear at the start with numbers of levels among its inputs',
      layers: [
        { ...linear(WIDTH), columns: [1, 3], levels: [2, 3], marks: [1, 1.7], apart: [[2], []] },
        tanh,
        linear(3),
      ],
      loss: 'softmax-cross-entropy',
      l2: 0.05,
    },
  ];
}

/** A case for every layer and every loss that no written case contains. */
function missingCases(written: readonly Case[]): Case[] {
  const types = new Set(written.flatMap(({ layers }) => layers).map(({ type }) => type));
  const weighted = new Set(written.filter((found) => found.weighted).map(({ loss }) => loss));
  return [
    ...Object.keys(LAYER_TYPES)
      .filter((type) => !types.has(type as LayerSpec['type']))
      .map(
        (type): Case => ({
          name: `${type}, softmax cross-entropy`,
          layers: [layer(type), linear(WIDTH), layer(type), layer('tanh'), linear(3)],
          loss: 'softmax-cross-entropy',
        }),
      ),
    ...Object.values(LOSSES)
      .filter(({ name }) => !weighted.has(name))
      .map((loss): Case => {
        const layers = [linear(WIDTH), layer('tanh'), linear(loss.outputs(2, 3, LOSS_PARAMETERS))];
        return { name: `weighted rows, ${loss.name}`, layers, loss: loss.name, weighted: true };
      }),
  ];
}

/** The built-in networks with their batches, drawn from seeds so that every run checks the same. */
export function networkProblems(): NetworkProblem[] {
  const byHand = writtenCases();
  const cases = [...byHand, ...missingCases(byHand)];
  return cases.map((problem, i) => {
    const { name, layers, loss, l2 = 0, l1 = 0, labelSmoothing = 0, rows = 7, weighted, members } = problem;
    const random = new RandomState(i);
    const spec = { layers, ...(members !== undefined && { members }) };
    const { outputs } = networkShape(spec, INPUTS);
    const { target } = LOSSES[loss];
    const targets =
      target === 'class'
        ? random.choice(outputs, rows)
        : Float64Array.from({ length: rows * (loss === 'quantile' ? 1 : outputs) }, () =>
            target === 'bit'
              ? random.randint(0, 2)
              : target === 'count'
                ? random.randint(0, 5)
                : random.randn(),
          );
    const x = Float64Array.from({ length: rows * INPUTS }, () => random.randn());
    // The first row counts nothing.
    const weights = weighted
      ? Float64Array.from({ length: rows }, (_, row) => row * random.rand())
      : undefined;
    const batch = { x, rows, inputs: INPUTS, targets, outputs, weights };
    const lossParameters = LOSS_PARAMETERS;
    return { name, spec, loss, lossParameters, l2, l1, labelSmoothing, seed: i, ...batch };
  });
}
