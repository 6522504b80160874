/** Gradient checks for people: derivations, tables of the three derivatives, one-line summaries. */
import type { Check, CheckedParameter } from '../gradcheck/check.js';
import type { Derivation, LocalDerivative, TotalDerivative } from '../gradcheck/derivation.js';
import { factor } from '../gradcheck/notation.js';
import type { Display, Style } from '../report/style.js';
import { alignRows, type Cell, formatTable } from '../report/table.js';
import { counted, formatNumber, printable } from '../text.js';

/** The page of a graph: values, local derivatives, derivations, and the table of the check. */
export function renderGraphCheck(check: Check, derivation: Derivation, display: Display): string {
  const { style } = display;
  return [
    style.bold(printable(check.name)),
    '',
    section('values', renderValues(derivation), style),
    section('local derivatives', renderLocalDerivatives(derivation), style),
    section('derivatives, from the output back', renderDerivations(derivation, style), style),
    section('check', renderTable(check, display), style),
  ].join('\n');
}

/** One line: the result, the check's name, the number of derivatives and the largest error. */
export function renderSummary(check: Check, { style }: Display): string {
  const kinks = check.parameters.filter((parameter) => parameter.kink).length;
  const wrong = check.parameters.filter((parameter) => !parameter.passed).length;
  const notes = [
    counted(check.parameters.length, 'derivative'),
    `largest relative error ${formatError(check.maxRelativeError)}`,
    ...(kinks > 0 ? [`${kinks} at a kink`] : []),
    ...(wrong > 0 ? [`${wrong} wrong`] : []),
  ];
  const mark = check.passed ? style.good('ok   ') : style.bad('wrong');
  return `${mark}  ${printable(check.name)}${style.dim(`: ${notes.join(', ')}`)}`;
}

/** Manual, analytic and numeric derivatives of every parameter; then problems and kinks. */
export function renderTable(check: Check, display: Display): string {
  const { style } = display;
  const { parameters } = check;
  const hasManual = parameters.some((parameter) => parameter.limit !== undefined || parameter.manualText);
  const numbers = [...(hasManual ? ['manual', 'limit'] : []), 'analytic', 'numeric', 'relative error'];
  const columns = [
    { header: 'parameter' },
    ...numbers.map((header) => ({ header, align: 'right' as const })),
    { header: '' },
  ];
  const rows = parameters.map((parameter) => [
    parameter.name,
    ...(hasManual ? [manualCell(parameter), limitCell(parameter)] : []),
    formatNumber(parameter.analytic),
    formatNumber(parameter.numeric),
    formatError(parameter.relativeError),
    markOf(parameter, style),
  ]);
  const kinkNote = 'kink: the ±h interval crosses a kink, so analytic and numeric may differ';
  return [
    // Never clipped: the user asked for these numbers.
    formatTable(columns, rows, { ...display, width: Number.POSITIVE_INFINITY }),
    ...parameters.flatMap(({ name, problem }) => (problem ? [style.bad(`${name}: ${problem}`)] : [])),
    ...parameters.flatMap((parameter) => (parameter.onlyHere ? [style.warn(chanceOf(parameter))] : [])),
    ...(parameters.some((parameter) => parameter.kink) ? [style.dim(kinkNote)] : []),
  ].join('\n');
}

/** `w0: w1 is right at these inputs alone` */
export function chanceOf({ name, manualText = '' }: CheckedParameter): string {
  return `${name}: ${manualText} is right at these inputs, but not at others`;
}

/** A longer formula is not repeated in the table. */
const LONGEST_FORMULA = 16;

/** `-0.2`, or as it is written: `-0.333`, `w1*x0 = -0.2`. */
export function manualCell({ manual, manualText }: CheckedParameter, format = formatNumber): string {
  if (manual === undefined) return manualText ?? '';
  const number = format(manual);
  if (manualText === undefined || Number.isFinite(Number(manualText))) return manualText ?? number;
  return manualText.length > LONGEST_FORMULA ? number : `${manualText} = ${number}`;
}

export function limitCell({ limit }: CheckedParameter): string {
  return limit === undefined ? '' : `±${Number(limit.toPrecision(2))}`;
}

function markOf(parameter: CheckedParameter, style: Style): Cell {
  if (!parameter.passed) return { text: 'wrong', paint: style.bad };
  return parameter.kink ? { text: 'kink', paint: style.warn } : { text: 'ok', paint: style.good };
}

export function renderValues({ nodes }: Derivation): string {
  return alignText(
    nodes.map(({ name, expression, value }) =>
      expression && expression !== name
        ? [name, `= ${expression}`, `= ${formatNumber(value)}`]
        : [name, '', `= ${formatNumber(value)}`],
    ),
  );
}

export function renderLocalDerivatives({ localDerivatives }: Derivation): string {
  return alignText(
    localDerivatives.map((local) => {
      const number = formatNumber(local.value);
      return [partialOf(local), `= ${local.symbol}`, local.symbol === number ? '' : `= ${number}`];
    }),
  );
}

export function renderDerivations({ output, derivatives }: Derivation, style: Style): string {
  return derivatives.map((derivation) => renderDerivation(output, derivation, style)).join('\n\n');
}

/** `∂z/∂w = product of partials = of symbols = of numbers = value`, one line per step. */
function renderDerivation(output: string, derivation: TotalDerivative, style: Style): string {
  const { by, pathCount } = derivation;
  const left = partial(output, by);
  if (pathCount === 0n) return `${left} = 0${style.dim(`, since no path leads from ${by} to ${output}`)}`;
  const steps = derivationSteps(derivation, left, {
    partial: partialOf,
    factor,
    number: formatNumber,
    times: '·',
    timesPartial: ' · ',
    more: (omitted) => style.dim(`… and ${omitted} more paths, ${pathCount} in all`),
    computed: (value) => `${value}${style.dim(', by backpropagation')}`,
  });
  const indent = ' '.repeat(left.length);
  return steps
    .flatMap((step) => step.map((line, i) => `${i === 0 ? '=' : '+'} ${line}`))
    .map((line, i) => `${i === 0 ? left : indent} ${line}`)
    .join('\n');
}

/** How the steps of a derivation are written. */
export interface StepWriting {
  partial(local: LocalDerivative): string;
  factor(formula: string): string;
  number(value: number): string;
  readonly times: string;
  readonly timesPartial: string;
  /** The line in place of the paths that are not listed. */
  more(omitted: bigint): string;
  /** The result where not all paths are listed. */
  computed(value: string): string;
}

/** What stands behind each equals sign, as lines to be added up. A step that repeats the last is left out. */
export function derivationSteps(
  { paths, pathCount, gradient }: TotalDerivative,
  left: string,
  { partial, factor, number, times, timesPartial, more, computed }: StepWriting,
): string[][] {
  const omitted = pathCount - BigInt(paths.length);
  const sumOf = (text: (step: LocalDerivative) => string, dot: string): string[] => [
    ...paths.map(({ factors }) => factors.map(text).join(dot) || '1'),
    ...(omitted > 0n ? [more(omitted)] : []),
  ];
  const steps = [
    sumOf(partial, timesPartial),
    sumOf(({ symbol }) => factor(symbol), times),
    sumOf(({ value }) => factor(number(value)), times),
    ...(paths.length > 1 && omitted === 0n
      ? [[paths.map(({ value }) => factor(number(value))).join(' + ')]]
      : []),
    [omitted > 0n ? computed(number(gradient)) : number(gradient)],
  ];
  return steps.filter((step, i) => step.join('\n') !== (i === 0 ? left : steps[i - 1].join('\n')));
}

export function partial(of: string, by: string): string {
  return `∂${factor(of)}/∂${factor(by)}`;
}

export function partialOf({ node, operand, position }: LocalDerivative): string {
  return partial(node, operand) + (position ? `(${position})` : '');
}

function section(title: string, body: string, style: Style): string {
  const indented = body.split('\n').map((line) => (line === '' ? '' : `  ${line}`));
  return `${style.dim(title)}\n${indented.join('\n')}\n`;
}

function alignText(rows: readonly string[][]): string {
  const columns = rows[0]?.map(() => ({})) ?? [];
  return alignRows(columns, rows, { width: Number.POSITIVE_INFINITY }, 1).lines.join('\n');
}

/** A relative error to two digits: `3.1e-12`, or `0` for none. */
export function formatError(error: number): string {
  return error === 0 ? '0' : error.toExponential(1);
}
