/** Monitors a metric from epoch to epoch, for early stopping and for the weights to keep. */

import type { Evaluation } from '../evaluation/metrics.js';
import type { ExtraMetric, MonitoredMetric, Task, Ties } from '../spec/words.js';
import { aCount, aFiniteNumberOrNull, readState } from './savedState.js';

/** The metrics of each task, in the order of `Metrics`. */
const METRICS = {
  regression: ['loss', 'r2', 'rmse'],
  binary: ['loss', 'accuracy'],
  multiclass: ['loss', 'accuracy'],
  multilabel: ['loss', 'accuracy', 'f1'],
} as const satisfies Record<Task, readonly string[]>;

/** Those of validation rows that a run has only if they are monitored. */
const EXTRAS = {
  regression: ['mae'],
  binary: ['f1', 'balanced_accuracy', 'roc_auc', 'calibrated_loss'],
  multiclass: ['f1', 'balanced_accuracy', 'roc_auc', 'calibrated_loss'],
  multilabel: ['roc_auc'],
} as const satisfies Record<Task, readonly ExtraMetric[]>;

const LARGER_IS_BETTER = /_(accuracy|f1|r2|roc_auc)$/;

/** The metrics of an epoch by name, in the order of epochs.csv. An undefined metric is null. */
export function metricsOf(record: {
  train: Evaluation;
  validation?: Evaluation;
}): Map<string, number | null> {
  const { train, validation } = record;
  return new Map(
    Object.entries({ train, validation }).flatMap(([split, evaluation]) =>
      Object.entries(evaluation?.metrics ?? {}).map(([name, value]): [string, number | null] => [
        `${split}_${name}`,
        value,
      ]),
    ),
  );
}

/** The names that can be monitored in a run: those that `metricsOf` always has, then the extra ones. */
export function metricNames(task: Task, hasValidation: boolean): MonitoredMetric[] {
  const splits = hasValidation ? (['train', 'validation'] as const) : (['train'] as const);
  const always = splits.flatMap((split) => METRICS[task].map((name): MonitoredMetric => `${split}_${name}`));
  const extras = hasValidation ? EXTRAS[task].map((name): MonitoredMetric => `validation_${name}`) : [];
  return [...always, ...extras];
}

/** The extra metrics among monitored ones of a task. */
export function extrasAmong(monitored: readonly MonitoredMetric[], task: Task): ExtraMetric[] {
  return EXTRAS[task].filter((name) => monitored.includes(`validation_${name}`));
}

/** The metric called `name`, NaN if it is undefined. The plan has made sure that the run has it. */
export function metricOf(metrics: ReadonlyMap<string, number | null>, name: string): number {
  const value = metrics.get(name);
  if (value === undefined) throw new Error(`no metric ${name} among ${[...metrics.keys()].join(', ')}`);
  return value ?? Number.NaN;
}

export function isMaximized(metric: string): boolean {
  return LARGER_IS_BETTER.test(metric);
}

/**
 * Whether `value` beats `best` by more than `minDelta`: below for a loss or an RMSE, above for an
 * accuracy, F1 or R². The first finite value beats null; NaN and infinities never do.
 */
export function isBetter(metric: string, value: number, best: number | null, minDelta: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (best === null) return true;
  return isMaximized(metric) ? value > best + minDelta : value < best - minDelta;
}

export interface MonitorState {
  best: number | null;
  bestEpoch: number;
  waited: number;
}

/** Remembers the best epoch of a metric, and how long ago that was. */
export class Monitor {
  readonly #minDelta: number;
  readonly #ties: Ties;
  #state: MonitorState = { best: null, bestEpoch: 0, waited: 0 };

  /**
   * @param minDelta a gain must exceed this, in units of the metric, to be an improvement
   * @param ties with "last", a value equal to the best is one as well
   */
  constructor(
    readonly metric: string,
    minDelta = 0,
    ties: Ties = 'first',
  ) {
    this.#minDelta = minDelta;
    this.#ties = ties;
  }

  /** Takes the metrics of an epoch, counted from 1, and says whether they are an improvement. */
  observe(epoch: number, metrics: ReadonlyMap<string, number | null>): boolean {
    const value = metricOf(metrics, this.metric);
    const isTie = this.#ties === 'last' && value === this.best;
    const improved = isTie || isBetter(this.metric, value, this.best, this.#minDelta);
    if (improved) this.#state = { best: value, bestEpoch: epoch, waited: 0 };
    else this.#state.waited++;
    return improved;
  }

  /** The best value; null until one is finite. */
  get best(): number | null {
    return this.#state.best;
  }

  /** The epoch of the best value; 0 until one is finite. */
  get bestEpoch(): number {
    return this.#state.bestEpoch;
  }

  get waited(): number {
    return this.#state.waited;
  }

  /** `patience` epochs in a row without improvement; 0 acts like 1, as in Keras. */
  isOutOfPatience(patience: number): boolean {
    return this.waited >= Math.max(1, patience);
  }

  state(): MonitorState {
    return { ...this.#state };
  }

  /** @throws MlpError ExitCode.data if `state` does not come from `state()` */
  restore(state: unknown): void {
    this.#state = readState<MonitorState>(`the monitor of ${this.metric}`, state, {
      best: aFiniteNumberOrNull,
      bestEpoch: aCount,
      waited: aCount,
    });
  }
}
