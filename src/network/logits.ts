/** From logits to classes and probabilities, in double precision for any kernels. */
import { sigmoid } from '../kernels/activations.js';

/** The class of a row: its first largest logit, or for a single logit whether it is above 0. */
export function predictedClass(logits: ArrayLike<number>, start: number, outputs: number): number {
  if (outputs === 1) return logits[start] > 0 ? 1 : 0;
  let best = 0;
  for (let j = 1; j < outputs; j++) if (logits[start + j] > logits[start + best]) best = j;
  return best;
}

export function classesOf(outputs: number): number {
  return outputs === 1 ? 2 : outputs;
}

/**
 * softmax(h) into `out` from `at` on, shifted by the largest logit; for one logit σ(−h) and σ(h),
 * each by itself because 1 − σ(h) is 0 from h = 37 on.
 */
export function writeProbabilities(
  logits: ArrayLike<number>,
  start: number,
  outputs: number,
  out: Float64Array,
  at: number,
): void {
  if (outputs === 1) {
    out[at] = sigmoid(-logits[start]);
    out[at + 1] = sigmoid(logits[start]);
    return;
  }
  const largest = logits[start + predictedClass(logits, start, outputs)];
  let sum = 0;
  for (let j = 0; j < outputs; j++) {
    out[at + j] = Math.exp(logits[start + j] - largest);
    sum += out[at + j];
  }
  for (let j = 0; j < outputs; j++) out[at + j] /= sum;
}
