/** How surprised a classifier is by the classes that its rows turn out to have. Natural logarithms. */
import { Sum } from './sum.js';

/**
 * [rows] The cross-entropy −log P(y) of each row, from its logits rather than from P, which may be rounded to 0 or 1.
 *
 * - One output h is the logit of the second of two classes: −log P(y) = log(1 + exp(∓h)).
 * - More are those of a softmax: −log P(y) = log Σ exp(h_k) − h_y.
 *
 * @param labels [rows]
 * @param logits [rows, outputs] row-major, and maybe more behind them
 */
export function crossEntropies(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  outputs: number,
): Float64Array {
  const losses = new Float64Array(labels.length);
  for (let row = 0; row < losses.length; row++) {
    losses[row] =
      outputs === 1
        ? softplus(labels[row] === 1 ? -logits[row] : logits[row])
        : softmaxCrossEntropy(labels[row], logits, row * outputs, outputs);
  }
  return losses;
}

/** log(1 + exp(h)), without overflow. */
function softplus(h: number): number {
  return Math.max(h, 0) + Math.log1p(Math.exp(-Math.abs(h)));
}

/** (h_a − h_y) + log(1 + Σ_{k≠a} exp(h_k − h_a)) with the largest logit h_a: no power is above 1, and small ones are not lost. */
function softmaxCrossEntropy(
  label: number,
  logits: ArrayLike<number>,
  first: number,
  outputs: number,
): number {
  let largest = first;
  for (let k = first + 1; k < first + outputs; k++) if (logits[k] > logits[largest]) largest = k;
  const top = logits[largest];
  let others = 0;
  for (let k = first; k < first + outputs; k++) if (k !== largest) others += Math.exp(logits[k] - top);
  return top - logits[first + label] + Math.log1p(others);
}

/**
 * The mean of rows' losses, each multiplied by its weight, divided by the number of rows whatever the weights add up to:
 * what a network is trained on.
 *
 * @param weights [rows] 1 where there are none
 */
export function weightedMean(losses: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const sum = new Sum();
  for (let row = 0; row < losses.length; row++) sum.add(losses[row] * (weights?.[row] ?? 1));
  return sum.value / losses.length;
}

/**
 * The mean of rows' cross-entropies with every probability clipped to [ε, 1 − ε], ε = 2⁻⁵² being that of float64, as
 * scikit-learn's `log_loss` has it: no row counts more than 36.04, so the mean is finite.
 */
export function logLoss(crossEntropies: ArrayLike<number>): number {
  const sum = new Sum();
  for (let row = 0; row < crossEntropies.length; row++) {
    sum.add(Math.min(Math.max(crossEntropies[row], LEAST), MOST));
  }
  return sum.value / crossEntropies.length;
}

const LEAST = -Math.log(1 - Number.EPSILON);
const MOST = -Math.log(Number.EPSILON);
