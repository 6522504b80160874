/**
 * What a study's journal says of it, and the lines for what happens. Attributes that begin with `mlp:`
 * hold what Optuna does not know: the sweep, and of each trial its jobs and their results.
 */
import { statSync } from 'node:fs';
import { ExitCode, MlpError, readError } from '../errors.js';
import { writeSmallFile } from '../files/atomic.js';
import { readPlainFile } from '../files/plainFile.js';
import { type SweepConfig, sweepSchema } from '../spec/sweepConfig.js';
import { printable } from '../text.js';
import { isMaximized } from '../training/monitor.js';
import { isDataFile, type Provenance } from '../training/run/provenance.js';
import { type JournalStudy, type JournalTrial, JournalWriter, readJournal } from './journal.js';
import { appendLocked, lockJournal, type Waits } from './journalFile.js';
import { isJobResult, type JobResult, type Trial } from './schedule.js';
import { type Point, Space } from './space.js';

const SWEEP = 'mlp:sweep';
const DATA = 'mlp:data';
const NUMBER = 'mlp:number';
const START = 'mlp:start';
const JOBS = 'mlp:jobs';
const RESULTS = 'mlp:results';

/** Which process wrote a line does not matter: the journal is the same, apart from its times. */
const WORKER = 'mlp';

/** In bytes: a text of JavaScript is not longer. */
const LONGEST = 511 * 2 ** 20;

/** What all trials of a study have in common. */
export interface StudyFacts {
  readonly sweep: SweepConfig;
  /** Hashes of the data. */
  readonly data: Provenance['data'];
}

export interface JournaledTrial extends Trial {
  /** Its number in the journal. */
  readonly id: number;
  readonly start: Date;
  /** Whether the journal has its end: that of a trial which halving has stopped, too. */
  readonly isEnded: boolean;
  readonly curve: ReadonlyMap<number, number>;
}

/** The study that counts: the last one of the journal, since one that is extended is copied. */
export interface JournaledStudy extends StudyFacts {
  readonly id: number;
  readonly name: string;
  readonly space: Space;
  readonly trials: readonly JournaledTrial[];
  /** How many trials the journal has in all studies: the number of the next one. */
  readonly trialsInFile: number;
}

export class StudyJournal {
  readonly #path: string;
  readonly #waits: Waits | undefined;
  readonly #writer = new JournalWriter(WORKER);
  /** As this process last saw it: another size means that another process wrote. */
  #size = -1;

  constructor(path: string, waits?: Waits) {
    this.#path = path;
    this.#waits = waits;
  }

  /** Holds the lock of the journal meanwhile. */
  async locked<Result>(action: () => Result): Promise<Result> {
    const lock = await lockJournal(this.#path, { waits: this.#waits });
    try {
      return action();
    } finally {
      lock.release();
    }
  }

  /** Only with the lock. Whoever is killed leaves the whole file, or none. */
  create(lines: readonly string[]): void {
    writeSmallFile(this.#path, lines.map((line) => `${line}\n`).join(''));
  }

  /** Only with the lock. */
  append(lines: readonly string[]): void {
    if (lines.length === 0) return;
    appendLocked(this.#path, lines);
    this.#size = statSync(this.#path).size;
  }

  /**
   * The study; undefined if nobody has written since it was last read or written here.
   * @throws MlpError ExitCode.noInput if there is no journal, data if it is none of ours
   */
  readChanges(): JournaledStudy | undefined {
    let size: number | undefined;
    try {
      size = statSync(this.#path, { throwIfNoEntry: false })?.size;
    } catch (error) {
      throw readError(printable(this.#path), error);
    }
    if (size === this.#size) return undefined;
    if (size === undefined) throw noStudy(this.#path);
    const text = readPlainFile(this.#path, LONGEST, 'a journal').toString('utf8');
    const all = [...readJournal(text).studies.values()];
    const last = all.filter(({ attributes }) => attributes.has(SWEEP)).at(-1);
    if (last === undefined) throw notOurs(this.#path);
    this.#size = size;
    return { ...this.#studyOf(last), trialsInFile: all.reduce((sum, { trials }) => sum + trials.length, 0) };
  }

  /** The lines of a new study. It counts with the last one, before which its trials may come. */
  begin(id: number, name: string, facts: StudyFacts, trials: readonly string[] = []): string[] {
    const { metric } = facts.sweep;
    const { $schema: _, base: __, ...sweep } = facts.sweep;
    return [
      this.#writer.createStudy(name, isMaximized(metric) ? 'maximize' : 'minimize'),
      this.#writer.setMetricName(id, metric),
      this.#writer.setStudyUserAttribute(id, DATA, facts.data),
      ...trials,
      this.#writer.setStudyUserAttribute(id, SWEEP, sweep),
    ];
  }

  newTrial(
    study: number,
    space: Space,
    trial: Pick<JournaledTrial, 'number' | 'point' | 'jobs' | 'start'>,
  ): string {
    const { number, point, jobs, start } = trial;
    const userAttributes = { [NUMBER]: number, [START]: start.toISOString(), [JOBS]: jobs };
    return this.#writer.createTrial(study, { space, point, start, userAttributes });
  }

  newJob({ id, jobs }: JournaledTrial): string {
    return this.#writer.setTrialUserAttribute(id, JOBS, jobs);
  }

  /** The values of a trial's curve, its results so far, and its end if it is not paused. */
  results({ id, start, results, curve }: JournaledTrial, end: Date): string[] {
    const values = Array.from(curve, ([epoch, value]) => this.#writer.setIntermediateValue(id, epoch, value));
    const lines = [...values, this.#writer.setTrialUserAttribute(id, RESULTS, results)];
    const last = results.at(-1);
    if (!last || last.state === 'paused') return lines;
    const isFailed = last.state === 'failed' || last.value === null;
    const how = isFailed
      ? ({ state: 'failed' } as const)
      : ({ state: 'complete', value: last.value } as const);
    return [...lines, this.#writer.finishTrial(id, { ...how, end }, start)];
  }

  /** The end of a trial that halving has stopped. */
  stopped({ id, start, results }: JournaledTrial): string {
    const value = results.at(-1)?.value ?? undefined;
    const how = { state: 'pruned', end: new Date(), ...(value !== undefined && { value }) } as const;
    return this.#writer.finishTrial(id, how, start);
  }

  /** A trial as one of another study. One that halving has stopped may go on there. */
  copy(study: number, id: number, space: Space, point: Point, trial: JournaledTrial): string[] {
    const own = { ...trial, point, id };
    return [this.newTrial(study, space, own), ...this.results(own, new Date())];
  }

  #studyOf({ id, name, attributes, trials }: JournalStudy): Omit<JournaledStudy, 'trialsInFile'> {
    const sweep = sweepSchema.safeParse(attributes.get(SWEEP)).data;
    const data = attributes.get(DATA) ?? [];
    if (!sweep || !areDataFiles(data)) throw notOurs(this.#path);
    const space = Space.of(sweep.space);
    const ours = trials.flatMap((trial) => this.#trialOf(trial, space) ?? []);
    if (!ours.every(({ number }, i) => number === i)) throw notOurs(this.#path);
    return { id, name, sweep, data, space, trials: ours };
  }

  /** Undefined for a trial that Optuna has added. */
  #trialOf(trial: JournalTrial, space: Space): JournaledTrial | undefined {
    const { id, state, attributes, parameters, intermediateValues: curve } = trial;
    if (!attributes.has(NUMBER)) return undefined;
    const number = attributes.get(NUMBER) as number;
    const jobs = attributes.get(JOBS);
    const results = attributes.get(RESULTS) ?? [];
    const point = space.pointOf(parameters);
    const start = new Date(String(attributes.get(START)));
    const isSound = areJobs(jobs) && areResults(results, jobs) && !Number.isNaN(start.getTime());
    if (!isSound || !point) throw notOurs(this.#path);
    const isEnded = state !== 'running';
    const last = results.at(-1);
    // Its end was cut off with the last line: it is counted once more.
    const isTorn = !isEnded && last !== undefined && last.state !== 'paused';
    return {
      number,
      point,
      jobs,
      results: isTorn ? results.slice(0, -1) : results,
      id,
      start,
      isEnded,
      curve,
    };
  }
}

function areDataFiles(value: unknown): value is StudyFacts['data'] {
  return Array.isArray(value) && value.every(isDataFile);
}

function areJobs(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isInteger);
}

function areResults(value: unknown, jobs: readonly number[]): value is JobResult[] {
  return Array.isArray(value) && value.length <= jobs.length && value.every(isJobResult);
}

function noStudy(journal: string): MlpError {
  return new MlpError(
    ExitCode.noInput,
    `${printable(journal)}: no such file, expected the journal of a study`,
    'name the directory that mlp sweep has printed, or start a new study without --resume',
  );
}

function notOurs(journal: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${printable(journal)}: found content that mlp sweep does not write`,
    'restore the file from a backup, or start a new study',
  );
}
