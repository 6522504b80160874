/** The page of a gradient check of a graph: its picture, the grades, and the derivation. */
import { counted, listed } from '../../text.js';
import { type DrawnGraph, graphDrawing } from './graphDrawing.js';
import { type Content, html, type Markup, name } from './markup.js';
import { page, type Section } from './page.js';
import { htmlTable } from './table.js';

export interface GraphResults {
  /** Of the file. */
  readonly name: string;
  readonly graph: DrawnGraph;
  readonly grades: readonly Grade[];
  /** Parts of the derivation, as a terminal shows them. */
  readonly texts: readonly { readonly id: string; readonly title: string; readonly text: string }[];
}

/** All numbers are text already. */
export interface Grade {
  /** `∂z/∂w1` */
  readonly derivative: string;
  readonly manual?: string | undefined;
  readonly limit?: string | undefined;
  readonly analytic: string;
  readonly numeric: string;
  readonly relativeError: string;
  readonly passed: boolean;
  readonly problem?: string | undefined;
  readonly isKink: boolean;
}

/** @param writer which program writes it: `mlp 1.2.3` */
export function graphPage(results: GraphResults, writer: string): string {
  const { graph, grades, texts } = results;
  const drawing = graphDrawing(graph);
  const sections: Section[] = [
    {
      id: 'graph',
      title: 'The graph',
      body: drawing
        ? html`<p class="note">Each node has its value and the derivative of ${name(graph.output)} by it, each line the local derivative. A derivative is the sum over all paths of the products along them.</p>
${drawing}`
        : html`<p class="note">The graph of ${counted(graph.nodes.length, 'node')} is too large to be drawn.</p>`,
    },
    { id: 'check', title: 'The check', body: gradesTable(grades) },
    ...texts.map(({ id, title, text }) => ({ id, title, body: html`<pre>${text}</pre>` })),
  ];
  const head = html`<h1>Gradient check: ${name(results.name)}</h1>
<p class="lead">${verdict(grades)}</p>`;
  return page({ title: `${results.name}: gradient check`, head, sections, writer }, {});
}

function verdict(grades: readonly Grade[]): Markup {
  const wrong = grades.filter(({ passed }) => !passed);
  const graded = grades.filter(({ manual }) => manual !== undefined).length;
  if (wrong.length > 0) {
    const names = listed(wrong.map(({ derivative }) => derivative));
    return html`<b class="wrong">${wrong.length} of ${counted(grades.length, 'derivative')} ${wrong.length === 1 ? 'is' : 'are'} wrong:</b> ${names}.`;
  }
  return graded > 0
    ? html`All ${counted(graded, 'value')} by hand ${graded === 1 ? 'is' : 'are'} right.`
    : html`Backpropagation and differences agree on ${counted(grades.length, 'derivative')}.`;
}

function gradesTable(grades: readonly Grade[]): Content {
  const hasManual = grades.some(({ manual }) => manual !== undefined);
  const byHand = hasManual
    ? [
        { header: 'by hand', isNumber: true },
        { header: 'limit', isNumber: true },
      ]
    : [];
  return html`${htmlTable({
    columns: [
      { header: 'derivative' },
      ...byHand,
      { header: 'backpropagation', isNumber: true },
      { header: 'differences', isNumber: true },
      { header: 'relative error', isNumber: true },
      { header: '' },
    ],
    rows: grades.map(({ derivative, manual, limit, analytic, numeric, relativeError, passed, isKink }) => {
      const mark = passed ? (isKink ? 'kink' : 'ok') : html`<b class="wrong">wrong</b>`;
      const hand = passed ? manual : html`<b class="wrong">${manual}</b>`;
      return [derivative, ...(hasManual ? [hand, limit] : []), analytic, numeric, relativeError, mark];
    }),
  })}
${grades.map(({ derivative, problem }) => problem !== undefined && html`<p class="warning">${derivative}: ${problem}</p>`)}
${grades.some(({ isKink }) => isKink) && html`<p class="note">At a kink, backpropagation and differences may differ: the slope is another on each side.</p>`}`;
}
