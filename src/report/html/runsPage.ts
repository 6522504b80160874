/** The page of several runs: their scores, the settings in which they differ, and their curves. */
import { counted, formatCount, formatDuration, formatMetric, metricName } from '../../text.js';
import { Charts } from './charts.js';
import { epochMetrics } from './curves.js';
import { MOST_SERIES } from './lineChart.js';
import { type Content, html, type Markup, name } from './markup.js';
import { page } from './page.js';
import type { EpochColumns, RunsResults } from './results.js';
import { htmlTable, shortName } from './table.js';

const MOST_ROWS = 500;

export function runsPage(results: RunsResults, writer: string): string {
  const charts = new Charts();
  const { runs, title, notes } = results;
  const head = html`<h1>${name(title)}</h1>
<p class="lead">${counted(runs.length, 'run')}, which differ in ${counted(results.differences.length, 'setting')}.</p>
${notes.map((note) => html`<p class="warning">${note}</p>`)}`;
  const sections = [
    { id: 'runs', title: 'Runs', body: runsTable(results) },
    { id: 'curves', title: 'Learning curves', body: overlays(results, charts) },
  ];
  return page({ title: `${title}: runs`, head, sections, writer }, charts.data);
}

/** A row for each run: its scores, the best of each in bold, then its settings. */
function runsTable({ runs, scores, differences }: RunsResults): Markup {
  const held = scores.filter((score) => !score.name.startsWith('train_'));
  const shown = held.length > 0 ? held : scores;
  const best = shown.map((score) => {
    const values = runs.flatMap((run) => run.scores.get(score.name) ?? []);
    return score.maximize ? Math.max(...values) : Math.min(...values);
  });
  const rows = runs.slice(0, MOST_ROWS).map((run, i) => [
    shortName(run.name),
    run.status,
    run.keptEpoch === undefined ? '' : formatCount(run.keptEpoch),
    ...shown.map((score, j) => {
      const value = run.scores.get(score.name);
      if (value === undefined) return '';
      return value === best[j] ? html`<b class="best">${formatMetric(value)}</b>` : formatMetric(value);
    }),
    run.seconds === undefined ? '' : formatDuration(run.seconds),
    ...differences.map(({ values }) => shortName(values[i] ?? '–')),
  ]);
  return html`${htmlTable({
    columns: [
      { header: 'run' },
      { header: 'status' },
      { header: 'kept epoch', isNumber: true },
      ...shown.map((score) => ({ header: scoreName(score.name), isNumber: true })),
      { header: 'time', isNumber: true },
      ...differences.map(({ key }) => ({ header: lastWord(key) })),
    ],
    rows,
  })}
${runs.length > MOST_ROWS && html`<p class="note">and ${formatCount(runs.length - MOST_ROWS)} more: mlp runs shows all</p>`}
${differences.length > 0 && html`<p class="note">Settings: ${differences.map(({ key }, i) => html`${i > 0 && ', '}<code>${key}</code>`)}</p>`}`;
}

export function scoreName(column: string): string {
  const [split, ...rest] = column.split('_');
  const metric = metricName(rest.join('_'));
  return `${split === 'train' ? 'training' : split} ${metric}`;
}

/** `learningRate` of `training.optimizer.learningRate`; the whole stands below. */
export function lastWord(key: string): Markup {
  return html`<bdi title="${key}">${key.slice(key.lastIndexOf('.') + 1)}</bdi>`;
}

/** A chart for each metric, with a curve for each run: of the validation rows, where there are any. */
function overlays({ runs, scores }: RunsResults, charts: Charts): Content {
  const shown = runs.length <= MOST_SERIES ? runs : bestRuns({ runs, scores });
  const drawn = overlaidCharts(
    shown.map((run) => ({ name: run.name, epochs: run.epochs })),
    charts,
  );
  const more = runs.length - shown.length;
  return html`${more > 0 && html`<p class="note">The ${MOST_SERIES} best of ${formatCount(runs.length)} runs.</p>`}<div class="pair">${drawn.length > 0 ? drawn : html`<p>No epoch has ended yet.</p>`}</div>`;
}

function bestRuns({ runs, scores }: Pick<RunsResults, 'runs' | 'scores'>): RunsResults['runs'] {
  const score = scores.find((one) => one.name === 'validation_loss') ?? scores[0];
  if (!score) return runs.slice(0, MOST_SERIES);
  const worst = score.maximize ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const scoreOf = (run: RunsResults['runs'][number]) => run.scores.get(score.name) ?? worst;
  const sign = score.maximize ? -1 : 1;
  return [...runs].sort((a, b) => sign * (scoreOf(a) - scoreOf(b)) || 0).slice(0, MOST_SERIES);
}

/** The curves of several runs, metric by metric. */
export function overlaidCharts(
  runs: readonly { readonly name: string; readonly epochs: EpochColumns }[],
  charts: Charts,
): Markup[] {
  const metrics = [...new Set(runs.flatMap(({ epochs }) => epochMetrics(epochs)))];
  return metrics.flatMap((metric) =>
    (['validation', 'train'] as const).flatMap((split) => {
      const having = runs.filter(({ epochs }) => epochs.has(`${split}_${metric}`));
      if (having.length === 0) return [];
      const text = metricName(metric);
      const series = having.map(({ name, epochs }, i) => ({
        name,
        x: epochs.get('epoch') ?? [],
        y: epochs.get(`${split}_${metric}`) ?? [],
        dashed: i % 2 === 1,
      }));
      const title = `${text[0].toUpperCase()}${text.slice(1)} of the ${split === 'train' ? 'training' : split} rows`;
      return charts.line({ title, label: 'epoch', counts: true, series }) ?? [];
    }),
  );
}
