/** The network drawn, its layers in a table, and what its first layer looks for in an image. */
import { formatCount } from '../../text.js';
import { clip } from '../width.js';
import { type Content, html, type Markup, px } from './markup.js';
import { image, SIGNED, signedShadeOf } from './png.js';
import type { FirstWeights, LayerResults, NetworkResults } from './results.js';
import { htmlTable } from './table.js';

export function networkSection(network: NetworkResults): Content {
  const { layers, parameters, weights, biases, members, inputs, firstWeights } = network;
  return html`<p>${formatCount(parameters)} parameters: ${formatCount(weights)} weights, ${formatCount(biases)} biases and shifts${members > 1 && `; ${formatCount(members)} members, whose predictions are averaged`}.</p>
${drawing(network)}
${htmlTable({
  columns: [
    { header: 'layer' },
    { header: 'type' },
    { header: 'shape', isNumber: true },
    { header: 'parameters', isNumber: true },
  ],
  rows: layers.map((layer) => [
    html`<code>${layer.name}</code>`,
    layer.type,
    `${formatCount(layer.inputs)} → ${formatCount(layer.outputs)}`,
    layer.parameters > 0n ? formatCount(layer.parameters) : '–',
  ]),
  footer: [
    [
      'total',
      '',
      `${formatCount(inputs)} → ${formatCount(layers.findLast(({ depth }) => depth === 0)?.outputs ?? inputs)}`,
      formatCount(parameters),
    ],
  ],
})}
${firstWeights && firstLayer(firstWeights)}`;
}

/** A column of the drawing: the values between two layers that change their number. */
interface Stage {
  readonly units: number;
  readonly title: string;
  /** What happens to the values on their way out. */
  readonly activations: string[];
  /** [units before, units] The weights that lead here. */
  readonly weights?: ArrayLike<number> | undefined;
}

const SIZE = { width: 760, height: 300, top: 24, bottom: 250, side: 132 } as const;
const MOST_STAGES = 8;

function drawing({ inputs, layers, small }: NetworkResults): Content {
  const stages = stagesOf(inputs, layers);
  if (stages.length > MOST_STAGES || stages.length < 2) return undefined;
  const step = (SIZE.width - 2 * SIZE.side) / (stages.length - 1);
  const xOf = (stage: number) => SIZE.side + stage * step;
  const alt = stages.map(({ units }) => units).join(' to ');
  return html`<div class="scroll"><svg class="plot network" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="Network: ${alt} units">
${small ? nodesAndWeights(stages, xOf, small) : blocks(stages, xOf)}
${stages.map(({ units, title, activations }, i) => html`<text class="big middle" x="${px(xOf(i))}" y="${SIZE.bottom + 20}">${formatCount(units)}</text><text class="middle" x="${px(xOf(i))}" y="${SIZE.bottom + 35}">${title}</text>${activations.length > 0 && html`<text class="middle" x="${px(xOf(i))}" y="${SIZE.bottom + 49}">${clip(activations.join(', '), Math.max(14, Math.floor(step / 6.5)))}</text>`}`)}
</svg></div>
${small && html`<p class="note">A line is a weight: wider for a larger one, <span class="k0">blue above 0</span>, <span class="k1">orange below</span>.</p>`}`;
}

function stagesOf(inputs: number, layers: readonly LayerResults[]): Stage[] {
  const stages: Stage[] = [{ units: inputs, title: 'inputs', activations: [] }];
  for (const { type, inputs: before, outputs, depth, weights } of layers) {
    if (depth > 0) continue;
    const isNew = type === 'linear' || before !== outputs;
    if (isNew) stages.push({ units: outputs, title: type, activations: [], weights });
    else stages.at(-1)?.activations.push(type);
  }
  return stages;
}

type Place = (stage: number) => number;

function nodesAndWeights(
  stages: readonly Stage[],
  xOf: Place,
  { inputNames, outputNames }: NonNullable<NetworkResults['small']>,
): Markup {
  const middle = (SIZE.top + SIZE.bottom) / 2;
  const gap = (units: number) => Math.min(34, (SIZE.bottom - SIZE.top - 10) / Math.max(1, units - 1));
  const yOf = (units: number, i: number) => middle + (i - (units - 1) / 2) * gap(units);
  const radius = (units: number) => Math.min(9, Math.max(3, gap(units) / 2.6));
  const lines = stages.flatMap(({ units, weights }, s) => {
    if (!weights) return [];
    const before = stages[s - 1].units;
    const largest = Array.from(weights).reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    return Array.from(weights, (value, at) => {
      const share = Math.abs(value) / largest;
      if (!(share > 0.02)) return '';
      const [from, to] = [Math.floor(at / units), at % units];
      return html`<path class="${value > 0 ? 'positive' : 'negative'}" stroke-width="${px(0.4 + 2.6 * share)}" stroke-opacity="${px(0.2 + 0.7 * share)}" d="M${px(xOf(s - 1))} ${px(yOf(before, from))}L${px(xOf(s))} ${px(yOf(units, to))}"/>`;
    });
  });
  const label = (text: string, x: number, y: number, side: 'end' | 'start') =>
    html`<text class="${side}" x="${px(x)}" y="${px(y + 4)}"><title>${text}</title>${clip(text, 17)}</text>`;
  const last = stages.length - 1;
  const isNamed = ({ units }: Stage) => gap(units) >= 11 || units === 1;
  return html`${lines}
${stages.map(({ units }, s) => Array.from({ length: units }, (_, i) => html`<circle class="unit" cx="${px(xOf(s))}" cy="${px(yOf(units, i))}" r="${px(radius(units))}"/>`))}
${isNamed(stages[0]) && inputNames.map((text, i) => label(text, xOf(0) - 14, yOf(stages[0].units, i), 'end'))}
${outputNames.length === stages[last].units && isNamed(stages[last]) && outputNames.map((text, i) => label(text, xOf(last) + 14, yOf(stages[last].units, i), 'start'))}`;
}

/** A block for each stage, as high as the logarithm of its width. */
function blocks(stages: readonly Stage[], xOf: Place): Markup {
  const most = stages.reduce((widest, { units }) => Math.max(widest, units), 2);
  const middle = (SIZE.top + SIZE.bottom) / 2;
  const half = (units: number) =>
    Math.max(4, ((SIZE.bottom - SIZE.top) / 2) * (Math.log2(units + 1) / Math.log2(most + 1)));
  const width = 9;
  return html`${stages.slice(1).map(({ units }, i) => {
    const [from, to] = [half(stages[i].units), half(units)];
    const [x0, x1] = [xOf(i) + width, xOf(i + 1) - width];
    return html`<path class="flow" d="M${px(x0)} ${px(middle - from)}L${px(x1)} ${px(middle - to)}V${px(middle + to)}L${px(x0)} ${px(middle + from)}Z"/>`;
  })}
${stages.map(({ units }, i) => html`<rect class="layer" x="${px(xOf(i) - width)}" y="${px(middle - half(units))}" width="${2 * width}" height="${px(2 * half(units))}" rx="3"/>`)}`;
}

const UNIT = 84;

function firstLayer({ width, units, of }: FirstWeights): Markup {
  const largest = units.reduce(
    (most, unit) => Array.from(unit.weights).reduce((inner, value) => Math.max(inner, Math.abs(value)), most),
    0,
  );
  const pictures = units.map(({ number, weights }) => {
    const indices = Uint8Array.from(Array.from(weights), (value) =>
      signedShadeOf(largest > 0 ? value / largest : 0),
    );
    return html`<figure>${image(indices, width, SIGNED, { alt: `Weights of unit ${number}`, zoom: UNIT / width })}${number}</figure>`;
  });
  const which =
    units.length < of
      ? `the ${formatCount(units.length)} of ${formatCount(of)} units with the greatest`
      : `each of ${formatCount(of)} units`;
  return html`<h3>What the first layer looks for</h3>
<p class="note">The weights of ${which}, by the pixel that they belong to: <span class="k0">blue</span> adds, <span class="k1">orange</span> takes away.</p>
<div class="gallery">${pictures}</div>`;
}
