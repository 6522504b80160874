/**
 * The layout of a table by its first records: whether the first one names the columns, separators
 * at the end of every row, lines above the table.
 */
import { ExitCode, MlpError } from '../../errors.js';
import { areRowNames, looksLikeHeader, looksLikeTitle } from './detect.js';
import type { FirstRecord } from './firstRecords.js';

interface LayoutRequest {
  readonly header: 'auto' | boolean;
  readonly comment?: string;
}

/** The fields of the first record, given those of most others. */
export interface Layout {
  readonly header: boolean;
  /** The cells of the first record, with as many as the rows have without the `trailing` ones. */
  readonly first: readonly string[];
  readonly trailing: number;
}

/**
 * Compares the first record with the others: a header may lack the name of the row names, or the
 * separator that ends every row.
 * @throws MlpError ExitCode.data if it is part of no table
 */
export function layOut(name: string, records: readonly FirstRecord[], request: LayoutRequest): Layout {
  const [{ cells: first }, ...rest] = records;
  const rows = rest.map(({ cells }) => cells);
  const { length } = first;
  const fields = fieldsOfMost(rows) || length;
  const isHeader = (cells: readonly string[]) =>
    request.header === 'auto' ? looksLikeHeader(cells, rows) : request.header;
  const full = rows.filter((cells) => cells.length === fields);
  if (length < fields && full.length === rows.length) {
    const trailing = emptyAtEnd(full, fields);
    if (length >= fields - trailing && isHeader(first))
      return { header: true, first, trailing: fields - length };
    const named = ['', ...first];
    const isR = length === fields - 1 && areRowNames(full.map(([cell]) => cell)) && isHeader(named);
    if (isR) return { header: true, first: named, trailing: 0 };
  }
  if (request.header !== false && length === fields && looksLikeTitle(first, rows)) {
    throw preamble(name, records, request, rest[0].line - 1);
  }
  if (length < fields) throw preamble(name, records, request);
  const header = isHeader(first);
  // A header with more separators than the rows.
  const extra =
    header && length > fields && first.slice(fields).every((cell) => cell === '') ? fields : length;
  const trailing = extra === length ? emptyAtEnd([first, ...full], length) : 0;
  return { header, first: first.slice(0, extra - trailing), trailing };
}

/**
 * How many of the first records are comments as C4.5 and the UCI repository write them: `|` and text
 * in a single field, above rows of several.
 */
export function leadingComments(records: readonly FirstRecord[]): number {
  const first = records.findIndex(({ cells }) => cells.length > 1 || !cells[0].startsWith('|'));
  if (first <= 0) return 0;
  return fieldsOfMost(records.slice(first).map(({ cells }) => cells)) > 1 ? first : 0;
}

/** How many fields at the end are empty in all records, of which each has `fields`; never all. */
function emptyAtEnd(records: readonly (readonly string[])[], fields: number): number {
  let empty = 0;
  const isEmpty = (cells: readonly string[]) => cells[fields - 1 - empty] === '';
  while (records.length > 1 && empty < fields - 1 && records.every(isEmpty)) empty++;
  return empty;
}

/** The error for lines above the table; it begins on the first line with as many fields as most. */
function preamble(
  name: string,
  records: readonly FirstRecord[],
  { comment }: LayoutRequest,
  above?: number,
): MlpError {
  const [{ cells, line }, ...rest] = records;
  const fields = fieldsOfMost(rest.map((record) => record.cells));
  const table = rest.find((record) => record.cells.length === fields);
  const found = cells.length === 1 ? '1 field' : `${cells.length} fields`;
  return new MlpError(
    ExitCode.data,
    above === undefined
      ? `${name}:${line}: found ${found}, expected ${fields} as in the rows below`
      : `${name}:${line}: found a title with empty fields, expected a header`,
    preambleHint(cells, fields, comment, above ?? (table?.line ?? 2) - 1),
  );
}

/** What the first line may be, and how to correct it. */
function preambleHint(
  cells: readonly string[],
  fields: number,
  comment: string | undefined,
  above: number,
): string {
  if (cells[0].startsWith('#') && comment === undefined) {
    return 'it looks like a comment: remove such lines, or set data.comment to "#"';
  }
  if (cells.length > 1 && cells.length === fields - 1) {
    return `the header may lack a name; if lines are above the table, set data.skipLines to ${above} (--skip-lines ${above})`;
  }
  return `it looks like lines above the table: set data.skipLines to ${above} (--skip-lines ${above})`;
}

/** The number of fields of more than half of the rows, and of two at least; else 0. */
function fieldsOfMost(rows: readonly (readonly string[])[]): number {
  const rowsOf = new Map<number, number>();
  for (const { length } of rows) rowsOf.set(length, (rowsOf.get(length) ?? 0) + 1);
  for (const [fields, count] of rowsOf) {
    if (count > 1 && count > rows.length / 2) return fields;
  }
  return 0;
}
