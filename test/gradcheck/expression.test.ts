import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { type Expression, parseExpression } from '../../src/gradcheck/expression.js';
import { FUNCTIONS } from '../../src/gradcheck/operations.js';

function parse(source: string): Expression {
  return parseExpression(source, () => 'g.json: nodes.n');
}

/** The tree in prefix form: (+ x (* 2 y)). */
function show(expression: Expression): string {
  if (expression.kind !== 'operation') return expression.text;
  return `(${[expression.operation.name, ...expression.operands.map(show)].join(' ')})`;
}

function errorOf(source: string): MlpError {
  try {
    parse(source);
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
  throw new Error(`${source} was accepted`);
}

describe('parseExpression', () => {
  it.each([
    ['a + b * c', '(+ a (* b c))'],
    ['a * b + c', '(+ (* a b) c)'],
    ['a - b - c', '(- (- a b) c)'],
    ['a / b / c', '(/ (/ a b) c)'],
    ['a - (b - c)', '(- a (- b c))'],
    ['a / b * c + d', '(+ (* (/ a b) c) d)'],
    ['-a * b', '(* (- a) b)'],
    ['a * -b', '(* a (- b))'],
    ['a - -2', '(- a -2)'],
    ['--a', '(- (- a))'],
    ['relu(a * b + c)', '(relu (+ (* a b) c))'],
    ['max(a, max(b, 0))', '(max a (max b 0))'],
    ['((a))', 'a'],
    ['.5 + 1. + 2.5e-3', '(+ (+ .5 1.) 2.5e-3)'],
    ['  a+b\t', '(+ a b)'],
    ['θ * x_1', '(* θ x_1)'],
    ['a * x^2', '(* a (^ x))'],
    ['-x^2', '(- (^ x))'],
    ['(a + b)^-2', '(^ (+ a b))'],
    ['min(abs(a), sin(b))', '(min (abs a) (sin b))'],
  ])('reads %s', (source, expected) => {
    expect(show(parse(source))).toBe(expected);
  });

  it('takes every function', () => {
    for (const [name, { arity }] of FUNCTIONS) {
      const operands = ['x', 'y'].slice(0, arity);
      expect(show(parse(`${name}(${operands.join(', ')})`))).toBe(`(${name} ${operands.join(' ')})`);
    }
  });

  it.each([
    ['x^2', 2],
    ['x^-1', -1],
    ['x ^ (1/2)', 0.5],
    ['x^2^3', 8],
    ['x^-(2 + 1)', -3],
  ])('takes the exponent of %s as the constant %d', (source, exponent) => {
    expect(parse(source)).toMatchObject({ operation: { name: '^', parameter: exponent } });
  });

  it('keeps the text of sub-expressions, parentheses of their own left out, on one line', () => {
    const product = parse('(a + b) *\nrelu( c )');
    expect(product.text).toBe('(a + b) * relu( c )');
    expect(product.kind === 'operation' && product.operands.map(({ text }) => text)).toEqual([
      'a + b',
      'relu( c )',
    ]);
  });

  it('takes the slope of leaky_relu as a number, 0.01 where there is none', () => {
    const valueAt = (source: string, x: number) => {
      const expression = parse(source);
      return expression.kind === 'operation' ? expression.operation.value([x]) : Number.NaN;
    };
    expect(valueAt('leaky_relu(x)', -2)).toBe(-0.02);
    expect(valueAt('leaky_relu(x, 0.2)', -2)).toBe(-0.4);
    expect(valueAt('leaky_relu(x, 0.2)', 3)).toBe(3);
  });

  it('lets a node be called like a function', () => {
    expect(show(parse('relu * relu(max)'))).toBe('(* relu (relu max))');
  });

  it.each([
    ['', 'column 1: found the end, expected a number, a name or "("'],
    ['a +', 'column 4: found the end, expected a number, a name or "("'],
    ['a b', 'column 3: found "b", expected an operator or the end'],
    ['2x', 'column 2: found "x", expected an operator or the end'],
    ['1.2.3', 'column 4: found ".3", expected an operator or the end'],
    ['(a + b', 'column 7: found the end, expected an operator or ")"'],
    ['a + b)', 'column 6: found ")", expected an operator or the end'],
    ['a + * b', 'column 5: found "*", expected a number, a name or "("'],
    ['relu()', 'column 6: found ")", expected a number, a name or "("'],
    ['relu(a', 'column 7: found the end, expected an operator, "," or ")"'],
    ['1e999', 'column 1: found "1e999", expected a number that float64 can hold'],
    ['a $ b', 'column 3: found "$", expected a number, a name, an operator or a parenthesis'],
    ['𝑥 + 𝑦 $', 'column 7: found "$", expected a number, a name, an operator or a parenthesis'],
    ['a + relu(b, c)', 'column 5: relu: found 2 arguments, expected 1'],
    ['max(a)', 'column 1: max: found 1 argument, expected 2'],
    ['a^b', 'column 3: found the exponent "b", expected a constant'],
    ['2^(a + 1)', 'column 3: found the exponent "a + 1", expected a constant'],
    ['a^(1/0)', 'column 3: found an exponent of Infinity, expected a finite constant'],
    ['a ** 2', 'column 4: found "*", expected a number, a name or "("'],
    ['a^', 'column 3: found the end, expected a number, a name or "("'],
    ['leaky_relu(a, b)', 'column 1: leaky_relu: found the slope "b", expected a plain number'],
  ])('refuses %j and says where', (source, message) => {
    const error = errorOf(source);
    expect(error.message).toBe(`g.json: nodes.n: ${message}`);
    expect(error.exitCode).toBe(ExitCode.config);
  });

  it('names the nearest function', () => {
    const error = errorOf('x + rellu(y)');
    expect(error.message).toContain(
      'column 5: unknown function "rellu"; expected one of relu, leaky_relu, tanh',
    );
    expect(error.hint).toBe('did you mean "relu"?');
  });

  it('refuses the names of what every object has as functions', () => {
    expect(errorOf('toString(x)').message).toContain('unknown function "toString"');
    expect(errorOf('__proto__(x)').message).toContain('unknown function "__proto__"');
  });

  it('says how a power and a product sign from a text are written', () => {
    expect(errorOf('x ** 2').hint).toBe('write ^ for a power');
    expect(errorOf('(x + 1)²').hint).toBe('write ^2 for a square');
    expect(errorOf('a^x').hint).toContain('exp(x * log(a))');
    expect(errorOf('x · y').hint).toBe('write * for a product');
  });

  it('writes a control character as its code', () => {
    expect(errorOf('a \u001b b').message).toContain('column 3: found "\\u001b"');
  });

  it('goes 64 levels deep and no deeper', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}x${')'.repeat(depth)}`;
    expect(parse(nested(64)).text).toBe('x');
    expect(errorOf(nested(65)).message).toContain('column 66: found more than 64 levels of nesting');
    expect(errorOf(`${'-'.repeat(65)}x`).message).toContain('more than 64 levels');
    expect(errorOf(`${'relu('.repeat(65)}x`).message).toContain('more than 64 levels');
    expect(errorOf(`x${'^2'.repeat(65)}`).message).toContain('more than 64 levels');
  });

  it('takes a sum of many terms, which nests nothing', () => {
    const sum = parse(Array(1000).fill('x').join(' + '));
    expect(sum.kind).toBe('operation');
  });

  it('refuses an expression of more than 4096 characters', () => {
    expect(errorOf(Array(3000).fill('x').join('+')).message).toContain(
      '5999 characters, expected at most 4096',
    );
  });
});
