/** The loss of each row by itself, as the network is trained on it but for weights and regularisation. */
import { crossEntropies } from '../evaluation/classification.js';
import { labelCrossEntropies } from '../evaluation/multilabel.js';
import { elementParameters, LOSSES } from '../network/loss.js';
import type { ReadingModel } from './load.js';
import { targetOf } from './predictions.js';

/**
 * [rows] Their mean is the loss that `mlp evaluate` reports; its unit is that of the targets.
 * @param outputs logits of a row
 * @param expected the true values as the network has them: classes [rows], or values [rows, targets]
 * @param logits [rows, outputs]; may be longer
 */
export function rowLosses(
  model: ReadingModel,
  outputs: number,
  expected: ArrayLike<number>,
  logits: ArrayLike<number>,
): Float64Array {
  const { labelValues, classes, targets, lossUnit = 1 } = model;
  if (labelValues) return labelCrossEntropies(expected, logits, outputs);
  if (classes) return crossEntropies(expected, logits, outputs);
  const losses = numberLosses(model, outputs, expected, logits, targets.length);
  return losses.map((loss) => loss * lossUnit);
}

/** [rows] The mean over a row's outputs, in the network's units; targets are [rows, width]. */
export function numberLosses(
  model: ReadingModel,
  outputs: number,
  targets: ArrayLike<number>,
  logits: ArrayLike<number>,
  width: number,
): Float64Array {
  const { loss, lossParameters = {} } = model;
  const { element } = LOSSES[loss];
  if (!element) throw new TypeError(`${loss} is no loss of numbers`);
  const parameters = elementParameters(loss, lossParameters, outputs);
  const losses = new Float64Array(targets.length / width);
  for (let row = 0; row < losses.length; row++) {
    for (let j = 0; j < outputs; j++) {
      const target = targets[row * width + targetOf(j, model)];
      losses[row] += element.value(logits[row * outputs + j], target, parameters?.[j] ?? 0) / outputs;
    }
  }
  return losses;
}
