/** The progress of a cross-validation: a line for each fold, and on a terminal a bar within it. */
import type { ExitCode } from '../errors.js';
import type { TrainingProgress } from '../report/progress.js';
import { formatCount, printable } from '../text.js';
import type { CrossValidationListener, FoldPlace } from '../training/crossvalidation/crossValidate.js';
import type { RunListener } from '../training/stages.js';
import type { CommonOptions } from './options.js';
import { note, warn } from './output.js';
import { ReadingBar } from './reading.js';
import { displayOf, Interruption } from './terminal.js';
import { createProgress } from './trainReport.js';

/** The scores that a line has, in this order. */
const SHOWN = ['loss', 'accuracy', 'r2', 'rmse'];

export class CrossValidationProgress {
  readonly listener: CrossValidationListener;
  readonly #options: CommonOptions;
  readonly #interruption: Interruption;
  #progress: TrainingProgress | undefined;
  #bar: ReadingBar | undefined;
  /** The folds have much to tell in common. */
  readonly #told = new Set<string>();

  constructor(options: CommonOptions) {
    this.#options = options;
    this.#interruption = new Interruption('finishing the step, then saving', () => this.#progress?.finish());
    this.listener = {
      note: this.#note,
      foldStarted: (_, place) => this.#listenerOf(place),
      foldDone: ({ metrics }, { number, folds }, seconds) => {
        this.#bar?.finish();
        const train = Object.fromEntries(
          SHOWN.flatMap((name) => {
            const value = metrics[name];
            return typeof value === 'number' ? [[name, value]] : [];
          }),
        );
        const at = { name: 'fold', epoch: number, epochs: folds };
        this.#progress?.epochDone({ ...at, step: 0, learningRate: 0, seconds, train });
      },
    };
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  get exitCode(): ExitCode {
    return this.#interruption.exitCode;
  }

  /** Leaves the terminal and the process as they were, also after an error. May be called twice. */
  close(): void {
    this.#bar?.finish();
    this.#progress?.finish();
    this.#interruption.release();
  }

  /** Loads what draws the progress, and listens to Ctrl-C. */
  async start(): Promise<void> {
    if (!this.#options.json) {
      this.#progress = await createProgress(await displayOf(process.stderr, this.#options.color));
    }
    this.#interruption.listen();
  }

  #listenerOf({ number, folds }: FoldPlace): RunListener {
    const bar = new ReadingBar(this.#options);
    this.#bar = bar;
    let stepsBefore = 0;
    let stepsOfEpoch = 0;
    return {
      reading: bar.progress,
      dataRead: ({ description, taskReason }) => {
        bar.finish();
        if (this.#options.json) return;
        this.#note(printable(description));
        if (taskReason !== undefined) this.#note(printable(taskReason));
      },
      note: this.#note,
      warn: (sentence) => this.#once(sentence, warn),
      started: ({ plan, choice, threads, from }) => {
        stepsBefore = from?.steps ?? 0;
        this.#progress?.epochStarted(number, folds, plan.steps, 'fold');
        if (this.#options.json) return;
        const team = threads === 1 ? '1 thread' : `${threads} threads`;
        const about = `${formatCount(plan.parameters)} parameters, ${plan.loss}; ${choice.backend} kernels, ${team}`;
        this.#note(about);
      },
      epochStarted: (_, steps) => {
        stepsBefore += stepsOfEpoch;
        stepsOfEpoch = steps;
      },
      progress: (done, loss, rate) => this.#progress?.stepDone(stepsBefore + done, loss, rate),
    };
  }

  readonly #note = (sentence: string): void => this.#once(sentence, note);

  #once(sentence: string, tell: (sentence: string) => void): void {
    if (this.#told.has(sentence)) return;
    this.#told.add(sentence);
    this.#progress?.finish();
    tell(sentence);
  }
}
