/** Sentences about how a CSV was read, for the user. */
import { quote } from '../../text.js';
import { columnLabel, type PassedOver } from '../table.js';
import { delimiterName } from './csvParse.js';
import type { CsvFormat, Dialect } from './dialect.js';

/** A note names this many columns. */
const MOST_NAMED = 5;

/** `separated by semicolons, without a header` */
export function describeFormat({ delimiter, header, comment, reading }: CsvFormat): string {
  const comments = comment === undefined ? '' : `, comments after ${comment}`;
  const separators = reading?.delimiter === 'whitespace' ? 'runs of blanks' : `${delimiterName(delimiter)}s`;
  return `separated by ${separators}, ${header ? 'with' : 'without'} a header${comments}`;
}

/** One sentence for each thing about a table that was read although it is unusual. */
export function readingNotes(path: string, dialect: Dialect, { spaces, emptyLines }: PassedOver): string[] {
  const { before, trailing, comments } = dialect;
  const empty = before.emptyLines + emptyLines;
  const notes: string[] = [];
  if (comments.length > 0) {
    const what =
      comments.length === 1
        ? 'is a comment: it is'
        : `and ${comments.length - 1} more are comments: they are`;
    notes.push(`${quote(comments[0])} above the table ${what} skipped`);
  }
  if (spaces || before.spaces) notes.push('spaces around cells without quotes are dropped');
  if (empty > 0) notes.push(emptyLinesSkipped(empty));
  if (trailing > 0) {
    notes.push(
      trailing === 1
        ? 'the last column has no name and only empty cells: it is left out'
        : `the last ${trailing} columns have no names and only empty cells: they are left out`,
    );
  }
  return [...notes, ...nameNotes(dialect)].map((note) => `${path}: ${note}`);
}

export function emptyLinesSkipped(count: number): string {
  return `${count === 1 ? '1 empty line is' : `${count} empty lines are`} skipped`;
}

/** Columns whose name is made up; those that number the rows are reported where they are left out. */
function nameNotes({ names, nameless, repeated, rowNames }: Dialect): string[] {
  const named = (what: string, columns: readonly number[]) => {
    if (columns.length === 0) return [];
    const labels = columns.slice(0, MOST_NAMED).map((column) => quote(names[column]));
    const more = columns.length > MOST_NAMED ? ` and ${columns.length - MOST_NAMED} more` : '';
    return [`${what}: called ${labels.join(', ')}${more}`];
  };
  const numbering = new Set(rowNames);
  const others = nameless.filter((column) => !numbering.has(column));
  return [
    ...named(others.length === 1 ? 'a column has no name' : `${others.length} columns have no name`, others),
    ...named('a name occurs more than once', repeated),
  ];
}

/** The sentence about columns that only number or name the rows, if there are any. */
export function rowNamesNote(path: string, names: readonly string[], columns: readonly number[]): string[] {
  return columns.map(
    (column) =>
      `${path}: ${columnLabel(true, names[column])} has no name in the file and only numbers or names the rows, as data frames are saved: it is no feature`,
  );
}
