/** From the outputs of a regression's network to predictions in the targets' own units. */
import { fromNetwork, networkRanges, type TargetUnits } from '../data/dataset/targetUnits.js';
import type { Range } from '../data/scaling.js';
import { LOSSES } from '../network/loss.js';
import type { LossName, LossParameters } from '../spec/words.js';

/** What an output means. */
export interface PredictionRules extends TargetUnits {
  readonly loss: LossName;
  readonly lossParameters?: LossParameters;
}

/** The number of the target that an output predicts: all quantiles are of the first. */
export function targetOf(output: number, { loss }: PredictionRules): number {
  return loss === 'quantile' ? 0 : output;
}

/** The prediction in the target's own unit. */
export function predictionOf(value: number, output: number, rules: PredictionRules): number {
  const { link } = LOSSES[rules.loss];
  return fromNetwork(link ? link.inverse(value) : value, targetOf(output, rules), rules);
}

/** The quantile that counts as the prediction: the one nearest to the median. */
export function middleOf({ quantiles = [] }: LossParameters): number {
  const distances = quantiles.map((quantile) => Math.abs(quantile - 0.5));
  return distances.indexOf(Math.min(...distances));
}

/** The limits [outputs] of the network, for predictions within the targets' ranges. */
export function limitsOf(ranges: readonly Range[], outputs: number, rules: PredictionRules): Range[] {
  const { link } = LOSSES[rules.loss];
  const ofTargets = networkRanges(ranges, rules);
  return Array.from({ length: outputs }, (_, j): Range => {
    const [least, greatest] = ofTargets[targetOf(j, rules)];
    return link ? [link.of(least), link.of(greatest)] : [least, greatest];
  });
}

/** Whether errors of outputs are errors of predictions but for a factor for each target. */
export function isLinear({ loss, targetTransform }: PredictionRules): boolean {
  return loss !== 'quantile' && LOSSES[loss].link === undefined && targetTransform === undefined;
}

/**
 * The prediction for each target [rows, targets], in its own unit, from outputs [rows, outputs]: of
 * quantiles the middle one.
 */
export function pointsOf(
  rows: number,
  outputs: ArrayLike<number>,
  width: number,
  rules: PredictionRules,
): Float64Array {
  const { loss, lossParameters = {} } = rules;
  if (loss !== 'quantile') {
    return Float64Array.from({ length: rows * width }, (_, at) =>
      predictionOf(outputs[at], at % width, rules),
    );
  }
  const middle = middleOf(lossParameters);
  return Float64Array.from({ length: rows }, (_, row) =>
    predictionOf(outputs[row * width + middle], middle, rules),
  );
}

/** Targets [rows, width] in their own units, from those of the network. */
export function ownTargets(targets: ArrayLike<number>, width: number, units: TargetUnits): Float64Array {
  return new Float64Array(targets.length).map((_, at) => fromNetwork(targets[at], at % width, units));
}
