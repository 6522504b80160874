/**
 * Codes of a Parquet dictionary to what they stand for. They come as runs of one code and of
 * bit-packed ones. https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */

/** Free memory begins here. */
export const start: usize = __heap_base;

/** What the functions return; `unknown`: `table` lacks a code. */
const FINE: i32 = 0;
const TOO_FEW: i32 = 1;
const UNKNOWN: i32 = 2;

/**
 * Writes `table[code]` to `out` for `count` codes of `width` bits, 0 to 32, that begin at `at`. Of
 * the 8 bytes from `end`, none counts, but all may be read.
 */
export function lookUp8(at: usize, end: usize, width: i32, count: u32, table: usize, entries: u32, out: usize): i32 {
  return lookUp<u8>(at, end, width, count, table, entries, out);
}

export function lookUp32(at: usize, end: usize, width: i32, count: u32, table: usize, entries: u32, out: usize): i32 {
  return lookUp<u32>(at, end, width, count, table, entries, out);
}

export function lookUp64(at: usize, end: usize, width: i32, count: u32, table: usize, entries: u32, out: usize): i32 {
  return lookUp<u64>(at, end, width, count, table, entries, out);
}

@inline
function lookUp<T>(at: usize, end: usize, width: i32, count: u32, table: usize, entries: u32, out: usize): i32 {
  const mask = (<u64>1 << width) - 1;
  while (count > 0) {
    // Seven bits a byte, the lowest first.
    let header: u64 = 0;
    for (let shift: u64 = 0; ; shift += 7) {
      if (at >= end || shift > 28) return TOO_FEW;
      const byte = <u64>load<u8>(at++);
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const length = header >> 1;
    if (header & 1) {
      const values = <u32>min<u64>(8 * length, count);
      if (<u64>at + ((<u64>values * width + 7) >> 3) > <u64>end) return TOO_FEW;
      let bit: u64 = 0;
      for (let stop = out + <usize>values * sizeof<T>(); out < stop; out += sizeof<T>(), bit += width) {
        // A code lies in five bytes, wherever it begins.
        const code = <u32>((load<u64>(at + <usize>(bit >> 3)) >> (bit & 7)) & mask);
        if (code >= entries) return UNKNOWN;
        store<T>(out, load<T>(table + <usize>code * sizeof<T>()));
      }
      at = <usize>min<u64>(<u64>at + length * width, end);
      count -= values;
    } else {
      const wide = (width + 7) >> 3;
      if (length == 0 || at + wide > end) return TOO_FEW;
      const code = <u32>(load<u64>(at) & (((<u64>1) << (wide << 3)) - 1));
      if (code >= entries) return UNKNOWN;
      const value = load<T>(table + <usize>code * sizeof<T>());
      const values = <u32>min<u64>(length, count);
      for (let stop = out + <usize>values * sizeof<T>(); out < stop; out += sizeof<T>()) store<T>(out, value);
      at += wide;
      count -= values;
    }
  }
  return FINE;
}
