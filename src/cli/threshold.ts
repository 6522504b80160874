/** --threshold: from which probability on a class or a label is predicted. */
import { ExitCode, MlpError } from '../errors.js';
import type { Thresholds } from '../model/inference.js';
import type { ReadingModel } from '../model/load.js';
import { suggest } from '../spec/messages.js';
import { listed, quote } from '../text.js';
import type { ThresholdOption } from './options.js';

/**
 * The thresholds for a model, in the order of its labels.
 * @throws MlpError ExitCode.usage for a model without two classes or labels, or an unknown label
 */
export function thresholdsOf(
  { classes, labelValues, targets, path }: ReadingModel,
  given: ThresholdOption | undefined,
): Thresholds | undefined {
  if (given === undefined) return undefined;
  if (labelValues) {
    if (typeof given === 'number') return targets.map(() => given);
    for (const name of given.keys()) {
      if (targets.includes(name)) continue;
      throw new MlpError(
        ExitCode.usage,
        `--threshold: found no label ${quote(name)} in ${path}, expected some of ${listed(targets.map(quote), 10)}`,
        suggest(name, targets),
      );
    }
    return targets.map((name) => given.get(name));
  }
  if (classes?.length !== 2) {
    throw new MlpError(
      ExitCode.usage,
      `--threshold: found ${classes ? `${classes.length} classes` : 'a regression'} in ${path}, expected 2 classes or labels`,
      'omit --threshold',
    );
  }
  if (typeof given === 'number') return [given];
  throw new MlpError(
    ExitCode.usage,
    `--threshold: found thresholds by name for the classes of ${path}, expected a number from 0 to 1`,
  );
}
