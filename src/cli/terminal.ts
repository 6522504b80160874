/** What the terminal can do: colours, width, animation. */
import { chalkStyle, type Display, plainStyle, type Style } from '../report/style.js';

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
  return support ? chalkStyle(new Chalk({ level: support.level })) : plainStyle;
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
