/**
 * What values a parameter may take, each equally likely on the parameter's own scale before anything
 * is known. A number lives on a scale: itself or its logarithm. There a value with a step covers the
 * half steps around it, so that all values are equally likely.
 */
import type { RandomState } from '../random/randomState.js';
import { isSetting, literalOf, type Setting } from '../spec/spaceConfig.js';

/** One of `labels`; a parameter's value is the index. */
export interface Categorical {
  readonly kind: 'categorical';
  /** As Optuna shows the choices: scalars as they are, lists, objects and nested settings as JSON. */
  readonly labels: readonly Scalar[];
}

export type Scalar = string | number | boolean | null;

/** Numbers from low to high, both included; with a step only low, low + step, …, high. */
export interface Numeric {
  readonly kind: 'int' | 'float';
  readonly low: number;
  readonly high: number;
  /** Whether the scale is the logarithm. */
  readonly log: boolean;
  readonly step: number | undefined;
}

export type Distribution = Categorical | Numeric;

export function distributionOf(setting: Setting): Distribution {
  if ('choice' in setting) return { kind: 'categorical', labels: labelsOf(setting.choice) };
  if ('int' in setting) {
    const { int, log = false, step = 1 } = setting;
    return { kind: 'int', low: int[0], high: lastStep(int, step), log, step };
  }
  if ('float' in setting) {
    const { float, step } = setting;
    const [low, high] = float;
    return { kind: 'float', low, high: step === undefined ? high : lastStep(float, step), log: false, step };
  }
  const [low, high] = setting.log;
  return { kind: 'float', low, high, log: true, step: undefined };
}

/** The number of values; Infinity for real numbers. */
export function countOf(distribution: Distribution): number {
  if (distribution.kind === 'categorical') return distribution.labels.length;
  const { low, high, step } = distribution;
  return step === undefined ? Number.POSITIVE_INFINITY : Math.round((high - low) / step) + 1;
}

/** Value number `index` of those with a step. */
export function stepAt({ low, step = 0 }: Numeric, index: number): number {
  return withoutNoise(low + index * step);
}

/** Whether a value lies within the bounds, and on a step. */
export function contains(distribution: Numeric, value: number): boolean {
  const { low, high, step } = distribution;
  if (!(value >= low && value <= high)) return false;
  if (step === undefined) return true;
  const nearest = stepAt(distribution, Math.round((value - low) / step));
  return Math.abs(nearest - value) <= 1e-9 * step;
}

/** At most `steps` values, evenly spaced on the scale, with both bounds. */
export function evenlySpaced(distribution: Numeric, steps: number): number[] {
  const low = toScale(distribution, distribution.low);
  const high = toScale(distribution, distribution.high);
  const values = Array.from({ length: steps }, (_, i) =>
    fromScale(distribution, low + ((high - low) * i) / (steps - 1)),
  );
  return [...new Set(values)];
}

/** A value on the scale. */
export function toScale({ log }: Numeric, value: number): number {
  return log ? Math.log(value) : value;
}

/** The ends of the scale. */
export function scaleOf(distribution: Numeric): [low: number, high: number] {
  const { low, high } = distribution;
  return [lowerEdge(distribution, low), upperEdge(distribution, high)];
}

/** Where the part of the scale starts that belongs to a value: at the value itself without a step. */
export function lowerEdge(distribution: Numeric, value: number): number {
  return toScale(distribution, value - (distribution.step ?? 0) / 2);
}

export function upperEdge(distribution: Numeric, value: number): number {
  return toScale(distribution, value + (distribution.step ?? 0) / 2);
}

/** The value at a place of the scale, rounded to a step or to the digits that matter. */
export function fromScale(distribution: Numeric, place: number): number {
  const { low, high, log, step } = distribution;
  const value = log ? Math.exp(place) : place;
  const rounded =
    step === undefined ? round(distribution, value) : stepAt(distribution, Math.round((value - low) / step));
  return Math.min(high, Math.max(low, rounded));
}

/** A real range has at least so many different values. */
const RESOLUTION = 1000;

/** Rounds a real number: four digits say all that matters about a learning rate. */
function round({ low, high, log }: Numeric, value: number): number {
  if (log) {
    const digits = Math.ceil(1 - Math.log10(Math.log(high / low) / RESOLUTION));
    return digits > 15 ? value : Number(value.toPrecision(Math.max(4, digits)));
  }
  const decimals = -Math.floor(Math.log10((high - low) / RESOLUTION));
  return decimals < 0 || decimals > 100 ? value : Number(value.toFixed(decimals));
}

function lastStep([low, high]: readonly [number, number], step: number): number {
  // A hair more than a whole number of steps is the noise of binary fractions.
  return withoutNoise(low + Math.floor((high - low) / step + 1e-9) * step);
}

/** 0.1 + 2·0.1 → 0.3. */
function withoutNoise(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(15));
}

function labelsOf(elements: readonly unknown[]): Scalar[] {
  const labels = elements.map((element) => {
    const value = isSetting(element) ? element : literalOf(element);
    return isScalar(value) ? value : JSON.stringify(value);
  });
  // For Python, True is 1 and False is 0.
  const different = new Set(labels.map((label) => (typeof label === 'boolean' ? Number(label) : label)));
  return different.size === labels.length ? labels : elements.map((element) => JSON.stringify(element));
}

export function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null;
}

/** A value by `random`, each as likely as its part of the scale is wide. */
export function drawUniform(distribution: Distribution, random: RandomState): number {
  if (distribution.kind === 'categorical') return random.randint(0, distribution.labels.length);
  const [low, high] = scaleOf(distribution);
  return fromScale(distribution, random.uniform(low, high));
}
