import { describe, expect, it } from 'vitest';
import { CLASS_COUNTS, checkSoftmax } from '../../src/gradcheck/softmax.js';

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
