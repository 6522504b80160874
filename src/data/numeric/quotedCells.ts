/** Cells that stood in quotes, as assembly/quotes.ts writes them, and the line breaks in them. */
import { isMissing, QUOTED } from '../missingValues.js';
import type { Workspace } from './workspace.js';

/** Ends a cell in quotes that may be something else than a number. */
const MARK = '\0';
const LINE_FEED = 0x0a;
const WITHIN = { delimiter: 1, lineFeed: 2, carriageReturn: 3, blank: 4 } as const;
const SPECIAL = /[\x01-\x04]/g;

export function isQuoted(written: string): boolean {
  return written.endsWith(MARK);
}

/** A cell as csv-parse gives it. Only one in quotes may differ from how it is written. */
export function cellText(written: string, delimiter: string): string {
  if (!isQuoted(written)) return written;
  const characters: Readonly<Record<number, string>> = {
    [WITHIN.delimiter]: delimiter,
    [WITHIN.lineFeed]: '\n',
    [WITHIN.carriageReturn]: '\r',
    [WITHIN.blank]: ' ',
  };
  return written.slice(0, -MARK.length).replace(SPECIAL, (code) => characters[code.charCodeAt(0)]);
}

/** The same for a column of text: without spaces around a cell without quotes, and with csv-parse's mark. */
export function levelText(written: string, delimiter: string): string {
  if (!isQuoted(written)) return written.trim();
  const text = cellText(written, delimiter);
  return isMissing(text) && text.trim() !== '' ? QUOTED + text : text;
}

/** The rows of the text at..end with a line break in a cell, once for each. */
export function rowsOfBreaks({ bytes }: Workspace, at: number, end: number): Uint32Array {
  const found: number[] = [];
  for (let row = 0, i = at; i < end; i++) {
    const byte = bytes[i];
    if (byte === LINE_FEED) row++;
    else if (byte === WITHIN.carriageReturn) found.push(row);
    // CRLF is one line break.
    else if (byte === WITHIN.lineFeed && bytes[i - 1] !== WITHIN.carriageReturn) found.push(row);
  }
  return Uint32Array.from(found);
}
