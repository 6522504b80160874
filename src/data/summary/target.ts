/** What the target column is, and how many rows each of its classes has. */
import type { Task } from '../../spec/words.js';
import type { Field } from '../dataset/field.js';
import { readTargets, understandTargets } from '../dataset/target.js';
import { type Column, cellLocation, columnLabel, type Table } from '../table.js';
import { countCodes } from './cells.js';
import type { Level } from './types.js';

export interface TargetMeaning {
  readonly task: Task | undefined;
  readonly classes?: readonly Level[];
}

/** What `data.task: "auto"` makes of the target column by `rows`, those that have a target, and the balance of its classes. */
export function meaningOf(table: Table, index: number, rows: Int32Array, distinct: number): TargetMeaning {
  const column = table.columns[index];
  if (column === undefined || distinct < 2) return { task: undefined };
  const field: Field = {
    column: columnOf(column, rows),
    path: table.path,
    label: columnLabel(table.header, table.names[index]),
    location: (i) => cellLocation(table, index, rows[i]),
  };
  const meaning = understandTargets([field], 'auto', '');
  const { task, classes } = meaning;
  if (classes === undefined) return { task };
  const targets = readTargets([field], meaning, Number.POSITIVE_INFINITY);
  if (!('labels' in targets)) throw new TypeError('classes without labels');
  const counts = countCodes({ codes: targets.labels, distinct: classes.names.length });
  return { task, classes: classes.names.map((name, label) => ({ name, rows: counts[label] })) };
}

/** These rows of a column alone; none of their cells is missing. */
function columnOf(column: Column, rows: Int32Array): Column {
  if (column.missing === 0) return column;
  return column.kind === 'numeric'
    ? { ...column, values: Float64Array.from(rows, (row) => column.values[row]), missing: 0 }
    : { ...column, codes: rows.map((row) => column.codes[row]), missing: 0 };
}
