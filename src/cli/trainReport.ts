/** Reports a run while it lasts and at its end: as text for people, or as JSON lines for scripts. */
import type { Dataset } from '../data/dataset/dataset.js';
import { rejectedCounts } from '../data/rejectedRows.js';
import type { ExitCode } from '../errors.js';
import type { Metrics } from '../evaluation/metrics.js';
import { lossChart } from '../report/chart.js';
import { PlainProgress, type TrainingProgress } from '../report/progress.js';
import { confusionTable } from '../report/scores.js';
import type { Display } from '../report/style.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { EarlyStoppingConfig } from '../spec/scheduleConfig.js';
import { networksOf, viewsOf } from '../spec/widths.js';
import { precisionOf } from '../spec/words.js';
import {
  counted,
  formatCount,
  formatDuration,
  formatMetric,
  formatPercent,
  formatRate,
  printable,
} from '../text.js';
import type { EpochRecord, RefitResult, TrainListener, TrainResult } from '../training/loop.js';
import type { RankFacts } from '../training/mpi/ranks.js';
import type { TrainingPlan } from '../training/plan.js';
import type { PreparedRun, RunListener, StartedRefit, TrainedRun } from '../training/stages.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { ReadingBar } from './reading.js';
import { displayOf, Interruption, isAnimated } from './terminal.js';

/** Follows one run: gives it a listener and a signal for Ctrl-C, and prints what happens. */
export class RunReport {
  readonly listener: RunListener;
  readonly #interruption: Interruption;
  readonly #bar: ReadingBar;
  #reporter: Reporter | undefined;

  /**
   * @param promise what the first Ctrl-C does, for the user
   * @param isSilent whether to print nothing but warnings and notes
   */
  constructor(options: CommonOptions, promise: string, isSilent = false) {
    this.#bar = new ReadingBar(options);
    this.#interruption = new Interruption(promise, () => this.#reporter?.finish());
    this.listener = {
      reading: this.#bar.progress,
      dataRead: ({ description, taskReason }) => {
        this.#bar.finish();
        if (options.json) return;
        note(printable(description));
        if (taskReason !== undefined) note(printable(taskReason));
      },
      note: (sentence) => {
        this.#reporter?.finish();
        note(sentence);
      },
      warn,
      started: async (run) => {
        if (!isSilent) this.#reporter = await createReporter(options, run);
        this.#interruption.listen();
        this.#reporter?.start();
      },
      epochStarted: (epoch, steps) => this.#reporter?.epochStarted(epoch, steps),
      progress: (done, loss, rate) => this.#reporter?.progress(done, loss, rate),
      exchanged: (...times) => this.#reporter?.exchanged(...times),
      epochDone: (record) => this.#reporter?.epochDone(record),
      refitStarted: (refit) => this.#reporter?.refitStarted(refit) ?? {},
    };
  }

  /** A warning while the training goes on. */
  warn(sentence: string): void {
    this.#reporter?.finish();
    warn(sentence);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  get exitCode(): ExitCode {
    return this.#interruption.exitCode;
  }

  end({ result, model }: TrainedRun): void {
    this.#reporter?.finish();
    this.#reporter?.end(result, model.sha256);
  }

  /** Leaves the terminal and the process as they were, also after an error. */
  close(): void {
    this.#bar.finish();
    this.#reporter?.finish();
    this.#interruption.release();
  }
}

interface Reporter {
  start(): void;
  epochStarted(epoch: number, steps: number): void;
  progress(done: number, loss: number, samplesPerSecond: number): void;
  exchanged(milliseconds: number, ofMilliseconds: number, steps: number): void;
  epochDone(record: EpochRecord): void;
  refitStarted(refit: StartedRefit): TrainListener;
  end(result: TrainResult, weightsSha256: string): void;
  /** Leaves the terminal as it was. May be called twice. */
  finish(): void;
}

async function createReporter(options: CommonOptions, run: PreparedRun): Promise<Reporter> {
  if (options.json) return jsonReporter(run);
  const display = await displayOf(process.stderr, options.color);
  return textReporter(run, await createProgress(display), await displayOf(process.stdout, options.color));
}

async function createProgress({ style, ascii = false }: Display): Promise<TrainingProgress> {
  if (!isAnimated(process.stderr)) return new PlainProgress(process.stderr, ascii);
  const { TerminalProgress } = await import('../report/terminalProgress.js');
  return new TerminalProgress({ stream: process.stderr, style, ascii });
}

function textReporter(run: PreparedRun, progress: TrainingProgress, display: Display): Reporter {
  const { config, plan, dataset } = run;
  const training = [...(run.from?.history.train ?? [])];
  const validation = [...(run.from?.history.validation ?? [])];
  return {
    start() {
      const held =
        (dataset.folds
          ? `, each validated by members that are trained without its fold of ${dataset.folds.length}`
          : dataset.validation
            ? `, ${formatCount(dataset.validation.rows)} for validation`
            : '') + (dataset.test ? `, ${formatCount(dataset.test.rows)} for the test` : '');
      note(`${describe(plan, display)}, ${formatCount(plan.parameters)} parameters, ${plan.loss}`);
      const threads = run.threads === 1 ? '1 thread' : `${run.threads} threads`;
      const how = `${run.choice.backend} kernels, ${threads}, ${precisionOf(config)}`;
      note(`${formatCount(dataset.train.rows)} rows to train on${held}; ${how}`);
      if (run.ranks) note(describeRanks(run.ranks, run.threads));
    },
    exchanged(milliseconds, ofMilliseconds, steps) {
      progress.finish();
      const share = formatPercent(milliseconds / ofMilliseconds);
      const each = `${formatDuration(milliseconds / 1000 / steps)} of ${formatDuration(ofMilliseconds / 1000 / steps)}`;
      note(
        `communication takes ${share} of a step, ${each}: larger batches or training.accumulate need it less often`,
      );
    },
    epochStarted: (epoch, steps) => progress.epochStarted(epoch, plan.epochs, steps),
    progress: (done, loss, rate) => progress.stepDone(done, loss, rate),
    epochDone(record) {
      training.push(record.train.metrics.loss);
      if (record.validation) validation.push(record.validation.metrics.loss);
      progress.epochDone({
        ...record,
        epochs: plan.epochs,
        train: defined(record.train.metrics),
        validation: record.validation && defined(record.validation.metrics),
      });
    },
    refitStarted({ rows, epochs }) {
      progress.finish();
      note(
        `refit: training again, on the ${formatCount(rows)} rows of training and validation, for ${counted(epochs, 'epoch')}`,
      );
      const name = 'refit';
      return {
        epochStarted: (epoch, steps) => progress.epochStarted(epoch, epochs, steps, name),
        progress: (done, loss, rate) => progress.stepDone(done, loss, rate),
        epochDone(record) {
          const train = defined(record.train.metrics);
          progress.epochDone({ ...record, name, epochs, train, validation: undefined });
        },
      };
    },
    end(result) {
      if (training.length > 1) print(`\n${lossChart({ training, validation }, display)}`);
      printConfusion(result, dataset, display);
      print(`\n${summary(result, run, display)}`);
      print(display.style.dim(`run ${printable(run.directory ?? '')}`));
    },
    finish: () => progress.finish(),
  };
}

/** `4 ranks on 2 hosts, 2 threads each; Open MPI 4.1.4, ordered sums; not bound to processors` */
function describeRanks({ count, hosts, library, sums, binding }: RankFacts, threads: number): string {
  const each = `${counted(count, 'rank')} on ${counted(hosts, 'host')}, ${counted(threads, 'thread')} each`;
  return `${each}; ${library}, ${sums === 'ordered' ? 'ordered sums' : 'sums in its own order'}; ${binding}`;
}

/** `30→1024→512→1`: the widths of the layers, and the type of a residual block. */
function describe(plan: TrainingPlan, { ascii = false }: Display): string {
  const nameOf = (layer: LayerSpec): string | number => (layer.type === 'linear' ? layer.units : layer.type);
  const isWidth = (layer: LayerSpec) => layer.type === 'linear' || layer.type === 'residual';
  const widths = plan.network.layers.filter(isWidth).map(nameOf);
  const members = networksOf(plan.network) * viewsOf(plan.network);
  const chain = [plan.inputs, ...widths].join(ascii ? '-' : '→');
  return members === 1 ? chain : `${members} ${ascii ? 'x' : '×'} ${chain}`;
}

/** The confusion matrix of the test rows, else of the validation rows, else of the training rows. */
function printConfusion(result: TrainResult, { classes }: Dataset, display: Display): void {
  const [of, evaluation] = result.test
    ? ['test rows', result.test]
    : result.validation
      ? ['validation rows', result.validation]
      : ['training rows', result.train];
  if (!evaluation.confusion || !classes) return;
  print(`\n${confusionTable({ of, classes, counts: evaluation.confusion }, display)}`);
}

function summary(result: TrainResult, { config, plan: { keep } }: PreparedRun, { style }: Display): string {
  const side = result.validation ? 'validation' : 'training';
  const { metrics } = result.validation ?? result.train;
  const steps = `${counted(result.epochs, 'epoch')}, ${counted(result.steps, 'step')}`;
  const time = `${formatDuration(result.trainSeconds)} of training, ${formatRate(result.samplesPerSecond)}`;
  const state = result.status === 'interrupted' ? style.warn('interrupted after ') : 'after ';
  const kept = result.keptEpoch < result.epochs ? ` (epoch ${result.keptEpoch}, the best by ${keep})` : '';
  const { earlyStopping } = config.training;
  const early =
    earlyStopping && result.status === 'early-stopped' ? `\nstopped early: ${reasonOf(earlyStopping)}` : '';
  const line = `${style.bold(`${side} ${describeMetrics(metrics)}`)}${kept} ${state}${steps} (${time})${early}${refitted(result.refit)}`;
  return result.test ? `${line}\n${style.bold(`test ${describeMetrics(result.test.metrics)}`)}` : line;
}

function reasonOf(stopping: EarlyStoppingConfig): string {
  return 'patience' in stopping
    ? `${stopping.monitor} has not improved for ${counted(stopping.patience, 'epoch')}`
    : `the cycle before the last has not improved ${stopping.monitor} by more than ${formatPercent(stopping.cycleGain)}`;
}

function refitted(refit: RefitResult | undefined): string {
  if (!refit) return '';
  const { rows, epochs, steps, train, trainSeconds } = refit;
  const length = `${counted(epochs, 'epoch')}, ${counted(steps, 'step')} (${formatDuration(trainSeconds)})`;
  return `\nrefitted on ${formatCount(rows)} rows of training and validation for ${length}: ${describeMetrics(train.metrics)}`;
}

/** `accuracy 0.95, loss 0.12` */
export function describeMetrics(metrics: Metrics): string {
  const loss = `loss ${formatMetric(metrics.loss)}`;
  if ('f1' in metrics && metrics.f1 !== undefined) {
    return `all labels right ${formatPercent(metrics.accuracy)}, F1 ${formatMetric(metrics.f1)}, ${loss}`;
  }
  if ('accuracy' in metrics) return `accuracy ${formatMetric(metrics.accuracy)}, ${loss}`;
  const r2 = metrics.r2 === null ? '' : `R² ${formatMetric(metrics.r2)}, `;
  return `${r2}RMSE ${formatMetric(metrics.rmse)}, ${loss}`;
}

/** The metrics that are defined: a single row has no R². */
function defined(metrics: Metrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => entry[1] !== null),
  );
}

function jsonReporter({
  config,
  plan,
  choice,
  threads,
  dataset,
  directory: run,
  from,
  ranks,
}: PreparedRun): Reporter {
  return {
    start() {
      print(
        toJson({
          event: 'start',
          backend: choice.backend,
          threads,
          ...(ranks && { ranks }),
          dtype: config.dtype,
          ...(config.mixedPrecision && { mixedPrecision: config.mixedPrecision }),
          params: plan.parameters,
          rows: {
            train: plan.rows.train,
            // Folds take no rows away from training.
            validation: plan.folds ? 0 : plan.rows.validation,
            ...(plan.folds && { folds: plan.folds }),
            ...(plan.rows.test > 0 && { test: plan.rows.test }),
          },
          ...(dataset.rejected && { rejected: rejectedCounts(dataset.rejected) }),
          task: plan.task,
          reason: dataset.taskReason,
          loss: plan.loss,
          inputs: plan.inputs,
          classes: dataset.classes,
          labelValues: dataset.labelValues,
          epochs: plan.epochs,
          steps: plan.steps,
          batchSize: plan.batchSize,
          ...(from && { resumed: { epochs: from.epochs, steps: from.steps } }),
          run,
        }),
      );
    },
    epochStarted() {},
    progress() {},
    exchanged(milliseconds, stepMilliseconds, steps) {
      print(toJson({ event: 'communication', milliseconds, stepMilliseconds, steps }));
    },
    epochDone({ epoch, step, train, validation, learningRate, seconds }) {
      const sides = { train: train.metrics, validation: validation?.metrics };
      print(toJson({ event: 'epoch', epoch, step, ...sides, learningRate, seconds }));
    },
    refitStarted({ rows, epochs, from }) {
      const resumed = from && { epochs: from.epochs, steps: from.steps };
      print(toJson({ event: 'refit', rows, epochs, ...(resumed && { resumed }) }));
      return {
        epochDone({ epoch, step, train, learningRate, seconds }) {
          print(toJson({ event: 'refit-epoch', epoch, step, train: train.metrics, learningRate, seconds }));
        },
      };
    },
    end(result, weightsSha256) {
      const { status, epochs, keptEpoch, steps, lastStepLoss, train, validation, test, refit, ...pace } =
        result;
      print(
        toJson({
          event: 'end',
          status,
          epochs,
          keptEpoch,
          steps,
          lastStepLoss,
          train: train.metrics,
          validation: validation?.metrics,
          test: test?.metrics,
          confusion: (test ?? validation ?? train).confusion,
          ...pace,
          ...(refit && { refit: { ...refit, train: refit.train.metrics } }),
          weightsSha256,
          run,
        }),
      );
    },
    finish() {},
  };
}
