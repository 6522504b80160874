/** The directory of a run (see `RUN_FILES`), locked while a process trains into it. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { REJECTED_HEADER, type RejectedRows } from '../../data/rejectedRows.js';
import { ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { removeLeftovers, writeFailure, writeFileAtomically } from '../../files/atomic.js';
import { type Lock, lockDirectory } from '../../files/lock.js';
import { makeFolder } from '../../files/makeFolder.js';
import { requireAnswer } from '../../files/mounts.js';
import { requireNoDirectory, requireNoLink, requireOwnFile } from '../../files/ownFiles.js';
import { GROWING_FILES, RUN_FILES, statOf } from '../../files/runFiles.js';
import type { ModelContent } from '../../model/model.js';
import type { EncodedTensors } from '../../model/safetensors/encode.js';
import type { LayerStatistics } from '../../network/layerStatistics.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../../spec/loadConfig.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { printable } from '../../text.js';
import type { EpochRecord, RunState, StepRecord } from '../loop.js';
import type { Provenance } from './provenance.js';
import { RunRecord } from './record.js';
import type { SavedRun } from './state.js';
import type { RunSummary } from './summary.js';

/** Another way out where a directory can't be written. */
export const HINT = 'name a directory that you may write to with --run';

/** What a run does with the lock of its caller. */
const lent: Lock = { release() {} };

export class RunDirectory {
  readonly path: string;
  readonly #lock: Lock;
  /** Whether it was created for this run: deleted if the run fails before its first checkpoint. */
  #isNew: boolean;
  readonly #record: RunRecord;
  #refit: RunRecord | undefined;
  #config: TrainConfig | undefined;
  /** The text of a changed config.json that is not written yet. */
  #newConfig: string | undefined;
  /** The rows for a rejected.csv that is not written yet. */
  #newRejected: readonly RejectedRows[] | undefined;
  #configSha256: string | undefined;

  private constructor(path: string, lock: Lock, isNew: boolean) {
    this.path = path;
    this.#lock = lock;
    this.#isNew = isNew;
    this.#record = new RunRecord(path);
  }

  /**
   * @param asked which must be new or empty; else the first free `runs/<config name>-<n>`
   * @param config its paths, relative to `configDirectory`, become relative to the run
   * @param options.initial the model that the run starts from: the run keeps it
   * @param options.held its lock, which stays the caller's
   * @throws MlpError ExitCode.cantCreate, e.g. if it is not empty; busy if a process uses it;
   * noPermission
   */
  static async create(
    asked: string | undefined,
    config: TrainConfig,
    configPath: string,
    configDirectory: string,
    {
      initial,
      held,
    }: { readonly initial?: EncodedTensors | undefined; readonly held?: Lock | undefined } = {},
  ): Promise<RunDirectory> {
    const path = asked ?? firstFree(configPath);
    if (asked !== undefined) makeDirectory(asked);
    if (held) await requireRoom(path);
    const lock = held ? lent : await lockEmpty(path);
    const directory = new RunDirectory(path, lock, true);
    try {
      directory.changeConfig(config, configDirectory);
      if (initial) await directory.#write(RUN_FILES.initial, [initial.header, ...initial.parts]);
      await directory.#writeChanges();
      await directory.#record.start();
      return directory;
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  /**
   * @param held its lock, which stays the caller's
   * @throws MlpError ExitCode.noInput if there is no run, busy if a process trains into it,
   * cantCreate if files to write are links
   */
  static async open(path: string, held?: Lock): Promise<RunDirectory> {
    requireRun(path);
    requireOwnFiles(path);
    const directory = new RunDirectory(path, held ? lent : lockDirectory(path), false);
    await removeLeftovers(path);
    return directory;
  }

  /**
   * The run for a process that only reads it, while another one has the lock.
   * @throws MlpError ExitCode.noInput if there is no run
   */
  static read(path: string): RunDirectory {
    requireRun(path);
    return new RunDirectory(path, lent, false);
  }

  get configPath(): string {
    return join(this.path, RUN_FILES.config);
  }

  /** The run's config, read once. */
  loadConfig(): LoadedTrainConfig {
    const loaded = loadTrainConfig(this.configPath);
    this.#configSha256 = loaded.sha256;
    this.#config = loaded.config;
    return loaded;
  }

  /** SHA-256 of config.json as it was read here, or will be once a change is written. */
  get configSha256(): string {
    if (this.#configSha256 === undefined) throw new TypeError('the config was neither read nor written');
    return this.#configSha256;
  }

  /**
   * The state of the last sound checkpoint, if any; `warn` is told of damaged ones.
   * @throws MlpError ExitCode.data if all are damaged
   */
  load(warn: (sentence: string) => void): Promise<SavedRun | undefined> {
    return this.#record.load(warn);
  }

  /**
   * The last state of the run's refit, if any that is sound; `warn` is told of damaged ones, without
   * which the refit starts anew.
   */
  async loadRefit(warn: (sentence: string) => void): Promise<SavedRun | undefined> {
    try {
      return await new RunRecord(join(this.path, RUN_FILES.refit)).load(warn);
    } catch (error) {
      if (!(error instanceof MlpError) || error.exitCode !== ExitCode.data) throw error;
      warn(`${error.message}: the refit starts anew`);
      return undefined;
    }
  }

  /** Continues the logs from a state, or starts them anew; what was written later is cut off with the next write. */
  async resume(state: SavedRun | undefined, warn: (sentence: string) => void): Promise<void> {
    await this.#record.start(state, warn);
  }

  /**
   * Changes config.json with the next checkpoint, or with the model if none comes: a run that fails
   * before either leaves the old one. The config's paths are relative to `configDirectory`.
   */
  changeConfig(config: TrainConfig, configDirectory: string): void {
    const { $schema: _, ...rest } = relocate(config, configDirectory, this.path);
    // What it starts from lies in it.
    const { training } = rest;
    this.#config = training.from ? { ...rest, training: { ...training, from: RUN_FILES.initial } } : rest;
    this.#newConfig = `${JSON.stringify(this.#config, undefined, 2)}\n`;
    this.#configSha256 = createHash('sha256').update(this.#newConfig).digest('hex');
  }

  async writeSteps(record: StepRecord): Promise<void> {
    await this.#record.writeSteps(record);
  }

  async writeEpoch(record: EpochRecord): Promise<void> {
    await this.#record.writeEpoch(record);
  }

  async writeLayers(epoch: number, layers: readonly LayerStatistics[]): Promise<void> {
    await this.#record.writeLayers(epoch, layers);
  }

  get hasCheckpoint(): boolean {
    return this.#record.hasCheckpoint;
  }

  /**
   * Writes a checkpoint, after flushing the logs that it refers to. A changed config comes before
   * it: whoever kills us in between can resume with that config, which only makes the run longer.
   */
  async saveCheckpoint(state: RunState, origin: Provenance, model: ModelContent): Promise<void> {
    await this.#writeChanges();
    await this.#record.save(state, origin, this.#config, model);
  }

  /** The record of the run's refit; closed with the run. */
  async refit(): Promise<RunRecord> {
    const path = join(this.path, RUN_FILES.refit);
    requireNoLink(path);
    makeDirectory(path);
    this.#refit ??= new RunRecord(path);
    return this.#refit;
  }

  /** The config as it is or will be written, with paths relative to the run. */
  get config(): TrainConfig | undefined {
    return this.#config;
  }

  /** Writes rejected.csv: at once in a new directory, else when a changed config is written. */
  async changeRejected(rejected: readonly RejectedRows[]): Promise<void> {
    this.#newRejected = rejected;
    if (this.#isNew) await this.#writeChanges();
  }

  async writeModel({ header, parts }: EncodedTensors): Promise<void> {
    await this.#writeChanges();
    await this.#record.sync();
    await this.#refit?.sync();
    await this.#write(RUN_FILES.model, [header, ...parts]);
  }

  async writeSummary(summary: RunSummary): Promise<void> {
    await this.#write(RUN_FILES.summary, [`${JSON.stringify(summary, undefined, 2)}\n`]);
  }

  /** Closes and unlocks it. Deletes a new one without a checkpoint: its run failed. Idempotent. */
  async close(): Promise<void> {
    const isFailed = this.#isNew && !this.hasCheckpoint;
    this.#isNew = false;
    try {
      await this.#record.close();
      await this.#refit?.close();
    } finally {
      if (isFailed) this.#deleteFiles();
      this.#lock.release();
      if (isFailed) removeIfEmpty(this.path);
    }
  }

  /** Deletes our own files. Whatever else lies here by now stays, and so does the directory. */
  #deleteFiles(): void {
    // A refit begins after the first checkpoint.
    const { checkpoints, refit, ...files } = RUN_FILES;
    for (const name of Object.values(files)) rmSync(join(this.path, name), { force: true });
    removeIfEmpty(join(this.path, checkpoints));
  }

  async #writeChanges(): Promise<void> {
    if (this.#newConfig !== undefined) await this.#write(RUN_FILES.config, [this.#newConfig]);
    this.#newConfig = undefined;
    if (this.#newRejected) await this.#write(RUN_FILES.rejected, linesOf(this.#newRejected));
    this.#newRejected = undefined;
  }

  async #write(name: string, parts: Iterable<Uint8Array | string>): Promise<void> {
    await writeFileAtomically(join(this.path, name), parts, HINT);
  }
}

/** @throws MlpError ExitCode.noInput if there is none */
function requireRun(path: string): void {
  if (!statOf(join(path, RUN_FILES.config))?.isFile()) {
    const found = statOf(path) ? `a directory without ${RUN_FILES.config}` : 'no such directory';
    throw new MlpError(
      ExitCode.noInput,
      `${printable(path)}: found ${found}, expected a run`,
      'name the directory that mlp train has printed, or start a new run without --resume',
    );
  }
}

function* linesOf(rejected: readonly RejectedRows[]): Iterable<Uint8Array | string> {
  yield REJECTED_HEADER;
  for (const rows of rejected) yield* rows.lines();
}

/**
 * Before hours of training, not after them.
 * @throws MlpError ExitCode.cantCreate if a file that is written in place is not the run's own, or a
 * directory lies where a file is to be
 */
function requireOwnFiles(run: string): void {
  requireNoLink(join(run, RUN_FILES.refit));
  for (const folder of [run, join(run, RUN_FILES.refit)]) {
    for (const name of GROWING_FILES) requireOwnFile(join(folder, name));
    requireNoLink(join(folder, RUN_FILES.checkpoints));
  }
  for (const name of ['lock', 'lock.takeover']) requireNoLink(join(run, name));
  for (const name of [RUN_FILES.model, RUN_FILES.summary, RUN_FILES.rejected]) {
    requireNoDirectory(join(run, name));
  }
}

export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not empty, or not there.
  }
}

/** Makes the first of runs/<config name><kind>-1, -2, … that is not there yet. */
export function firstFree(configPath: string, kind = ''): string {
  const name = basename(configPath, extname(configPath)) + kind;
  try {
    makeFolder('runs');
    for (let n = 1; ; n++) {
      const path = join('runs', `${name}-${n}`);
      try {
        mkdirSync(path);
        return path;
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw writeFailure('runs', error, HINT);
  }
}

export function makeDirectory(path: string): void {
  requireAnswer(path);
  try {
    makeFolder(path);
  } catch (error) {
    throw writeFailure(path, error, HINT);
  }
}

/**
 * Locks a directory that has nothing in it.
 * @throws MlpError ExitCode.cantCreate if it has; or as `lockDirectory`
 */
export async function lockEmpty(path: string): Promise<Lock> {
  const lock = lockDirectory(path);
  try {
    await requireRoom(path);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function requireRoom(path: string): Promise<void> {
  if (!(await hasRoom(path))) throw notEmpty(path);
}

/** Whether it holds only our lock and the remains of a process that was killed as it started. */
async function hasRoom(path: string): Promise<boolean> {
  await removeLeftovers(path);
  // The partial file of a running process is a lock that it will not get.
  return readdirSync(path).every((name) => name.startsWith('lock') || name.endsWith('.partial'));
}

function notEmpty(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a directory that is not empty, expected a new or empty one for the run`,
    'name another directory with --run, leave --run out, or resume the run in it with --resume',
  );
}

interface Starting {
  readonly training?: { readonly from?: string } | undefined;
}

/** A config with its paths relative to another directory, written with / as in JSON. */
export function relocate<Config extends Pick<TrainConfig, 'data'> & Starting>(
  config: Config,
  from: string,
  to: string,
): Config {
  const moveFile = (path: string) => movedPath(path, from, to);
  const move = <Source>(source: Source) => (typeof source === 'string' ? moveFile(source) : source);
  const { data, training } = config;
  const { train, validation, test, cache } = data;
  return {
    ...config,
    ...(training?.from && { training: { ...training, from: moveFile(training.from) } }),
    data: {
      ...data,
      train: Array.isArray(train) ? train.map(moveFile) : move(train),
      ...(validation !== undefined && { validation: move(validation) }),
      ...(test !== undefined && { test: move(test) }),
      ...(cache !== undefined && { cache: cache === 'auto' ? cache : moveFile(cache) }),
    },
  };
}

/** A path relative to another directory; "-" is standard input. */
export function movedPath(path: string, from: string, to: string): string {
  return path === '-' ? path : (relative(to, resolve(from, path)) || '.').split(sep).join('/');
}
