import { describe, expect, it } from 'vitest';
import { CLASS_COUNTS, checkSoftmax, softmaxExample } from '../../src/gradcheck/softmax.js';

describe('checkSoftmax', () => {
  const checks = checkSoftmax();

  it('covers 2 to 10 classes', () => {
    expect(checks.map(({ name }) => name)).toEqual(
      [2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `softmax and cross-entropy, ${n} classes`),
    );
  });

  it.each(checks.map((check, i) => [CLASS_COUNTS[i], check] as const))(
    'agrees in all three ways for %d classes',
    (classes, check) => {
      expect(check.passed).toBe(true);
      expect(check.maxRelativeError).toBeLessThan(1e-7);
      expect(check.parameters).toHaveLength(classes * classes + classes);
      for (const { manual, analytic } of check.parameters) {
        expect(manual).toBeDefined();
        expect([manual ?? Number.NaN]).toBeAllclose([analytic], { relative: 1e-13, absolute: 1e-16 });
      }
    },
  );

  it('has P·(1 − P) on the diagonal and −P·P beside it', () => {
    // Two classes: P = sigmoid(h1 − h2), and the four entries are ±P·(1 − P).
    const p = 1 / (1 + Math.exp(3 * Math.sin(4) - 3 * Math.sin(3)));
    const entry = (name: string) =>
      checks[0].parameters.find((parameter) => parameter.name === name)?.analytic;
    expect(entry('dP1/dh1')).toBeCloseTo(p * (1 - p), 14);
    expect(entry('dP1/dh2')).toBeCloseTo(-p * (1 - p), 14);
    expect(entry('dP2/dh1')).toBeCloseTo(-p * (1 - p), 14);
    expect(entry('dP2/dh2')).toBeCloseTo(p * (1 - p), 14);
    expect(entry('dL/dh1')).toBeCloseTo(p - 1, 14);
    expect(entry('dL/dh2')).toBeCloseTo(1 - p, 14);
  });
});

describe('softmaxExample', () => {
  it('has the numbers of the definitions, and columns of the Jacobian that sum to 0', () => {
    const { probabilities, loss, jacobian, gradient } = softmaxExample();
    const sum = Math.E + Math.E ** 2 + Math.E ** 0.5;
    expect(probabilities).toBeAllclose([Math.E / sum, Math.E ** 2 / sum, Math.E ** 0.5 / sum], {
      relative: 1e-14,
    });
    expect(loss).toBeCloseTo(Math.log(sum) - 2, 14);
    for (const i of [0, 1, 2]) {
      expect(jacobian(0, i) + jacobian(1, i) + jacobian(2, i)).toBeCloseTo(0, 15);
      // ∂L/∂h_i = −1/P_1 · ∂P_1/∂h_i for the right class 1
      expect(gradient[i]).toBeCloseTo(-jacobian(1, i) / probabilities[1], 14);
    }
  });
});
