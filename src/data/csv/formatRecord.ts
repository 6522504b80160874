/**
 * Writing CSV: RFC 4180 with any delimiter, and LF for line ends. What is written reads back as it was, byte order mark, empty cells and
 * line ends within cells included.
 */

/** What to read before the first cell as a mark of the encoding would be to lose it. */
const BYTE_ORDER_MARK = '\ufeff';

/** Gives a function that quotes a cell where `delimiter`, one ASCII character, and line ends make it necessary. */
export function cellFormatter(delimiter: string): (cell: string) => string {
  const special = new RegExp(`["\\r\\n\\x${delimiter.charCodeAt(0).toString(16).padStart(2, '0')}]`);
  return (cell) =>
    special.test(cell) || cell.startsWith(BYTE_ORDER_MARK) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** A line, of cells that are formatted. An empty cell alone is quoted, for it would be an empty line, which some readers skip. */
export function joinCells(cells: readonly string[], delimiter: string): string {
  return cells.length === 1 && cells[0] === '' ? '""\n' : `${cells.join(delimiter)}\n`;
}
