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

/** Code units that are divided at once: a segmenter takes time by the square of their number. */
const PIECE = 512;

function* graphemes(text: string): Generator<string> {
  if (ONE_COLUMN_EACH.test(text)) {
    yield* text;
    return;
  }
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (let at = 0, length = PIECE; at < text.length; ) {
    const found = Array.from(segmenter.segment(text.slice(at, at + length)), ({ segment }) => segment);
    const isEnd = at + length >= text.length;
    // The last of a piece may go on in the next, behind half a code point too, or be longer than one.
    if (!isEnd && found.length <= 2) {
      length *= 2;
      continue;
    }
    if (!isEnd) found.length -= 2;
    for (const grapheme of found) at += grapheme.length;
    length = PIECE;
    yield* found;
  }
}

function graphemeWidth(grapheme: string): number {
  if (NO_COLUMN.test(grapheme)) return 0;
  return TWO_COLUMNS.test(grapheme) ? 2 : 1;
}

/** Columns that printable `text` (no escape codes) takes on a terminal. */
export function textWidth(text: string): number {
  if (ONE_COLUMN_EACH.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
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
