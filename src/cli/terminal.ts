/** What the process is connected to: colours, width, animation. Results go to stdout, the rest to stderr. */
import { Chalk, supportsColor, supportsColorStderr } from 'chalk';
import { chalkStyle, type Display, plainStyle } from '../report/style.js';

const DEFAULT_COLUMNS = 80;

/** How to draw on stdout or stderr. `color` is false where --no-color was given. */
export function displayOf(stream: NodeJS.WriteStream, color: boolean): Display {
  const support = stream === process.stdout ? supportsColor : supportsColorStderr;
  const wanted = color && !process.env.NO_COLOR && support;
  return {
    width: stream.columns || DEFAULT_COLUMNS,
    style: wanted ? chalkStyle(new Chalk({ level: support.level })) : plainStyle,
    ascii: !hasUnicode(),
  };
}

/** Whether a line may be drawn over again: a terminal that understands escape codes. */
export function isAnimated(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

/** Whether the locale is UTF-8; where none is set, it is taken to be. */
function hasUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale) || process.platform === 'win32';
}
