/** A progress bar on a terminal, drawn by cli-progress. */
import cliProgress from 'cli-progress';
import type { TextStream } from './progress.js';
import type { Style } from './style.js';

export type Bar = cliProgress.SingleBar;

/** A terminal, as Node has it; `columns` follows its window. */
export interface TerminalStream extends TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Twelve pictures a second look smooth, and cost nothing beside the work. */
export const REDRAW_MS = 1000 / 12;

export const LONGEST_BAR = 30;

/** A bar that is drawn when `render` is called, as `format` has it for a state and a width. */
export function createBar<State>(
  stream: TerminalStream,
  format: (state: State, width: number) => string,
): Bar {
  return new cliProgress.SingleBar({
    stream: withoutCursorJumps(stream),
    // One column is left free: some terminals wrap as soon as the last one is written.
    format: (_options, { maxWidth }, state: State) => format(state, maxWidth - 1),
    hideCursor: true,
    linewrap: false,
    clearOnComplete: true,
    // When to draw is decided by the caller, by a clock that a test can set.
    synchronousUpdate: false,
    fps: 12,
    // Its own signal handlers would swallow Ctrl-C.
    gracefulExit: false,
  });
}

/** `████████░░░░░░░░`: `share` of `size` characters. */
export function drawBar(share: number, size: number, style: Style, ascii: boolean): string {
  const done = Math.round(share * size);
  const [full, empty] = ascii ? ['#', '-'] : ['█', '░'];
  return style.training(full.repeat(done)) + style.dim(empty.repeat(size - done));
}

/**
 * `stream` without the two codes by which cli-progress saves the cursor's place when a bar starts and returns to it
 * when the bar stops. The place is one on the screen: after a resize, or a warning written meanwhile, it lies on another
 * line, which would be wiped out. The bar never leaves its own line, so nothing is lost.
 */
function withoutCursorJumps(stream: TerminalStream): NodeJS.WritableStream {
  return Object.create(stream, {
    write: { value: (text: string) => (text === '\x1b7' || text === '\x1b8' ? true : stream.write(text)) },
  });
}
