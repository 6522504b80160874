/** Reports a sweep while it lasts and at its end: as text for people, or as JSON lines for scripts. */
import { join } from 'node:path';
import type { ExitCode } from '../errors.js';
import { LiveLines } from '../report/liveLines.js';
import type { JobResult, Trial } from '../sweep/schedule.js';
import type { PointSetting } from '../sweep/space.js';
import { STUDY_FILES, type Study } from '../sweep/study.js';
import { bestOf, type SweepListener } from '../sweep/sweep.js';
import { counted, printable } from '../text.js';
import type { EpochRecord } from '../training/loop.js';
import { metricsOf } from '../training/monitor.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { endLine, liveLines, type RunningTrial, rankingOf, settingsText, sweepSummary } from './sweepText.js';
import { displayOf, Interruption, isAnimated } from './terminal.js';

/** Follows one sweep: a listener, and a signal for Ctrl-C. */
export class SweepReport implements SweepListener {
  readonly #options: CommonOptions;
  readonly #interruption: Interruption;
  readonly #live: LiveLines | undefined;
  readonly #running = new Map<number, RunningTrial>();
  #study: Study | undefined;
  #start = 0;
  /** Jobs that ended here: they tell how long the others will take. */
  #ended = 0;

  constructor(options: CommonOptions) {
    this.#options = options;
    if (isAnimated(process.stderr) && !options.json) {
      this.#live = new LiveLines(process.stderr, () => this.#liveLines());
    }
    this.#interruption = new Interruption('finishing the steps of all trials, then saving', () =>
      this.#live?.finish(),
    );
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  get exitCode(): ExitCode {
    return this.#interruption.exitCode;
  }

  warn(sentence: string): void {
    this.#say(() => warn(sentence));
  }

  started(study: Study, atOnce: number): void {
    this.#study = study;
    this.#start = performance.now();
    this.#interruption.listen();
    const { path, most: trials, trials: known } = study;
    const { method, metric, stop } = study.sweep;
    if (this.#options.json) {
      print(toJson({ event: 'start', method, metric, trials, known: known.length, atOnce, run: path }));
      return;
    }
    const halving = stop ? ' with halving' : '';
    const before = known.length > 0 ? `, ${known.length} of them known` : '';
    note(
      `${counted(trials, 'trial')} by ${method}${halving}${before}, ${atOnce} at once, for the best ${metric}`,
    );
    note(`study ${printable(path)}`);
    this.#live?.start();
  }

  trialStarted(trial: Trial, settings: readonly PointSetting[]): void {
    const text = settingsText(settings);
    const isNew = trial.results.length === 0;
    this.#running.set(trial.number, { trial, settings: text, epoch: 0, epochs: 0, value: undefined });
    if (this.#options.json) {
      const values = Object.fromEntries(settings.map(({ path, value }) => [path, value]));
      print(toJson({ event: 'trial', trial: trial.number, rung: trial.jobs.length - 1, settings: values }));
    } else if (!this.#live) {
      note(`trial ${trial.number} ${isNew ? 'starts' : 'goes on'}: ${text}`);
    }
  }

  epoch({ number }: Trial, record: EpochRecord, epochs: number): void {
    const running = this.#running.get(number);
    if (!running || !this.#study) return;
    running.epoch = record.epoch;
    running.epochs = epochs;
    running.value = metricsOf(record).get(this.#study.sweep.metric) ?? undefined;
  }

  trialEnded(trial: Trial, result: JobResult | undefined): void {
    this.#running.delete(trial.number);
    if (!result || !this.#study) return;
    this.#ended++;
    const { metric } = this.#study.sweep;
    if (this.#options.json) {
      const event = result.state === 'paused' ? 'rung' : 'trial-end';
      print(toJson({ event, trial: trial.number, ...result }));
      return;
    }
    this.#say(() => note(endLine(trial, result, metric)));
  }

  async end(study: Study): Promise<void> {
    this.#live?.finish();
    const best = bestOf(study);
    const config = best && join(study.path, STUDY_FILES.best);
    if (this.#options.json) {
      const status = this.signal.aborted ? 'interrupted' : 'completed';
      print(toJson({ event: 'end', status, ...rankingOf(study, best), config, run: study.path }));
      return;
    }
    print(sweepSummary(study, best, await displayOf(process.stdout, this.#options.color)));
    if (config) print(printable(`config of the best trial: ${config}`));
  }

  /** Leaves the terminal and the process as they were, also after an error. */
  close(): void {
    this.#live?.finish();
    this.#interruption.release();
  }

  #say(write: () => void): void {
    this.#live?.clear();
    write();
    this.#live?.draw();
  }

  #liveLines(): string[] {
    if (!this.#study) return [];
    const seconds = (performance.now() - this.#start) / 1000;
    const pace = this.#ended > 0 ? seconds / this.#ended : undefined;
    return liveLines(this.#study, [...this.#running.values()], pace);
  }
}
