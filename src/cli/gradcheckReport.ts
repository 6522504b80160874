/** mlp gradcheck --report: a graph, its derivation and its grades as a page. */
import { writeNewFile } from '../files/outputFile.js';
import type { Check, CheckedParameter } from '../gradcheck/check.js';
import type { Derivation } from '../gradcheck/derivation.js';
import type { CheckedGraph } from '../gradcheck/graphFile.js';
import type { DrawnNode } from '../report/html/graphDrawing.js';
import { graphPage } from '../report/html/graphPage.js';
import { plainStyle } from '../report/style.js';
import { formatNumber, printable } from '../text.js';
import { version } from '../version.js';
import {
  chanceOf,
  formatError,
  limitCell,
  manualCell,
  partial,
  partialOf,
  renderDerivations,
  renderLocalDerivatives,
  renderValues,
} from './gradcheckText.js';
import { note } from './output.js';

/** @throws MlpError as `writeNewFile` */
export function writeGraphReport(
  path: string,
  graph: CheckedGraph,
  { check, derivation }: { readonly check: Check; readonly derivation: Derivation },
  force = false,
): void {
  writeNewFile(path, graphReport(graph, check, derivation), force);
  note(printable(`wrote ${path}`));
}

export function graphReport({ graph }: CheckedGraph, check: Check, derivation: Derivation): string {
  const { nodes, localDerivatives, output } = derivation;
  const parameters = new Map(check.parameters.map((parameter) => [parameter.name, parameter]));
  const drawnAs = new Map(nodes.map(({ index }, i) => [index, i]));
  return graphPage(
    {
      name: check.name,
      graph: {
        output,
        nodes: nodes.map(({ index, name, expression, value, gradient }): DrawnNode => {
          const parameter = parameters.get(name);
          return {
            kind: index === graph.output ? 'output' : index < graph.inputCount ? 'input' : 'operation',
            name,
            expression: expression === name ? undefined : expression,
            value: brief(value),
            partial: partial(output, name),
            derivative: brief(gradient),
            manual: parameter && manualOf(parameter, brief),
            isKink: parameter?.kink,
          };
        }),
        edges: localDerivatives.flatMap((local) => {
          const [from, to] = [drawnAs.get(local.from), drawnAs.get(local.to)];
          // A number in an expression is no node of the picture.
          if (from === undefined || to === undefined) return [];
          return [
            {
              from,
              to,
              partial: partialOf(local),
              symbol: local.symbol === formatNumber(local.value) ? brief(local.value) : local.symbol,
              value: brief(local.value),
            },
          ];
        }),
      },
      grades: check.parameters.map((parameter) => ({
        derivative: partial(output, parameter.name),
        manual: manualOf(parameter)?.text,
        limit: limitCell(parameter),
        analytic: formatNumber(parameter.analytic),
        numeric: formatNumber(parameter.numeric),
        relativeError: formatError(parameter.relativeError),
        passed: parameter.passed,
        problem: parameter.problem ?? (parameter.onlyHere && chanceOf(parameter)),
        isKink: parameter.kink === true,
      })),
      texts: [
        {
          id: 'derivatives',
          title: 'Derivatives, from the output back',
          text: renderDerivations(derivation, plainStyle),
        },
        { id: 'local', title: 'Local derivatives', text: renderLocalDerivatives(derivation) },
        { id: 'values', title: 'Values', text: renderValues(derivation) },
      ],
    },
    `written by mlp ${version()}`,
  );
}

function manualOf(parameter: CheckedParameter, format = formatNumber): DrawnNode['manual'] {
  const text = manualCell(parameter, format);
  return text === '' ? undefined : { text, passed: parameter.passed };
}

/** A picture shows four digits; the tables and the derivation beside it show all. */
function brief(value: number): string {
  return formatNumber(Number(value.toPrecision(4)));
}
