/** Learning-rate schedules: each step's rate, from the optimiser's. What each does is said beside it, in schedule/. */
import type { PlainScheduleConfig, ScheduleConfig } from '../spec/scheduleConfig.js';
import { cosine } from './schedule/cosine.js';
import { exponential } from './schedule/exponential.js';
import { oneCycle } from './schedule/oneCycle.js';
import { ReduceOnPlateau } from './schedule/reduceOnPlateau.js';
import { step } from './schedule/step.js';
import { formula, type Schedule, type ScheduleLength } from './schedule/types.js';
import { WarmUp } from './schedule/warmUp.js';

export type { Schedule, ScheduleLength } from './schedule/types.js';
export { warmUpSteps } from './schedule/warmUp.js';

/** @param initial the optimiser's learning rate; for one-cycle that is the peak */
export function createSchedule(config: ScheduleConfig, initial: number, length: ScheduleLength): Schedule {
  return config.type === 'warm-up'
    ? new WarmUp(config, length, (after, rest) => createPlain(after, initial, rest))
    : createPlain(config, initial, length);
}

function createPlain(config: PlainScheduleConfig, initial: number, { steps }: ScheduleLength): Schedule {
  switch (config.type) {
    case 'constant':
      return formula(config.type, () => initial);
    case 'exponential':
      return exponential(config, initial);
    case 'step':
      return step(config, initial);
    case 'cosine':
      return cosine(config, initial, steps);
    case 'one-cycle':
      return oneCycle(config, initial, steps);
    case 'reduce-on-plateau':
      return new ReduceOnPlateau(config, initial);
  }
}
