import type { PlainScheduleConfig } from '../../spec/scheduleConfig.js';
import { isBetter, metricOf } from '../monitor.js';
import { aCount, aFiniteNumber, aFiniteNumberOrNull, readState } from '../savedState.js';
import type { Schedule } from './types.js';

type ReduceOnPlateauConfig = Extract<PlainScheduleConfig, { type: 'reduce-on-plateau' }>;

interface PlateauState {
  learningRate: number;
  /** The monitored metric's; null before the first finite one. */
  best: number | null;
  /** Epochs since the last improvement or reduction. */
  waited: number;
}

/**
 * Multiplies η by γ, never below `minimum`, at the end of an epoch that is the (patience + 1)th in a row without an
 * improvement, and waits as long again. An improvement is a gain of more than `minDelta` over the best so far; NaN is none.
 *
 * PyTorch's ReduceLROnPlateau with `threshold_mode="abs"`. (A relative threshold, PyTorch's default, has no meaning for an R² below 0.)
 */
export class ReduceOnPlateau implements Schedule {
  #state: PlateauState;

  constructor(
    private readonly config: ReduceOnPlateauConfig,
    initial: number,
  ) {
    this.#state = { learningRate: initial, best: null, waited: 0 };
  }

  learningRate(): number {
    return this.#state.learningRate;
  }

  epochDone(metrics: ReadonlyMap<string, number | null>): void {
    const { monitor, gamma, patience, minDelta, minimum } = this.config;
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
    this.#state = readState<PlateauState>(`the schedule ${this.config.type}`, state, {
      learningRate: aFiniteNumber,
      best: aFiniteNumberOrNull,
      waited: aCount,
    });
  }
}
