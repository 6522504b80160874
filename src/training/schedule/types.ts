/** What every schedule is, and the ones that are a formula. */
import { readState } from '../savedState.js';

export interface Schedule {
  /** The learning rate of a step (from 0, over the whole run) in an epoch (from 0). */
  learningRate(step: number, epoch: number): number;
  /** Told the metrics at the end of an epoch, by name as in epochs.csv: `train_loss`, `validation_accuracy`, … */
  epochDone(metrics: ReadonlyMap<string, number | null>): void;
  /** What it has learnt from them, as plain JSON that restores it to the bit; null where it keeps nothing. */
  state(): unknown;
  /** @throws MlpError (65) where `state` is none of this schedule's */
  restore(state: unknown): void;
}

/** How far a schedule reaches: a run has `steps` steps, every epoch but the last `stepsPerEpoch`. */
export interface ScheduleLength {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** A schedule that looks at nothing but the step and the epoch. */
export function formula(type: string, learningRate: Schedule['learningRate']): Schedule {
  return {
    learningRate,
    epochDone() {},
    state: () => null,
    restore: (state) => readState(`the schedule ${type}`, state, null),
  };
}
