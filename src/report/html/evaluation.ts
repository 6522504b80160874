/** How good the predictions are: scores, matrix, curves, calibration, residuals, and the worst rows. */
import { formatCount, formatMetric, formatPercent, metricName } from '../../text.js';
import type { Charts } from './charts.js';
import { type Content, html, type Markup, name } from './markup.js';
import { matrixOf } from './matrix.js';
import { histogram, scatter } from './plots.js';
import { image, shadeOf, shades } from './png.js';
import type {
  CalibrationResults,
  ClassCurves,
  EvaluationResults,
  Picture,
  RegressionResults,
  ScoreRow,
  WrongRows,
} from './results.js';
import { htmlTable, shortName } from './table.js';

const MOST_SCORES = 40;
/** Of a picture, in pixels of the page. */
const WRONG_SIZE = 84;

export function evaluationSection(evaluation: EvaluationResults, charts: Charts): Content {
  const { classification, labels = [], regression = [], metrics } = evaluation;
  return html`<p>${rowsSentence(evaluation)} ${metrics.map(([metric, value], i) => `${i > 0 ? ', ' : ''}${metricName(metric)} ${value === null ? '–' : formatMetric(value)}`)}.</p>
${classification && matrixOf(classification)}
${classification && classification.classes.length > 2 && scoresTable(classification.scores, 'class')}
${
  labels.length > 0 &&
  scoresTable(
    labels.map(({ scores }) => scores),
    'label',
  )
}
${classification && html`<div class="pair spaced">${curveCharts(classification.curves, charts)}${classification.calibration && calibration(classification.calibration, charts)}</div>`}
${
  labels.length > 0 &&
  html`<div class="pair spaced">${curveCharts(
    labels.map(({ curves }) => curves),
    charts,
  )}</div>`
}
${regression.map((target) => regressionFigures(target, regression.length > 1))}`;
}

function rowsSentence({ split, rows, of }: EvaluationResults): string {
  const kind = split === 'train' ? 'training' : split;
  const which = rows < of ? `${formatCount(rows)} of ${formatCount(of)}` : formatCount(of);
  return `On ${which} ${kind} rows:`;
}

function scoresTable(scores: readonly ScoreRow[], what: string): Markup {
  const optional = (value: number | null) => (value === null ? '–' : value.toFixed(4));
  const shown = scores.slice(0, MOST_SCORES);
  const more = scores.length - shown.length;
  return html`<details${scores.length <= 12 && html` open`}><summary>Scores of each ${what}</summary>
${htmlTable({
  columns: [
    { header: what },
    ...['rows', 'precision', 'recall', 'F1', 'ROC AUC'].map((header) => ({ header, isNumber: true })),
  ],
  rows: shown.map(({ name: text, support, precision, recall, f1, rocAuc }) => [
    shortName(text),
    formatCount(support),
    precision.toFixed(4),
    recall.toFixed(4),
    f1.toFixed(4),
    optional(rocAuc),
  ]),
})}${more > 0 && html`<p class="note">and ${formatCount(more)} more: mlp evaluate shows all</p>`}</details>`;
}

/** ROC, and precision over recall. */
function curveCharts(curves: readonly ClassCurves[], charts: Charts): Content {
  const drawn = curves.filter(({ roc }) => roc.x.length > 0);
  if (drawn.length === 0)
    return html`<p class="note">A class has no row, or all: there is no curve of it.</p>`;
  const single = drawn.length === 1 ? drawn[0] : undefined;
  const half = single?.half;
  const label = 'threshold ½';
  const area = (value: number | null) => (value === null ? '–' : value.toFixed(4));
  const of = single
    ? html`Of ${name(single.name)} against the rest. `
    : html`Of each class against the others. `;
  return [
    charts.line({
      title: 'ROC curve',
      label: 'false positives, as a share of the others',
      bounds: [0, 1],
      diagonal: true,
      series: drawn.map((one) => ({
        name: one.name,
        x: one.roc.x,
        y: one.roc.y,
        at: ['threshold', one.roc.thresholds],
      })),
      ...(half && { points: [{ x: half.roc[0], y: half.roc[1], label }] }),
      note: html`${of}${single ? `Area ${area(single.rocAuc)}.` : 'The area is 1 for perfect scores, ½ for a guess.'}`,
    }),
    charts.line({
      title: 'Precision and recall',
      label: 'recall',
      bounds: [0, 1],
      series: drawn.map((one) => ({
        name: one.name,
        x: one.precisionRecall.x,
        y: one.precisionRecall.y,
        at: ['threshold', one.precisionRecall.thresholds],
      })),
      ...(half && { points: [{ x: half.precisionRecall[0], y: half.precisionRecall[1], label }] }),
      note: single
        ? `Average precision ${area(single.averagePrecision)}; a guess has ${formatMetric(single.share)}.`
        : 'Precision is the share of the rows taken for a class that are of it.',
    }),
  ];
}

function calibration({ of, bins, error }: CalibrationResults, charts: Charts): Content {
  const most = bins.reduce((largest, { rows }) => Math.max(largest, rows), 1);
  return charts.line({
    title: 'Calibration',
    label: 'predicted probability',
    bounds: [0, 1],
    bars: bins.map(({ from, to, rows }) => ({ from, to, share: rows / most })),
    diagonal: true,
    dots: true,
    series: [
      {
        name: 'share',
        x: bins.map(({ probability }) => probability),
        y: bins.map(({ share }) => share),
        at: ['rows', bins.map(({ rows }) => rows)],
      },
    ],
    note: html`Of ${name(of)}: how often it is true where it has this probability. On the line, probabilities are honest. Bars: how many rows have it. The expected error is ${formatPercent(error)}.`,
  });
}

function regressionFigures(
  { target, scores, actual, predicted, residuals }: RegressionResults,
  isOne: boolean,
): Markup {
  const told = scores
    .map(([what, value]) => `${what} ${value === null ? '–' : formatMetric(value)}`)
    .join(', ');
  return html`${isOne && html`<h3>${name(target)}</h3><p class="note">${told}</p>`}
<div class="pair">
${scatter({
  title: 'Predicted and actual',
  xLabel: 'actual',
  yLabel: 'predicted',
  x: actual,
  y: predicted,
  reference: 'equal',
  note: 'On the line, predictions are right.',
})}
${scatter({
  title: 'Residuals',
  xLabel: 'predicted',
  yLabel: 'predicted − actual',
  x: predicted,
  y: predicted.map((value, i) => value - actual[i]),
  reference: 'zero',
  note: 'A slope or a funnel shows what the network has not learned.',
})}
${histogram(residuals, { title: 'How residuals are spread', label: 'predicted − actual' })}
</div>`;
}

/** Rows with the greatest losses: wrong labels, rare cases, or what the network can't see. */
export function wrongSection({ rows, columns }: WrongRows): Content {
  if (rows.length === 0) return undefined;
  const intro = html`<p class="note">The rows with the greatest losses, with their numbers in the file. Look for wrong labels, rare cases, and what no column tells.</p>`;
  if (rows[0].picture) {
    return html`${intro}<div class="gallery">${rows.map((row) => html`<figure>${row.picture && picture(row.picture, WRONG_SIZE / row.picture.width)}${name(row.actual)} taken for ${name(row.predicted)}<br>row ${formatCount(row.number)}, loss ${formatMetric(row.loss, 3)}</figure>`)}</div>`;
  }
  const hasProbabilities = rows.some(({ probabilities }) => probabilities !== undefined);
  return html`${intro}${htmlTable({
    columns: [
      { header: 'row', isNumber: true },
      { header: 'actual' },
      { header: 'predicted' },
      ...(hasProbabilities ? [{ header: 'probability', isNumber: true }] : []),
      { header: 'loss', isNumber: true },
      ...columns.map((column) => ({ header: shortName(column) })),
    ],
    rows: rows.map(({ number, actual, predicted, probabilities, loss, cells }) => [
      formatCount(number),
      shortName(actual),
      shortName(predicted),
      ...(hasProbabilities ? [probabilities ? formatPercent(probabilities[0]) : ''] : []),
      formatMetric(loss, 3),
      ...cells.map((cell) => shortName(cell)),
    ]),
  })}`;
}

/** A picture of one colour: ink, so that it is one on a dark page, too. */
export function picture({ width, values }: Picture, zoom: number, alt = ''): Markup {
  const indices = Uint8Array.from(Array.from(values), shadeOf);
  return image(indices, width, shades(47, 134, 214), { alt, zoom });
}
