/** The steps of a prediction from the spec of a network: its layers in evaluation, by the names of their tensors. */

import { isActivation } from '../network/activation.js';
import { withoutThese } from '../network/embedding.js';
import { factorOf } from '../network/linear.js';
import { fusedLoss } from '../network/loss.js';
import { memberPrefix } from '../network/parameters.js';
import type { ActivationSpec, LinearSpec, NumericEmbeddingSpec } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { type LayerNode, networksOf, viewsOf, walkNetwork } from '../spec/widths.js';
import type { Param, Part, Step } from './program.js';

/** The steps that all members share, and those of each. */
export function stepsOf(
  spec: NetworkSpec & { readonly input: number },
): Pick<Part, 'shared' | 'members' | 'views'> {
  // A last layer that the loss computes itself is the output's affair.
  const layers = fusedLoss(spec.layers) === undefined ? spec.layers : spec.layers.slice(0, -1);
  const nodes = walkNetwork({ ...spec, layers }, spec.input);
  const [networks, views] = [networksOf(spec), viewsOf(spec)];
  // Those of one batch ensemble differ from the first linear layer on.
  const isAlone = networks === 1 && views > 1;
  const first = isAlone
    ? nodes.findIndex(({ spec: { type } }) => type === 'linear' || type === 'residual')
    : 0;
  const members = Array.from({ length: networks * views }, (_, i) => {
    const prefix = memberPrefix(spec, Math.floor(i / views));
    return nodes.slice(first).flatMap((node) => stepsOfLayer(node, prefix, i % views));
  });
  return { shared: nodes.slice(0, first).flatMap((node) => stepsOfLayer(node, '', 0)), members, views };
}

/** @param member its number in a batch ensemble; 0 for any other network */
function stepsOfLayer(node: LayerNode, prefix: string, member: number): Step[] {
  const { spec, inputs, inner } = node;
  const param = (own: string, rows: number, columns: number, index = 0): Param => ({
    tensor: `${prefix}${node.name}.${own}`,
    start: index * rows * columns,
    rows,
    columns,
  });
  if (isActivation(spec)) return [activationStep(spec, param('slope', 1, inputs))];
  const scaleAndShift = { weight: param('weight', 1, inputs), bias: param('bias', 1, inputs) };
  switch (spec.type) {
    case 'linear':
      return linearSteps(spec, node, member, param);
    case 'dropout':
      return [];
    case 'softmax':
      throw new TypeError('a softmax is computed by the output');
    case 'batch-norm': {
      const moments = { mean: param('running_mean', 1, inputs), variance: param('running_var', 1, inputs) };
      return [{ op: 'batch-norm', epsilon: spec.epsilon, ...scaleAndShift, ...moments }];
    }
    case 'layer-norm':
      return [{ op: 'layer-norm', epsilon: spec.epsilon, ...scaleAndShift }];
    case 'scale':
      return [{ op: 'scale', factors: param('scale', 1, inputs) }];
    case 'residual':
      return [{ op: 'residual', steps: inner.flatMap((layer) => stepsOfLayer(layer, prefix, member)) }];
    case 'embedding': {
      const { columns = [], levels = [], size } = spec;
      const rows = levels.reduce((sum, count) => sum + count, 0);
      const others = withoutThese(columns, inputs);
      return [{ op: 'embedding', columns, others, levels, weight: param('weight', rows, size) }];
    }
    case 'numeric-embedding':
      return [numericStep(spec, inputs, param)];
  }
}

type ParamOf = (own: string, rows: number, columns: number, index?: number) => Param;

function activationStep({ type, parametric, ...parameters }: ActivationSpec, slope: Param): Step {
  const [parameter = 0] = Object.values<number>(parameters);
  return { op: 'activation', type, parameter, ...(parametric && { slope }) };
}

/** Of a member of a batch ensemble: x ⊙ r, times W, ⊙ s, + b; in the last layer by weights of its own. */
function linearSteps(
  { units, bias, parametrization }: LinearSpec,
  { inputs, place }: LayerNode,
  member: number,
  param: ParamOf,
): Step[] {
  const factor = factorOf(parametrization, inputs);
  const ownBias = { bias: param('bias', 1, units, member) };
  if (!place || place.isHead) {
    const weight = param('weight', inputs, units, member);
    return [{ op: 'linear', factor, weight, ...(bias && ownBias) }];
  }
  return [
    { op: 'scale', factors: param('input_scale', 1, inputs, member) },
    { op: 'linear', factor, weight: param('weight', inputs, units) },
    { op: 'scale', factors: param('output_scale', 1, units, member) },
    ...(bias ? [{ op: 'bias', ...ownBias } as const] : []),
  ];
}

function numericStep(spec: NumericEmbeddingSpec, inputs: number, param: ParamOf): Step {
  const columns = spec.columns ?? Array.from({ length: inputs }, (_, column) => column);
  const others = withoutThese(columns, inputs);
  const count = columns.length;
  const { size } = spec;
  if (spec.kind === 'piecewise-linear') {
    return {
      op: spec.kind,
      columns,
      others,
      edges: param('edges', count, spec.bins + 1),
      slope: param('slope', count, size),
      bias: param('bias', count, size),
      weight: param('weight', count * spec.bins, size),
    };
  }
  const frequency = param('frequency', count, spec.frequencies);
  if (spec.kind === 'periodic') {
    const weight = param('weight', count * size, 2 * spec.frequencies);
    const relu = spec.activation === 'relu';
    return { op: spec.kind, columns, others, relu, frequency, weight, bias: param('bias', count, size) };
  }
  return {
    op: spec.kind,
    columns,
    others,
    frequency,
    phase: param('phase', count, spec.frequencies),
    weight: param('weight', count * (size - 1), spec.frequencies),
    bias: param('bias', count, size - 1),
  };
}
