/** The error for a cell that is no number, in a column of numbers. */
import { ExitCode, MlpError } from '../../errors.js';
import { found, looksNumeric, numberHint, parseDecimal } from '../cell.js';
import type { ColumnContext } from './columnBuilder.js';

/** An MlpError (65); `row` is counted from 0, without the header. */
export function badNumber({ header, location }: ColumnContext, cell: string, row: number): MlpError {
  // 1e400 is a number, only too large; the word Infinity is none.
  const overflow = Math.abs(parseDecimal(cell)) === Number.POSITIVE_INFINITY;
  return new MlpError(
    ExitCode.data,
    `${location(row)}: found ${found(cell)}, expected a number${overflow ? ' that fits a float64' : ''}`,
    row === 0 && header !== undefined && !looksNumeric(cell)
      ? firstRowHint(header)
      : numberHint(cell, WORD_HINT),
  );
}

/** A word above numbers is rather a name or a unit than a slip. */
function firstRowHint(header: boolean): string {
  return header
    ? 'is this a second header row, such as units? remove it; if the column holds text, name it in data.exclude'
    : 'where the first row is a header, set data.header to true, or give data.target as a name';
}

const WORD_HINT =
  'numbers are plain decimals such as -1.5e3; a column of categories is named in data.categories, one to leave out in data.exclude';
