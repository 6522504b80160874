/** The width of text on a terminal; cutting and padding to a width. */

/** Text with one column per UTF-16 unit: Latin, punctuation, arrows, mathematics, boxes, braille. */
const ONE_COLUMN_EACH =
  /^[\x20-\x7e\xa0-\u02ff\u2010-\u2027\u2030-\u205e\u2070-\u20cf\u2100-\u22ff\u2500-\u259f\u2800-\u28ff]*$/;

/** Starts of characters two columns wide: East Asian (UAX #11, W and F), and emoji as pictures. */
const TWO_COLUMNS =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;

const NO_COLUMN = /^[\p{Mark}\p{Format}]+$/u;

// Intl's break rules take 20 ms to load, more than the rest of `mlp params`.
let segmenter: Intl.Segmenter | undefined;

function graphemes(text: string): string[] {
  if (ONE_COLUMN_EACH.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (NO_COLUMN.test(grapheme)) return 0;
  return TWO_COLUMNS.test(grapheme) ? 2 : 1;
}

/** Columns that printable `text` (no escape codes) takes on a terminal. */
export function textWidth(text: string): number {
  if (ONE_COLUMN_EACH.test(text)) return text.length;
  return graphemes(text).reduce((width, grapheme) => width + graphemeWidth(grapheme), 0);
}

/** `text` cut to at most `width` columns; an ellipsis, `~` in ASCII, marks a cut. */
export function clip(text: string, width: number, ascii = false): string {
  return clipTo(text, width, ascii ? '~' : '…');
}

/** `clip` with another mark, which may be empty. */
export function clipTo(text: string, width: number, mark: string): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let room = width - 1;
  for (const grapheme of graphemes(text)) {
    room -= graphemeWidth(grapheme);
    if (room < 0) break;
    kept += grapheme;
  }
  return kept + mark;
}

export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + spaces : spaces + text;
}
