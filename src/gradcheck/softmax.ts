/**
 * The derivatives of softmax and cross-entropy, for any number of classes:
 *
 *     P_j = exp(h_j) / Σ_k exp(h_k)      ∂P_j/∂h_i = P_i·(1 − P_i)  for j = i
 *     L = −Σ_j y_j·log P_j                         = −P_i·P_j       for j ≠ i      and so  ∂L/∂h_i = P_i − y_i
 *
 * Manual: these closed forms. Analytic: backpropagation through exp, +, / and log. Numeric: differences
 * of P and L by their definitions. The three share only the logits.
 */
import { type Check, checkOf, checkParameter, GRADIENT_TOLERANCE } from './check.js';
import { backward, forward } from './graph.js';
import { readGraph } from './graphFile.js';
import { numericGradient } from './numeric.js';

export const CLASS_COUNTS = [2, 3, 4, 5, 6, 7, 8, 9, 10];

export function checkSoftmax(): Check[] {
  return CLASS_COUNTS.map(checkClasses);
}

/** A small example of the formulas, with its numbers. */
export function softmaxExample() {
  const logits = [1, 2, 0.5];
  const label = 1;
  const targets = logits.map((_, k) => (k === label ? 1 : 0));
  return { logits, targets, loss: lossOf(logits, label), ...closedForms(softmax(logits), targets) };
}

/** The derivatives in the probabilities P and the targets y. */
function closedForms(probabilities: readonly number[], targets: readonly number[]) {
  return {
    probabilities,
    /** ∂P_j/∂h_i */
    jacobian: (j: number, i: number): number =>
      i === j ? probabilities[i] * (1 - probabilities[i]) : -probabilities[i] * probabilities[j],
    /** ∂L/∂h */
    gradient: probabilities.map((p, i) => p - targets[i]),
  };
}

/** Checks all entries of the Jacobian of P, "dPj/dhi", and all ∂L/∂h_i, "dL/dhi", from 1. */
function checkClasses(classes: number): Check {
  const numbers = Array.from({ length: classes }, (_, k) => k + 1);
  const logits = numbers.map((k) => 3 * Math.sin(k + classes));
  const label = Math.ceil(classes / 2);
  const targets = numbers.map((k) => (k === label ? 1 : 0));

  const { jacobian, gradient } = closedForms(softmax(logits), targets);

  const { graph } = readGraph(
    {
      inputs: Object.fromEntries(numbers.map((k, i) => [`h${k}`, logits[i]])),
      nodes: {
        ...Object.fromEntries(numbers.map((k) => [`e${k}`, `exp(h${k})`])),
        sum: numbers.map((k) => `e${k}`).join(' + '),
        ...Object.fromEntries(numbers.map((k) => [`P${k}`, `e${k} / sum`])),
        L: `-(${numbers.map((k, i) => `${targets[i]} * log(P${k})`).join(' + ')})`,
      },
      output: 'L',
    },
    'softmax',
  );
  const values = forward(graph, logits);
  const node = (name: string): number => graph.nodes.findIndex((candidate) => candidate.name === name);

  const check = (
    output: string,
    manual: (i: number) => number,
    definition: (h: ArrayLike<number>) => number,
  ) => {
    const analytic = backward(graph, values, node(output));
    const numeric = numericGradient((h) => ({ value: definition(h) }), logits);
    return numbers.map((k, i) =>
      checkParameter(`d${output}/dh${k}`, analytic[i], numeric[i], {
        value: manual(i),
        tolerance: GRADIENT_TOLERANCE,
      }),
    );
  };
  return checkOf(`softmax and cross-entropy, ${classes} classes`, [
    ...numbers.flatMap((k, j) =>
      check(
        `P${k}`,
        (i) => jacobian(j, i),
        (h) => softmax(h)[j],
      ),
    ),
    ...check(
      'L',
      (i) => gradient[i],
      (h) => lossOf(h, label - 1),
    ),
  ]);
}

/** By the definition, without the shift that large logits would need. */
function softmax(logits: ArrayLike<number>): number[] {
  const exponentials = Array.from(logits, Math.exp);
  const sum = exponentials.reduce((total, e) => total + e, 0);
  return exponentials.map((e) => e / sum);
}

/** The cross-entropy of one right class. */
function lossOf(logits: ArrayLike<number>, label: number): number {
  return -Math.log(softmax(logits)[label]);
}
