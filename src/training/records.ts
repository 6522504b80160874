/** What a run tells while it lasts, what comes of it, and what it has to know to go on. Types alone. */
import type { FloatArray } from '../kernels/kernels.js';
import type { EngineState } from './engine/engine.js';
import type { Evaluation } from './metrics.js';
import type { MonitorState } from './monitor.js';
import type { Evaluations } from './step.js';

/** Steps for steps.csv: losses[i] is that of step firstStep + i, regularisation included, before its update at learningRates[i]. */
export interface StepRecord {
  readonly epoch: number;
  readonly firstStep: number;
  readonly learningRates: Float64Array;
  readonly losses: Float64Array;
}

export interface EpochRecord extends Evaluations {
  /** Epochs and steps done, counted from 1. */
  readonly epoch: number;
  readonly step: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  /** Wall time of the epoch, evaluation included. */
  readonly seconds: number;
}

export interface TrainListener {
  /** @param done steps of the epoch that were taken before: above 0 where a run goes on within one */
  epochStarted?(epoch: number, steps: number, done: number): void;
  /** Now and then within an epoch: `done` steps of it, the last one's loss, samples a second since the run began. */
  progress?(done: number, loss: number, samplesPerSecond: number): void;
  /** After the steps of an epoch, or of a part of it. */
  stepsDone?(record: StepRecord): void | Promise<void>;
  epochDone?(record: EpochRecord): void | Promise<void>;
}

export interface TrainResult extends Evaluations {
  /** Of the parameters that are kept, as `train` and `validation` are; not there without test rows. */
  readonly test?: Evaluation;
  readonly status: 'completed' | 'early-stopped' | 'interrupted';
  readonly epochs: number;
  /** The epoch after which the parameters were as they are kept; 0 for none. */
  readonly keptEpoch: number;
  readonly steps: number;
  readonly lastStepLoss: number;
  /** Time of the steps alone. */
  readonly trainSeconds: number;
  readonly samplesPerSecond: number;
}

/** What a run knows between two steps beside its engine. Plain data, in which no number is NaN or infinite but in the history. */
export interface RunProgress {
  /** Epochs with their metrics. */
  readonly epochs: number;
  readonly steps: number;
  /** Not there before the first step. */
  readonly lastStepLoss?: number;
  readonly samples: number;
  readonly milliseconds: number;
  /** Wall time of the epoch at hand. */
  readonly epochMilliseconds: number;
  readonly schedule: unknown;
  readonly keep?: MonitorState;
  readonly earlyStopping?: MonitorState;
  /** The losses of the epochs, for the curves. */
  readonly history: { readonly train: readonly number[]; readonly validation: readonly number[] };
}

export interface RunState {
  readonly progress: RunProgress;
  readonly engine: EngineState;
  /** Parameters and running statistics of the best epoch so far. */
  readonly best?: Best;
}

export interface Best {
  readonly parameters: FloatArray;
  readonly statistics: FloatArray;
}
