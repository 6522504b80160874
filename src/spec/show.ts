/**
 * Values, keys and places as an error message shows them: short, and never a control character that a terminal would obey.
 */
import { printable, quote, shorten } from '../text.js';

/** Where a value stands inside a JSON document: `['network', 'layers', 1, 'type']`. */
export type Path = readonly (string | number)[];

/** A value's place: the file it was written in, and its path inside that file. */
export interface Place {
  file: string;
  path: Path;
}

/** A JSON value as it would be written, clipped to 40 characters, printable. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'object' && value !== null) return printable(shorten(JSON.stringify(value)));
  return String(value);
}

/** `network.layers[1].type`; the empty string for the whole document. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w$-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${quote(key)}]`;
  }
  return text;
}

/** `configs/iris.json: network.layers[1].type`, or the file alone for the whole document. */
export function formatPlace({ file, path }: Place): string {
  return path.length === 0 ? printable(file) : `${printable(file)}: ${formatPath(path)}`;
}
