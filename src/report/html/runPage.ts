/** The page of a run. */
import { formatCount, formatDuration, formatMetric, listed, metricName } from '../../text.js';
import { Charts } from './charts.js';
import { curvesSection } from './curves.js';
import { dataSection } from './data.js';
import { evaluationSection, wrongSection } from './evaluation.js';
import { importanceSection } from './importance.js';
import { layersSection } from './layers.js';
import { type Content, html, type Markup, name } from './markup.js';
import { networkSection } from './network.js';
import { page, type Section } from './page.js';
import type { RunFacts, RunResults } from './results.js';
import { facts } from './table.js';

/** @param writer which program writes it: `mlp 1.2.3` */
export function runPage(run: RunResults, writer: string): string {
  const charts = new Charts();
  const sections: Section[] = [
    { id: 'curves', title: 'Learning curves', body: curvesSection(run, charts) },
    {
      id: 'evaluation',
      title: 'Predictions',
      body: run.evaluation && evaluationSection(run.evaluation, charts),
    },
    {
      id: 'wrong',
      title: 'The most wrong rows',
      body: run.evaluation?.wrong && wrongSection(run.evaluation.wrong),
    },
    {
      id: 'importance',
      title: 'Which columns matter',
      body: run.importance && importanceSection(run.importance),
    },
    { id: 'data', title: 'Data', body: run.data && dataSection(run.data) },
    { id: 'network', title: 'Network', body: run.network && networkSection(run.network) },
    { id: 'layers', title: 'Layers while training', body: layersSection(run, charts) },
    { id: 'config', title: 'Config', body: configSection(run) },
    { id: 'repeat', title: 'How to repeat it', body: commandsSection(run) },
  ];
  const head = html`<h1>${name(run.name)}</h1>
<p class="lead">${sentence(run)}</p>
${run.notes.map((note) => html`<p class="warning">${note}</p>`)}
${cards(run)}`;
  return page({ title: `${run.name}: training report`, head, sections, writer }, charts.data);
}

/** What was trained, on what, and how it ended. */
function sentence({ facts: told, network }: RunResults): Markup {
  const { targets, classes, task, dataFile, rows, optimizer, steps, status } = told;
  const widths = network && widthsOf(network);
  const what = network
    ? html`A network ${widths} with ${formatCount(network.parameters)} parameters`
    : html`A network`;
  const on = rows ? html`${formatCount(rows.train)} rows of ${name(dataFile)}` : html`${name(dataFile)}`;
  const kind = task === 'regression' || classes === undefined ? '' : ` (${classList(classes)})`;
  const goal = html`to predict ${name(listed(targets, 3))}${kind}`;
  const length = `${formatCount(told.epochs)} ${told.epochs === 1 ? 'epoch' : 'epochs'}${steps === undefined ? '' : `, ${formatCount(steps)} steps`}`;
  const verb = status === 'unfinished' ? 'is being trained, or was,' : 'was trained';
  return html`${what} ${verb} on ${on} ${goal}: ${length} of ${optimizer} at a learning rate of ${String(told.learningRate)}${ending(told)}`;
}

function classList(classes: readonly string[]): string {
  return classes.length <= 3 ? classes.join(', ') : `${formatCount(classes.length)} classes`;
}

function ending({ status, epochs, keptEpoch, keepMetric, refit, plannedEpochs }: RunFacts): string {
  const kept =
    keptEpoch !== undefined && keptEpoch < epochs
      ? `; the weights are those of epoch ${keptEpoch}, the best by ${keepMetric}`
      : '';
  const again = refit
    ? `. It was then refitted on ${formatCount(refit.rows)} rows for ${refit.epochs} epochs`
    : '';
  switch (status) {
    case 'interrupted':
      return `, interrupted${plannedEpochs ? ` before the end of ${plannedEpochs}` : ''}${kept}.`;
    case 'early-stopped':
      return `, stopped early${kept}${again}.`;
    default:
      return `${kept}${again}.`;
  }
}

/** `30→1024→512→1` */
function widthsOf({ inputs, layers }: NonNullable<RunResults['network']>): string {
  const widths = layers
    .filter(({ type, depth }) => depth === 0 && type === 'linear')
    .map(({ outputs }) => outputs);
  const shown = widths.length > 6 ? [...widths.slice(0, 3), '…', ...widths.slice(-2)] : widths;
  return [inputs, ...shown].join('→');
}

const SPLITS = ['test', 'validation', 'train'] as const;
const NAMES = { test: 'test', validation: 'validation', train: 'training' };

/** The scores of the rows that say most, and the rows. */
function cards({ facts: { scores, rows, seconds } }: RunResults): Content {
  const split = SPLITS.find((one) => scores[one] !== undefined);
  const metrics = split ? Object.entries(scores[split]) : [];
  const order = [
    ...metrics.filter(([metric]) => metric !== 'loss'),
    ...metrics.filter(([metric]) => metric === 'loss'),
  ];
  const shown: (readonly [string, string])[] = order.map(([metric, value]) => [
    `${split ? NAMES[split] : ''} ${metricName(metric)}`,
    value === null ? '–' : formatMetric(value),
  ]);
  if (rows) {
    for (const one of ['train', 'validation', 'test'] as const) {
      if (rows[one] > 0) shown.push([`${NAMES[one]} rows`, formatCount(rows[one])]);
    }
  }
  if (seconds !== undefined) shown.push(['time of training', formatDuration(seconds)]);
  if (shown.length === 0) return undefined;
  return html`<div class="cards">${shown.map(([what, value]) => html`<div class="card"><b>${value}</b><span>${what}</span></div>`)}</div>`;
}

function configSection({ config, facts: { details } }: RunResults): Content {
  return html`${facts(details)}
<details><summary>config.json</summary><pre>${JSON.stringify(config, undefined, 2)}</pre></details>`;
}

function commandsSection({ commands }: RunResults): Content {
  return facts(commands.map(({ command, does }) => [html`<code>${command}</code>`, does]));
}
