/** Checks as plain text: derivations, tables of the three derivatives, one-line summaries. */
import type { Check, CheckedParameter } from './check.js';
import type { Derivation, InputDerivation, LocalDerivative, Path } from './derivation.js';
import { factor, formatError, formatNumber } from './format.js';

/** How marks and headings are set off; each gets text and gives it back, with colour codes around it if need be. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const same = (text: string): string => text;

export const PLAIN: Style = { good: same, bad: same, warn: same, dim: same, bold: same };

/** The whole page of a graph: values, local derivatives, derivations, and the table of the check. */
export function renderGraphCheck(check: Check, derivation: Derivation, style: Style = PLAIN): string {
  return [
    style.bold(check.name),
    '',
    section('values', renderValues(derivation), style),
    section('local derivatives', renderLocalDerivatives(derivation), style),
    section('derivatives, the output first', renderDerivations(derivation, style), style),
    section('check', renderTable(check, style), style),
  ].join('\n');
}

/** A line for a check: its mark, its name, how much was compared and the largest error. */
export function renderSummary(check: Check, style: Style = PLAIN): string {
  const kinks = check.parameters.filter((parameter) => parameter.kink).length;
  const wrong = check.parameters.filter((parameter) => !parameter.passed).length;
  const notes = [
    `${check.parameters.length} ${check.parameters.length === 1 ? 'derivative' : 'derivatives'}`,
    `largest relative error ${formatError(check.maxRelativeError)}`,
    ...(kinks > 0 ? [`${kinks} at a kink`] : []),
    ...(wrong > 0 ? [`${wrong} wrong`] : []),
  ];
  const mark = check.passed ? style.good('ok   ') : style.bad('wrong');
  return `${mark}  ${check.name}${style.dim(`: ${notes.join(', ')}`)}`;
}

/** Manual, analytic and numeric side by side, a row for each parameter, then what is wrong and what kinks are. */
export function renderTable(check: Check, style: Style = PLAIN): string {
  const { parameters } = check;
  const withManual = parameters.some((parameter) => parameter.manual !== undefined);
  const header = ['', ...(withManual ? ['manual'] : []), 'analytic', 'numeric', 'relative error'];
  const rows = parameters.map((parameter) => [
    parameter.name,
    ...(withManual ? [parameter.manual === undefined ? '' : formatNumber(parameter.manual)] : []),
    formatNumber(parameter.analytic),
    formatNumber(parameter.numeric),
    formatError(parameter.relativeError),
  ]);
  const [headerLine, ...lines] = alignColumns([header, ...rows]);
  return [
    style.dim(headerLine),
    ...lines.map((line, i) => `${line}  ${markOf(parameters[i], style)}`),
    ...parameters.flatMap(({ name, problem }) => (problem ? [style.bad(`${name}: ${problem}`)] : [])),
    ...(parameters.some((parameter) => parameter.kink)
      ? [
          style.dim(
            'kink: the interval of the differences crosses a kink; analytic and numeric need not agree',
          ),
        ]
      : []),
  ].join('\n');
}

function markOf(parameter: CheckedParameter, style: Style): string {
  if (!parameter.passed) return style.bad('wrong');
  return parameter.kink ? style.warn('kink') : style.good('ok');
}

function renderValues({ nodes }: Derivation): string {
  return alignLeft(
    nodes.map(({ name, expression, value }) =>
      expression && expression !== name
        ? [name, `= ${expression}`, `= ${formatNumber(value)}`]
        : [name, '', `= ${formatNumber(value)}`],
    ),
  ).join('\n');
}

function renderLocalDerivatives({ localDerivatives }: Derivation): string {
  return alignLeft(
    localDerivatives.map((local) => {
      const number = formatNumber(local.value);
      return [partialOf(local), `= ${local.symbol}`, local.symbol === number ? '' : `= ${number}`];
    }),
  ).join('\n');
}

function renderDerivations({ output, inputs }: Derivation, style: Style): string {
  return inputs.map((derivation) => renderDerivation(output, derivation, style)).join('\n\n');
}

/** `∂z/∂w = product of partials = product of symbols = product of numbers = value`, a line for each step. */
function renderDerivation(output: string, derivation: InputDerivation, style: Style): string {
  const { input, paths, pathCount, gradient } = derivation;
  const left = partial(output, input);
  const indent = ' '.repeat(left.length);
  const value = formatNumber(gradient);
  const omitted = pathCount - BigInt(paths.length);
  if (pathCount === 0n) return `${left} = 0${style.dim(`, for no path leads from ${input} to ${output}`)}`;

  const sumOf = (term: (path: Path) => string): string[] => [
    ...paths.map(term),
    ...(omitted > 0n ? [style.dim(`… and ${omitted} more paths, ${pathCount} in all`)] : []),
  ];
  const product = (text: (step: LocalDerivative) => string, dot: string) => (path: Path) =>
    path.factors.map(text).join(dot) || '1';
  const steps = [
    sumOf(product(partialOf, ' · ')),
    sumOf(product(({ symbol }) => factor(symbol), '·')),
    sumOf(product((step) => factor(formatNumber(step.value)), '·')),
    ...(paths.length > 1 && omitted === 0n
      ? [[paths.map((path) => factor(formatNumber(path.value))).join(' + ')]]
      : []),
    [omitted > 0n ? `${value}${style.dim(', by backpropagation')}` : value],
  ];
  return steps
    .filter((step, i) => step.join('\n') !== (i === 0 ? left : steps[i - 1].join('\n')))
    .flatMap((step) => step.map((line, i) => `${i === 0 ? '=' : '+'} ${line}`))
    .map((line, i) => `${i === 0 ? left : indent} ${line}`)
    .join('\n');
}

function partial(of: string, by: string): string {
  return `∂${factor(of)}/∂${factor(by)}`;
}

function partialOf({ node, operand, position }: LocalDerivative): string {
  return partial(node, operand) + (position ? `(${position})` : '');
}

function section(title: string, body: string, style: Style): string {
  const indented = body.split('\n').map((line) => (line === '' ? '' : `  ${line}`));
  return `${style.dim(title)}\n${indented.join('\n')}\n`;
}

/** The first column to the left, numbers to the right. */
function alignColumns(rows: readonly string[][]): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
}

function alignLeft(rows: readonly string[][]): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join(' ')
      .trimEnd(),
  );
}

function columnWidths(rows: readonly string[][]): number[] {
  return rows[0]?.map((_, i) => rows.reduce((widest, row) => Math.max(widest, row[i].length), 0)) ?? [];
}
