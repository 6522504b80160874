/** Values so far from all others that they are a slip of the pen, or that a logarithm is called for. */

/** How many times as far from the quartiles as these are apart. Grey levels that are nearly all 0 stay below it. */
export const FAR = 1000;
/** With fewer values the quartiles say little. */
const LEAST_VALUES = 20;
/** Quartiles are those of about so many values, evenly spread over the rows. */
const SAMPLE = 2000;

/** Whether `min` or `max`, the range of the values, lies that far out. Never where the quartiles are equal. */
export function hasOutlier(values: Float64Array, { min, max }: { min: number; max: number }): boolean {
  const stride = Math.ceil(values.length / SAMPLE);
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += stride) if (!Number.isNaN(values[i])) sample.push(values[i]);
  if (sample.length < LEAST_VALUES) return false;
  const sorted = Float64Array.from(sample).sort();
  const lower = sorted[Math.floor(sorted.length / 4)];
  const upper = sorted[Math.floor((sorted.length * 3) / 4)];
  const reach = FAR * (upper - lower);
  return reach > 0 && (max - upper > reach || lower - min > reach);
}
