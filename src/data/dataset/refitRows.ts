/** The rows of a refit: training and validation rows as one split. */
import { joined } from '../table.js';
import type { InputRows, SplitRows } from './assembleDataset.js';
import { TableRows } from './tableRows.js';
import type { TargetValues } from './targets.js';

/**
 * The training and the validation rows as the training split, in this order, and the test rows. If
 * the validation rows have a table of their own, both tables were read as `TableRows`.
 */
export function refitRows([train, ...others]: readonly SplitRows[]): SplitRows[] {
  const validation = others.find(({ name }) => name === 'validation');
  const test = others.find(({ name }) => name === 'test');
  const isApart = validation !== undefined && validation.from !== train.from;
  const all = isApart ? joinInputs(train.from, validation.from) : withPlaces(train.from);
  const offset = isApart ? train.from.reader.rows : 0;
  const held = validation?.rows.map((row) => offset + row) ?? new Int32Array(0);
  const splits: SplitRows[] = [];
  let first = 0;
  const add = (name: SplitRows['name'], from: InputRows, rows: Int32Array) => {
    splits.push({ name, from, rows, first });
    for (let i = 0; i < rows.length; i++) from.place[rows[i]] = first + i;
    first += rows.length;
  };
  add('train', all, joined(Int32Array, [train.rows, held]));
  // The rows of the training table have kept their numbers.
  if (test) add('test', test.from === train.from ? all : withPlaces(test.from), test.rows);
  return splits;
}

/** A table with none of its rows in a matrix yet. */
export function withPlaces(rows: Omit<InputRows, 'place'>): InputRows {
  // In shared memory, so that threads need no copy.
  const place = new Int32Array(new SharedArrayBuffer(rows.reader.rows * Int32Array.BYTES_PER_ELEMENT));
  return { ...rows, place: place.fill(-1) };
}

function joinInputs(first: InputRows, second: InputRows): InputRows {
  if (!(first.reader instanceof TableRows && second.reader instanceof TableRows)) {
    throw new TypeError('the rows of two tables can only be joined if they were read as tables');
  }
  return withPlaces({
    ...first,
    reader: first.reader.joined(second.reader),
    targets: joinTargets(first.targets, second.targets),
    weights: first.weights && second.weights && joined(Float64Array, [first.weights, second.weights]),
  });
}

function joinTargets(first: TargetValues, second: TargetValues): TargetValues {
  if ('labels' in first && 'labels' in second) {
    return { labels: joined(Int32Array, [first.labels, second.labels]) };
  }
  if (!('values' in first && 'values' in second)) throw new TypeError('found targets of two kinds');
  return { width: first.width, values: joined(Float64Array, [first.values, second.values]) };
}
