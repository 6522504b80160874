/** The progress of a run: one line per epoch. terminalProgress has the bar within an epoch. */
import { formatDuration, formatMetricIn, printable } from '../text.js';
import { type Display, type Paint, plainStyle } from './style.js';
import { clip, textWidth } from './width.js';

export interface EpochSummary {
  /** What an epoch is called; "epoch" if left out. */
  readonly name?: string | undefined;
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps since the start of the run. */
  readonly step: number;
  readonly learningRate: number;
  readonly seconds: number;
  /** Metrics by name, in the order of display: loss first, then accuracy, or r2 and rmse. */
  readonly train: Readonly<Record<string, number>>;
  readonly validation?: Readonly<Record<string, number>> | undefined;
}

/** Called for every epoch in the order epochStarted, stepDone …, epochDone; at the end, finish. */
export interface TrainingProgress {
  /** Epoch (from 1) of `epochs` starts; it has `steps` steps. It is called `name`, or "epoch". */
  epochStarted(epoch: number, epochs: number, steps: number, name?: string): void;
  /** Step (from 1, within the epoch) is done. Cheap enough to call after every step. */
  stepDone(step: number, loss: number, samplesPerSecond: number): void;
  epochDone(summary: EpochSummary): void;
  /** Restores the terminal, however the run ended: call it in a `finally`. */
  finish(): void;
}

/** Where progress is written: stderr, or a stand-in in a test. */
export interface TextStream {
  write(text: string): unknown;
}

/** For pipes and logs: one line per epoch, without escape codes or carriage returns. */
export class PlainProgress implements TrainingProgress {
  readonly #stream: TextStream;
  readonly #ascii: boolean;

  constructor(stream: TextStream, ascii = false) {
    this.#stream = stream;
    this.#ascii = ascii;
  }

  epochStarted(): void {}

  stepDone(): void {}

  epochDone(summary: EpochSummary): void {
    const display = { width: Number.POSITIVE_INFINITY, style: plainStyle, ascii: this.#ascii };
    this.#stream.write(`${formatEpochLine(summary, display)}\n`);
  }

  finish(): void {}
}

interface Layout {
  readonly numberWidth: number;
  readonly separator: string;
  readonly validation: string;
  readonly names: Readonly<Record<string, string>>;
}

const METRIC_NAMES = { r2: 'R²', rmse: 'RMSE', f1: 'F1' };
const SHORT_NAMES = { ...METRIC_NAMES, accuracy: 'acc' };

/** From roomy to tight. The second fits loss and accuracy into 80 columns. */
const LAYOUTS: readonly Layout[] = [
  { numberWidth: 7, separator: '  |  ', validation: 'validation', names: METRIC_NAMES },
  { numberWidth: 7, separator: ' | ', validation: 'val', names: SHORT_NAMES },
  { numberWidth: 6, separator: ' | ', validation: 'val', names: SHORT_NAMES },
];

type Part = readonly [text: string, paint?: Paint];

/**
 * The line of an epoch, in the same columns for all epochs of a run:
 *
 *     epoch  3/30  loss 0.08123  accuracy 0.9780  |  validation loss 0.09512  accuracy 0.9740  |  0.21 s
 *
 * A narrower display gets shorter words, then fewer digits, then no time, then a cut line.
 */
export function formatEpochLine(summary: EpochSummary, { width, style, ascii = false }: Display): string {
  const time: Part = [formatDuration(summary.seconds).padStart(6), style.dim];
  let parts: Part[] = [];
  for (const layout of LAYOUTS) {
    const separator: Part = [layout.separator, style.dim];
    const metrics = (values: Readonly<Record<string, number>>) => metricParts(values, layout, ascii);
    parts = [[epochLabel(summary), style.bold], ...metrics(summary.train)];
    if (summary.validation) {
      const [first, ...rest] = metrics(summary.validation);
      parts.push(separator, [layout.validation, style.validation], [first?.[0].slice(1) ?? ''], ...rest);
    }
    const timed = [...parts, separator, time];
    if (lineWidth(timed) <= width) return paint(timed);
  }
  return lineWidth(parts) <= width ? paint(parts) : clip(text(parts), width, ascii);
}

/** `epoch  3/30`, equally wide for all epochs. */
export function epochLabel({
  epoch,
  epochs,
  name = 'epoch',
}: Pick<EpochSummary, 'epoch' | 'epochs' | 'name'>): string {
  return `${name} ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
}

function metricParts(metrics: Readonly<Record<string, number>>, layout: Layout, ascii: boolean): Part[] {
  return Object.entries(metrics).map(([key, value]): Part => {
    // Accuracy and F1 are at most 1, so four digits need one column less.
    const width = key === 'accuracy' || key === 'f1' ? 6 : layout.numberWidth;
    const name = layout.names[key] ?? printable(key);
    return [`  ${ascii ? name.replace('²', '2') : name} ${formatMetricIn(width, value)}`];
  });
}

function text(parts: readonly Part[]): string {
  return parts.map(([content]) => content).join('');
}

function lineWidth(parts: readonly Part[]): number {
  return textWidth(text(parts));
}

function paint(parts: readonly Part[]): string {
  return parts.map(([content, dress]) => dress?.(content) ?? content).join('');
}
