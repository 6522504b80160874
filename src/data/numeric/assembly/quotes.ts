/** Cells in quotes to cells without them, which the other functions read. */

const NEWLINE: i32 = 10;
const RETURN: i32 = 13;
const TAB: i32 = 9;
const BLANK: i32 = 32;
const QUOTE: i32 = 34;
const PLUS: i32 = 43;
const NINE: i32 = 57;
const LETTER_E: i32 = 101;
const LOWER_CASE: i32 = 32;

/**
 * Written for what would mean something else outside of quotes; see quotedCells.ts. A text holds
 * none of these characters by itself, or is left to csv-parse.
 */
const QUOTED: i32 = 0;
const QUOTED_DELIMITER: i32 = 1;
const QUOTED_NEWLINE: i32 = 2;
const QUOTED_RETURN: i32 = 3;
const QUOTED_BLANK: i32 = 4;

/** Returned instead of an end. */
const DECLINED: usize = 0;
const RAN_OUT: usize = 1;

/** The text is loaded this far behind where it is rewritten to: nothing is overwritten unread. */
export const unquoteShift: usize = 16;

/** Results of the last `unquote`: the end of the rows that it read. */
export let unquotedEnd: usize = 0;
/** Whether spaces around quotes were dropped. */
export let spacesAroundQuotes: bool = false;
export let hasLineBreaks: bool = false;

/**
 * Writes the rows at..end to `begin`, `unquoteShift` before `at`, without the quotes around cells.
 * The last row is the first that ends at `stop` or later. Returns the end of what is written. Returns
 * DECLINED for text after a closing quote, or a control character; RAN_OUT if the last row has no
 * end. 64 blanks must follow the text.
 *
 * A cell in quotes that may be something else than a number ends in QUOTED, because its spaces are
 * kept and `"NA"` is text. A quote within a cell that does not begin with one is text.
 */
export function unquote(at: usize, end: usize, stop: usize, delimiter: i32, begin: usize): usize {
  // Each blank before a quote would look like a space around it.
  if (delimiter == BLANK) return DECLINED;
  const quotes = i8x16.splat(<i8>QUOTE);
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>NEWLINE);
  const returns = i8x16.splat(<i8>RETURN);
  const blanks = i8x16.splat(<i8>BLANK);
  let to = begin;
  // Behind the last quote that is text: its cell was looked at.
  let looked = begin;
  spacesAroundQuotes = false;
  hasLineBreaks = false;
  while (at < end) {
    // Copies up to the next quote, or the end of the last row.
    let count: i32;
    do {
      if (at >= end) return RAN_OUT;
      const text = v128.load(at);
      const newline = i8x16.eq(text, newlines);
      let hits = i8x16.bitmask(i8x16.eq(text, quotes));
      if (at + 16 > stop) hits |= i8x16.bitmask(newline) & (at < stop ? -1 << <i32>(stop - at) : -1);
      count = ctz(hits | 0x10000);
      const known = v128.or(v128.or(newline, i8x16.eq(text, returns)), i8x16.eq(text, delimiters));
      if (hasControls(text, known, blanks, count)) return DECLINED;
      v128.store(to, text);
      at += count;
      to += count;
    } while (count == 16);
    if (<i32>load<u8>(at) == NEWLINE) {
      store<u8>(to, NEWLINE);
      unquotedEnd = at + 1;
      return to + 1;
    }

    const first = withoutBlanks(begin, to);
    if (first > begin && !isSeparator(first - 1, delimiter)) {
      if (!beginsInAscii(begin, looked, first, delimiter)) return DECLINED;
      store<u8>(to, QUOTE);
      to++;
      at++;
      looked = to;
      continue;
    }
    if (first < to) spacesAroundQuotes = true;
    to = first;
    at++;

    let odd = 0; // whether the cell holds a character that is in no number
    let breaks = 0;
    for (;;) {
      if (at >= end) return RAN_OUT;
      const text = v128.load(at);
      count = ctz(i8x16.bitmask(i8x16.eq(text, quotes)) | 0x10000);
      const delimiterLanes = i8x16.eq(text, delimiters);
      const newlineLanes = i8x16.eq(text, newlines);
      const returnLanes = i8x16.eq(text, returns);
      const lineEnds = v128.or(newlineLanes, returnLanes);
      const special = v128.or(lineEnds, delimiterLanes);
      if (hasControls(text, v128.or(special, i8x16.eq(text, i8x16.splat(<i8>TAB))), blanks, count)) return DECLINED;
      const inCell = (1 << count) - 1;
      odd |= i8x16.bitmask(v128.or(special, v128.not(maybeNumber(text)))) & inCell;
      breaks |= i8x16.bitmask(lineEnds) & inCell;
      let plain = v128.bitselect(i8x16.splat(<i8>QUOTED_DELIMITER), text, delimiterLanes);
      plain = v128.bitselect(i8x16.splat(<i8>QUOTED_NEWLINE), plain, newlineLanes);
      v128.store(to, v128.bitselect(i8x16.splat(<i8>QUOTED_RETURN), plain, returnLanes));
      at += count;
      to += count;
      if (count == 16) continue;
      at++;
      if (<i32>load<u8>(at) != QUOTE) break;
      store<u8>(to, QUOTE);
      to++;
      at++;
      odd = 1;
    }
    if (breaks != 0) hasLineBreaks = true;
    if (odd != 0) {
      // Then the blanks after it are not around the cell either.
      if (<i32>load<u8>(first) == BLANK) store<u8>(first, QUOTED_BLANK);
      store<u8>(to, QUOTED);
      to++;
    }
    for (; at < end && <i32>load<u8>(at) == BLANK; at++) spacesAroundQuotes = true;
    if (at >= end) return RAN_OUT;
    if (!isSeparator(at, delimiter) && <i32>load<u8>(at) != RETURN) return DECLINED;
  }
  return RAN_OUT;
}

/** Whether the first `count` characters hold a control character that is not `known`. */
@inline
function hasControls(text: v128, known: v128, blanks: v128, count: i32): bool {
  return (i8x16.bitmask(v128.andnot(i8x16.lt_u(text, blanks), known)) & ((1 << count) - 1)) != 0;
}

/** The lanes that may be in a number. With / and a comma, which are in no text that means a missing cell. */
@inline
function maybeNumber(text: v128): v128 {
  const inRange = i8x16.le_u(i8x16.sub(text, i8x16.splat(<i8>PLUS)), i8x16.splat(<i8>(NINE - PLUS)));
  const lower = v128.or(text, i8x16.splat(<i8>LOWER_CASE));
  return v128.or(inRange, i8x16.eq(lower, i8x16.splat(<i8>LETTER_E)));
}

@inline
function isSeparator(at: usize, delimiter: i32): bool {
  const character = <i32>load<u8>(at);
  return character == delimiter || character == NEWLINE;
}

/** The end of begin..end without the blanks at its end. */
@inline
function withoutBlanks(begin: usize, end: usize): usize {
  while (end > begin && <i32>load<u8>(end - 1) == BLANK) end--;
  return end;
}

/**
 * Whether the cell before `end` begins in ASCII. If not, its start may be another kind of space. One that goes on from
 * before `looked` does: a cell of many quotes is not looked through for each.
 */
function beginsInAscii(begin: usize, looked: usize, end: usize, delimiter: i32): bool {
  let first = end;
  while (first > looked && !isSeparator(first - 1, delimiter)) first--;
  if (first == looked && looked > begin) return true;
  while (<i32>load<u8>(first) == BLANK) first++;
  return <i32>load<u8>(first) < 128;
}
