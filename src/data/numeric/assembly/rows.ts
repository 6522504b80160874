/** The structure of a text: the number of rows, all of one width, and nothing for csv-parse. */

const NEWLINE: i32 = 10;
const RETURN: i32 = 13;
const BLANK: i32 = 32;
const QUOTE: i32 = 34;

/** Results of `checkRows`. */
const PLAIN: i32 = 0;
/** A carriage return, or a space around a cell: for `tidy` to drop first. */
const UNTIDY: i32 = 1;
/** For csv-parse: a control character, a row of another width, an empty line. */
const FOREIGN: i32 = 2;
/** A quote: for `unquote` to drop first. */
const QUOTED: i32 = 3;

/** Of the last checked text. */
export let rows: i32 = 0;
export let isAscii: bool = true;

/**
 * Checks the text at..end: whole rows, the last one ending in a newline, then 64 blanks. `kept`
 * [u32] are the columns whose cells are wanted, ascending, then the greatest i32, which ends them in
 * a row of any width. `starts` [rows + 1, kept, u32] receives the position before each of their cells.
 * After `unquote`, quotes and control characters are fine.
 */
export function checkRows(
  at: usize,
  end: usize,
  delimiter: i32,
  columns: i32,
  kept: usize,
  starts: usize,
  isUnquoted: bool,
): i32 {
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>NEWLINE);
  const last = columns - 1;
  const begin = at;
  let count = 0;
  let rowStart = at;
  let column = 0; // delimiters since the row began
  let capture = kept;
  let wanted = load<i32>(capture);
  const blanks = i8x16.splat(<i8>BLANK);
  isAscii = true;
  for (; at < end; at += 64) {
    const text0 = v128.load(at);
    const text1 = v128.load(at, 16);
    const text2 = v128.load(at, 32);
    const text3 = v128.load(at, 48);
    let ends = bitsEqual(text0, text1, text2, text3, newlines);
    let marks = bitsEqual(text0, text1, text2, text3, delimiters);
    // Most files have no spaces: they are looked for with the odd characters, and only then told apart.
    if (hasOdd(text0, text1, text2, text3, newlines, delimiters, <i8>(BLANK + 1))) {
      if (hasOdd(text0, text1, text2, text3, newlines, delimiters, <i8>BLANK)) {
        const what = isUnquoted ? returnsIn(text0, text1, text2, text3) : oddCharacters(at, delimiter);
        if (what != PLAIN) return what;
        isAscii = false;
      }
      const blank = bitsEqual(text0, text1, text2, text3, blanks) & upTo(end - at);
      const separators = ends | marks;
      const before = u64(at == begin || isSeparator(<i32>load<u8>(at - 1), delimiter));
      const after = u64(isSeparator(<i32>load<u8>(at, 64), delimiter));
      if ((blank & ((separators << 1) | before | (separators >> 1) | (after << 63))) != 0) return UNTIDY;
    }
    for (;;) {
      if (wanted == 0) {
        store<u32>(starts, <u32>(rowStart - 1));
        starts += 4;
        capture += 4;
        wanted = load<i32>(capture);
      }
      const newline = ends & -ends;
      const before = newline - 1; // all bits if there is none
      const inRow = marks & before;
      const next = column + <i32>popcnt(inRow);
      if (wanted <= next) {
        let rest = inRow;
        do {
          for (column++; column < wanted; column++) rest &= rest - 1;
          store<u32>(starts, <u32>(at + <usize>ctz(rest)));
          starts += 4;
          rest &= rest - 1;
          capture += 4;
          wanted = load<i32>(capture);
        } while (wanted <= next);
      }
      column = next;
      if (newline == 0) break;
      const stop = at + <usize>ctz(newline);
      if (column != last || stop == rowStart) return FOREIGN;
      count++;
      column = 0;
      rowStart = stop + 1;
      capture = kept;
      wanted = load<i32>(capture);
      ends ^= newline;
      marks ^= inRow;
    }
  }
  rows = count;
  return PLAIN;
}

@inline
function isSeparator(character: i32, delimiter: i32): bool {
  return character == delimiter || character == NEWLINE;
}

/** Whether 64 characters hold a quote, or one below `least` that is no separator. */
@inline
function hasOdd(
  text0: v128,
  text1: v128,
  text2: v128,
  text3: v128,
  newlines: v128,
  delimiters: v128,
  least: i8,
): bool {
  const lower = v128.or(oddLanes(text0, newlines, delimiters, least), oddLanes(text1, newlines, delimiters, least));
  const upper = v128.or(oddLanes(text2, newlines, delimiters, least), oddLanes(text3, newlines, delimiters, least));
  return v128.any_true(v128.or(lower, upper));
}

@inline
function oddLanes(text: v128, newlines: v128, delimiters: v128, least: i8): v128 {
  // Signed: bytes that are not ASCII are less than a blank, too.
  const low = i8x16.lt_s(text, i8x16.splat(least));
  const separators = v128.or(i8x16.eq(text, newlines), i8x16.eq(text, delimiters));
  return v128.or(v128.andnot(low, separators), i8x16.eq(text, i8x16.splat(<i8>QUOTE)));
}

/** What the 64 characters at `at` hold besides plain ones; PLAIN if all others are not ASCII. */
function oddCharacters(at: usize, delimiter: i32): i32 {
  let what = PLAIN;
  for (let i = 0; i < 64; i++) {
    const character = <i32>load<u8>(at + i);
    if (character == RETURN) what = UNTIDY;
    else if (character == QUOTE) return QUOTED;
    else if (character < BLANK && character != NEWLINE && character != delimiter) return FOREIGN;
  }
  return what;
}

/** The same for text that `unquote` has looked through. */
@inline
function returnsIn(text0: v128, text1: v128, text2: v128, text3: v128): i32 {
  return bitsEqual(text0, text1, text2, text3, i8x16.splat(<i8>RETURN)) != 0 ? UNTIDY : PLAIN;
}

/** The lowest bits, for as many of 64 characters as are left. */
@inline
function upTo(left: usize): u64 {
  return left >= 64 ? ~(<u64>0) : ((<u64>1) << left) - 1;
}

/** [256, 8] For each set of 8 bytes that are kept: their numbers, then any. */
const KEPT = memory.data(2048, 16);
for (let set = 0; set < 256; set++) {
  let to = KEPT + (set << 3);
  for (let byte = 0; byte < 8; byte++) {
    if (((set >> byte) & 1) != 0) store<u8>(to++, byte);
  }
}

/** Whether the last `tidy` dropped spaces. */
export let spaces: bool = false;

/**
 * Drops spaces around cells, and the carriage returns of line ends. Returns the new end of the text;
 * 0 for a return elsewhere. Before a cell, a sum carries through each run of spaces; after it, the
 * run is followed back.
 */
export function tidy(at: usize, end: usize, delimiter: i32): usize {
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>NEWLINE);
  const returns = i8x16.splat(<i8>RETURN);
  const blanks = i8x16.splat(<i8>BLANK);
  const begin = at;
  let to = at;
  let leads: u64 = 1; // whether the block begins before the first character of a cell
  spaces = false;
  for (; at < end; at += 64) {
    const text0 = v128.load(at);
    const text1 = v128.load(at, 16);
    const text2 = v128.load(at, 32);
    const text3 = v128.load(at, 48);
    const valid = upTo(end - at);
    const ends = bitsEqual(text0, text1, text2, text3, newlines) & valid;
    const marks = bitsEqual(text0, text1, text2, text3, delimiters) & valid;
    const turns = bitsEqual(text0, text1, text2, text3, returns) & valid;
    const blank = bitsEqual(text0, text1, text2, text3, blanks) & valid;
    const separators = ends | marks | turns;
    const endNext: u64 = at + 64 < end ? u64(<i32>load<u8>(at, 64) == NEWLINE) : 0;
    if ((turns & ~((ends >> 1) | (endNext << 63))) != 0) return 0;
    const leading = blank & ~(blank + (blank & ((separators << 1) | leads)));
    leads = (separators | leading) >> 63;
    let trailing = blank & (separators >> 1);
    let more = trailing;
    while (more != 0) {
      more = blank & (trailing >> 1) & ~trailing;
      trailing |= more;
    }
    // Spaces at the end of the last block, now that a separator follows them.
    const first = ctz(~blank);
    if (first < 64 && ((separators >> first) & 1) != 0) {
      while (to > begin && <i32>load<u8>(to - 1) == BLANK) {
        to--;
        spaces = true;
      }
    }
    if ((leading | trailing) != 0) spaces = true;
    const keep = valid & ~(leading | trailing | turns);
    if (~keep == 0) {
      v128.store(to, text0);
      v128.store(to, text1, 16);
      v128.store(to, text2, 32);
      v128.store(to, text3, 48);
      to += 64;
      continue;
    }
    for (let i: usize = 0; i < 64; i += 8) {
      const set = <usize>((keep >> <u64>i) & 255);
      const text = i64x2.splat(load<i64>(at + i));
      const kept = i8x16.swizzle(text, i64x2.splat(load<i64>(KEPT + (set << 3))));
      store<i64>(to, i64x2.extract_lane(kept, 0));
      to += <usize>popcnt<u64>(<u64>set);
    }
  }
  return to;
}

/** A bit for each of 64 characters: whether it equals the one in the lanes of `wanted`. */
@inline
export function bitsEqual(text0: v128, text1: v128, text2: v128, text3: v128, wanted: v128): u64 {
  const bits0 = <u32>i8x16.bitmask(i8x16.eq(text0, wanted));
  const bits1 = <u32>i8x16.bitmask(i8x16.eq(text1, wanted));
  const bits2 = <u32>i8x16.bitmask(i8x16.eq(text2, wanted));
  const bits3 = <u32>i8x16.bitmask(i8x16.eq(text3, wanted));
  return (<u64>(bits0 | (bits1 << 16))) | ((<u64>(bits2 | (bits3 << 16))) << 32);
}
