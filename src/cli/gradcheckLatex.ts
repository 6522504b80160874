/** The derivation of a graph as LaTeX: a small document, whose body may be copied into another. */
import { type Check, type CheckedParameter, gradedNodes } from '../gradcheck/check.js';
import {
  type Derivation,
  derive,
  type LocalDerivative,
  type TotalDerivative,
} from '../gradcheck/derivation.js';
import type { CheckedGraph } from '../gradcheck/graphFile.js';
import { latex } from '../gradcheck/latex.js';
import { printable } from '../text.js';
import { derivationSteps } from './gradcheckText.js';

/** What fits on a line of an article, in characters. */
const LINE_WIDTH = 56;
/** A longer formula by hand is set in lines. */
const LONGEST_FORMULA = 24;

/** The check with its derivation as a document that compiles as it is, with amsmath alone. */
export function latexDocument({ graph, point, manual }: CheckedGraph, check: Check): string {
  const derivation = derive(graph, point, gradedNodes(graph, manual), latex);
  return [
    // A name is one line of a comment.
    `% ${printable(check.name)}`,
    '\\documentclass{article}',
    '\\usepackage{amsmath}',
    '\\allowdisplaybreaks',
    '\\begin{document}',
    '% From here to the end of the table: to copy into another document, which needs amsmath.',
    '\\subsection*{Values}',
    align(
      derivation.nodes.map(({ name, expression, value }) =>
        unique([name, expression ?? name, latex.number(value)]),
      ),
    ),
    '\\subsection*{Local derivatives}',
    align(
      derivation.localDerivatives.map((local) => [
        partialOf(local),
        ...unique([local.symbol, latex.number(local.value)]),
      ]),
    ),
    '\\subsection*{Derivatives}',
    ...derivation.derivatives.map((total) => derivationOf(derivation.output, total)),
    '\\subsection*{Check}',
    tableOf(check, derivation),
    '\\end{document}',
  ].join('\n');
}

/** Equations below one another, aligned at their first equals sign. */
function align(rows: readonly string[][]): string {
  if (rows.length === 0) return '';
  return inAlign(rows.map(([left, ...right]) => `${left} &= ${right.join(' = ')}`));
}

function inAlign(lines: readonly string[]): string {
  return `\\begin{align*}\n${lines.map((line) => `  ${line}`).join(' \\\\\n')}\n\\end{align*}`;
}

/** Without what repeats the one before. */
function unique(formulas: readonly string[]): string[] {
  return formulas.filter((formula, i) => formula !== formulas[i - 1]);
}

function derivationOf(output: string, total: TotalDerivative): string {
  const { by, pathCount } = total;
  const left = partial(output, by);
  if (pathCount === 0n) {
    return inAlign([`${left} &= 0 \\quad \\text{(no path from $${by}$ to $${output}$)}`]);
  }
  const steps = derivationSteps(total, left, {
    partial: partialOf,
    factor: latex.asFactor,
    number: latex.number,
    times: '\n',
    timesPartial: '\n',
    more: (omitted) => `\\cdots \\quad \\text{(${omitted} more paths, ${pathCount} in all)}`,
    computed: (value) => `${value} \\quad \\text{(by backpropagation)}`,
  });
  const lines = steps.flatMap((step) =>
    step.flatMap((term, i) => broken(i === 0 ? `&= ${term}` : `&\\quad + ${term}`)),
  );
  return inAlign(lines.map((line, i) => (i === 0 ? `${left} ${line}` : line)));
}

/** A product, its factors on lines of their own, set in as few lines as fit. */
function broken(product: string): string[] {
  const lines: string[] = [];
  let room = 0;
  for (const factor of product.split('\n')) {
    const width = widthOf(factor);
    if (width > room) {
      lines.push(lines.length === 0 ? factor : `&\\quad \\cdot ${factor}`);
      room = LINE_WIDTH;
    } else {
      lines[lines.length - 1] += ` \\cdot ${factor}`;
    }
    room -= width;
  }
  return lines;
}

/** About how many characters wide: a fraction is as wide as the longer half. */
function widthOf(formula: string): number {
  const halves = formula.split('}{\\partial').map((half) => half.replace(/\\[a-z]+|[{}_^&= ]/gi, '').length);
  return 3 + Math.max(...halves);
}

function partial(of: string, by: string): string {
  return `\\frac{\\partial ${latex.asFactor(of)}}{\\partial ${latex.asFactor(by)}}`;
}

/** The two operands of x·x have the same name, so each derivative says which it is. */
function partialOf({ node, operand, position }: LocalDerivative): string {
  const formula = partial(node, operand);
  return position ? `\\left.${formula}\\right|_{\\text{${position}}}` : formula;
}

/** Values by hand beside those computed. */
function tableOf(check: Check, { output, derivatives }: Derivation): string {
  const rows = check.parameters.map((parameter, i) => {
    const { analytic, passed, kink, limit } = parameter;
    const isGraded = limit !== undefined || parameter.manualText !== undefined;
    const verdict = passed ? (kink ? 'kink' : isGraded ? 'right' : '') : 'wrong';
    const bound = limit === undefined ? '' : `$\\pm ${latex.number(Number(limit.toPrecision(2)))}$`;
    const name = `$\\partial ${latex.asFactor(output)} / \\partial ${latex.asFactor(derivatives[i].by)}$`;
    return `${[name, byHand(parameter), bound, `$${latex.number(analytic)}$`, verdict].join(' & ')} \\\\`;
  });
  const isLong = check.parameters.some(({ manualText = '' }) => manualText.length > LONGEST_FORMULA);
  return [
    `\\begin{tabular}{l${isLong ? 'p{0.45\\linewidth}' : 'l'}lll}`,
    '  derivative & by hand & limit & computed & \\\\',
    '  \\hline',
    ...rows.map((row) => `  ${row}`),
    '\\end{tabular}',
  ].join('\n');
}

function byHand({ manual, manualText }: CheckedParameter): string {
  if (manual === undefined) return manualText ?? '';
  if (manualText === undefined) return `$${latex.number(manual)}$`;
  if (Number.isFinite(Number(manualText))) return `$${manualText}$`;
  return `$${unique([latex.expression(manualText), latex.number(manual)]).join(' = ')}$`;
}
