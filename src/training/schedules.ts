/** Learning-rate schedules. η is the optimiser's learning rate; t counts the run's steps from 0. */
import type { PlainScheduleConfig, ScheduleConfig, WarmUpConfig } from '../spec/scheduleConfig.js';
import { isBetter, metricOf } from './monitor.js';
import { aCount, aFiniteNumber, aFiniteNumberOrNull, anything, readState } from './savedState.js';

export interface Schedule {
  /** The learning rate of a step (from 0, over the whole run) in an epoch (from 0). */
  learningRate(step: number, epoch: number): number;
  /** Takes the metrics of an epoch, by name as in epochs.csv: `train_loss`, `validation_loss`, … */
  epochDone(metrics: ReadonlyMap<string, number | null>): void;
  /** What it has learnt from the metrics, as plain JSON that loses no bit; null if nothing. */
  state(): unknown;
  /** @throws MlpError ExitCode.data if `state` does not come from this schedule */
  restore(state: unknown): void;
}

/** The length of the run: `steps` steps, with `stepsPerEpoch` in every epoch but the last. */
export interface ScheduleLength {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** @param initial the optimiser's learning rate η; for one-cycle it is the peak */
export function createSchedule(config: ScheduleConfig, initial: number, length: ScheduleLength): Schedule {
  return config.type === 'warm-up'
    ? new WarmUp(config, initial, length)
    : createPlain(config, initial, length);
}

function createPlain(config: PlainScheduleConfig, initial: number, { steps }: ScheduleLength): Schedule {
  switch (config.type) {
    case 'constant':
      return formula(config, () => initial);
    // η·γ^epoch, PyTorch's ExponentialLR
    case 'exponential':
      return formula(config, (_, epoch) => initial * config.gamma ** epoch);
    // η·γ^⌊epoch / every⌋, PyTorch's StepLR
    case 'step':
      return formula(config, (_, epoch) => initial * config.gamma ** Math.floor(epoch / config.every));
    // Half a cosine from η to the minimum, at step T, the one after the last. Loshchilov and Hutter
    // 2017, "SGDR", equation 5; PyTorch's CosineAnnealingLR, T_max = T, stepped per minibatch.
    case 'cosine':
      return formula(config, (t) => anneal(initial, config.minimum, t / steps));
    case 'flat-cosine':
      return formula(config, (t) => initial * flatCosine(t / steps));
    case 'coslog':
      return formula(config, (t) => initial * cosineOfLogarithm(config.cycles, t / steps));
    case 'one-cycle':
      return oneCycle(config, initial, steps);
    case 'reduce-on-plateau':
      return new ReduceOnPlateau(config, initial);
  }
}

type ConfigOf<Type> = Extract<PlainScheduleConfig, { type: Type }>;

/** A schedule that depends on the step and the epoch alone. */
function formula({ type }: PlainScheduleConfig, learningRate: Schedule['learningRate']): Schedule {
  return {
    learningRate,
    epochDone() {},
    state: () => null,
    restore: (state) => readState(`the schedule ${type}`, state, null),
  };
}

/** 1 in the first half, then down to 0 along half a cosine: "flat_cos" of Holzmüller et al. 2024 */
export function flatCosine(share: number): number {
  return share < 0.5 ? 1 : anneal(1, 0, 2 * share - 1);
}

/** ½·(1 − cos(2π·log₂(1 + (2^cycles − 1)·share))), "coslog" of Holzmüller et al. 2024 */
function cosineOfLogarithm(cycles: number, share: number): number {
  return (1 - Math.cos(2 * Math.PI * Math.log2(1 + (2 ** cycles - 1) * share))) / 2;
}

/** The share of the steps after which a cycle of coslog, from 1, ends. */
export function endOfCycle(cycles: number, cycle: number): number {
  return (2 ** cycle - 1) / (2 ** cycles - 1);
}

/** From `start` to `end` along half a cosine: end + (start − end)·(1 + cos(π·share)) / 2. */
function anneal(start: number, end: number, share: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * share))) / 2;
}

/**
 * From η / divFactor up to η in the first pctStart of the steps, then down to η / divFactor /
 * finalDivFactor, each along half a cosine. Smith and Topin 2018, "Super-Convergence", as PyTorch's
 * OneCycleLR in two phases with `cycle_momentum=False`.
 */
function oneCycle(config: ConfigOf<'one-cycle'>, peak: number, steps: number): Schedule {
  const { pctStart, divFactor, finalDivFactor } = config;
  const first = peak / divFactor;
  const last = first / finalDivFactor;
  const end = steps - 1;
  // Counted as in PyTorch, so rarely a whole step. At 0 or below it the learning rate never rises.
  const peakAt = pctStart * steps - 1;
  return formula(config, (t) => {
    // A rise that ends at the last step has no descent: 0 / 0 in a run of one step.
    if (t >= end && peakAt >= end) return peak;
    return t <= peakAt && peakAt > 0
      ? anneal(first, peak, t / peakAt)
      : anneal(peak, last, (t - peakAt) / (end - peakAt));
  });
}

interface PlateauState {
  learningRate: number;
  /** The best value of the monitored metric; null before the first finite one. */
  best: number | null;
  /** Epochs since the last improvement or reduction. */
  waited: number;
}

/**
 * Multiplies η by γ, down to the minimum, after more than `patience` epochs in a row without a gain
 * of more than `minDelta`, then waits as long again; NaN is no gain. PyTorch's ReduceLROnPlateau
 * with `threshold_mode="abs"`: a relative one has no meaning for an R² below 0.
 */
class ReduceOnPlateau implements Schedule {
  readonly #config: ConfigOf<'reduce-on-plateau'>;
  #state: PlateauState;

  constructor(config: ConfigOf<'reduce-on-plateau'>, initial: number) {
    this.#config = config;
    this.#state = { learningRate: initial, best: null, waited: 0 };
  }

  learningRate(): number {
    return this.#state.learningRate;
  }

  epochDone(metrics: ReadonlyMap<string, number | null>): void {
    const { monitor, gamma, patience, minDelta, minimum } = this.#config;
    const state = this.#state;
    const value = metricOf(metrics, monitor);
    if (isBetter(monitor, value, state.best, minDelta)) {
      state.best = value;
      state.waited = 0;
      return;
    }
    state.waited++;
    if (state.waited > patience) {
      state.learningRate = Math.max(state.learningRate * gamma, minimum);
      state.waited = 0;
    }
  }

  state(): PlateauState {
    return { ...this.#state };
  }

  restore(state: unknown): void {
    this.#state = readState<PlateauState>(`the schedule ${this.#config.type}`, state, {
      learningRate: aFiniteNumber,
      best: aFiniteNumberOrNull,
      waited: aCount,
    });
  }
}

export function warmUpSteps({ epochs, steps }: WarmUpConfig, stepsPerEpoch: number): number {
  return steps ?? (epochs as number) * stepsPerEpoch;
}

interface WarmUpState {
  epochs: number;
  next: unknown;
}

/**
 * h·(from + (1 − from)·t / W) until step W, where `after` starts with the learning rate h. For
 * `after`, step 0 is W and epoch 0 the epoch of W: a cosine spans the remaining steps, and no
 * plateau is noticed before. Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2;
 * PyTorch's LinearLR and SequentialLR with the milestone W.
 */
class WarmUp implements Schedule {
  readonly #from: number;
  readonly #steps: number;
  readonly #epochs: number;
  readonly #after: Schedule;
  #epochsDone = 0;

  constructor(config: WarmUpConfig, initial: number, { steps, stepsPerEpoch }: ScheduleLength) {
    this.#from = config.from;
    this.#steps = warmUpSteps(config, stepsPerEpoch);
    this.#epochs = Math.floor(this.#steps / stepsPerEpoch);
    // A warm-up longer than the run rises to the learning rate of a schedule of one step.
    const left = Math.max(1, steps - this.#steps);
    this.#after = createPlain(config.after, initial, { steps: left, stepsPerEpoch });
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
