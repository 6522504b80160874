/** Lines at the foot of a terminal that are drawn anew a few times a second. */
import type { TerminalStream } from './terminalProgress.js';
import { clip } from './width.js';

const REDRAW_MILLISECONDS = 250;
const DEFAULT_COLUMNS = 80;
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

export class LiveLines {
  readonly #stream: TerminalStream;
  readonly #lines: () => readonly string[];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param lines what to show now, without escape codes; each is cut to the terminal's width */
  constructor(stream: TerminalStream, lines: () => readonly string[]) {
    this.#stream = stream;
    this.#lines = lines;
  }

  start(): void {
    this.#stream.write(HIDE_CURSOR);
    this.#timer = setInterval(() => this.draw(), REDRAW_MILLISECONDS);
    // A process that waits for nothing else may end.
    this.#timer.unref();
  }

  /** Draws the lines in the place of the last ones. */
  draw(): void {
    if (!this.#timer) return;
    const width = (this.#stream.columns || DEFAULT_COLUMNS) - 1;
    const lines = this.#lines().map((line) => clip(line, width));
    this.#stream.write(`${this.#erasure()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawn = lines.length;
  }

  /** Removes the lines, so that others can be written in their place. */
  clear(): void {
    if (this.#drawn > 0) this.#stream.write(this.#erasure());
    this.#drawn = 0;
  }

  /** Removes the lines for good. May be called twice. */
  finish(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.clear();
    this.#stream.write(SHOW_CURSOR);
  }

  #erasure(): string {
    return this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[J` : '';
  }
}
