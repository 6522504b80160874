/** --threshold and --best-threshold: from which probability on a class or a label is predicted. */
import { ExitCode, MlpError } from '../errors.js';
import type { ThresholdGoal } from '../evaluation/thresholds.js';
import type { Thresholds } from '../model/inference.js';
import type { ReadingModel } from '../model/load.js';
import { suggest } from '../spec/messages.js';
import { listed, quote } from '../text.js';
import type { ThresholdOption } from './options.js';

export interface DecisionOptions {
  readonly threshold?: ThresholdOption;
  readonly bestThreshold?: ThresholdGoal;
}

/**
 * How classes are decided when a model is scored.
 * @throws MlpError as `thresholdsOf`; ExitCode.usage for a goal without two classes, or beside a threshold
 */
export function decisionOf(
  model: ReadingModel,
  { threshold, bestThreshold: goal }: DecisionOptions,
): { thresholds: Thresholds | undefined; goal: ThresholdGoal | undefined } {
  const { classes, path } = model;
  if (goal !== undefined && threshold !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      'found both --threshold and --best-threshold, expected one of them',
      '--best-threshold finds one for these rows',
    );
  }
  if (goal !== undefined && classes?.length !== 2) {
    throw new MlpError(
      ExitCode.usage,
      `--best-threshold: found ${classes ? `${classes.length} classes` : 'no classes'} in ${path}, expected 2`,
      'omit --best-threshold',
    );
  }
  return { thresholds: thresholdsOf(model, threshold), goal };
}

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
