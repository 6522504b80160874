import type { FeatureEncoding } from '../../../src/data/encoding/encoding.js';
import type { Column, Table } from '../../../src/data/table.js';

/** Of a column of numbers, or of one that holds some text. */
type Cells = readonly (number | string | null)[];

/** A table of columns by name, null where a cell is missing; its header is line 1. */
export function tableOf(cells: Readonly<Record<string, Cells>> | Map<string, Cells>): Table {
  const entries = cells instanceof Map ? [...cells] : Object.entries(cells);
  const rows = entries[0][1].length;
  return {
    path: 'people.csv',
    header: true,
    names: entries.map(([name]) => name),
    rows,
    columns: entries.map(([, column]) => columnOf(column)),
    lines: Uint32Array.from({ length: rows }, (_, row) => row + 2),
  };
}

function columnOf(cells: Cells): Column {
  const missing = cells.filter((cell) => cell === null).length;
  if (cells.every((cell) => typeof cell !== 'string')) {
    return { kind: 'numeric', values: Float64Array.from(cells, (cell) => cell ?? Number.NaN), missing };
  }
  const texts = cells.map((cell) => (cell === null ? null : String(cell)));
  const levels = [...new Set(texts)].filter((text) => text !== null);
  const codes = Int32Array.from(texts, (text) => (text === null ? -1 : levels.indexOf(text)));
  return { kind: 'text', levels, codes, missing };
}

/** The numbers of all rows of a table. */
export function allRows({ rows }: Table): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row);
}

/** The names of the columns of numbers whose range is a single value. */
export function singleValued(encodings: readonly FeatureEncoding[]): string[] {
  return encodings.flatMap((encoding) =>
    encoding.kind === 'numeric' && encoding.range && encoding.range[0] === encoding.range[1]
      ? [encoding.column]
      : [],
  );
}
