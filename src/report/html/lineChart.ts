/**
 * Curves as a picture, of the same axes as those of the terminal. A box switches to a logarithmic axis,
 * others hide curves: style sheets do that, so they work without a script.
 */
import { printable } from '../../text.js';
import { type Axis, integerTicks, linearAxis, logAxis, type Tick, valueAxis } from '../axis.js';
import { drawable, extremes } from '../curve.js';
import { type Content, html, type Markup, name, px } from './markup.js';

export interface Series {
  readonly name: string;
  /** Rising, but for a curve that is drawn whole. */
  readonly x: ArrayLike<number>;
  /** NaN and infinities are gaps. */
  readonly y: ArrayLike<number>;
  readonly dashed?: boolean;
  /** What each point comes from, for whoever points at it, such as a threshold. */
  readonly at?: readonly [name: string, values: ArrayLike<number>];
}

export interface LineChart {
  readonly title: string;
  /** What x is. */
  readonly label: string;
  readonly series: readonly Series[];
  /** Whether x counts something, so that its ticks are whole numbers. */
  readonly counts?: boolean;
  /** Bounds of both axes, such as [0, 1] for shares: a linear picture without a choice. */
  readonly bounds?: readonly [low: number, high: number];
  /** A line from one corner to the other: what a guess, or a perfect calibration, gives. */
  readonly diagonal?: boolean;
  /** A place to mark, such as the epoch whose weights are kept. */
  readonly mark?: { readonly x: number; readonly label: string };
  /** Points to mark, such as a threshold in use, with what they are. */
  readonly points?: readonly { readonly x: number; readonly y: number; readonly label: string }[];
  /** Bars from the floor: how much each part of x holds, as a share of the largest. */
  readonly bars?: readonly { readonly from: number; readonly to: number; readonly share: number }[];
  /** Whether each value has a dot. */
  readonly dots?: boolean;
  /** A sentence below. */
  readonly note?: Content;
}

/** A drawn chart, and what the script needs of it. */
export interface DrawnChart {
  readonly markup: Markup;
  readonly data: unknown;
}

/** The most curves that have a colour of their own. */
export const MOST_SERIES = 12;

/** In pixels of the drawing, which is scaled to the width of its place. */
export const SIZE = { width: 480, height: 270 } as const;
const PLOT = { left: 56, right: 456, top: 20, bottom: 232 } as const;
/** The height of the highest bar. */
const BARS = 60;
const TICK_GAP = 16;
const CHARACTER = 6.4;

/** @param id unique in the page */
export function lineChart(id: string, chart: LineChart): DrawnChart | undefined {
  const series = chart.series.slice(0, MOST_SERIES).map((one) => ({ ...one, ...fewer(one, chart) }));
  const ys = series.flatMap(({ y }) => y.filter((value) => !Number.isNaN(value)));
  if (ys.length === 0) return undefined;
  const xs = series.flatMap(({ x }) => x);
  const [x0, x1] = chart.bounds ?? [least(xs), greatest(xs)];
  const [low, high] = chart.bounds ?? [least(ys), greatest(ys)];
  const xAxis = horizontal(chart, x0, x1);
  const isPositive = low > 0 && high > low * 1.5 && !chart.bounds;
  const isLog = isPositive && valueAxis(low, high, 6).log;
  const body = (axis: Axis, kind: string) => picture(chart, series, xAxis, axis, kind);
  const isChosen = series.length > 1;
  const markup = html`<figure class="chart" id="${id}" data-chart>
<figcaption>${chart.title}</figcaption>
${isPositive && html`<input type="checkbox" class="log" id="${id}-log"${isLog && html` checked`}><label class="choice" for="${id}-log">log scale</label>`}
${isChosen && series.map((one, i) => choice(id, one, i))}
${body(linearAxis(low, high, 6), isPositive ? ' linear' : '')}
${isPositive && body(logAxis(low, high, 6), ' logarithmic')}
${chart.note && html`<p class="note">${chart.note}</p>`}
</figure>`;
  const data = {
    label: chart.label,
    width: SIZE.width,
    left: PLOT.left,
    right: PLOT.right,
    x: [xAxis.from, xAxis.to],
    series: series.map(({ name, x, y, at }) => ({
      name: printable(name),
      x: x.map(short),
      y: y.map(short),
      ...(at && { at: [at[0], Array.from(at[1], short)] }),
    })),
  };
  return { markup, data };
}

/** The points that are drawn. Those with an origin are few already, and may go back and forth. */
function fewer({ x, y, at }: Series, { bounds }: LineChart): { x: number[]; y: number[] } {
  const hasPlaces = Array.from(x).every(Number.isFinite);
  if (at || bounds) return { x: Array.from(x), y: Array.from(y, drawable) };
  // A table that somebody changed may lack the number of an epoch.
  return hasPlaces ? extremes(x, y, PLOT.right - PLOT.left) : { x: [], y: [] };
}

function choice(id: string, { name: text, dashed }: Series, i: number): Markup {
  return html`<input type="checkbox" class="show${i}" id="${id}-${i}" checked><label class="choice" for="${id}-${i}"><svg class="sample" viewBox="0 0 22 8" aria-hidden="true"><path class="line c${i}${dashed && ' dashed'}" d="M1 4H21"/></svg>${name(text)}</label>`;
}

interface Horizontal {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly Tick[];
  position(x: number): number;
}

function horizontal({ counts, bounds }: LineChart, x0: number, x1: number): Horizontal {
  if (counts) {
    const span = x1 - x0;
    const position = (x: number) => (span > 0 ? (x - x0) / span : 0.5);
    return { from: x0, to: span > 0 ? x1 : x0 + 1, ticks: integerTicks(x0, x1, 7), position };
  }
  const axis = linearAxis(x0, x1, 7);
  const values = axis.ticks.map(({ value }) => value);
  const [from, to] = bounds ?? [values[0], values[values.length - 1]];
  return { from, to, ticks: axis.ticks, position: axis.position };
}

function picture(
  { label, mark, points = [], bars = [], diagonal, dots, title }: LineChart,
  series: readonly (Series & { readonly x: number[]; readonly y: number[] })[],
  xAxis: Horizontal,
  yAxis: Axis,
  kind: string,
): Markup {
  const { left, right, top, bottom } = PLOT;
  const xOf = (x: number) => left + xAxis.position(x) * (right - left);
  const yOf = (y: number) => bottom - Math.min(1, Math.max(0, yAxis.position(y))) * (bottom - top);
  const markX = mark && xOf(mark.x);
  const marked = mark
    ? series.flatMap((one, i) => pointAt(one, mark.x).map((y) => [i, yOf(y)] as const))
    : [];
  return html`<svg class="plot${kind}" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${title}">
<g class="grid">${spaced(
    yAxis.ticks,
    ({ value }) => yOf(value),
    () => TICK_GAP,
  ).map(({ value }) => html`<path d="M${left} ${px(yOf(value))}H${right}"/>`)}</g>
<g class="ticks end">${spaced(
    yAxis.ticks,
    ({ value }) => yOf(value),
    () => TICK_GAP,
  ).map(({ value, label }) => html`<text x="${left - 6}" y="${px(yOf(value) + 4)}">${label}</text>`)}</g>
<g class="ticks middle">${spaced(
    xAxis.ticks,
    ({ value }) => xOf(value),
    ({ label }) => label.length * CHARACTER + 10,
  ).map(({ value, label }) => html`<text x="${px(xOf(value))}" y="${bottom + 17}">${label}</text>`)}</g>
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
<text class="name" x="${(left + right) / 2}" y="${SIZE.height - 4}">${label}</text>
${bars.map(({ from, to, share }) => html`<rect class="count" x="${px(xOf(from) + 1)}" y="${px(bottom - share * BARS)}" width="${px(xOf(to) - xOf(from) - 2)}" height="${px(share * BARS)}"/>`)}
${diagonal && html`<path class="reference" d="M${left} ${bottom}L${right} ${top}"/>`}
${markX !== undefined && html`<path class="mark" d="M${px(markX)} ${top}V${bottom}"/>`}
${series.map((one, i) => html`<g class="s${i}">${curve(one, i, xOf, yOf, dots)}</g>`)}
${markX !== undefined && marked.map(([i, y]) => html`<circle class="s${i} dot c${i}" cx="${px(markX)}" cy="${px(y)}" r="4"/>`)}
${markX !== undefined && html`<text class="marked ${markX > (left + right) / 2 ? 'end' : 'start'}" x="${px(markX + (markX > (left + right) / 2 ? 4 : -4))}" y="${top - 8}">${mark?.label}</text>`}
${points.map((point) => spot(point, xOf, yOf))}
<line class="guide" x1="0" x2="0" y1="${top}" y2="${bottom}" visibility="hidden"/>
</svg>`;
}

function spot({ x, y, label }: NonNullable<LineChart['points']>[number], xOf: Place, yOf: Place): Markup {
  const isRight = xOf(x) > (PLOT.left + PLOT.right) * 0.6;
  return html`<circle class="spot" cx="${px(xOf(x))}" cy="${px(yOf(y))}" r="4.5"/><text class="marked ${isRight ? 'end' : 'start'}" x="${px(xOf(x) + (isRight ? -9 : 9))}" y="${px(Math.min(yOf(y) + 16, PLOT.bottom - 6))}">${label}</text>`;
}

type Place = (value: number) => number;

/** A line with gaps, and a dot for each value that has no neighbour. */
function curve(
  { x, y, dashed }: Series & { readonly x: number[]; readonly y: number[] },
  i: number,
  xOf: Place,
  yOf: Place,
  dots = false,
): Markup {
  let line = '';
  let lone = '';
  let isOpen = false;
  for (let at = 0; at < x.length; at++) {
    if (Number.isNaN(y[at])) {
      isOpen = false;
      continue;
    }
    const place = `${px(xOf(x[at]))} ${px(yOf(y[at]))}`;
    line += `${isOpen ? 'L' : 'M'}${place}`;
    const isAlone = !isOpen && (at + 1 >= x.length || Number.isNaN(y[at + 1]));
    if (dots || isAlone) lone += `M${place}h0`;
    isOpen = true;
  }
  return html`<path class="line c${i}${dashed && ' dashed'}" d="${line}"/>${lone && html`<path class="lone c${i}" d="${lone}"/>`}`;
}

/** The value at a place, if there is one. */
function pointAt(
  { x, y }: { readonly x: readonly number[]; readonly y: readonly number[] },
  at: number,
): number[] {
  const i = x.indexOf(at);
  return i < 0 || Number.isNaN(y[i]) ? [] : [y[i]];
}

/** Those that don't collide with one before. @param room how much of the axis one needs */
export function spaced<One>(
  ticks: readonly One[],
  placeOf: (tick: One) => number,
  room: (tick: One) => number,
): One[] {
  const kept: One[] = [];
  for (const tick of ticks) {
    const collides = kept.some(
      (other) => Math.abs(placeOf(other) - placeOf(tick)) < (room(other) + room(tick)) / 2,
    );
    if (!collides) kept.push(tick);
  }
  return kept;
}

/** Five digits are more than a picture shows. JSON has no NaN. */
function short(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
}

export function least(values: ArrayLike<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] < found) found = values[i];
  return found;
}

export function greatest(values: ArrayLike<number>): number {
  let found = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] > found) found = values[i];
  return found;
}
