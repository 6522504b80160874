import type { PlainScheduleConfig } from '../../spec/scheduleConfig.js';
import { formula, type Schedule } from './types.js';

/** η·γ^epoch, as PyTorch's ExponentialLR. */
export function exponential(
  { type, gamma }: Extract<PlainScheduleConfig, { type: 'exponential' }>,
  initial: number,
): Schedule {
  return formula(type, (_, epoch) => initial * gamma ** epoch);
}
