/**
 * Derivatives that were found by hand, as a graph file gives them: numbers, decimals as text ("-0.333"),
 * fractions and formulas in the graph's names ("1/3", "w1*x0"), and "?" for a value that is still open.
 */
import { ExitCode, MlpError } from '../errors.js';
import { formatNumber } from '../text.js';
import { type Expression, evaluate, namesIn, parseExpression } from './expression.js';
import * as operations from './operations.js';

export interface ManualValue {
  /** NaN while the value is open. */
  readonly value: number;
  /** As the file writes it, if it is no number. */
  readonly text?: string;
  /** For a decimal as text: half a unit of its last digit. */
  readonly rounding?: number;
  /** For a formula in the graph's names. */
  readonly formula?: Expression;
}

/** What stands where a value is still to be found. */
export const OPEN = '?';

const DECIMAL = /^[+-]?(?:\d+(?:\.(?<fraction>\d*))?|\.(?<bare>\d+))(?:e(?<exponent>[+-]?\d+))?$/i;

/**
 * @param where the place of the value
 * @param unknown the error for a name that the graph does not have, at a place
 * @throws MlpError ExitCode.config with the column of a mistake in a formula
 */
export function readManual(
  given: number | string,
  values: ReadonlyMap<string, number>,
  where: () => string,
  unknown: (place: string, name: string) => MlpError,
): ManualValue {
  if (typeof given === 'number') return { value: given };
  const text = given.trim();
  if (text === OPEN) return { value: Number.NaN, text };
  const decimal = DECIMAL.exec(text);
  if (decimal && Number.isFinite(Number(text))) {
    const { fraction, bare, exponent = '0' } = decimal.groups ?? {};
    const digits = (fraction ?? bare ?? '').length - Number(exponent);
    return { value: Number(text), text, rounding: 0.5 * 10 ** -digits };
  }
  const expression = parseExpression(given, where);
  const at = ({ column }: { readonly column: number }) => `${where()}: column ${column}`;
  const names = namesIn(expression);
  for (const used of names) {
    if (!values.has(used.name)) throw unknown(at(used), used.name);
  }
  const value = evaluate(
    expression,
    (name) => values.get(name) as number,
    (operation, x, y) => {
      if (!Number.isFinite(y)) throw notFinite(at(operation), operation, x, y);
    },
  );
  return { value, text, ...(names.length > 0 && { formula: expression }) };
}

/** The error for an operation whose value `y` or else derivative is not finite: a division by zero. */
export function notFinite(
  place: string,
  { operation, operands, text }: Pick<OperationPart, 'operation' | 'operands' | 'text'>,
  x: readonly number[],
  y: number,
  hint?: string,
): MlpError {
  if (operation === operations.divide && x[1] === 0) {
    const { text: divisor, kind } = operands[1];
    const zero = kind === 'number' ? '0' : `${divisor} = 0`;
    const message = `${place}: ${text} divides by ${zero}; expected another divisor`;
    return new MlpError(ExitCode.config, message, hint);
  }
  const parts = operands.flatMap(({ kind, text }, k) =>
    kind === 'number' ? [] : [`${text} = ${formatNumber(x[k])}`],
  );
  const given = parts.length > 0 ? ` at ${[...new Set(parts)].join(', ')}` : '';
  const message = Number.isFinite(y)
    ? `the derivative of ${text} is not finite${given}; expected a finite derivative`
    : `${text} is ${y}${given}; expected a finite value`;
  return new MlpError(ExitCode.config, `${place}: ${message}`, hint);
}

type OperationPart = Extract<Expression, { kind: 'operation' }>;
