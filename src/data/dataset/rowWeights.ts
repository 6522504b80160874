/**
 * The weight of each row in the loss. A row of weight 0 is left out before the split, as if its table
 * lacked it.
 */
import { ExitCode, MlpError } from '../../errors.js';
import type { Weights } from '../../spec/dataConfig.js';
import { settingOf } from '../../spec/dataConfig.js';
import { oneOf, suggest, type Where } from '../../spec/messages.js';
import { printable, quote } from '../../text.js';
import { type LocatedColumn, requireNumbers } from '../locatedColumn.js';
import type { SplitName } from './dataset.js';
import type { TargetEncoding, TargetValues } from './targets.js';

/**
 * [rows] The weights of a table's rows, in a column or by class; undefined if all weigh the same, or
 * if they are "balanced", which only the split decides.
 *
 * @param column the one that the config names, if any
 * @throws MlpError ExitCode.data for a cell that is not a number of at least 0; config for classes of
 *   a task that has none, an unknown class, or weights that are all 0
 */
export function rowWeights(
  weights: Weights | undefined,
  targets: TargetValues,
  { task, classes }: Pick<TargetEncoding, 'task' | 'classes'>,
  { column, where }: { column: LocatedColumn | undefined; where: Where },
): Float64Array | undefined {
  if (weights === undefined) return undefined;
  if (column) return columnWeights(column);
  if (classes === undefined || !('labels' in targets)) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'weights'])}: found weights by class for ${task === 'multilabel' ? 'labels' : 'a regression'}, expected a column: {"column": "…"}`,
    );
  }
  if (weights === 'balanced') return undefined;
  const ofClass = classWeights(weights, classes.names, where);
  const { labels } = targets;
  return new Float64Array(labels.length).map((_, row) => ofClass[labels[row]] ?? 1);
}

function columnWeights(located: LocatedColumn): Float64Array {
  const weights = requireNumbers(located, 'weights are numbers; check data.weights');
  const at = weights.findIndex((weight) => weight < 0);
  if (at < 0) return weights;
  throw new MlpError(
    ExitCode.data,
    `${located.location(at)}: found ${weights[at]}, expected a weight of at least 0`,
  );
}

/** [classes] The weights as written, 1 for a class that is not named. */
function classWeights(
  weights: Exclude<Weights, 'balanced'>,
  classes: readonly string[],
  where: Where,
): number[] {
  const named = new Map<number, number>();
  for (const name of Object.keys(weights)) {
    const label = classes.indexOf(name);
    if (label < 0) {
      const hint = suggest(name, classes);
      throw new MlpError(
        ExitCode.config,
        `${where(['data', 'weights'], name)}: found no class ${quote(name)}, expected ${oneOf(classes.slice(0, 10).map(printable))}`,
        hint && printable(hint),
      );
    }
    named.set(label, settingOf(weights as { [className: string]: never }, name, 1 as never));
  }
  const all = classes.map((_, label) => named.get(label) ?? 1);
  if (!all.some((weight) => weight > 0)) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'weights'])}: found 0 for every class, expected at least one weight above 0`,
    );
  }
  return all;
}

/**
 * [classes] `n / (K · count)` over the training rows, as in scikit-learn. A class without training
 * rows weighs nothing instead of infinitely much.
 */
export function balancedWeights(classes: number, trainLabels: Int32Array): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of trainLabels) counts[label]++;
  return counts.map((count) => (count === 0 ? 0 : trainLabels.length / (classes * count)));
}

/**
 * Those of `rows` that have a weight.
 * @throws MlpError ExitCode.data if none has
 */
export function weightedRows(rows: Int32Array, weights: Float64Array | undefined, path: string): Int32Array {
  if (weights === undefined) return rows;
  const kept = rows.filter((row) => weights[row] > 0);
  if (kept.length === 0 && rows.length > 0) throw allZero(path, `all ${rows.length} rows`);
  return kept;
}

/** A note about the rows of weight 0, or none. */
export function zeroWeightNote(path: string, weights: Float64Array | undefined): string[] {
  const zeros = weights?.reduce((count, weight) => count + Number(weight === 0), 0) ?? 0;
  if (zeros === 0) return [];
  return [`${path}: ${zeros} of ${weights?.length} rows are left out because their weight is 0`];
}

/** Weights beyond, or their sum, may be 0 or infinite in float32. */
const LARGEST = 2 ** 32;

/**
 * The weights of a split. Only their ratios matter, so very large or small ones are divided by the
 * largest.
 * @throws MlpError ExitCode.data if all are 0, as balanced ones of classes without training rows
 */
export function splitWeights(weights: Float64Array, name: SplitName, path: string): Float64Array {
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  if (largest === 0) throw allZero(path, `all ${weights.length} ${name} rows`);
  if (largest <= LARGEST && largest >= 1 / LARGEST) return weights;
  return weights.map((weight) => weight / largest);
}

function allZero(path: string, where: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${path}: found the weight 0 in ${where}, expected at least one weight above 0`,
    'check data.weights',
  );
}
