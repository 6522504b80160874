/**
 * Formulas and names of a graph as LaTeX, for math mode; amsmath is enough. Names hold letters, digits and
 * underscores alone, so nothing in them can become a command.
 */
import { formatNumber } from '../text.js';
import { IDENTIFIER, parseExpression } from './expression.js';
import { type Notation, type Part, Precedence, precedenceOf, writeExpression } from './notation.js';
import type { Operation } from './operations.js';

const GREEK: Readonly<Record<string, string>> = {
  α: 'alpha',
  β: 'beta',
  γ: 'gamma',
  δ: 'delta',
  ε: 'varepsilon',
  ζ: 'zeta',
  η: 'eta',
  θ: 'theta',
  ι: 'iota',
  κ: 'kappa',
  λ: 'lambda',
  μ: 'mu',
  ν: 'nu',
  ξ: 'xi',
  π: 'pi',
  ρ: 'rho',
  σ: 'sigma',
  τ: 'tau',
  υ: 'upsilon',
  φ: 'varphi',
  χ: 'chi',
  ψ: 'psi',
  ω: 'omega',
  Γ: 'Gamma',
  Δ: 'Delta',
  Θ: 'Theta',
  Λ: 'Lambda',
  Ξ: 'Xi',
  Π: 'Pi',
  Σ: 'Sigma',
  Φ: 'Phi',
  Ψ: 'Psi',
  Ω: 'Omega',
};

/** `epsilon` is written as the letter ε is. */
const GREEK_WORDS = new Map([
  ...Object.values(GREEK).map((word) => [word, word] as const),
  ['epsilon', 'varepsilon'] as const,
  ['phi', 'varphi'] as const,
]);

/** Functions that have a command or a sign of their own; the others stand as upright words. */
const FUNCTIONS: Readonly<Record<string, (operands: readonly string[]) => string>> = {
  exp: call('\\exp'),
  log: call('\\log'),
  tanh: call('\\tanh'),
  sin: call('\\sin'),
  cos: call('\\cos'),
  max: call('\\max'),
  min: call('\\min'),
  sqrt: ([a]) => `\\sqrt{${a}}`,
  abs: ([a]) => `\\left|${a}\\right|`,
  normal_cdf: call('\\Phi'),
  normal_pdf: call('\\varphi'),
};

export const latex: Notation = {
  node: (name, expression) => {
    if (IDENTIFIER.test(name)) return latexName(name);
    return name === expression ? latexExpression(name) : latexNumbered(name);
  },
  expression: latexExpression,
  number: latexNumber,
  asFactor: (formula) => (isFactor(formula) ? formula : `\\left(${formula}\\right)`),
  operation,
};

/** `x0` → `x_{0}`, `w_out1` → `w_{\mathit{out}1}`, `theta` and `θ` → `\theta`, `loss` → `\mathit{loss}`. */
export function latexName(name: string): string {
  const [, letters = '', digits = '', rest = ''] = /^(\p{L}*)(\p{N}*)(.*)$/u.exec(name) ?? [];
  const subscripts = [digits, ...rest.split('_')].filter((part) => part !== '');
  const base = letters === '' ? '\\_' : wordOf(letters);
  if (subscripts.length === 0) return base;
  const parts = subscripts.map((part) => part.replace(/\p{L}+|[^\d\p{L}]+/gu, wordOf));
  return `${base}_{${parts.join(',')}}`;
}

function wordOf(letters: string): string {
  const greek = GREEK[letters] ?? GREEK_WORDS.get(letters);
  if (greek !== undefined) return `\\${greek}`;
  if (/^[A-Za-z]$/.test(letters)) return letters;
  if (/^[A-Za-z]+$/.test(letters)) return `\\mathit{${letters}}`;
  const parts = [...letters].map((letter) => (GREEK[letter] ? `$\\${GREEK[letter]}$` : letter));
  return `\\text{${parts.join('')}}`;
}

/** `L.2`, the second operation inside of L: the name, with the number above it. */
function latexNumbered(name: string): string {
  const at = name.lastIndexOf('.');
  return `${latexName(name.slice(0, at))}^{(${name.slice(at + 1)})}`;
}

/** `2.5e-7` → `2.5 \cdot 10^{-7}` */
function latexNumber(value: number): string {
  return formatNumber(value).replace(/e([+-]?)(\d+)$/, (_, sign, exponent) => {
    return ` \\cdot 10^{${sign === '-' ? '-' : ''}${exponent}}`;
  });
}

function latexExpression(text: string): string {
  return writeExpression(
    parseExpression(text, () => text),
    latex,
    latexName,
  );
}

function operation(op: Operation, operands: readonly Part[]): string {
  const [a, b] = operands;
  const own = precedenceOf(op, operands.length);
  const within = ({ text, precedence }: Part, least: Precedence) =>
    precedence < least ? `\\left(${text}\\right)` : text;
  if (own === Precedence.sign) return `-${within(a, own)}`;
  if (own === Precedence.sum) return `${within(a, own)} ${op.name} ${within(b, Precedence.product)}`;
  if (op.name === '/') return `\\frac{${a.text}}{${b.text}}`;
  if (op.name === '*') return `${within(a, own)} \\cdot ${within(b, Precedence.power)}`;
  if (op.name === '^') return powerOf(a, latexNumber(op.parameter ?? Number.NaN));
  if (op.name === 'square') return powerOf(a, '2');
  const texts = operands.map(({ text }) => text);
  const known = Object.hasOwn(FUNCTIONS, op.name) ? FUNCTIONS[op.name] : undefined;
  if (known) return known(texts);
  const slope = op.parameter === undefined ? '' : `_{${latexNumber(op.parameter)}}`;
  return call(`\\operatorname{${op.name.replace(/_/g, '\\_')}}${slope}`)(texts);
}

function powerOf({ text }: Part, exponent: string): string {
  const isPlain = /^[\w\\{},.]+$/.test(text) && !/\\(?:frac|sqrt)/.test(text);
  return `${isPlain ? text : `\\left(${text}\\right)`}^{${exponent}}`;
}

function call(command: string): (operands: readonly string[]) => string {
  return (operands) => `${command}\\left(${operands.join(', ')}\\right)`;
}

/** Whether no sign and no product stand outside of braces and brackets. */
function isFactor(formula: string): boolean {
  let depth = 0;
  for (const [token] of formula.matchAll(/\\left|\\right|\\cdot|[-+{}]/g)) {
    if (token === '{' || token === '\\left') depth++;
    else if (token === '}' || token === '\\right') depth--;
    else if (depth === 0) return false;
  }
  return true;
}
