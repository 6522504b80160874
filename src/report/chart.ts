/** The loss curves in characters: training solid, validation dashed, its lowest point marked. */
import { formatCount, formatMetric } from '../text.js';
import { type Axis, integerTicks, type Tick, valueAxis } from './axis.js';
import { braille, Canvas, type Dash, SOLID } from './canvas.js';
import { averaged, drawablePoints, type Point } from './curve.js';
import type { Display, Paint } from './style.js';
import { clip, clipTo, textWidth } from './width.js';

export interface LossCurves {
  /** The loss after each epoch, from epoch 1. NaN and infinities are not drawn. */
  readonly training: ArrayLike<number>;
  /** Likewise; NaN for an epoch without validation. Empty or missing without validation data. */
  readonly validation?: ArrayLike<number>;
}

export interface ChartOptions {
  /** Rows of the plot, without title and axis. */
  readonly height?: number;
  /** What is drawn, for the title. */
  readonly name?: string;
}

const TRAINING = 0;
const VALIDATION = 1;
/** Four dots are two characters, so a level stretch looks regular. */
const DASHED: Dash = { on: 2, off: 2 };
/** Room for the word `epoch` to the left of the first epoch's number. */
const LEAST_MARGIN = 4;
const LEGEND_GAP = 3;
const NARROWEST = 24;
const WIDEST = 200;

/** Lines joined by `\n`, without trailing spaces, as wide as the display (but at least 24). */
export function lossChart(
  curves: LossCurves,
  display: Display,
  { height = 12, name = 'loss' }: ChartOptions = {},
): string {
  const width = Math.min(Math.max(display.width, NARROWEST), WIDEST);
  const series = [curves.training, curves.validation ?? []].map((losses) => drawablePoints(losses));
  if (series.every((points) => points.length === 0)) return `no finite ${name} to draw`;
  const epochs = Math.max(curves.training.length, curves.validation?.length ?? 0);

  // With more epochs than dots (two per column), draw means of neighbours.
  const shown = series.map((points) => averaged(points, epochs, 2 * width));
  const losses = shown.flat().map((point) => point.y);
  const least = losses.reduce((a, b) => Math.min(a, b));
  const most = losses.reduce((a, b) => Math.max(a, b));
  const axis = valueAxis(least, most, Math.max(2, Math.ceil(height / 2)));
  const labels = rowLabels(axis, evenHeight(axis, height));
  const margin = labels.reduce((widest, label) => Math.max(widest, label.length), LEAST_MARGIN);

  const canvas = new Canvas(width - margin - 2, labels.length, 2, display.ascii ?? false);
  const xOf = (epoch: number) =>
    Math.round((epochs > 1 ? (epoch - 1) / (epochs - 1) : 0.5) * (canvas.dotColumns - 1));
  // From the middle of the top row to that of the bottom row: a tick lies in its label's row.
  const dotsDown = canvas.dotRows / canvas.rows;
  const yOf = (loss: number) =>
    Math.round((1 - clamp01(axis.position(loss))) * (canvas.dotRows - dotsDown) + (dotsDown - 1) / 2);
  const dotOf = ({ x, y }: Point) => [xOf(x), yOf(y)] as const;
  const dashes = [SOLID, display.ascii ? SOLID : DASHED];
  for (const layer of [TRAINING, VALIDATION]) canvas.path(layer, shown[layer].map(dotOf), dashes[layer]);
  // A lone dot is hard to see: a training curve of one point fills its character.
  if (shown[TRAINING].length === 1) {
    const [x, y] = dotOf(shown[TRAINING][0]);
    canvas.fill(TRAINING, canvas.column(x), canvas.row(y));
  }
  const lowest = series[VALIDATION].reduce<Point | undefined>(
    (best, point) => (best && best.y <= point.y ? best : point),
    undefined,
  );

  const lines = titleLines(`${name}${axis.log ? ', log scale' : ''}`, series, width, margin, display);
  lines.push(...plotLines(canvas, labels, margin, lowest && dotOf(lowest), display));
  lines.push(
    ...epochLines(integerTicks(1, epochs, Math.ceil(canvas.columns / 12)), xOf, canvas, margin, display),
  );
  if (lowest) {
    const where = `${formatMetric(lowest.y)} at epoch ${formatCount(lowest.x)}`;
    const room = width - margin - 2;
    const long = `o lowest validation ${name} ${where}`;
    const text = textWidth(long) <= room ? long : clipTo(`o lowest ${where}`, room, '').trimEnd();
    lines.push(' '.repeat(margin + 2) + display.style.validation(text));
  }
  return lines.join('\n');
}

/**
 * The number of rows nearest to `height` that spaces ticks evenly, at least two rows apart. A
 * logarithmic axis gets at least four rows, enough for two labels.
 */
function evenHeight({ log, ticks }: Axis, height: number): number {
  if (log) return Math.max(4, height);
  const steps = ticks.length - 1;
  return Math.max(2, Math.round((height - 1) / steps)) * steps + 1;
}

function clamp01(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** The label of each row's tick, or nothing; labels are never in adjacent rows. */
function rowLabels(axis: Axis, height: number): string[] {
  const labels: string[] = Array(height).fill('');
  for (const tick of axis.ticks) {
    const row = Math.round((1 - axis.position(tick.value)) * (height - 1));
    const taken = [row - 1, row, row + 1].some((near) => labels[near]);
    if (!taken) labels[row] = tick.label;
  }
  return labels;
}

function titleLines(
  title: string,
  series: readonly Point[][],
  width: number,
  margin: number,
  { style, ascii }: Display,
): string[] {
  const [solid, dashed] = ascii ? ['*', 'o'] : ['⠒⠒⠒⠒⠒', '⠒ ⠒ ⠒'];
  const entries: [text: string, paint: Paint][] = [[title, style.bold]];
  if (series[TRAINING].length > 0) entries.push([`${solid} training`, style.training]);
  if (series[VALIDATION].length > 0) entries.push([`${dashed} validation`, style.validation]);
  const lines: string[] = [];
  let room = 0;
  for (const [text, paint] of entries) {
    const taken = textWidth(text) + LEGEND_GAP;
    if (taken <= room) {
      lines[lines.length - 1] += ' '.repeat(LEGEND_GAP) + paint(text);
      room -= taken;
    } else {
      const indent = Math.max(0, Math.min(margin + 2, width - textWidth(text)));
      lines.push(' '.repeat(indent) + paint(clip(text, width)));
      room = width - indent - textWidth(text);
    }
  }
  return lines;
}

function plotLines(
  canvas: Canvas,
  labels: readonly string[],
  margin: number,
  marker: readonly [x: number, y: number] | undefined,
  { style, ascii }: Display,
): string[] {
  const markerColumn = marker && canvas.column(marker[0]);
  const markerRow = marker && canvas.row(marker[1]);
  const [wall, tickMark] = ascii ? ['|', '+'] : ['│', '┤'];
  return labels.map((label, row) => {
    let line = '';
    for (let column = 0; column < canvas.columns; column++) {
      const training = canvas.bits(TRAINING, column, row);
      const validation = canvas.bits(VALIDATION, column, row);
      if (column === markerColumn && row === markerRow) line += style.validation(style.bold('o'));
      else if (ascii) line += asciiCell(training !== 0, validation !== 0, style.training, style.validation);
      // Where the curves overlap, the dashed one keeps its colour: it would be lost otherwise.
      else if (validation) line += style.validation(braille(training | validation));
      else line += training ? style.training(braille(training)) : ' ';
    }
    return `${label.padStart(margin)} ${style.dim(label ? tickMark : wall)}${line}`.trimEnd();
  });
}

function asciiCell(
  training: boolean,
  validation: boolean,
  trainingPaint: Paint,
  validationPaint: Paint,
): string {
  if (validation) return validationPaint(training ? '@' : 'o');
  return training ? trainingPaint('*') : ' ';
}

/** The axis below the plot, its numbers, and the word `epoch`. */
function epochLines(
  ticks: readonly Tick[],
  xOf: (epoch: number) => number,
  canvas: Canvas,
  margin: number,
  { style, ascii }: Display,
): string[] {
  const [corner, floor, tickMark] = ascii ? ['+', '-', '+'] : ['└', '─', '┬'];
  const rule = Array<string>(canvas.columns).fill(floor);
  const offset = margin + 2;
  const numbers = Array<string>(offset + canvas.columns).fill(' ');
  const put = (text: string, at: number): boolean => {
    const free = numbers.slice(Math.max(0, at - 2), at + text.length + 2).every((c) => c === ' ');
    if (at < 0 || at + text.length > numbers.length || !free) return false;
    for (let i = 0; i < text.length; i++) numbers[at + i] = text[i];
    return true;
  };
  for (const { value, label } of ticks) {
    const column = canvas.column(xOf(value));
    const centred = offset + column - Math.floor((label.length - 1) / 2);
    if (put(label, Math.min(centred, numbers.length - label.length))) rule[column] = tickMark;
  }
  // Nothing else can be to the left of the first epoch's number.
  numbers.splice(margin - LEAST_MARGIN, 5, ...'epoch');
  return [`${' '.repeat(margin + 1)}${style.dim(corner + rule.join(''))}`, numbers.join('').trimEnd()];
}
