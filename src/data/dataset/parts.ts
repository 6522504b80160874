/** The targets of a split, and their scale. */
import { overflowError } from '../encode/fit.js';
import { fitStandardization, standardize } from '../scaling.js';
import { columnLabel } from '../table.js';
import type { Split } from './dataset.js';
import { gather } from './field.js';
import type { Input } from './rows.js';
import type { TargetValues } from './target.js';

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
export function standardizeTargets(sides: readonly Split[], { table, choice }: Input) {
  const targets = sides.map((side) => side.targets ?? new Float64Array(0));
  const { mean, scale } = fitStandardization(targets[0], choice.targets.length);
  const overflowing = scale.findIndex((value) => !Number.isFinite(value));
  if (overflowing >= 0) {
    const label = columnLabel(table.header, table.names[choice.targets[overflowing]]);
    throw overflowError(`${table.path}: ${label}`, 'variance');
  }
  for (const values of targets) standardize(values, { mean, scale });
  return { mean: [...mean], scale: [...scale] };
}
