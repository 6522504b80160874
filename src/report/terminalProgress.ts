/** Progress bars on a terminal. Apart from `progress.ts`: cli-progress takes 30 ms to load. */
import cliProgress from 'cli-progress';
import { formatBytes, formatDuration, formatMetricIn, formatRate } from '../text.js';
import {
  type EpochSummary,
  epochLabel,
  formatEpochLine,
  type TextStream,
  type TrainingProgress,
} from './progress.js';
import type { Display, Style } from './style.js';
import { clip, textWidth } from './width.js';

/** A terminal; `columns` follows its window. */
export interface TerminalStream extends TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Twelve pictures a second look smooth and cost next to nothing. */
const REDRAW_MS = 1000 / 12;
const DEFAULT_COLUMNS = 80;
const SHORTEST_BAR = 10;
const LONGEST_BAR = 30;

type Clock = () => number;

export interface TerminalProgressOptions extends Omit<Display, 'width'> {
  readonly stream: TerminalStream;
  /** Milliseconds of a monotonic clock; performance.now by default. */
  readonly now?: Clock;
}

export interface BarState {
  /** What an epoch is called; "epoch" if left out. */
  readonly name?: string | undefined;
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

/** Appears after a twelfth of a second, against flicker; `finish` restores the cursor. */
export class TerminalProgress implements TrainingProgress {
  readonly #stream: TerminalStream;
  readonly #display: Omit<Display, 'width'>;
  readonly #now: Clock;
  readonly #bar: Bar;
  #epoch: Pick<BarState, 'epoch' | 'epochs' | 'steps' | 'name'> = { epoch: 1, epochs: 1, steps: 1 };
  #epochStart = 0;
  #lastDraw = 0;

  constructor({ stream, now = () => performance.now(), style, ascii = false }: TerminalProgressOptions) {
    this.#stream = stream;
    this.#display = { style, ascii };
    this.#now = now;
    this.#bar = createBar(stream, (state: BarState, width) =>
      formatBarLine(state, { ...this.#display, width }),
    );
  }

  epochStarted(epoch: number, epochs: number, steps: number, name?: string): void {
    this.#epoch = { epoch, epochs, steps, name };
    this.#epochStart = this.#now();
    this.#lastDraw = this.#epochStart;
  }

  stepDone(step: number, loss: number, samplesPerSecond: number): void {
    const now = this.#now();
    if (now - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = now;
    const secondsPerStep = (now - this.#epochStart) / 1000 / step;
    const secondsLeft = secondsPerStep * (this.#epoch.steps - step);
    const state: BarState = { ...this.#epoch, step, loss, samplesPerSecond, secondsLeft };
    if (this.#bar.isActive) {
      this.#bar.update(step, state);
      this.#bar.render();
    } else {
      this.#bar.start(this.#epoch.steps, step, state);
    }
  }

  epochDone(summary: EpochSummary): void {
    this.#bar.stop();
    const width = this.#stream.columns || DEFAULT_COLUMNS;
    this.#stream.write(`${formatEpochLine(summary, { ...this.#display, width })}\n`);
  }

  finish(): void {
    this.#bar.stop();
  }
}

/** `epoch  3/30  ████████░░░░░░░░  52%  loss 0.08123  41.2k samples/s  2 min 5 s left`, or less */
export function formatBarLine(state: BarState, { width, style, ascii = false }: Display): string {
  const share = state.steps > 0 ? Math.min(1, Math.max(0, state.step / state.steps)) : 1;
  const epoch = epochLabel(state);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const loss = `  loss ${formatMetricIn(7, state.loss)}`;
  // Padding keeps the length of the bar the same in every picture.
  const rate = `  ${formatRate(state.samplesPerSecond)}`.padEnd(17);
  const left = `  ${formatDuration(state.secondsLeft)} left`.padEnd(18);

  for (const tail of [[loss, rate, left], [loss, left], [loss], []].map((parts) => parts.join(''))) {
    const room = width - textWidth(`${epoch}    ${percent}${tail}`);
    if (room < SHORTEST_BAR) continue;
    const bar = drawBar(share, Math.min(room, LONGEST_BAR), style, ascii);
    return `${style.bold(epoch)}  ${bar}  ${percent}${tail}`.trimEnd();
  }
  return clip(`${epoch} ${percent}`, Math.max(0, width), ascii);
}

export interface ReadingState {
  readonly file: string;
  readonly done: number;
  /** Undefined if unknown, as for a pipe. */
  readonly total: number | undefined;
}

/** A bar that is drawn when its state changes, but no more often than an eye can see. */
class StateBar<State extends object> {
  readonly #bar: Bar;
  readonly #now: Clock;
  #lastDraw = Number.NEGATIVE_INFINITY;

  constructor(
    stream: TerminalStream,
    format: (state: State, width: number) => string,
    now: Clock = () => performance.now(),
  ) {
    this.#now = now;
    this.#bar = createBar(stream, format);
  }

  update(state: State): void {
    const now = this.#now();
    if (now - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = now;
    if (!this.#bar.isActive) this.#bar.start(1, 0, state);
    this.#bar.update(0, state);
    this.#bar.render();
  }

  finish(): void {
    this.#bar.stop();
  }
}

export class ReadingProgress extends StateBar<ReadingState> {
  constructor(stream: TerminalStream, display: Omit<Display, 'width'>, now?: Clock) {
    super(stream, (state, width) => formatReading(state, { ...display, width }), now);
  }
}

/** `reading data.csv  ████████░░░░░░░░  52%  57.1 of 109.7 MB`, or as much as fits. */
export function formatReading(
  { file, done, total }: ReadingState,
  { width, style, ascii = false }: Display,
): string {
  const label = `reading ${file}`;
  if (total === undefined || total === 0) {
    return clip(`${label}  ${formatBytes(done)}`, width, ascii);
  }
  const share = Math.min(1, done / total);
  const tail = `  ${`${Math.floor(share * 100)}%`.padStart(4)}  of ${formatBytes(total)}`;
  const room = width - textWidth(`${label}  ${tail}`);
  if (room < SHORTEST_BAR) return clip(`${label}${tail}`, width, ascii);
  return `${label}  ${drawBar(share, Math.min(room, LONGEST_BAR), style, ascii)}${tail}`;
}

export interface FoldsState {
  /** How many folds are finished, of how many. */
  readonly finished: number;
  readonly folds: number;
  /** Of all steps, from 0 to 1. */
  readonly share: number;
  readonly secondsLeft: number;
}

/** The bar of a cross-validation, for all folds together. */
export class FoldsProgress extends StateBar<FoldsState> {
  constructor(stream: TerminalStream, display: Omit<Display, 'width'>, now?: Clock) {
    super(stream, (state, width) => formatFolds(state, { ...display, width }), now);
  }
}

/** `3/10 folds  ████████░░░░░░░░  34%  2 min 5 s left`, or as much as fits. */
export function formatFolds(
  { finished, folds, share, secondsLeft }: FoldsState,
  { width, style, ascii = false }: Display,
): string {
  const label = `${finished}/${folds} folds`;
  const percent = `  ${`${Math.floor(share * 100)}%`.padStart(4)}`;
  const left = `  ${formatDuration(secondsLeft)} left`.padEnd(18);
  const room = width - textWidth(`${label}  ${percent}${left}`);
  if (room < SHORTEST_BAR) return clip(`${label}${percent}`, width, ascii);
  return `${style.bold(label)}  ${drawBar(share, Math.min(room, LONGEST_BAR), style, ascii)}${percent}${left}`.trimEnd();
}

type Bar = cliProgress.SingleBar;

/** A bar that `render` draws; `format` makes its line from a state and a width. */
function createBar<State>(stream: TerminalStream, format: (state: State, width: number) => string): Bar {
  return new cliProgress.SingleBar({
    stream: withoutCursorJumps(stream),
    // Some terminals wrap as soon as the last column is written, so one stays free.
    format: (_options, { maxWidth }, state: State) => format(state, maxWidth - 1),
    hideCursor: true,
    linewrap: false,
    clearOnComplete: true,
    // The caller decides when to draw, by a clock that a test can set.
    synchronousUpdate: false,
    fps: 12,
    // Its own signal handlers would swallow Ctrl-C.
    gracefulExit: false,
  });
}

/** `████████░░░░░░░░`: `share` of `size` characters. */
function drawBar(share: number, size: number, style: Style, ascii: boolean): string {
  const done = Math.round(share * size);
  const [full, empty] = ascii ? ['#', '-'] : ['█', '░'];
  return style.training(full.repeat(done)) + style.dim(empty.repeat(size - done));
}

/** Without the codes that restore the cursor position: after a resize it is on another line. */
function withoutCursorJumps(stream: TerminalStream): NodeJS.WritableStream {
  return Object.create(stream, {
    write: { value: (text: string) => (text === '\x1b7' || text === '\x1b8' ? true : stream.write(text)) },
  });
}
