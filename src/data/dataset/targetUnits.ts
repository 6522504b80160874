/** The units of a regression's targets: their own, and the network's. */
import type { LossName } from '../../spec/words.js';
import type { Range } from '../scaling.js';

/** What the network's units are; its own if nothing is said. */
export interface TargetUnits {
  /** One number for each target: a target in its own unit is scale·output + mean. */
  readonly targetStandardization?: { readonly mean: readonly number[]; readonly scale: readonly number[] };
}

/** The number of target j as the network has it. */
export function toNetwork(value: number, j: number, { targetStandardization }: TargetUnits): number {
  if (!targetStandardization) return value;
  const { mean, scale } = targetStandardization;
  return (value - mean[j]) / scale[j];
}

/** The number of target j in its own unit. */
export function fromNetwork(output: number, j: number, { targetStandardization }: TargetUnits): number {
  if (!targetStandardization) return output;
  const { mean, scale } = targetStandardization;
  return scale[j] * output + mean[j];
}

/** The range of each target [width] among `targets` [rows, width], in their own units. */
export function rangesOf(targets: Float64Array, width: number): Range[] {
  return Array.from({ length: width }, (_, j) => {
    let [least, greatest] = [targets[j], targets[j]];
    for (let at = j; at < targets.length; at += width) {
      if (targets[at] < least) least = targets[at];
      if (targets[at] > greatest) greatest = targets[at];
    }
    // JSON has no −0.
    return [least + 0, greatest + 0];
  });
}

/** Ranges in the targets' own units as the network has them. */
export function networkRanges(ranges: readonly Range[], units: TargetUnits): Range[] {
  return ranges.map(([least, greatest], j) => [toNetwork(least, j, units), toNetwork(greatest, j, units)]);
}

/** Which numbers a target may be, if not all. */
export interface TargetDomain {
  allows(value: number): boolean;
  readonly expected: string;
  readonly hint: string;
}

/** The domain that a loss demands. */
export function targetDomain(loss: LossName | 'auto'): TargetDomain | undefined {
  if (loss !== 'poisson') return undefined;
  return {
    allows: (value) => value >= 0,
    expected: 'a number of at least 0, because the loss is poisson',
    hint: 'poisson is for counts and rates; "huber" takes any number',
  };
}
