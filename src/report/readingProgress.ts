/** How far a file has been read, for those that take longer than a second. */

import { formatBytes } from '../text.js';
import { type Bar, createBar, drawBar, LONGEST_BAR, REDRAW_MS, type TerminalStream } from './bar.js';
import type { Display } from './style.js';
import { clip, textWidth } from './text.js';

const SHORTEST_BAR = 10;

/** What is shown of a file that is being read. */
export interface ReadingState {
  readonly file: string;
  readonly done: number;
  /** Undefined where nobody knows, as for a pipe. */
  readonly total: number | undefined;
}

/** A bar by bytes on a terminal. */
export class ReadingProgress {
  readonly #bar: Bar;
  #lastDraw = Number.NEGATIVE_INFINITY;

  constructor(
    stream: TerminalStream,
    display: Omit<Display, 'width'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#bar = createBar(stream, (state: ReadingState, width) =>
      formatReading(state, { ...display, width }),
    );
  }

  update(state: ReadingState): void {
    const now = this.now();
    if (now - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = now;
    if (!this.#bar.isActive) this.#bar.start(1, 0, state);
    this.#bar.update(0, state);
    this.#bar.render();
  }

  /** Takes the bar away. */
  finish(): void {
    this.#bar.stop();
  }
}

/** `reading data.csv  ████████░░░░░░░░  52%  57.1 of 109.7 MB`, or as much as the width holds. */
export function formatReading(
  { file, done, total }: ReadingState,
  { width, style, ascii = false }: Display,
): string {
  const label = `reading ${file}`;
  if (total === undefined || total === 0) {
    return clip(`${label}  ${formatBytes(done)}`, width, ascii ? '~' : '…');
  }
  const share = Math.min(1, done / total);
  const tail = `  ${`${Math.floor(share * 100)}%`.padStart(4)}  of ${formatBytes(total)}`;
  const room = width - textWidth(`${label}  ${tail}`);
  if (room < SHORTEST_BAR) return clip(`${label}${tail}`, width, ascii ? '~' : '…');
  return `${label}  ${drawBar(share, Math.min(room, LONGEST_BAR), style, ascii)}${tail}`;
}
