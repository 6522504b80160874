/** What became of loss, metrics and learning rate while a network was trained. */
import { formatMetric, metricName } from '../../text.js';
import { extremes } from '../curve.js';
import type { Charts } from './charts.js';
import type { LineChart, Series } from './lineChart.js';
import { type Content, html } from './markup.js';
import type { EpochColumns, RunFacts, RunResults } from './results.js';

const SPLITS = [
  ['train_', 'training'],
  ['validation_', 'validation'],
] as const;

/** Curves of a run; a sentence if there is nothing to draw yet. */
export function curvesSection({ epochs, steps, facts }: RunResults, charts: Charts): Content {
  const drawn = [...epochCharts(epochs, facts), ...stepCharts(steps)].map((chart) => charts.line(chart));
  const shown = drawn.filter((chart) => chart !== undefined);
  if (shown.length === 0) return html`<p>No epoch has ended yet.</p>`;
  return html`<div class="pair">${shown}</div>`;
}

/** The names of the metrics of epochs, such as `loss`. */
export function epochMetrics(epochs: EpochColumns): string[] {
  const names = [...epochs.keys()].flatMap((column) =>
    SPLITS.flatMap(([prefix]) => (column.startsWith(prefix) ? [column.slice(prefix.length)] : [])),
  );
  return [...new Set(names)];
}

function epochCharts(epochs: EpochColumns, { keptEpoch, keepMetric }: RunFacts): LineChart[] {
  const x = epochs.get('epoch') ?? new Float64Array();
  const isKept = keptEpoch !== undefined && x.length > 1 && x.includes(keptEpoch);
  return epochMetrics(epochs).map((metric) => {
    const series = SPLITS.flatMap(([prefix, name], i): Series[] => {
      const y = epochs.get(prefix + metric);
      return y ? [{ name, x, y, dashed: i === 1 }] : [];
    });
    const title = metricName(metric);
    const best = isKept ? epochs.get(keepMetric ?? '')?.[x.indexOf(keptEpoch)] : undefined;
    const isChosen = keepMetric?.endsWith(`_${metric}`) && best !== undefined;
    return {
      title: title[0].toUpperCase() + title.slice(1),
      label: 'epoch',
      counts: true,
      series,
      ...(isKept && { mark: { x: keptEpoch, label: `kept: epoch ${keptEpoch}` } }),
      ...(isChosen && {
        note: `${keepMetric} ${formatMetric(best)} in epoch ${keptEpoch}, whose weights are kept`,
      }),
    };
  });
}

const COLUMNS = 410;

function stepCharts(steps: RunResults['steps']): LineChart[] {
  if (!steps || steps.step.length < 2) return [];
  const { step: x, loss, learningRate, isSample } = steps;
  const charts: LineChart[] = [
    {
      title: 'Loss of each step',
      label: 'step',
      counts: true,
      series: [{ name: 'loss', x, y: loss }],
      note: isSample
        ? 'a sample of the steps; mlp report reads all'
        : x.length > 2 * COLUMNS
          ? 'the least and the greatest of each pixel'
          : undefined,
    },
  ];
  charts.push({
    title: 'Learning rate',
    label: 'step',
    counts: true,
    series: [{ name: 'learning rate', ...corners(x, learningRate) }],
  });
  return charts;
}

/** Only where it changes its course: most schedules are straight for long. */
function corners(x: ArrayLike<number>, y: ArrayLike<number>): { x: number[]; y: number[] } {
  const few = extremes(x, y, COLUMNS);
  const kept = few.x.flatMap((_, i) => (few.y[i] === few.y[i - 1] && few.y[i] === few.y[i + 1] ? [] : [i]));
  return { x: kept.map((i) => few.x[i]), y: kept.map((i) => few.y[i]) };
}
