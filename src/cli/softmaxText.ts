/** Softmax with cross-entropy, derived in words and on one small example. */
import { softmaxExample } from '../gradcheck/softmax.js';
import type { Style } from '../report/style.js';
import { formatMetric } from '../text.js';

/** At most 80 columns wide. */
export function explainSoftmax(style: Style): string {
  const { logits, targets, probabilities, loss, jacobian, gradient } = softmaxExample();
  const [p1, p2] = probabilities.map((p) => formatMetric(p));
  const list = (numbers: readonly number[], format: (x: number) => string = formatMetric) =>
    `(${numbers.map((x) => format(x)).join(', ')})`;
  return [
    style.bold('softmax with cross-entropy'),
    '',
    style.dim('the scores h become probabilities P; the loss L is that of the right class'),
    '  P_j = exp(h_j) / S,  S = Σ_k exp(h_k)        L = -Σ_j y_j·log P_j',
    `  h = ${list(logits, String)}, the second class is right: y = ${list(targets, String)}`,
    `  P = ${list(probabilities)}, L = -log ${p2} = ${formatMetric(loss)}`,
    '',
    style.dim('∂P_j/∂h_i, by the quotient rule; every h_i is in S, with ∂S/∂h_i = exp(h_i)'),
    '  j = i, the numerator depends on h_i too:',
    '    ∂P_i/∂h_i = (exp(h_i)·S - exp(h_i)·exp(h_i)) / S² = P_i·(1 - P_i)',
    `    ∂P_1/∂h_1 = ${p1}·(1 - ${p1}) = ${formatMetric(jacobian(0, 0))}`,
    '  j ≠ i, only the sum does:',
    '    ∂P_j/∂h_i = (0·S - exp(h_j)·exp(h_i)) / S² = -P_i·P_j',
    `    ∂P_2/∂h_1 = -${p1}·${p2} = ${formatMetric(jacobian(1, 0))}`,
    '',
    style.dim('∂L/∂h_i, by the chain rule over every P_j, with ∂L/∂P_j = -y_j/P_j'),
    '  ∂L/∂h_i = -y_i·(1 - P_i) + Σ_{j≠i} y_j·P_i',
    '          = P_i·Σ_j y_j - y_i = P_i - y_i, for Σ_j y_j = 1',
    `  ∂L/∂h   = P - y = ${list(gradient)}`,
    '',
  ].join('\n');
}
