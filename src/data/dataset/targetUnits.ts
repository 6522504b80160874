/** The units of a regression's targets: their own, and the network's. */
import { ACTIVATION_TYPES } from '../../kernels/activations.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { type LossName, lossNameOf, type TargetTransform } from '../../spec/words.js';
import type { Range } from '../scaling.js';

/** What the network's units are; its own if nothing is said. */
export interface TargetUnits {
  /** The logarithm of a target, or of 1 + it, is what is standardised and trained on. */
  readonly targetTransform?: TargetTransform;
  /** One number for each target: a target in its own unit, or its logarithm, is scale·output + mean. */
  readonly targetStandardization?: { readonly mean: readonly number[]; readonly scale: readonly number[] };
}

const TRANSFORMS = {
  log: { of: Math.log, inverse: Math.exp },
  log1p: { of: Math.log1p, inverse: Math.expm1 },
} as const;

/** Targets as they are standardised. */
export function transformTargets(values: Float64Array, transform: TargetTransform): void {
  const { of } = TRANSFORMS[transform];
  for (let i = 0; i < values.length; i++) values[i] = of(values[i]);
}

/** Whether targets of a regression are scaled: "auto" leaves counts and the range of a final activation alone. */
export function standardizesTarget({ data: { standardizeTarget }, network, training }: TrainConfig): boolean {
  if (standardizeTarget !== 'auto') return standardizeTarget;
  if (lossNameOf(training.loss) === 'poisson') return false;
  const last = network.layers.at(-1)?.type;
  return last === 'identity' || !(ACTIVATION_TYPES as readonly unknown[]).includes(last);
}

/** The number of target j as the network has it. */
export function toNetwork(value: number, j: number, units: TargetUnits): number {
  const { targetTransform, targetStandardization } = units;
  const transformed = targetTransform ? TRANSFORMS[targetTransform].of(value) : value;
  if (!targetStandardization) return transformed;
  const { mean, scale } = targetStandardization;
  return (transformed - mean[j]) / scale[j];
}

/** The number of target j in its own unit. */
export function fromNetwork(output: number, j: number, units: TargetUnits): number {
  const { targetTransform, targetStandardization } = units;
  const { mean, scale } = targetStandardization ?? {};
  const transformed = mean && scale ? scale[j] * output + mean[j] : output;
  return targetTransform ? TRANSFORMS[targetTransform].inverse(transformed) : transformed;
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

/** The ranges that hold both; the first if there are no others. */
export function joinRanges(ranges: readonly Range[], others?: readonly Range[]): Range[] {
  return ranges.map(([least, greatest], j) => {
    const [otherLeast, otherGreatest] = others?.[j] ?? [least, greatest];
    return [Math.min(least, otherLeast), Math.max(greatest, otherGreatest)];
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

/** What is trained on, as far as it says which targets there can be. */
interface Trained extends Pick<TargetUnits, 'targetTransform'> {
  readonly loss: LossName | 'auto';
}

/** The numbers that have a logarithm, or that a loss demands. */
export function targetDomain({ loss, targetTransform }: Trained): TargetDomain | undefined {
  const because = `because data.targetTransform is "${targetTransform}"`;
  if (targetTransform === 'log') {
    return {
      allows: (value) => value > 0,
      expected: `a number above 0, ${because}`,
      hint: '"log1p" takes 0 as well',
    };
  }
  if (targetTransform === 'log1p') {
    return {
      allows: (value) => value > -1,
      expected: `a number above -1, ${because}`,
      hint: 'remove data.targetTransform, or check the target',
    };
  }
  if (loss !== 'poisson') return undefined;
  return {
    allows: (value) => value >= 0,
    expected: 'a number of at least 0, because the loss is poisson',
    hint: 'poisson is for counts and rates; "huber" takes any number',
  };
}
