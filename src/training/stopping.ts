/** Early stopping: when a run ends before its last epoch. */
import type { EarlyStoppingConfig, ScheduleConfig } from '../spec/scheduleConfig.js';
import { isBetter, Monitor, metricOf } from './monitor.js';
import { aCount, aFiniteNumberOrNull, readState } from './savedState.js';
import { endOfCycle, type ScheduleLength } from './schedules.js';

/** It takes the metrics of each epoch. */
export interface Stopping {
  observe(epoch: number, metrics: ReadonlyMap<string, number | null>): void;
  readonly isOver: boolean;
  /** Plain JSON that loses no bit. */
  state(): unknown;
  /** @throws MlpError ExitCode.data if `state` does not come from `state()` */
  restore(state: unknown): void;
}

/** @param schedule coslog with at least three cycles, if the config needs cycles (checkCycleGain) */
export function createStopping(
  config: EarlyStoppingConfig,
  schedule: ScheduleConfig,
  { steps, stepsPerEpoch }: ScheduleLength,
): Stopping {
  const { monitor } = config;
  if ('patience' in config) return new Patience(new Monitor(monitor, config.minDelta), config.patience);
  const cycles = schedule.type === 'coslog' ? schedule.cycles : 1;
  const endOf = (cycle: number) => Math.ceil((endOfCycle(cycles, cycle) * steps) / stepsPerEpoch);
  return new CycleGain(monitor, config.cycleGain, endOf(cycles - 2), endOf(cycles - 1));
}

/** Ends a run after some epochs without an improvement. */
class Patience implements Stopping {
  readonly #monitor: Monitor;
  readonly #patience: number;

  constructor(monitor: Monitor, patience: number) {
    this.#monitor = monitor;
    this.#patience = patience;
  }

  observe(epoch: number, metrics: ReadonlyMap<string, number | null>): void {
    this.#monitor.observe(epoch, metrics);
  }

  get isOver(): boolean {
    return this.#monitor.isOutOfPatience(this.#patience);
  }

  state(): unknown {
    return this.#monitor.state();
  }

  restore(state: unknown): void {
    this.#monitor.restore(state);
  }
}

interface CycleState {
  epoch: number;
  best: number | null;
  /** The best value before the last cycle but one. */
  before: number | null;
}

/**
 * Ends a run before its last cycle, unless the cycle before that has gained enough: the metric is best at the
 * ends of cycles, where the learning rate is 0.
 */
class CycleGain implements Stopping {
  readonly #metric: string;
  readonly #gain: number;
  /** The epochs, from 1, in which the last cycle but two and the last but one end. */
  readonly #ends: readonly [number, number];
  #state: CycleState = { epoch: 0, best: null, before: null };

  constructor(metric: string, gain: number, ...ends: readonly [number, number]) {
    this.#metric = metric;
    this.#gain = gain;
    this.#ends = ends;
  }

  observe(epoch: number, metrics: ReadonlyMap<string, number | null>): void {
    let { best, before } = this.#state;
    const value = metricOf(metrics, this.#metric);
    if (isBetter(this.#metric, value, best, 0)) best = value;
    if (epoch === this.#ends[0]) before = best;
    this.#state = { epoch, best, before };
  }

  get isOver(): boolean {
    const { epoch, best, before } = this.#state;
    const [start, end] = this.#ends;
    // A short run may have both ends in one epoch, so no cycle to judge.
    if (epoch !== end || start === end || best === null || before === null) return false;
    return !isBetter(this.#metric, best, before, this.#gain * Math.abs(before));
  }

  state(): CycleState {
    return { ...this.#state };
  }

  restore(state: unknown): void {
    this.#state = readState<CycleState>(`the cycles of ${this.#metric}`, state, {
      epoch: aCount,
      best: aFiniteNumberOrNull,
      before: aFiniteNumberOrNull,
    });
  }
}
