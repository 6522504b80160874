/** The exports of the module that parses text, in a memory of its own. */
export { powersOfTen, mostPower } from './number';
export { checkRows, tidy, rows, isAscii, spaces } from './rows';
export { unquote, unquoteShift, unquotedEnd, spacesAroundQuotes, hasLineBreaks } from './quotes';
export { findCells, readTinyNumbers, readShortNumbers, readLongNumbers, readOtherNumbers, unpackedCells, readColumn } from './cells';
export { codeTexts } from './texts';
export { addMoments, addExtremes } from './moments';

/** The end of the module's constants in memory. */
export const constantsEnd: usize = __heap_base;
