/** The terminal: its colours, its width, whether it can animate, and Ctrl-C. */
import { ExitCode } from '../errors.js';
import { chalkStyle, type Display, plainStyle, type Style } from '../report/style.js';
import { note, showColours } from './output.js';

const DEFAULT_COLUMNS = 80;

/** How to draw on stdout or stderr. `color` is false with --no-color. */
export async function displayOf(stream: NodeJS.WriteStream, color: boolean): Promise<Display> {
  return {
    width: stream.columns || DEFAULT_COLUMNS,
    style: await styleOf(stream, color),
    ascii: !hasUnicode(),
  };
}

/** Colours, if the stream shows them. chalk is loaded only then, because it takes a while. */
async function styleOf(stream: NodeJS.WriteStream, color: boolean): Promise<Style> {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (!color || NO_COLOR || (!stream.isTTY && FORCE_COLOR === undefined)) return plainStyle;
  const { Chalk, supportsColor, supportsColorStderr } = await import('chalk');
  const support = stream === process.stdout ? supportsColor : supportsColorStderr;
  if (!support) return plainStyle;
  showColours(stream);
  return chalkStyle(new Chalk({ level: support.level }));
}

/** Whether a line can be redrawn: a terminal that understands escape codes. */
export function isAnimated(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

/** Whether the locale is UTF-8; assumed if none is set. */
function hasUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale) || process.platform === 'win32';
}

/** The signals that end a run in order. Node.js resets what `nohup` sets, so SIGHUP always comes. */
export const ENDINGS = [
  ['SIGINT', ExitCode.interrupted],
  ['SIGTERM', ExitCode.terminated],
  ['SIGHUP', ExitCode.hungUp],
] as const;

/**
 * Handles Ctrl-C, termination and a closed terminal: the first signal finishes the current step, the
 * second exits. A closed terminal sends SIGHUP more than once, so that one never exits.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #promise: string;
  readonly #clearProgress: () => void;
  exitCode: ExitCode = ExitCode.ok;

  /**
   * @param promise what the first signal does, for the user
   * @param clearProgress removes the progress bar and shows the cursor again
   */
  constructor(promise: string, clearProgress: () => void) {
    this.#promise = promise;
    this.#clearProgress = clearProgress;
  }

  listen(): void {
    for (const [signal] of ENDINGS) process.on(signal, this.#stop);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    for (const [signal] of ENDINGS) process.off(signal, this.#stop);
  }

  readonly #stop = (signal: NodeJS.Signals): void => {
    const isSecond = this.signal.aborted;
    if (isSecond && signal === 'SIGHUP') return;
    this.exitCode = ENDINGS.find(([name]) => name === signal)?.[1] ?? ExitCode.terminated;
    this.#clearProgress();
    if (isSecond) process.exit(this.exitCode);
    this.#controller.abort();
    note(`${this.#promise}; press Ctrl-C again to stop at once`);
  };
}

/**
 * Makes signals an ordinary exit, so that unfinished files are deleted. The function returned ends
 * that.
 */
export function exitOnSignals(): () => void {
  const listeners = ENDINGS.map(([signal, exitCode]) => [signal, () => process.exit(exitCode)] as const);
  for (const [signal, listener] of listeners) process.once(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}
