/** The weight of each row in the loss. */
import { ExitCode, MlpError } from '../../errors.js';
import type { Weights } from '../../spec/dataConfig.js';
import { settingOf } from '../../spec/dataConfig.js';
import { oneOf, suggest } from '../../spec/messages.js';
import { printable, quote } from '../../text.js';
import { gather, type LocatedColumn, requireNumbers } from '../locatedColumn.js';

/**
 * [classes] The weight of each class: `n / (K · count)` over the training rows for "balanced", as
 * in scikit-learn; otherwise as written, 1 for a class that is not named.
 *
 * @param trainLabels the classes of the training rows
 * @throws MlpError ExitCode.config for an unknown class, or weights that are all 0
 */
export function classWeights(
  weights: Weights,
  classes: readonly string[],
  trainLabels: Int32Array,
  location: string,
): Float64Array {
  if (weights === 'balanced') {
    const counts = new Float64Array(classes.length);
    for (const label of trainLabels) counts[label]++;
    // A class without training rows weighs nothing instead of infinitely much.
    return counts.map((count) => (count === 0 ? 0 : trainLabels.length / (classes.length * count)));
  }
  const named = new Map<number, number>();
  for (const name of Object.keys(weights)) {
    const label = classes.indexOf(name);
    if (label < 0) {
      const hint = suggest(name, classes);
      throw new MlpError(
        ExitCode.config,
        `${location}data.weights: found no class ${quote(name)}, expected ${oneOf(classes.slice(0, 10).map(printable))}`,
        hint && printable(hint),
      );
    }
    named.set(label, settingOf(weights as { [className: string]: never }, name, 1 as never));
  }
  const all = Float64Array.from(classes, (_, label) => named.get(label) ?? 1);
  if (!all.some((weight) => weight > 0)) {
    throw new MlpError(
      ExitCode.config,
      `${location}data.weights: found 0 for every class, expected at least one weight above 0`,
    );
  }
  return all;
}

/**
 * [rows.length] The weights in the cells of these rows.
 * @throws MlpError ExitCode.data for a cell that is not a number of at least 0
 */
export function weightsOf(located: LocatedColumn, rows: Int32Array): Float64Array {
  const weights = gather(requireNumbers(located, 'weights are numbers; check data.weights'), rows);
  const at = weights.findIndex((weight) => weight < 0);
  if (at < 0) return weights;
  throw new MlpError(
    ExitCode.data,
    `${located.location(rows[at])}: found ${weights[at]}, expected a weight of at least 0`,
  );
}
