/** How formulas and names are written: as text here, as LaTeX in latex.ts. */
import { formatNumber } from '../text.js';
import { type Expression, parseExpression } from './expression.js';
import type { Operation } from './operations.js';

/** Each function gives a whole formula, which `asFactor` makes fit for a product. */
export interface Notation {
  /** A node, by its name; `expression` is what it is computed from. */
  node(name: string, expression?: string): string;
  /** An expression of the file, as it is read. */
  expression(text: string): string;
  number(value: number): string;
  asFactor(formula: string): string;
  /** An operation of parts that are written already. */
  operation(operation: Operation, operands: readonly Part[]): string;
}

/** A part of a formula, and how tightly it holds together. */
export interface Part {
  readonly text: string;
  readonly precedence: Precedence;
}

export const Precedence = { sum: 1, product: 2, sign: 3, power: 4, atom: 5 } as const;
export type Precedence = (typeof Precedence)[keyof typeof Precedence];

/** By the name of the operator and how many operands it has. */
export function precedenceOf({ name }: Operation, operands: number): Precedence {
  if (name === '-' && operands === 1) return Precedence.sign;
  if (name === '+' || name === '-') return Precedence.sum;
  if (name === '*' || name === '/') return Precedence.product;
  return name === '^' ? Precedence.power : Precedence.atom;
}

/** Writes an expression whose names are written by `nameOf`. */
export function writeExpression(
  expression: Expression,
  notation: Notation,
  nameOf: (name: string) => string,
): string {
  return partOf(expression, notation, nameOf).text;
}

function partOf(expression: Expression, notation: Notation, nameOf: (name: string) => string): Part {
  if (expression.kind === 'name') {
    return { text: nameOf(expression.name), precedence: Precedence.atom };
  }
  if (expression.kind === 'number') {
    const { value } = expression;
    const precedence = value < 0 || Object.is(value, -0) ? Precedence.sign : Precedence.atom;
    return { text: notation.number(value), precedence };
  }
  const { operation } = expression;
  const operands = expression.operands.map((operand) => partOf(operand, notation, nameOf));
  const precedence = precedenceOf(operation, operands.length);
  return { text: notation.operation(operation, operands), precedence };
}

const FORMULAS = new Map<string, Expression>();

/** A derivative of an operation, in the names of its operands and result, as factors. */
export function writeFormula(
  formula: string,
  names: Readonly<Record<string, string>>,
  notation: Notation,
): string {
  const expression = FORMULAS.get(formula) ?? parseExpression(formula, () => formula);
  FORMULAS.set(formula, expression);
  return writeExpression(expression, notation, (name) => names[name]);
}

const SUPERSCRIPTS = ['', '', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/** For a terminal: `-a/b²`, `y·(1 - y)`. */
export const plainText: Notation = {
  node: (name) => name,
  expression: (text) => text,
  number: formatNumber,
  asFactor: factor,
  operation: (operation, operands) => {
    const { name, parameter } = operation;
    const [a, b] = operands;
    const own = precedenceOf(operation, operands.length);
    const within = ({ text, precedence }: Part, least: Precedence) =>
      precedence < least ? `(${text})` : text;
    if (own === Precedence.sign) return `-${within(a, own)}`;
    if (own === Precedence.sum) return `${within(a, own)} ${name} ${within(b, Precedence.product)}`;
    if (own === Precedence.product) {
      return `${within(a, own)}${name === '*' ? '·' : '/'}${within(b, Precedence.power)}`;
    }
    if (own === Precedence.power) {
      const exponent = formatNumber(parameter ?? Number.NaN);
      const base = within(a, Precedence.atom);
      return base + (SUPERSCRIPTS[Number(exponent)] || `^${factor(exponent)}`);
    }
    return `${name}(${operands.map(({ text }) => text).join(', ')})`;
  },
};

/** `text` as a factor: in parentheses unless it is a name, a plain number or a call. */
export function factor(text: string): string {
  let outside = text;
  for (let before = ''; before !== outside; ) {
    before = outside;
    outside = before.replace(/\([^()]*\)/g, '');
  }
  return /^[\p{L}\p{N}_.]*$/u.test(outside) ? text : `(${text})`;
}
