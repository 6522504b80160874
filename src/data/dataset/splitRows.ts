/** Which rows train, validate and test. `takeRows` has one case for each rule. */
import { ExitCode, MlpError } from '../../errors.js';
import { stratifiedSplit, trainTestSplit } from '../../random/split.js';
import type { RowsOf } from '../../spec/dataConfig.js';
import { suggest } from '../../spec/messages.js';
import { printable, quote } from '../../text.js';
import { cellText, finiteNumber, firstRows, type LocatedColumn, rowCount } from '../locatedColumn.js';

/** Row numbers of the training table, in the order of each split. */
interface RowsBySplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

interface SplitRequest {
  readonly validation: RowsOf;
  readonly test: RowsOf;
  /** The columns named by `validation` and `test`, if any. */
  readonly locatedColumns: { readonly validation?: LocatedColumn; readonly test?: LocatedColumn };
  readonly rows: number;
  /** [rows] and the names of the classes: shares are stratified by them. */
  readonly classes?: { readonly labels: Int32Array; readonly names: readonly string[] };
  readonly seed: number;
  /** The file, as messages name it. */
  readonly path: string;
}

/**
 * Takes the test rows first, then the validation rows from the rest. A share is a share of what it
 * is taken from, like two calls of scikit-learn's `train_test_split` with the same seed. Marked
 * rows, and all rows if no share is taken, keep the order of the file.
 *
 * @throws MlpError ExitCode.data if a share can't be taken, or a column marks no row or all rows
 */
export function splitRows(request: SplitRequest): RowsBySplit {
  const { taken: test, rest } = takeRows('test', firstRows(request.rows), request);
  const { taken: validation, rest: train } = takeRows('validation', rest, request);
  return { train, validation, test };
}

function takeRows(
  key: 'validation' | 'test',
  from: Int32Array,
  request: SplitRequest,
): { taken: Int32Array; rest: Int32Array } {
  const asked = request[key];
  const located = request.locatedColumns[key];
  if (typeof asked === 'object' && located) return takeMarked(key, from, located, asked.value);
  if (typeof asked !== 'number' || asked === 0) return { taken: new Int32Array(0), rest: from };
  const { classes, seed, path } = request;
  try {
    const split = classes
      ? stratifiedSplit(
          from.map((row) => classes.labels[row]),
          classes.names.length,
          asked,
          seed,
          classes.names,
        )
      : trainTestSplit(from.length, asked, seed);
    // An index into all rows is the row itself.
    const rowsAt = (indices: Int32Array) =>
      from.length === request.rows ? indices : indices.map((index) => from[index]);
    return { taken: rowsAt(split.test), rest: rowsAt(split.train) };
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(error.exitCode, `${path}: ${error.message}`, error.hint, { cause: error });
  }
}

/** The rows of `from` whose cell is `value`; numbers are compared as numbers. */
function takeMarked(key: string, from: Int32Array, located: LocatedColumn, value: string | number) {
  const isMarked = marker(located, value);
  const taken = from.filter((row) => isMarked(row));
  if (taken.length === 0) {
    const seen = distinctTexts(located);
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found no row with ${typeof value === 'string' ? quote(value) : value}, ` +
        `expected the ${key} rows to have it`,
      suggest(String(value), seen) ??
        `the column has ${seen.map((text) => quote(text)).join(', ')}; set data.${key}.value`,
    );
  }
  if (taken.length === from.length) {
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found ${typeof value === 'string' ? quote(value) : value} in all rows, ` +
        'expected other rows to train on',
      `check data.${key}`,
    );
  }
  return { taken, rest: from.filter((row) => !isMarked(row)) };
}

function marker({ column }: LocatedColumn, value: string | number): (row: number) => boolean {
  const number = finiteNumber(String(value));
  if (column.kind === 'numeric') return (row) => column.values[row] === number;
  const marked = column.levels.map(
    (level) => level === String(value) || (!Number.isNaN(number) && finiteNumber(level) === number),
  );
  return (row) => marked[column.codes[row]] ?? false;
}

/** A few values of the column, for a message. */
function distinctTexts(located: LocatedColumn): string[] {
  const texts = new Set<string>();
  for (let row = 0; row < rowCount(located) && texts.size < 8; row++)
    texts.add(printable(cellText(located, row)));
  return [...texts];
}
