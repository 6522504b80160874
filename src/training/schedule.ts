/** Learning-rate schedules: the rate of an epoch from the rate of the optimiser. */
import type { ScheduleConfig } from '../spec/train.js';

/** The learning rate of an epoch, counted from 0. */
export function learningRateAt(schedule: ScheduleConfig, initial: number, epoch: number): number {
  switch (schedule.type) {
    case 'constant':
      return initial;
    case 'exponential':
      return initial * schedule.gamma ** epoch;
    case 'step':
      return initial * schedule.gamma ** Math.floor(epoch / schedule.every);
  }
}
