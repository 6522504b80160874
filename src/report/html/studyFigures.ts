/** Pictures of a study: trials in their order, and where their settings lie. */
import { formatMetric } from '../../text.js';
import { type Axis, integerTicks, linearAxis, logAxis, type Tick } from '../axis.js';
import { clip } from '../width.js';
import { greatest, least, SIZE, spaced } from './lineChart.js';
import { type Content, html, type Markup, px } from './markup.js';
import type { ParameterResults, StudyResults, TrialResults } from './results.js';
import { lastWord } from './runsPage.js';

/** A trial with a value that can be drawn. */
export interface ValuedTrial extends TrialResults {
  readonly value: number;
  /** From 0 for the worst to 1 for the best. */
  readonly rank: number;
}

/** Those with a finite value. */
export function valuedTrials({ trials, maximize }: Pick<StudyResults, 'trials' | 'maximize'>): ValuedTrial[] {
  const kept = trials.flatMap((trial) =>
    trial.value !== null && Number.isFinite(trial.value) ? [{ ...trial, value: trial.value }] : [],
  );
  const order = [...kept].sort((a, b) => (maximize ? a.value - b.value : b.value - a.value));
  const places = new Map(
    order.map((trial, i) => [trial.number, order.length > 1 ? i / (order.length - 1) : 1]),
  );
  return kept.map((trial) => ({ ...trial, rank: places.get(trial.number) ?? 0 }));
}

const PLOT = { left: 62, right: 456, top: 20, bottom: 232 } as const;

type Place = (value: number) => number;

/** An axis with a place for each value: numbers on their scale, choices one after the other. */
interface Scale {
  readonly ticks: readonly Tick[];
  position(value: number): number;
}

function scaleOf({ labels, log, low, high }: ParameterResults, mostTicks: number): Scale {
  if (!labels) return log && high > low ? logAxis(low, high, mostTicks) : linearAxis(low, high, mostTicks);
  const count = labels.length;
  return {
    ticks: labels.map((label, value) => ({ value, label: clip(label, Math.max(5, Math.floor(62 / count))) })),
    position: (value) => (value + 0.5) / count,
  };
}

/** Losses of a study often spread over decades, and the worst say little. */
function valueScale(values: readonly number[]): Axis {
  const [low, high] = [least(values), greatest(values)];
  return low > 0 && high > 20 * low ? logAxis(low, high, 6) : linearAxis(low, high, 6);
}

function frame(
  title: Content,
  xTicks: Markup,
  yAxis: Axis,
  yOf: Place,
  xLabel: Content,
  body: Content,
  yLabel: string,
): Markup {
  const { left, right, top, bottom } = PLOT;
  const kept = spaced(
    yAxis.ticks,
    ({ value }) => yOf(value),
    () => 16,
  );
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg class="plot" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${yLabel}">
<g class="grid">${kept.map(({ value }) => html`<path d="M${left} ${px(yOf(value))}H${right}"/>`)}</g>
<g class="ticks end">${kept.map(({ value, label }) => html`<text x="${left - 6}" y="${px(yOf(value) + 4)}">${label}</text>`)}</g>
<g class="ticks middle">${xTicks}</g>
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
<text class="name" x="${(left + right) / 2}" y="${SIZE.height - 4}">${xLabel}</text>
<text class="start" x="4" y="10">${yLabel}</text>
${body}
</svg></figure>`;
}

function bottomTicks(ticks: readonly Tick[], xOf: Place): Markup {
  const kept = spaced(
    ticks,
    ({ value }) => xOf(value),
    ({ label }) => label.length * 6.4 + 8,
  );
  return html`${kept.map(({ value, label }) => html`<text x="${px(xOf(value))}" y="${PLOT.bottom + 17}">${label}</text>`)}`;
}

/** A dot for each trial, and the best value so far. */
export function historyFigure({ metric, maximize, trials, best }: StudyResults): Markup | undefined {
  const valued = valuedTrials({ trials, maximize });
  if (valued.length === 0) return undefined;
  const { left, right, top, bottom } = PLOT;
  const numbers = valued.map(({ number }) => number);
  const [first, last] = [least(numbers), greatest(numbers)];
  const yAxis = valueScale(valued.map(({ value }) => value));
  const xOf = (number: number) =>
    left + (last > first ? (number - first) / (last - first) : 0.5) * (right - left - 8) + 4;
  const yOf = (value: number) => bottom - yAxis.position(value) * (bottom - top);
  let line = '';
  let leader: number | undefined;
  for (const { number, value, state } of valued) {
    if (state !== 'complete') continue;
    if (leader === undefined) line += `M${px(xOf(number))} ${px(yOf(value))}`;
    else if (maximize ? value > leader : value < leader) line += `H${px(xOf(number))}V${px(yOf(value))}`;
    leader = leader === undefined || (maximize ? value > leader : value < leader) ? value : leader;
  }
  if (line) line += `H${px(xOf(last))}`;
  const dots = valued.map(
    ({ number, value, state, epochs }) =>
      html`<circle class="${state === 'complete' ? 'full' : 'open'}${number === best && ' winner'}" cx="${px(xOf(number))}" cy="${px(yOf(value))}" r="${number === best ? 5.5 : 3.4}"><title>trial ${number}: ${formatMetric(value)}, ${state} after ${epochs} epochs</title></circle>`,
  );
  const body = html`<path class="line c0" d="${line}"/>${dots}`;
  return frame(
    'Trials in their order, and the best so far',
    bottomTicks(integerTicks(first, last, 7), xOf),
    yAxis,
    yOf,
    'trial',
    body,
    metric,
  );
}

/** The value of trials over a setting. */
export function sliceFigure(
  parameter: ParameterResults,
  at: number,
  { metric, ...study }: StudyResults,
): Markup | undefined {
  const valued = valuedTrials(study).filter(({ point }) => !Number.isNaN(point[at]));
  if (valued.length < 2) return undefined;
  const { left, right, top, bottom } = PLOT;
  const yAxis = valueScale(valued.map(({ value }) => value));
  const xScale = scaleOf(parameter, 6);
  const xOf = (value: number) => left + xScale.position(value) * (right - left);
  const yOf = (value: number) => bottom - yAxis.position(value) * (bottom - top);
  const dots = valued.map(
    ({ number, value, point, state }) =>
      html`<circle class="${state === 'complete' ? 'full' : 'open'}" cx="${px(xOf(point[at]))}" cy="${px(yOf(value))}" r="3.4"><title>trial ${number}: ${formatMetric(value)}</title></circle>`,
  );
  return frame(
    lastWord(parameter.name),
    bottomTicks(xScale.ticks, xOf),
    yAxis,
    yOf,
    parameter.name,
    dots,
    metric,
  );
}

/** Where trials lie in two settings: the darker, the better. */
export function pairFigure(study: StudyResults, a: number, b: number): Markup | undefined {
  const { parameters } = study;
  const valued = valuedTrials(study).filter(
    ({ point }) => !Number.isNaN(point[a]) && !Number.isNaN(point[b]),
  );
  if (valued.length < 2) return undefined;
  const { left, right, top, bottom } = PLOT;
  const [xScale, yScale] = [scaleOf(parameters[a], 6), scaleOf(parameters[b], 6)];
  const xOf = (value: number) => left + xScale.position(value) * (right - left);
  const yOf = (value: number) => bottom - yScale.position(value) * (bottom - top);
  const sorted = valued.sort((one, other) => one.rank - other.rank);
  const dots = sorted.map(
    ({ number, value, point, rank }) =>
      html`<circle class="f0 plain" fill-opacity="${(0.12 + 0.88 * rank ** 2).toFixed(2)}" cx="${px(xOf(point[a]))}" cy="${px(yOf(point[b]))}" r="${px(3 + 3.5 * rank ** 3)}"><title>trial ${number}: ${formatMetric(value)}</title></circle>`,
  );
  const yAxis: Axis = {
    log: false,
    ticks: yScale.ticks.map((tick) => ({ ...tick, label: clip(tick.label, 8) })),
    position: yScale.position,
  };
  const title = html`${lastWord(parameters[a].name)} and ${lastWord(parameters[b].name)}`;
  return frame(
    title,
    bottomTicks(xScale.ticks, xOf),
    yAxis,
    yOf,
    parameters[a].name,
    dots,
    parameters[b].name,
  );
}

const WIDE = { width: 1020, height: 314, top: 40, bottom: 300, side: 70 } as const;
const MOST_LINES = 300;
const MOST_AXES = 10;

/** A line for each trial, through its place on each axis; the best tenth in colour. */
export function parallelFigure(study: StudyResults, chosen: readonly number[]): Markup | undefined {
  const axes = chosen.slice(0, MOST_AXES);
  const valued = valuedTrials(study)
    .sort((a, b) => a.rank - b.rank)
    .slice(-MOST_LINES);
  if (valued.length < 2 || axes.length === 0) return undefined;
  const { top, bottom, side, width, height } = WIDE;
  const valueAxis = valueScale(valued.map(({ value }) => value));
  const scales: Scale[] = [...axes.map((at) => scaleOf(study.parameters[at], 5)), valueAxis];
  const names = [...axes.map((at) => study.parameters[at].name), study.metric];
  const xOf = (i: number) => side + (i * (width - 2 * side)) / (scales.length - 1);
  const yOf = (i: number, value: number) => bottom - scales[i].position(value) * (bottom - top);
  const lines = valued.map(({ number, value, point, rank }) => {
    const places = [...axes.map((at) => point[at]), value];
    let path = '';
    let isOpen = false;
    for (const [i, place] of places.entries()) {
      const there = Number.isFinite(place);
      if (there) path += `${isOpen ? 'L' : 'M'}${px(xOf(i))} ${px(yOf(i, place))}`;
      isOpen = there;
    }
    const isBest = rank >= 0.9;
    return html`<path class="hair ${isBest ? 'c1 strong' : 'c0'}" d="${path}"><title>trial ${number}: ${formatMetric(value)}</title></path>`;
  });
  const columns = scales.map((scale, i) => {
    const text = names[i].slice(names[i].lastIndexOf('.') + 1);
    const kept = spaced(
      scale.ticks,
      ({ value }) => yOf(i, value),
      () => 15,
    );
    return html`<path class="axis" d="M${px(xOf(i))} ${top}V${bottom}"/><text class="big middle" x="${px(xOf(i))}" y="${i % 2 === 0 || scales.length < 7 ? 18 : 30}"><title>${names[i]}</title>${clip(text, 20)}</text>${kept.map(({ value, label }) => html`<text class="${i === scales.length - 1 ? 'start' : 'end'} halo" x="${px(xOf(i) + (i === scales.length - 1 ? 6 : -6))}" y="${px(yOf(i, value) + 4)}">${clip(label, 14)}</text>`)}`;
  });
  return html`<div class="scroll"><svg class="plot wide" viewBox="0 0 ${width} ${height}" role="img" aria-label="Parallel coordinates of the trials">${lines}${columns}</svg></div>
<p class="note">A line is a trial, by its settings and its ${study.metric}; <span class="k1">the best tenth</span>.</p>`;
}
