/** The progress of a cross-validation: a line for each fold, and on a terminal a bar for all of them. */
import type { ExitCode } from '../errors.js';
import { formatEpochLine } from '../report/progress.js';
import { type Display, plainStyle } from '../report/style.js';
import type { FoldsProgress } from '../report/terminalProgress.js';
import { formatCount, printable } from '../text.js';
import type { CrossValidationListener } from '../training/crossvalidation/progress.js';
import type { FoldReport } from '../training/crossvalidation/report.js';
import type { RunListener } from '../training/stages.js';
import type { CommonOptions } from './options.js';
import { note, warn } from './output.js';
import { ReadingBar } from './reading.js';
import { displayOf, Interruption, isAnimated } from './terminal.js';

/** The scores that a line has, in this order. */
const SHOWN = ['loss', 'accuracy', 'r2', 'rmse'];

export class CrossValidationProgress {
  readonly listener: CrossValidationListener;
  readonly #options: CommonOptions;
  readonly #interruption: Interruption;
  readonly #reading: ReadingBar;
  #display: Display = { width: Number.POSITIVE_INFINITY, style: plainStyle };
  #bar: FoldsProgress | undefined;
  #folds = 0;
  #finished = 0;
  /** By the places of the folds, the share of its steps that each has done. */
  readonly #shares = new Map<number, number>();
  /** What folds had done before this process, and when it began. */
  #before = 0;
  #start = performance.now();
  /** What was told: the folds have much in common. */
  readonly #told = new Set<string>();

  constructor(options: CommonOptions) {
    this.#options = options;
    this.#reading = new ReadingBar(options);
    this.#interruption = new Interruption('finishing the steps, then saving', () => this.#bar?.finish());
    this.listener = {
      note: this.#note,
      warn: (sentence) => this.#once(sentence, warn),
      started: (folds) => {
        this.#folds = folds;
      },
      foldStarted: (_, place) => this.#listenerOf(place),
      foldDone: (report, place, seconds) => this.#foldDone(report, place, seconds),
    };
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  get exitCode(): ExitCode {
    return this.#interruption.exitCode;
  }

  /** Loads what draws the progress, and listens to Ctrl-C. */
  async start(): Promise<void> {
    const { json, color } = this.#options;
    const isBar = !json && isAnimated(process.stderr);
    const display = await displayOf(process.stderr, color);
    // A log has no width.
    this.#display = isBar ? display : { ...display, width: Number.POSITIVE_INFINITY };
    if (isBar) {
      const { FoldsProgress } = await import('../report/terminalProgress.js');
      this.#bar = new FoldsProgress(process.stderr, this.#display);
    }
    this.#interruption.listen();
  }

  /** Leaves the terminal and the process as they were, also after an error. May be called twice. */
  close(): void {
    this.#reading.finish();
    this.#bar?.finish();
    this.#interruption.release();
  }

  #listenerOf(place: number): RunListener {
    const { json } = this.#options;
    let steps = 1;
    let before = 0;
    let ofEpoch = 0;
    return {
      reading: this.#reading.progress,
      dataRead: ({ description, taskReason }) => {
        this.#reading.finish();
        if (json) return;
        this.#note(printable(description));
        if (taskReason !== undefined) this.#note(printable(taskReason));
      },
      note: this.#note,
      warn: (sentence) => this.#once(sentence, warn),
      started: ({ plan, choice, threads, from }) => {
        steps = plan.steps;
        before = from?.steps ?? 0;
        this.#before += before / steps;
        this.#done(place, before / steps);
        if (json) return;
        const team = threads === 1 ? '1 thread for each' : `${threads} threads for each`;
        const { parameters, loss } = plan;
        this.#note(`${formatCount(parameters)} parameters, ${loss}; ${choice.backend} kernels, ${team}`);
      },
      epochStarted: (_, steps) => {
        before += ofEpoch;
        ofEpoch = steps;
      },
      progress: (done) => this.#done(place, (before + done) / steps),
    };
  }

  #done(place: number, share: number): void {
    this.#shares.set(place, share);
    if (!this.#bar) return;
    const done = [...this.#shares.values()].reduce((sum, share) => sum + share, 0);
    const rate = (done - this.#before) / (performance.now() - this.#start);
    const secondsLeft = (this.#folds - done) / Math.max(rate, Number.MIN_VALUE) / 1000;
    const state = { finished: this.#finished, folds: this.#folds, share: done / this.#folds, secondsLeft };
    this.#bar.update(state);
  }

  #foldDone({ metrics }: FoldReport, place: number, seconds: number): void {
    this.#finished++;
    if (!this.#shares.has(place)) this.#before++;
    this.#shares.set(place, 1);
    this.#reading.finish();
    if (this.#options.json) return;
    const train = Object.fromEntries(
      SHOWN.flatMap((name) => {
        const value = metrics[name];
        return typeof value === 'number' ? [[name, value]] : [];
      }),
    );
    const at = { name: 'fold', epoch: place + 1, epochs: this.#folds, step: 0, learningRate: 0 };
    this.#bar?.finish();
    note(formatEpochLine({ ...at, seconds, train }, this.#display));
  }

  readonly #note = (sentence: string): void => this.#once(sentence, note);

  #once(sentence: string, tell: (sentence: string) => void): void {
    if (this.#told.has(sentence)) return;
    this.#told.add(sentence);
    this.#bar?.finish();
    tell(sentence);
  }
}
