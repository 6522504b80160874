/**
 * Progress on a terminal: a bar within the epoch, which makes room for a line when the epoch
 * is over. Apart from `progress.ts`, so that only a run on a terminal loads cli-progress (some 30 ms).
 */

import { formatDuration, formatMetricIn, formatRate } from '../text.js';
import { type Bar, createBar, drawBar, LONGEST_BAR, REDRAW_MS, type TerminalStream } from './bar.js';
import { type EpochSummary, epochLabel, formatEpochLine, type TrainingProgress } from './progress.js';
import type { Display } from './style.js';
import { clip, textWidth } from './text.js';

export interface TerminalProgressOptions extends Omit<Display, 'width'> {
  readonly stream: TerminalStream;
  /** Milliseconds on a clock that never runs back; performance.now unless said. */
  readonly now?: () => number;
}

const DEFAULT_COLUMNS = 80;
const SHORTEST_BAR = 10;

/** What the bar says of the epoch under way. */
export interface BarState {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

/**
 * The bar appears once an epoch has taken a twelfth of a second, so short epochs don't flicker. While it is there the
 * cursor is hidden and lines don't wrap; `finish` undoes both.
 */
export class TerminalProgress implements TrainingProgress {
  private readonly stream: TerminalStream;
  private readonly display: Omit<Display, 'width'>;
  private readonly now: () => number;
  private readonly bar: Bar;
  private epoch = { epoch: 1, epochs: 1, steps: 1 };
  private epochStart = 0;
  private lastDraw = 0;

  constructor({ stream, now = () => performance.now(), style, ascii = false }: TerminalProgressOptions) {
    this.stream = stream;
    this.display = { style, ascii };
    this.now = now;
    this.bar = createBar(stream, (state: BarState, width) =>
      formatBarLine(state, { ...this.display, width }),
    );
  }

  epochStarted(epoch: number, epochs: number, steps: number): void {
    this.epoch = { epoch, epochs, steps };
    this.epochStart = this.now();
    this.lastDraw = this.epochStart;
  }

  stepDone(step: number, loss: number, samplesPerSecond: number): void {
    const now = this.now();
    if (now - this.lastDraw < REDRAW_MS) return;
    this.lastDraw = now;
    const secondsPerStep = (now - this.epochStart) / 1000 / step;
    const secondsLeft = secondsPerStep * (this.epoch.steps - step);
    const state: BarState = { ...this.epoch, step, loss, samplesPerSecond, secondsLeft };
    if (this.bar.isActive) {
      this.bar.update(step, state);
      this.bar.render();
    } else {
      this.bar.start(this.epoch.steps, step, state);
    }
  }

  epochDone(summary: EpochSummary): void {
    this.bar.stop();
    const width = this.stream.columns || DEFAULT_COLUMNS;
    this.stream.write(`${formatEpochLine(summary, { ...this.display, width })}\n`);
  }

  finish(): void {
    this.bar.stop();
  }
}

/** `epoch  3/30  ████████░░░░░░░░  52%  loss 0.08123  41.2k samples/s  2 min 5 s left`, or as much as the width holds. */
export function formatBarLine(state: BarState, { width, style, ascii = false }: Display): string {
  const share = state.steps > 0 ? Math.min(1, Math.max(0, state.step / state.steps)) : 1;
  const epoch = epochLabel(state.epoch, state.epochs);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const loss = `  loss ${formatMetricIn(7, state.loss)}`;
  // Padded, or the bar would change its length with every picture.
  const rate = `  ${formatRate(state.samplesPerSecond)}`.padEnd(17);
  const left = `  ${formatDuration(state.secondsLeft)} left`.padEnd(18);

  for (const tail of [[loss, rate, left], [loss, left], [loss], []].map((parts) => parts.join(''))) {
    const room = width - textWidth(`${epoch}    ${percent}${tail}`);
    if (room < SHORTEST_BAR) continue;
    const bar = drawBar(share, Math.min(room, LONGEST_BAR), style, ascii);
    return `${style.bold(epoch)}  ${bar}  ${percent}${tail}`.trimEnd();
  }
  return clip(`${epoch} ${percent}`, Math.max(0, width), ascii ? '~' : '…');
}
