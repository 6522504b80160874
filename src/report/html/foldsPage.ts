/** The page of a cross-validation: the scores of each fold, how much they vary, and the curves. */
import { counted, formatCount, formatMetric, metricName } from '../../text.js';
import { linearAxis } from '../axis.js';
import { Charts } from './charts.js';
import { greatest, least, MOST_SERIES, spaced } from './lineChart.js';
import { type Content, html, type Markup, name, px } from './markup.js';
import { page } from './page.js';
import type { FoldsResults } from './results.js';
import { overlaidCharts } from './runsPage.js';
import { facts, htmlTable, shortName } from './table.js';

export function foldsPage(results: FoldsResults, writer: string): string {
  const charts = new Charts();
  const { folds, averages, config, commands, repeats, as, status } = results;
  const cards = Object.entries(averages).map(
    ([metric, { mean, deviation }]) =>
      html`<div class="card"><b>${formatMetric(mean)}${deviation !== null && html`<small> ± ${formatMetric(deviation, 2)}</small>`}</b><span>${metricName(metric)}</span></div>`,
  );
  const head = html`<h1>${name(results.name)}</h1>
<p class="lead">A network was trained for each of ${counted(folds.length, 'fold')}${repeats > 1 && `, of ${formatCount(repeats)} divisions of the rows`}, on the other rows, and scored on the fold, its ${as} rows. The mean tells how good such a network is, the sample deviation how much that varies.</p>
${status !== 'finished' && html`<p class="warning">The cross-validation is not finished.</p>`}
<div class="cards">${cards}</div>`;
  const shown = folds.slice(0, MOST_SERIES);
  const curves = overlaidCharts(shown, charts);
  const sections = [
    {
      id: 'scores',
      title: 'Scores',
      body: html`${scoresTable(results)}<div class="pair spaced">${Object.keys(averages).map((metric) => strip(metric, results))}</div>`,
    },
    {
      id: 'curves',
      title: 'Learning curves',
      body:
        curves.length > 0 &&
        html`${folds.length > shown.length && html`<p class="note">Of the first ${MOST_SERIES} folds.</p>`}<div class="pair">${curves}</div>`,
    },
    {
      id: 'config',
      title: 'Config',
      body:
        config !== undefined &&
        html`<details><summary>config.json</summary><pre>${JSON.stringify(config, undefined, 2)}</pre></details>`,
    },
    {
      id: 'repeat',
      title: 'How to repeat it',
      body: facts(commands.map(({ command, does }) => [html`<code>${command}</code>`, does])),
    },
  ];
  return page({ title: `${results.name}: cross-validation`, head, sections, writer }, charts.data);
}

function scoresTable({ folds, averages }: FoldsResults): Markup {
  const metrics = Object.keys(averages);
  const optional = (value: number | null | undefined) =>
    value === null || value === undefined ? '–' : formatMetric(value);
  return htmlTable({
    columns: [
      { header: 'fold' },
      { header: 'rows', isNumber: true },
      { header: 'kept epoch', isNumber: true },
      ...metrics.map((metric) => ({ header: metricName(metric), isNumber: true })),
    ],
    rows: folds.map((fold) => [
      shortName(fold.name),
      formatCount(fold.rows),
      formatCount(fold.keptEpoch),
      ...metrics.map((metric) => optional(fold.scores[metric])),
    ]),
    footer: (['mean', 'deviation'] as const).map((key) => [
      key,
      '',
      '',
      ...metrics.map((metric) => optional(averages[metric][key])),
    ]),
  });
}

const STRIP = { width: 480, height: 74, left: 16, right: 464, middle: 28 } as const;

/** The scores of all folds on a line, with their mean and deviation. */
function strip(metric: string, { folds, averages }: FoldsResults): Content {
  const values = folds.flatMap(({ scores }) => scores[metric] ?? []).filter(Number.isFinite);
  if (values.length < 2) return undefined;
  const { mean, deviation } = averages[metric];
  const spread = deviation ?? 0;
  const axis = linearAxis(
    Math.min(least(values), mean - spread),
    Math.max(greatest(values), mean + spread),
    7,
  );
  const { left, right, middle } = STRIP;
  const xOf = (value: number) => left + axis.position(value) * (right - left);
  const text = metricName(metric);
  return html`<figure><figcaption>${text[0].toUpperCase() + text.slice(1)}</figcaption>
<svg class="plot" viewBox="0 0 ${STRIP.width} ${STRIP.height}" role="img" aria-label="${text} of the folds">
<path class="axis" d="M${left} ${middle + 20}H${right}"/>
<g class="ticks middle">${spaced(
    axis.ticks,
    ({ value }) => xOf(value),
    ({ label }) => label.length * 6.4 + 10,
  ).map(({ value, label }) => html`<text x="${px(xOf(value))}" y="${middle + 37}">${label}</text>`)}</g>
<path class="band" d="M${px(xOf(mean - spread))} ${middle}H${px(xOf(mean + spread))}"/>
<path class="thin" d="M${px(xOf(mean))} ${middle - 13}V${middle + 13}"/>
<path class="points big" d="${values.map((value) => `M${px(xOf(value))} ${middle}h0`).join('')}"/>
</svg></figure>`;
}
