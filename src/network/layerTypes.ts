/** The list of all layer types. To add one, write its file and its schema, and enter it here. */
import type { LayerSpec } from '../spec/layerSpec.js';
import type { LayerNode } from '../spec/widths.js';
import { ACTIVATION_LAYERS } from './activation.js';
import { memberLinear } from './batchEnsemble.js';
import { dropout } from './dropout.js';
import { embedding } from './embedding.js';
import type { LayerType, ParameterShape, StatisticShape } from './layer.js';
import { batchNorm, layerNorm } from './normalization.js';
import { numericEmbedding } from './numericEmbedding.js';
import { residual } from './residual.js';
import { scale } from './scale.js';

export const LAYER_TYPES: Readonly<Record<LayerSpec['type'], LayerType>> = {
  linear: memberLinear,
  ...ACTIVATION_LAYERS,
  dropout,
  'batch-norm': batchNorm,
  'layer-norm': layerNorm,
  scale,
  'numeric-embedding': numericEmbedding,
  embedding,
  residual,
  softmax: {
    build() {
      throw new TypeError('a softmax is never built: its loss computes it');
    },
  },
};

/** The parameters of one layer, those of inner layers left out. */
export function ownParameters({ spec, inputs, place }: LayerNode): ParameterShape[] {
  return LAYER_TYPES[spec.type].parameters?.(spec, inputs, place) ?? [];
}

/** The statistics of one layer, those of inner layers left out. */
export function ownStatistics({ spec, inputs }: LayerNode): StatisticShape[] {
  return LAYER_TYPES[spec.type].statistics?.(spec, inputs) ?? [];
}
