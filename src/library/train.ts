/** `train`: from a config to a trained network, in memory unless a run directory is named. */
import { resolve } from 'node:path';
import { modelOf, type RunListener, type TrainedRun } from '../training/stages.js';
import { withStart } from '../training/start.js';
import { resume, train as trainRun } from '../training/train.js';
import { type ConfigInput, readConfig } from './config.js';
import { Model } from './model.js';

export interface TrainOptions {
  /** The run directory to create, as `mlp train --run`; if left out, nothing is written. */
  run?: string | undefined;
  /** A run directory or a model file to start from, as `mlp train --from` does. */
  from?: string | undefined;
  /** The directory of an interrupted run to resume instead, as `mlp train --resume` does. */
  resume?: string | undefined;
  /** When aborted, training ends after the current step, with the status "interrupted". */
  signal?: AbortSignal | undefined;
  /** Called after each epoch; the next one starts when the returned promise resolves. */
  onEpoch?: ((epoch: Epoch) => void | Promise<void>) | undefined;
  /** Called with sentences about the data and the config that deserve attention. */
  onWarning?: ((sentence: string) => void) | undefined;
}

/** Metrics of one split. Only the loss is there for every task. */
export interface SplitMetrics {
  /** The mean loss, without regularisation. */
  readonly loss: number;
  /** The share of rows whose class is predicted, or all of whose labels are; not for a regression. */
  readonly accuracy?: number;
  /** Over all labels of all rows (micro); only for labels. */
  readonly f1?: number;
  /** Only for a regression; null for a single row. */
  readonly r2?: number | null;
  /** Only for a regression, in the unit of the target. */
  readonly rmse?: number;
}

export interface Epoch {
  readonly epoch: number;
  readonly step: number;
  readonly train: SplitMetrics;
  /** Missing without validation rows. */
  readonly validation?: SplitMetrics;
  readonly learningRate: number;
  readonly seconds: number;
}

/**
 * Trains a network.
 *
 *     const run = await train({
 *       data: { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: ['no', 'yes', 'yes', 'no'], validation: 0 },
 *       network: { layers: [8, 'tanh', 1] },
 *       training: { epochs: 200, optimizer: { type: 'adam', learningRate: 0.05 } },
 *     });
 *     run.metrics.train.accuracy; // 1
 *
 * @param config as for `mlp train`, with the same defaults and checks; or the path of its file
 * @throws MlpError with a location, a hint, and the exit code that `mlp train` would have
 */
export async function train(config: ConfigInput, options: TrainOptions = {}): Promise<Run> {
  const { run, from, signal, onEpoch, onWarning } = options;
  const { loaded: asked, memory } = readConfig(config);
  const loaded = from === undefined ? asked : withStart(asked, resolve(from));
  const history: Epoch[] = [];
  const warnings: string[] = [];
  const listener: RunListener = {
    warn(sentence) {
      warnings.push(sentence);
      onWarning?.(sentence);
    },
    async epochDone({ epoch, step, train, validation, learningRate, seconds }) {
      const metrics = { train: train.metrics, ...(validation && { validation: validation.metrics }) };
      history.push({ epoch, step, ...metrics, learningRate, seconds });
      await onEpoch?.(history[history.length - 1]);
    },
  };
  const how = { signal, listener, ...(memory && { memory }) };
  const trained =
    options.resume === undefined
      ? await trainRun(loaded, { ...how, directory: run })
      : await resume(loaded, options.resume, how);
  return new Run(trained, history, warnings);
}

/** A run that has ended. */
export class Run {
  /** "interrupted" after the signal was aborted, "early-stopped" by training.earlyStopping. */
  readonly status: 'completed' | 'early-stopped' | 'interrupted';
  readonly epochs: number;
  /** The epoch whose weights are kept; 0 for the initial ones. */
  readonly keptEpoch: number;
  readonly steps: number;
  /** Metrics with the kept weights. */
  readonly metrics: {
    readonly train: SplitMetrics;
    /** Missing without such rows. */
    readonly validation?: SplitMetrics;
    readonly test?: SplitMetrics;
  };
  /** With `training.refit`: the second training, whose network `model` is. */
  readonly refit?: {
    /** Training and validation rows. */
    readonly rows: number;
    readonly epochs: number;
    readonly steps: number;
    readonly metrics: { readonly train: SplitMetrics };
  };
  /** [actual][predicted] in rows: of the test rows, else the validation, else the training rows. */
  readonly confusion?: readonly (readonly number[])[];
  /** The epochs that were trained here. */
  readonly history: readonly Epoch[];
  readonly warnings: readonly string[];
  /** The kernels and threads that were used. */
  readonly backend: string;
  readonly threads: number;
  /** Time of the steps alone. */
  readonly trainSeconds: number;
  readonly samplesPerSecond: number;
  /** SHA-256 of the weights: equal for two runs with the same bits. */
  readonly weightsSha256: string;
  /** The run directory, if there is one. */
  readonly directory?: string;
  /** The trained network. */
  readonly model: Model;

  /** @internal */
  constructor(trained: TrainedRun, history: readonly Epoch[], warnings: readonly string[]) {
    const { result, choice, threads, model, directory } = trained;
    const { train, validation, test, refit } = result;
    this.status = result.status;
    this.epochs = result.epochs;
    this.keptEpoch = result.keptEpoch;
    this.steps = result.steps;
    this.metrics = {
      train: train.metrics,
      ...(validation && { validation: validation.metrics }),
      ...(test && { test: test.metrics }),
    };
    if (refit) {
      const { rows, epochs, steps } = refit;
      this.refit = { rows, epochs, steps, metrics: { train: refit.train.metrics } };
    }
    const { confusion } = test ?? validation ?? train;
    if (confusion) this.confusion = confusion;
    this.history = history;
    this.warnings = warnings;
    this.backend = choice.backend;
    this.threads = threads;
    this.trainSeconds = result.trainSeconds;
    this.samplesPerSecond = result.samplesPerSecond;
    this.weightsSha256 = model.sha256;
    if (directory !== undefined) this.directory = directory;
    this.model = new Model(modelOf(trained, 'the trained model'));
  }

  /**
   * Writes, or replaces, the file for `loadModel`, `mlp predict` and Python's `safetensors`.
   * @throws MlpError ExitCode.cantCreate, noPermission or io if it can't be written
   */
  save(path: string): Promise<void> {
    return this.model.save(path);
  }
}
