import type { PlainScheduleConfig } from '../../spec/scheduleConfig.js';
import { anneal } from './cosine.js';
import { formula, type Schedule } from './types.js';

/**
 * From η / divFactor up to η in the first pctStart of the steps, then down to η / divFactor / finalDivFactor at the last one, each along
 * half a cosine.
 *
 * Smith and Topin 2018, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", in the two
 * phases that PyTorch's OneCycleLR has. The momentum stays as it is (`cycle_momentum=False`).
 */
export function oneCycle(
  { type, pctStart, divFactor, finalDivFactor }: Extract<PlainScheduleConfig, { type: 'one-cycle' }>,
  peak: number,
  steps: number,
): Schedule {
  const first = peak / divFactor;
  const last = first / finalDivFactor;
  const end = steps - 1;
  // Counted as PyTorch counts, so rarely a whole step; at 0 or below it the learning rate never rises.
  const peakAt = pctStart * steps - 1;
  return formula(type, (t) => {
    // A rise that ends at the last step has no descent: 0 / 0 in a run of one step.
    if (t >= end && peakAt >= end) return peak;
    return t <= peakAt && peakAt > 0
      ? anneal(first, peak, t / peakAt)
      : anneal(peak, last, (t - peakAt) / (end - peakAt));
  });
}
