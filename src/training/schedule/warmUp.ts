import type { WarmUpConfig } from '../../spec/scheduleConfig.js';
import { aCount, anything, readState } from '../savedState.js';
import type { Schedule, ScheduleLength } from './types.js';

interface WarmUpState {
  /** Epochs done. */
  epochs: number;
  /** The state of the schedule after it. */
  next: unknown;
}

/** Steps of a warm-up. */
export function warmUpSteps({ epochs, steps }: WarmUpConfig, stepsPerEpoch: number): number {
  return steps ?? (epochs as number) * stepsPerEpoch;
}

/**
 * A straight line from `from`·η at step 0 to η at step W, where the schedule `after` begins: η·(from + (1 − from)·t / W). η is the
 * rate that `after` begins with.
 *
 * To `after`, the run begins at step W: its step 0 is W, its epoch 0 the one in which W lies, and it is told of no epoch before that. So a
 * cosine spans the steps that are left, and a plateau is not waited for while the learning rate rises. Goyal et al. 2017, "Accurate,
 * Large Minibatch SGD", section 2.2; PyTorch's LinearLR, and SequentialLR with the milestone W.
 */
export class WarmUp implements Schedule {
  readonly #from: number;
  readonly #steps: number;
  /** Whole epochs of the warm-up. */
  readonly #epochs: number;
  readonly #after: Schedule;
  #epochsDone = 0;

  /** @param create makes `after`, for what is left of the run */
  constructor(
    config: WarmUpConfig,
    { steps, stepsPerEpoch }: ScheduleLength,
    create: (config: WarmUpConfig['after'], length: ScheduleLength) => Schedule,
  ) {
    this.#from = config.from;
    this.#steps = warmUpSteps(config, stepsPerEpoch);
    this.#epochs = Math.floor(this.#steps / stepsPerEpoch);
    // A warm-up may be longer than the run; its height is then that of a schedule of one step.
    this.#after = create(config.after, { steps: Math.max(1, steps - this.#steps), stepsPerEpoch });
  }

  learningRate(step: number, epoch: number): number {
    if (step >= this.#steps) return this.#after.learningRate(step - this.#steps, epoch - this.#epochs);
    return this.#after.learningRate(0, 0) * (this.#from + ((1 - this.#from) * step) / this.#steps);
  }

  epochDone(metrics: ReadonlyMap<string, number | null>): void {
    if (this.#epochsDone >= this.#epochs) this.#after.epochDone(metrics);
    this.#epochsDone++;
  }

  state(): WarmUpState {
    return { epochs: this.#epochsDone, next: this.#after.state() };
  }

  restore(state: unknown): void {
    const { epochs, next } = readState<WarmUpState>('the schedule warm-up', state, {
      epochs: aCount,
      next: anything,
    });
    this.#after.restore(next);
    this.#epochsDone = epochs;
  }
}
