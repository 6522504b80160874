import type { PlainScheduleConfig } from '../../spec/scheduleConfig.js';
import { formula, type Schedule } from './types.js';

/** η·γ^⌊epoch / every⌋, as PyTorch's StepLR. */
export function step(
  { type, gamma, every }: Extract<PlainScheduleConfig, { type: 'step' }>,
  initial: number,
): Schedule {
  return formula(type, (_, epoch) => initial * gamma ** Math.floor(epoch / every));
}
