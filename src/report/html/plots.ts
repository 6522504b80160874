/** Clouds of points, histograms and bars. */
import { formatMetric } from '../../text.js';
import { linearAxis } from '../axis.js';
import { greatest, least, SIZE, spaced } from './lineChart.js';
import { type Content, html, type Markup, px } from './markup.js';
import type { Histogram } from './results.js';

export interface Scatter {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** The line y = x, or y = 0. */
  readonly reference?: 'equal' | 'zero';
  readonly note?: Content;
}

const PLOT = { left: 62, right: 456, top: 20, bottom: 232 } as const;

/** Undefined without finite points. */
export function scatter({ title, xLabel, yLabel, x, y, reference, note }: Scatter): Markup | undefined {
  const kept = x.map((_, i) => i).filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]));
  if (kept.length === 0) return undefined;
  const [xs, ys] = [kept.map((i) => x[i]), kept.map((i) => y[i])];
  const isEqual = reference === 'equal';
  const both = isEqual ? [...xs, ...ys] : [];
  const zero = reference === 'zero' ? [0] : [];
  const xAxis = linearAxis(least(isEqual ? both : xs), greatest(isEqual ? both : xs), 6);
  const yAxis = linearAxis(
    least([...(isEqual ? both : ys), ...zero]),
    greatest([...(isEqual ? both : ys), ...zero]),
    6,
  );
  const { left, right, top, bottom } = PLOT;
  const xOf = (value: number) => left + xAxis.position(value) * (right - left);
  const yOf = (value: number) => bottom - yAxis.position(value) * (bottom - top);
  const points = xs.map((value, i) => `M${px(xOf(value))} ${px(yOf(ys[i]))}h0`).join('');
  const line =
    reference === undefined
      ? ''
      : isEqual
        ? `M${left} ${bottom}L${right} ${top}`
        : `M${left} ${px(yOf(0))}H${right}`;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${title}">
<g class="grid">${yAxis.ticks.map(({ value }) => html`<path d="M${left} ${px(yOf(value))}H${right}"/>`)}</g>
<g class="ticks end">${spaced(
    yAxis.ticks,
    ({ value }) => yOf(value),
    () => 16,
  ).map(({ value, label }) => html`<text x="${left - 6}" y="${px(yOf(value) + 4)}">${label}</text>`)}</g>
<g class="ticks middle">${spaced(
    xAxis.ticks,
    ({ value }) => xOf(value),
    ({ label }) => label.length * 6.4 + 10,
  ).map(({ value, label }) => html`<text x="${px(xOf(value))}" y="${bottom + 17}">${label}</text>`)}</g>
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
<text class="name" x="${(left + right) / 2}" y="${SIZE.height - 4}">${xLabel}</text>
<text class="start" x="4" y="10">${yLabel}</text>
${line && html`<path class="reference" d="${line}"/>`}
<path class="points" d="${points}"/>
</svg>
${note && html`<p class="note">${note}</p>`}</figure>`;
}

/** A histogram with its axis; undefined if it is empty. */
export function histogram(
  { low, high, counts }: Histogram,
  { title, label, note }: { readonly title: Content; readonly label: string; readonly note?: Content },
): Markup | undefined {
  const most = greatest(counts);
  if (!(most > 0)) return undefined;
  const { left, right, top, bottom } = PLOT;
  const width = (right - left) / counts.length;
  const axis = linearAxis(0, most, 5);
  const yOf = (value: number) => bottom - axis.position(value) * (bottom - top);
  const xTicks =
    high > low ? linearAxis(low, high, 7).ticks.filter(({ value }) => value >= low && value <= high) : [];
  const xOf = (value: number) => left + ((value - low) / (high - low)) * (right - left);
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${label}">
<g class="grid">${axis.ticks.map(({ value }) => html`<path d="M${left} ${px(yOf(value))}H${right}"/>`)}</g>
<g class="ticks end">${axis.ticks.map(({ value, label }) => html`<text x="${left - 6}" y="${px(yOf(value) + 4)}">${label}</text>`)}</g>
<g class="ticks middle">${
    xTicks.length > 0
      ? xTicks.map(({ value, label }) => html`<text x="${px(xOf(value))}" y="${bottom + 17}">${label}</text>`)
      : html`<text x="${(left + right) / 2}" y="${bottom + 17}">${formatMetric(low)}</text>`
  }</g>
${counts.map((count, i) => count > 0 && html`<rect class="bar" x="${px(left + i * width + 0.5)}" y="${px(yOf(count))}" width="${px(Math.max(1, width - 1))}" height="${px(bottom - yOf(count))}"/>`)}
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
<text class="name" x="${(left + right) / 2}" y="${SIZE.height - 4}">${label}</text>
</svg>
${note && html`<p class="note">${note}</p>`}</figure>`;
}

const SPARK = { width: 132, height: 30 } as const;

/** A histogram without an axis, for a table. */
export function sparkBars(counts: readonly number[]): Markup | undefined {
  const most = greatest(counts);
  if (!(most > 0)) return undefined;
  const { width, height } = SPARK;
  const step = width / counts.length;
  const bars = counts
    .map((count, i) =>
      count > 0
        ? `M${px(i * step)} ${height}v${px(-Math.max(1, (count / most) * height))}h${px(Math.max(0.8, step - 0.8))}V${height}z`
        : '',
    )
    .join('');
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true"><path class="bar" d="${bars}"/></svg>`;
}

/** A bar from the left, of a share of its place. @param deviation of the same unit, as a thin line */
export function shareBar(share: number, deviation = 0, low = 0): Markup {
  const [width, height] = [200, 14];
  const place = (value: number) => ((value - low) / (1 - low)) * width;
  const [from, to] = [Math.min(place(0), place(share)), Math.max(place(0), place(share))];
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true"><rect class="${share < 0 ? 'bar2' : 'bar'}" x="${px(from)}" y="2" width="${px(Math.max(0.5, to - from))}" height="10"/>${deviation > 0 && html`<path class="thin" d="M${px(Math.max(0, place(share - deviation)))} 7H${px(Math.min(width, place(share + deviation)))}"/>`}</svg>`;
}
