/** Numbers of a training that are no longer finite, and what to do then. */
import { ExitCode, MlpError } from '../errors.js';
import type { FloatArray } from '../kernels/kernels.js';
import { printable } from '../text.js';
import type { StepsDone } from './engine/engine.js';

const SETTINGS =
  'a learning rate ten times smaller ("--set training.optimizer.learningRate=…"), "--set training.clipNorm=1", and "data": { "standardize": true }';

/** The error ExitCode.config for a loss or a parameter that is not finite. */
export class Divergence extends MlpError {
  constructor(message: string, hint = `start a new run with ${SETTINGS}`, options?: ErrorOptions) {
    super(ExitCode.config, message, hint, options);
  }

  /** @param run the directory of the run, which has a good checkpoint */
  withCheckpoint(run: string): Divergence {
    const hint = `start a new run from the last good weights (--from ${printable(run)}) or from the beginning, with ${SETTINGS}; --resume takes no other settings`;
    return new Divergence(this.message, hint, { cause: this });
  }
}

export function diverged(fault: string, epoch: number, step: number): Divergence {
  return new Divergence(`training diverged: ${fault} in epoch ${epoch}, step ${step}`);
}

export function faultOf({ brokenLoss, brokenParameters }: StepsDone): string | undefined {
  if (brokenLoss !== undefined) return `the loss became ${Number.isNaN(brokenLoss) ? 'NaN' : 'infinite'}`;
  return brokenParameters ? 'a parameter became infinite or NaN' : undefined;
}

/** Whether all numbers are finite: only those make 0·x zero. */
export function allFinite(numbers: FloatArray): boolean {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += 0 * numbers[i];
  return sum === 0;
}
