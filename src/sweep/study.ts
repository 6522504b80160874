/**
 * A study on the disk, on which several processes may work: the sweep and its base config, the journal
 * `study.log`, and a run directory for each trial. Jobs are opened, and results counted, in one order
 * under the lock of the journal; a job is claimed by the lock of its trial's directory. What came of
 * it lies there until it is its turn, in `trial.json`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asDataError, ExitCode, MlpError } from '../errors.js';
import { writeSmallFile } from '../files/atomic.js';
import { claimDirectory, type Lock } from '../files/lock.js';
import { STUDY_JOURNAL, statOf } from '../files/runFiles.js';
import { formatJson, isObject, type JsonFile, readJson } from '../spec/json.js';
import type { SweepConfig } from '../spec/sweepConfig.js';
import { printable } from '../text.js';
import { isMaximized } from '../training/monitor.js';
import type { Waits } from './journalFile.js';
import { suggest, trialCount } from './sampler.js';
import {
  epochsAt,
  isJobResult,
  type JobResult,
  lastJob,
  nextJob,
  observationsOf,
  openTrials,
  type Trial,
} from './schedule.js';
import { type RecordedParameter, Space } from './space.js';
import { type JournaledStudy, type JournaledTrial, type StudyFacts, StudyJournal } from './studyJournal.js';

export const STUDY_FILES = {
  /** The sweep with every default filled in. */
  sweep: 'sweep.json',
  /** The train config whose settings are varied. */
  base: 'base.json',
  journal: STUDY_JOURNAL,
  /** The config of the best trial. */
  best: 'best.json',
} as const;

/** In a trial's directory: the result of its last job. */
const RESULT = 'trial.json';

export interface StudyPlan extends StudyFacts {
  /** The JSON of the train config whose settings are varied; its paths are relative to the study. */
  readonly base: unknown;
}

/** A result as its process leaves it. */
export interface RecordedResult extends JobResult {
  readonly job: number;
  /** The metric after each epoch so far, or after some of them. */
  readonly curve: readonly (readonly [epoch: number, value: number])[];
  readonly end: string;
}

export class Study {
  readonly path: string;
  readonly #journal: StudyJournal;
  #state: JournaledStudy;
  /** Whether the sampler has no more points. */
  #isExhausted = false;

  private constructor(path: string, journal: StudyJournal, state: JournaledStudy) {
    this.path = path;
    this.#journal = journal;
    this.#state = state;
  }

  /**
   * @param path of a new or empty directory
   * @param waits told of another process that has locked the journal for long, also later on
   * @throws MlpError ExitCode.cantCreate, e.g. if it is not empty; noPermission or io
   */
  static async create(path: string, name: string, plan: StudyPlan, waits?: Waits): Promise<Study> {
    const journal = new StudyJournal(join(path, STUDY_FILES.journal), waits);
    await journal.locked(() => {
      if (!hasRoom(path)) throw notEmpty(path);
      writeFiles(path, plan);
      journal.create(journal.begin(0, name, plan));
    });
    return Study.open(path, waits);
  }

  /**
   * @param waits as for `create`
   * @throws MlpError ExitCode.noInput if there is no study, data if its journal is none of ours
   */
  static open(path: string, waits?: Waits): Study {
    const journal = new StudyJournal(join(path, STUDY_FILES.journal), waits);
    return new Study(path, journal, journal.readChanges() as JournaledStudy);
  }

  get sweep(): SweepConfig {
    return this.#state.sweep;
  }

  get space(): Space {
    return this.#state.space;
  }

  /** Hashes of the data. */
  get data(): StudyFacts['data'] {
    return this.#state.data;
  }

  get trials(): readonly Trial[] {
    return this.#state.trials;
  }

  get maximize(): boolean {
    return isMaximized(this.sweep.metric);
  }

  /** How many trials there may be. */
  get most(): number {
    return trialCount(this.sweep, this.space);
  }

  /** The base config as it lies in the study. */
  readBase(): JsonFile {
    return readJson(join(this.path, STUDY_FILES.base));
  }

  directoryOf({ number }: Trial): string {
    return join(this.path, `trial-${number}`);
  }

  /** The epochs after which the open job of a trial pauses; undefined if it trains to the end. */
  pauseOf({ jobs }: Trial): number | undefined {
    return epochsAt(jobs.length - 1, this.sweep.stop);
  }

  /**
   * Goes on with more trials, or a larger space, from the next job on. The trials so far are copied to
   * another study of the journal: for Optuna, the choices of a study must not change.
   * @throws MlpError ExitCode.config if a trial is not in the new space
   */
  async extend(plan: StudyPlan): Promise<void> {
    const space = Space.of(plan.sweep.space);
    await this.#journal.locked(() => {
      this.#refresh();
      const { id, name, trials, trialsInFile } = this.#state;
      const copies = trials.flatMap((trial, i) => {
        const point = space.pointOf(recordOf(trial, this.space));
        if (point === undefined) throw outside(this.path, trial);
        return this.#journal.copy(id + 1, trialsInFile + i, space, point, trial);
      });
      writeFiles(this.path, plan);
      const number = id + 2;
      const newName = `${name.replace(/ \(\d+\)$/, '')} (${number})`;
      this.#journal.append(this.#journal.begin(id + 1, newName, plan, copies));
    });
    this.#state = Study.open(this.path).#state;
    this.#isExhausted = false;
  }

  /**
   * Counts results whose turn it is, and opens jobs.
   * @returns the trials with an open job, those opened first in front; none if the study is done
   */
  async advance(): Promise<readonly Trial[]> {
    return this.#journal.locked(() => {
      this.#refresh();
      const lines: string[] = [];
      for (;;) {
        this.#openJobs(lines);
        const [oldest] = openTrials(this.#state.trials);
        const result = oldest && this.resultOf(oldest);
        if (!result) break;
        this.#count(oldest, result, lines);
      }
      const open = openTrials(this.#state.trials);
      if (open.length === 0) this.#end(lines);
      this.#journal.append(lines);
      return open;
    });
  }

  /**
   * Claims the open job of a trial; undefined if it is done, or another process has it.
   * @param waits told of a process whose end can't be seen from here
   * @throws MlpError ExitCode.busy if nobody will release the lock
   */
  claim(trial: Trial, waits: (error: MlpError) => void): Lock | undefined {
    const lock = claimDirectory(this.directoryOf(trial), waits);
    if (!lock || !this.resultOf(trial)) return lock;
    lock.release();
    return undefined;
  }

  /**
   * The result of the open job of a trial; undefined while there is none.
   * @throws MlpError ExitCode.data for what `record` does not write; as `readJson`
   */
  resultOf(trial: Trial): RecordedResult | undefined {
    const path = join(this.directoryOf(trial), RESULT);
    if (statOf(path) === undefined) return undefined;
    const { value: result } = asDataError(() => readJson(path));
    if (isResult(result)) return result.job === lastJob(trial) ? result : undefined;
    throw new MlpError(
      ExitCode.data,
      `${printable(path)}: found content that mlp sweep does not write`,
      'delete the file: the trial then goes on from its checkpoint',
    );
  }

  /** Leaves the result of an open job, which is claimed, for `advance`. */
  record(trial: Trial, result: JobResult, curve: RecordedResult['curve']): void {
    const path = join(this.directoryOf(trial), RESULT);
    const recorded: RecordedResult = { job: lastJob(trial), ...result, curve, end: new Date().toISOString() };
    writeSmallFile(path, `${JSON.stringify(recorded)}\n`);
  }

  #refresh(): void {
    const changed = this.#journal.readChanges();
    if (!changed) return;
    this.#state = changed;
    this.#isExhausted = false;
  }

  #openJobs(lines: string[]): void {
    for (;;) {
      const { trials, trialsInFile } = this.#state;
      const { pending, stop: halving } = this.sweep;
      const hasMore = !this.#isExhausted && trials.length < this.most;
      const next = nextJob(trials, { pending, halving, maximize: this.maximize, hasMore });
      if (next === undefined) return;
      const job = trials.reduce((sum, { jobs }) => sum + jobs.length, 0);
      if (next !== 'new trial') {
        const trial = trials[next.promoted];
        const promoted = { ...trial, jobs: [...trial.jobs, job] };
        lines.push(this.#journal.newJob(promoted));
        this.#replace(promoted);
        continue;
      }
      const number = trials.length;
      const point = suggest(
        { ...this.sweep, space: this.space },
        number,
        observationsOf(trials, this.maximize),
      );
      if (point === undefined) {
        this.#isExhausted = true;
        continue;
      }
      const isNew = { results: [], isEnded: false, curve: new Map<number, number>() };
      const trial = { number, point, jobs: [job], id: trialsInFile, start: new Date(), ...isNew };
      lines.push(this.#journal.newTrial(this.#state.id, this.space, trial));
      this.#state = { ...this.#state, trials: [...trials, trial], trialsInFile: trialsInFile + 1 };
    }
  }

  #count(trial: JournaledTrial, recorded: RecordedResult, lines: string[]): void {
    const { job: _, curve, end, ...result } = recorded;
    const counted = { ...trial, results: [...trial.results, result], isEnded: result.state !== 'paused' };
    const more = new Map(curve.filter(([epoch]) => !trial.curve.has(epoch)));
    lines.push(...this.#journal.results({ ...counted, curve: more }, new Date(end)));
    this.#replace({ ...counted, curve: new Map([...trial.curve, ...more]) });
  }

  /** The trials that halving has stopped will not go on. */
  #end(lines: string[]): void {
    for (const trial of this.#state.trials) {
      if (trial.isEnded) continue;
      lines.push(this.#journal.stopped(trial));
      this.#replace({ ...trial, isEnded: true });
    }
  }

  #replace(trial: JournaledTrial): void {
    this.#state = { ...this.#state, trials: this.#state.trials.with(trial.number, trial) };
  }
}

/** A point as a journal holds it. */
function recordOf({ point }: Trial, space: Space): Map<string, RecordedParameter> {
  return new Map(
    space.parameters.flatMap(({ name, distribution }) =>
      point[name] === undefined ? [] : [[name, { value: point[name], distribution }] as const],
    ),
  );
}

function writeFiles(study: string, { sweep, base }: StudyPlan): void {
  const contents = { [STUDY_FILES.base]: base, [STUDY_FILES.sweep]: { ...sweep, base: STUDY_FILES.base } };
  for (const [name, content] of Object.entries(contents)) {
    writeSmallFile(join(study, name), `${formatJson(content)}\n`);
  }
}

/** Whether a directory has nothing but what a study has before its first trial. */
function hasRoom(path: string): boolean {
  const early: readonly string[] = [STUDY_FILES.sweep, STUDY_FILES.base];
  return readdirSync(path).every(
    (name) =>
      early.includes(name) || name.endsWith('.partial') || name.startsWith(`${STUDY_FILES.journal}.lock`),
  );
}

function isResult(value: unknown): value is RecordedResult {
  const isPoint = (point: unknown) =>
    Array.isArray(point) && Number.isInteger(point[0]) && typeof point[1] === 'number';
  return (
    isJobResult(value) &&
    isObject(value) &&
    Number.isInteger(value.job) &&
    Array.isArray(value.curve) &&
    value.curve.every(isPoint) &&
    !Number.isNaN(Date.parse(String(value.end)))
  );
}

function notEmpty(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a directory that is not empty, expected a new or empty one for the study`,
    'name another directory with --run, leave --run out, or go on with the study in it with --resume',
  );
}

function outside(path: string, { number }: Trial): MlpError {
  return new MlpError(
    ExitCode.config,
    `space: found no place for the settings of trial ${number} of ${printable(path)}, expected all that the study has`,
    'the space of a study may grow, but not shrink: start a new study without --resume',
  );
}
