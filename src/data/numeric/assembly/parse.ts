/** The exports of the module that parses text, in a memory of its own. */
import { scaleRows } from './scale';

export { powersOfTen, mostPower } from './number';
export { checkRows, tidy, rows, isAscii, spaces } from './rows';
export { unquote, unquoteShift, unquotedEnd, spacesAroundQuotes, hasLineBreaks } from './quotes';
export { findCells, readTinyNumbers, readShortNumbers, readLongNumbers, readOtherNumbers, unpackedCells, readColumn } from './cells';
export { codeTexts } from './texts';
export { addMoments, addExtremes } from './moments';

/** The end of the module's constants in memory. */
export const constantsEnd: usize = __heap_base;

/** z ← (x − shift) / scale, from float64, and clipped; see scale.ts. */
export function scaleToFloat32(
  rows: i32,
  columns: i32,
  x: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  z: usize,
): bool {
  return scaleRows<f32>(rows, columns, x, shift, scale, clip, z);
}

export function scaleToFloat64(
  rows: i32,
  columns: i32,
  x: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  z: usize,
): bool {
  return scaleRows<f64>(rows, columns, x, shift, scale, clip, z);
}
