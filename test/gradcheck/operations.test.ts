import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numericGradient, relativeError } from '../../src/gradcheck/numeric.js';
import type { Operation } from '../../src/gradcheck/operations.js';
import * as operations from '../../src/gradcheck/operations.js';

/** Doubles from low to high on a grid: fine enough to be anywhere, coarse enough to avoid kinks. */
function grid(low: number, high: number) {
  return fc.integer({ min: 0, max: 10_000 }).map((i) => low + ((high - low) * (i + 0.5)) / 10_001);
}

const anywhere = grid(-3, 3);
const positive = grid(0.1, 5);

const cases: [Operation, ReturnType<typeof grid>[]][] = [
  [operations.identity, [anywhere]],
  [operations.add, [anywhere, anywhere]],
  [operations.subtract, [anywhere, anywhere]],
  [operations.negate, [anywhere]],
  [operations.multiply, [anywhere, anywhere]],
  [operations.divide, [anywhere, positive]],
  [operations.relu, [anywhere]],
  [operations.leakyRelu(0.2), [anywhere]],
  [operations.tanh, [anywhere]],
  [operations.sigmoid, [anywhere]],
  [operations.exp, [anywhere]],
  [operations.log, [positive]],
  [operations.sqrt, [positive]],
  [operations.square, [anywhere]],
  [operations.max, [anywhere, anywhere]],
];

describe('operations', () => {
  it.each(cases)('$name has the derivatives that differences have', (operation, operands) => {
    fc.assert(
      fc.property(fc.tuple(...operands), (x) => {
        const sample = (point: ArrayLike<number>) => {
          const values = Array.from(point);
          const sides = operation.side ? [Math.sign(operation.side(values))] : [];
          return { value: operation.value(values), sides };
        };
        const analytic = operation.derivatives(x, operation.value(x));
        numericGradient(sample, x).forEach(({ value, kink }, k) => {
          if (!kink) expect(relativeError(analytic[k], value)).toBeLessThan(1e-9);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('takes the subgradients that PyTorch takes', () => {
    expect(operations.relu.derivatives([0], 0)).toEqual([0]);
    expect(operations.leakyRelu(0.01).derivatives([0], 0)).toEqual([0.01]);
    expect(operations.max.derivatives([2, 2], 2)).toEqual([0.5, 0.5]);
  });

  it('computes the sigmoid of large arguments without overflow', () => {
    expect(operations.sigmoid.value([1000])).toBe(1);
    expect(operations.sigmoid.value([-1000])).toBe(0);
    expect(operations.sigmoid.value([-700])).toBeCloseTo(9.86e-305, 307);
  });

  it.each<[Operation, string[], string, string[]]>([
    [operations.multiply, ['a', 'b'], 'y', ['b', 'a']],
    [operations.divide, ['a', 'b'], 'y', ['1/b', '-a/b²']],
    [operations.tanh, ['a'], 'y', ['1 - y²']],
    [operations.sigmoid, ['a'], 'y', ['y·(1 - y)']],
    [operations.exp, ['a'], 'y', ['y']],
    [operations.log, ['a'], 'y', ['1/a']],
    [operations.sqrt, ['a'], 'y', ['1/(2·y)']],
    [operations.square, ['a'], 'y', ['2·a']],
  ])('$name writes its derivatives in symbols', (operation, operands, result, symbols) => {
    expect(operation.symbols?.(operands, result)).toEqual(symbols);
  });
});
