/** Sides of the split while they are put together: whose rows they are, and what the targets of these say. */
import { overflowError } from '../encode/fit.js';
import { fitStandardization, standardize } from '../scaling.js';
import { columnLabel } from '../table.js';
import type { Split } from './dataset.js';
import { type Field, gather } from './field.js';
import type { Csv, RowReader } from './rows.js';
import { type Meaning, readTargets, type TargetValues } from './target.js';

export type SideName = 'train' | 'validation' | 'test';

/** A file that is read, with the meaning of its targets. */
export interface Part {
  readonly csv: Csv;
  readonly reader: RowReader;
  readonly targets: TargetValues;
  /** [rows] The row of the matrix; −1 for none. */
  readonly place: Int32Array;
}

/** Rows of a part in the order of a side, whose first row in the matrix is `first`. */
export interface Side {
  readonly part: Part;
  readonly rows: Int32Array;
  readonly first: number;
}

export function targetFields({ choice }: Csv, reader: RowReader): Field[] {
  return choice.targets.map((column) => reader.field(column));
}

export function partOf(csv: Csv, reader: RowReader, meaning: Meaning, largest: number): Part {
  const targets = readTargets(targetFields(csv, reader), meaning, largest);
  return { csv, reader, targets, place: sharedPlace(reader.rows) };
}

/** In memory that threads share, so that the readers need no copy. */
function sharedPlace(rows: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(rows * Int32Array.BYTES_PER_ELEMENT)).fill(-1);
}

/** The targets of these rows. */
export function targetsOf(targets: TargetValues, rows: Int32Array): Pick<Split, 'labels' | 'targets'> {
  if ('labels' in targets) return { labels: rows.map((row) => targets.labels[row]) };
  const { values, width } = targets;
  if (width === 1) return { targets: gather(values, rows) };
  const chosen = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < width; j++) chosen[i * width + j] = values[rows[i] * width + j];
  }
  return { targets: chosen };
}

/** Standardises the targets of all sides by the first side's rows, in place. */
export function standardizeTargets(sides: readonly Split[], { source, beginning, choice }: Csv) {
  const targets = sides.map((side) => side.targets ?? new Float64Array(0));
  const { mean, scale } = fitStandardization(targets[0], choice.targets.length);
  const overflowing = scale.findIndex((value) => !Number.isFinite(value));
  if (overflowing >= 0) {
    const label = columnLabel(beginning.header, beginning.names[choice.targets[overflowing]]);
    throw overflowError(`${source.name}: ${label}`, 'variance');
  }
  for (const values of targets) standardize(values, { mean, scale });
  return { mean: [...mean], scale: [...scale] };
}
