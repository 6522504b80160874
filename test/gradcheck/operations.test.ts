import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, parseExpression } from '../../src/gradcheck/expression.js';
import { plainText, writeFormula } from '../../src/gradcheck/notation.js';
import { numericGradient, relativeError } from '../../src/gradcheck/numeric.js';
import type { Operation } from '../../src/gradcheck/operations.js';
import * as operations from '../../src/gradcheck/operations.js';
import functions from '../fixtures/mpmath/functions.json' with { type: 'json' };

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
  [operations.abs, [anywhere]],
  [operations.max, [anywhere, anywhere]],
  [operations.min, [anywhere, anywhere]],
  [operations.sin, [anywhere]],
  [operations.cos, [anywhere]],
  [operations.softplus, [anywhere]],
  [operations.gelu, [anywhere]],
  [operations.silu, [anywhere]],
  [operations.normalCdfOperation, [anywhere]],
  [operations.normalPdfOperation, [anywhere]],
  [operations.power(3), [anywhere]],
  [operations.power(1), [anywhere]],
  [operations.power(0), [anywhere]],
  [operations.power(0.5), [positive]],
  [operations.power(-2), [positive]],
  [operations.power(1.7), [positive]],
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

  it('lists a case for every function', () => {
    const tested = cases.map(([{ name }]) => name);
    for (const name of operations.FUNCTIONS.keys()) expect(tested).toContain(name);
  });

  it.each(cases.filter(([{ formulas }]) => formulas !== undefined))(
    '$name has formulas with the values of its derivatives',
    (operation, operands) => {
      const { formulas = [] } = operation;
      const expressions = formulas.map((formula) => parseExpression(formula, () => formula));
      fc.assert(
        fc.property(fc.tuple(...operands), ([a, b]) => {
          const y = operation.value([a, b]);
          const names: Record<string, number> = { a, b, y };
          const values = expressions.map((expression) => evaluate(expression, (name) => names[name]));
          const expected = operation.derivatives([a, b], y);
          values.forEach((value, k) => {
            expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(expected[k])));
          });
        }),
        { numRuns: 50 },
      );
    },
  );

  it.each(['gelu', 'silu', 'softplus', 'tanh', 'sigmoid'])('%s has the values of mpmath', (name) => {
    const { x, y, derivative } = functions.find(({ activation }) => activation.type === name) ?? functions[0];
    const { value, derivatives } = operations.FUNCTIONS.get(name)?.operation ?? operations.identity;
    const near = x.map((_, i) => i).filter((i) => Math.abs(x[i]) <= 5);
    const tolerance = { relative: 1e-13, absolute: 1e-15 };
    expect(near.map((i) => value([x[i]]))).toBeAllclose(
      near.map((i) => y[i]),
      tolerance,
    );
    expect(near.map((i) => derivatives([x[i]], value([x[i]]))[0])).toBeAllclose(
      near.map((i) => derivative[i]),
      tolerance,
    );
  });

  it.each<[Operation, number[], number, number[]]>([
    [operations.sin, [Math.PI / 6], 0.5, [Math.sqrt(3) / 2]],
    [operations.cos, [Math.PI / 6], Math.sqrt(3) / 2, [-0.5]],
    [operations.power(3), [-2], -8, [12]],
    [operations.power(-1), [4], 0.25, [-1 / 16]],
    [operations.power(0.5), [9], 3, [1 / 6]],
    [operations.power(0), [0], 1, [0]],
    [operations.power(1), [0], 0, [1]],
    [operations.abs, [-3], 3, [-1]],
    [operations.min, [2, 5], 2, [1, 0]],
    [operations.min, [5, 2], 2, [0, 1]],
    [operations.normalPdfOperation, [0], 1 / Math.sqrt(2 * Math.PI), [0]],
    [operations.normalCdfOperation, [0], 0.5, [1 / Math.sqrt(2 * Math.PI)]],
  ])('$name has the values found by hand', (operation, x, y, derivatives) => {
    expect([operation.value(x)]).toBeAllclose([y], { relative: 1e-15 });
    expect(operation.derivatives(x, operation.value(x))).toBeAllclose(derivatives, { relative: 1e-15 });
  });

  it('takes the subgradients that PyTorch takes', () => {
    expect(operations.relu.derivatives([0], 0)).toEqual([0]);
    expect(operations.leakyRelu(0.01).derivatives([0], 0)).toEqual([0.01]);
    expect(operations.max.derivatives([2, 2], 2)).toEqual([0.5, 0.5]);
    expect(operations.min.derivatives([2, 2], 2)).toEqual([0.5, 0.5]);
    expect(operations.abs.derivatives([0], 0)).toEqual([0]);
  });

  it('computes the sigmoid of large arguments without overflow', () => {
    expect(operations.sigmoid.value([1000])).toBe(1);
    expect(operations.sigmoid.value([-1000])).toBe(0);
    expect(operations.sigmoid.value([-700])).toBeCloseTo(9.86e-305, 307);
  });

  it.each<[Operation, string[]]>([
    [operations.multiply, ['b', 'a']],
    [operations.divide, ['1/b', '-a/b²']],
    [operations.tanh, ['1 - y²']],
    [operations.sigmoid, ['y·(1 - y)']],
    [operations.exp, ['y']],
    [operations.log, ['1/a']],
    [operations.sqrt, ['1/(2·y)']],
    [operations.square, ['2·a']],
    [operations.sin, ['cos(a)']],
    [operations.cos, ['-sin(a)']],
    [operations.softplus, ['sigmoid(a)']],
    [operations.gelu, ['normal_cdf(a) + a·normal_pdf(a)']],
    [operations.silu, ['sigmoid(a)·(1 + a·(1 - sigmoid(a)))']],
    [operations.power(2), ['2·a']],
    [operations.power(3), ['3·a²']],
    [operations.power(0.5), ['0.5/a^0.5']],
    [operations.power(-1), ['-1/a²']],
    [operations.power(2.5), ['2.5·a^1.5']],
    [operations.power(12), ['12·a^11']],
  ])('$name writes its derivatives as formulas', (operation, expected) => {
    const names = { a: 'a', b: 'b', y: 'y' };
    expect(operation.formulas?.map((formula) => writeFormula(formula, names, plainText))).toEqual(expected);
  });
});
