/** What became of the gradients and outputs of each layer while a network was trained. */
import { counted } from '../../text.js';
import type { Charts } from './charts.js';
import { MOST_SERIES } from './lineChart.js';
import { type Content, html } from './markup.js';
import type { RunResults } from './results.js';

const CHARTS = [
  {
    key: 'gradientNorm',
    title: 'Gradient of each layer',
    note: 'the root of the sum of squares, in the last step of an epoch',
  },
  {
    key: 'deviation',
    title: 'Spread of the outputs',
    note: 'the standard deviation of the outputs of a layer',
  },
  {
    key: 'zeros',
    title: 'Outputs that are 0',
    note: 'their share: of a relu, those that pass no gradient on',
  },
] as const;

/** Nothing for a run of one epoch, or of an earlier version. */
export function layersSection({ layers, network }: RunResults, charts: Charts): Content {
  if (!layers.some(({ epoch }) => epoch.length > 1)) return undefined;
  const types = new Map(network?.layers.map(({ name, type }) => [name, type]));
  const drawn = CHARTS.flatMap(({ key, title, note }) => {
    const found = layers.filter((layer) => layer[key].some((value) => value > 0));
    const chosen = evenly(found, MOST_SERIES);
    const series = chosen.map(({ name, epoch, [key]: y }) => ({
      name: [name, types.get(name)].join(' ').trimEnd(),
      x: epoch,
      y,
    }));
    const left = found.length - chosen.length;
    const of = left === 0 ? note : `${note}; ${counted(left, 'layer')} between these left out`;
    return charts.line({ title, label: 'epoch', counts: true, series, note: of }) ?? [];
  });
  return drawn.length > 0 && html`<div class="pair">${drawn}</div>`;
}

/** The first, the last, and some between. */
function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}
