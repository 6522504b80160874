/**
 * Expressions of a graph file: `+ - * / ^`, unary minus, numbers, names, parentheses and functions, parsed
 * by precedence climbing into a small tree. The parser does not know which names exist.
 *
 *     expression = unary (("+" | "-" | "*" | "/") unary)*      by precedence, from the left
 *     unary      = "-" unary | power
 *     power      = primary ["^" unary]                         the exponent is a constant
 *     primary    = number | name | name "(" expression ("," expression)* ")" | "(" expression ")"
 */
import { ExitCode, MlpError } from '../errors.js';
import { oneOf, suggest } from '../spec/messages.js';
import { printable } from '../text.js';
import type { Operation } from './operations.js';
import * as operations from './operations.js';

export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'name'; readonly name: string; readonly text: string; readonly column: number }
  | {
      readonly kind: 'operation';
      readonly operation: Operation;
      readonly operands: readonly Expression[];
      /** As written, on one line. */
      readonly text: string;
      /** Where it starts. */
      readonly column: number;
    };

/** A letter or an underscore, then letters, digits and underscores. */
export const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;

const MAX_LENGTH = 4096;
const MAX_DEPTH = 64;

const TOKEN =
  /(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|(?<symbol>[-+*/^(),])/uy;

const BINARY: ReadonlyMap<string, { operation: Operation; precedence: number }> = new Map([
  ['+', { operation: operations.add, precedence: 1 }],
  ['-', { operation: operations.subtract, precedence: 1 }],
  ['*', { operation: operations.multiply, precedence: 2 }],
  ['/', { operation: operations.divide, precedence: 2 }],
]);

/** Hints for signs from paper and other languages. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ['·', 'write * for a product'],
  ['×', 'write * for a product'],
  ['−', 'write the plain minus sign -'],
  ['÷', 'write / for a quotient'],
  ['²', 'write ^2 for a square'],
  ['³', 'write ^3 for a cube'],
]);

interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Counted from 1, as in editors; a character outside the basic plane counts once. */
  readonly column: number;
}

/** @throws MlpError ExitCode.config at the first mistake, as `where`, then the column */
export function parseExpression(source: string, where: () => string): Expression {
  if (source.length > MAX_LENGTH) {
    const message = `found an expression of ${source.length} characters, expected at most ${MAX_LENGTH}`;
    throw new MlpError(ExitCode.config, `${where()}: ${message}`, 'split it into several nodes');
  }
  const fail: Fail = (column, message, hint) => {
    throw new MlpError(ExitCode.config, `${where()}: column ${column}: ${message}`, hint);
  };
  const line = source.replace(/\s/g, ' ');
  return new Parser(line, tokenize(line, fail), fail).parse();
}

type Fail = (column: number, message: string, hint?: string) => never;

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #fail: Fail;
  #next = 0;
  #depth = 0;

  constructor(source: string, tokens: readonly Token[], fail: Fail) {
    this.#source = source;
    this.#tokens = tokens;
    this.#fail = fail;
  }

  parse(): Expression {
    const expression = this.#binary(1);
    if (this.#token.kind !== 'end') this.#unexpected('an operator or the end');
    return expression;
  }

  /** Operators of at least the precedence `lowest`, from the left. */
  #binary(lowest: number): Expression {
    const { start, column } = this.#token;
    let left = this.#unary();
    for (;;) {
      const operator = BINARY.get(this.#token.text);
      if (!operator || operator.precedence < lowest) return left;
      this.#next++;
      if (operator.operation === operations.multiply && this.#token.text === '*') {
        this.#unexpected('a number, a name or "("', 'write ^ for a power');
      }
      const operands = [left, this.#binary(operator.precedence + 1)];
      left = this.#operation(operator.operation, operands, start, column);
    }
  }

  #unary(): Expression {
    const { start, column } = this.#token;
    if (this.#token.text !== '-') return this.#power();
    this.#next++;
    const operand = this.#nested(() => this.#unary());
    if (operand.kind !== 'number') return this.#operation(operations.negate, [operand], start, column);
    return { kind: 'number', value: -operand.value, text: this.#textFrom(start) };
  }

  /** `x^2^3` is x^(2^3), and `-x^2` is −(x²), as on paper. */
  #power(): Expression {
    const { start, column } = this.#token;
    const base = this.#primary();
    if (this.#token.text !== '^') return base;
    this.#next++;
    const place = this.#token.column;
    const exponent = this.#nested(() => this.#unary());
    const value = constantValue(exponent);
    if (value === undefined) {
      const hint = 'write exp(x * log(a)) for a power of a with the exponent x';
      return this.#fail(place, `found the exponent "${exponent.text}", expected a constant`, hint);
    }
    if (!Number.isFinite(value)) {
      this.#fail(place, `found an exponent of ${value}, expected a finite constant`);
    }
    return this.#operation(operations.power(value), [base], start, column);
  }

  #primary(): Expression {
    const { kind, text, start, column } = this.#token;
    if (kind === 'number') {
      const value = Number(text);
      if (!Number.isFinite(value)) this.#unexpected('a number that float64 can hold');
      this.#next++;
      return { kind, value, text };
    }
    if (kind === 'name') {
      this.#next++;
      if (this.#token.text === '(') return this.#call(text, start, column);
      return { kind, name: text, text, column };
    }
    if (text !== '(') this.#unexpected('a number, a name or "("');
    this.#next++;
    const inner = this.#nested(() => this.#binary(1));
    if (this.#token.text !== ')') this.#unexpected('an operator or ")"');
    this.#next++;
    return inner;
  }

  #call(name: string, start: number, column: number): Expression {
    const known = operations.FUNCTIONS.get(name);
    if (!known) {
      const names = [...operations.FUNCTIONS.keys()];
      const message = `unknown function "${name}"; expected ${oneOf(names)}`;
      return this.#fail(column, message, suggest(name, names));
    }
    const operands: Expression[] = [];
    do {
      this.#next++;
      operands.push(this.#nested(() => this.#binary(1)));
    } while (this.#token.text === ',');
    if (this.#token.text !== ')') this.#unexpected('an operator, "," or ")"');
    this.#next++;

    if (known.operation.name === 'leaky_relu' && operands.length === 2) {
      const [operand, slope] = operands;
      if (slope.kind !== 'number') {
        return this.#fail(column, `leaky_relu: found the slope "${slope.text}", expected a plain number`);
      }
      return this.#operation(operations.leakyRelu(slope.value), [operand], start, column);
    }
    if (operands.length !== known.arity) {
      const found = `${operands.length} argument${operands.length === 1 ? '' : 's'}`;
      this.#fail(column, `${name}: found ${found}, expected ${known.arity}`);
    }
    return this.#operation(known.operation, operands, start, column);
  }

  #nested(parse: () => Expression): Expression {
    if (this.#depth === MAX_DEPTH) {
      const message = `found more than ${MAX_DEPTH} levels of nesting, expected no more`;
      this.#fail(this.#token.column, message, 'split the expression into several nodes');
    }
    this.#depth++;
    const expression = parse();
    this.#depth--;
    return expression;
  }

  #operation(
    operation: Operation,
    operands: readonly Expression[],
    start: number,
    column: number,
  ): Expression {
    return { kind: 'operation', operation, operands, text: this.#textFrom(start), column };
  }

  get #token(): Token {
    return this.#tokens[this.#next];
  }

  #textFrom(start: number): string {
    return this.#source.slice(start, this.#tokens[this.#next - 1].end);
  }

  #unexpected(expected: string, hint?: string): never {
    const { kind, text, column } = this.#token;
    return this.#fail(
      column,
      `found ${kind === 'end' ? 'the end' : `"${text}"`}, expected ${expected}`,
      hint,
    );
  }
}

/** The value of an expression without names; undefined for one with names. */
function constantValue(expression: Expression): number | undefined {
  return namesIn(expression).length > 0 ? undefined : evaluate(expression, () => Number.NaN);
}

/** @param check is given each operation with the values of its operands and its own */
export function evaluate(
  expression: Expression,
  lookUp: (name: string) => number,
  check?: (at: Operands, x: readonly number[], y: number) => void,
): number {
  if (expression.kind === 'number') return expression.value;
  if (expression.kind === 'name') return lookUp(expression.name);
  const x = expression.operands.map((operand) => evaluate(operand, lookUp, check));
  const y = expression.operation.value(x);
  check?.(expression, x, y);
  return y;
}

type Operands = Extract<Expression, { kind: 'operation' }>;

/** Every use of a name in an expression, from left to right. */
export function namesIn(expression: Expression): Extract<Expression, { kind: 'name' }>[] {
  if (expression.kind === 'name') return [expression];
  return expression.kind === 'operation' ? expression.operands.flatMap(namesIn) : [];
}

function tokenize(source: string, fail: Fail): Token[] {
  const tokens: Token[] = [];
  let start = 0;
  let column = 1;
  for (;;) {
    const blank = source.length - start - source.slice(start).trimStart().length;
    start += blank;
    column += blank;
    if (start === source.length) break;

    TOKEN.lastIndex = start;
    const { number, name, symbol } = TOKEN.exec(source)?.groups ?? {};
    const text = number ?? name ?? symbol;
    if (text === undefined) {
      const character = String.fromCodePoint(source.codePointAt(start) ?? 0);
      const expected = 'a number, a name, an operator or a parenthesis';
      fail(column, `found "${printable(character)}", expected ${expected}`, FOREIGN.get(character));
    }
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'symbol';
    tokens.push({ kind, text, start, end: start + text.length, column });
    start += text.length;
    column += [...text].length;
  }
  tokens.push({ kind: 'end', text: '', start, end: start, column });
  return tokens;
}
