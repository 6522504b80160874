/**
 * The directory of a run: config.json, steps.csv, epochs.csv, checkpoint/, and at its end model.safetensors and run.json. It is made
 * before training starts, so that a place that can't be written is found at once, and locked as long as somebody trains into it.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { writeFileAtomically } from '../../files/atomic.js';
import { writeFailure } from '../../files/failure.js';
import { type Lock, lockDirectory } from '../../files/lock.js';
import { removeLeftovers } from '../../files/partial.js';
import { MODEL_FILE } from '../../model/model.js';
import type { EncodedTensors } from '../../model/safetensors/encode.js';
import { loadTrainConfig } from '../../spec/load.js';
import type { TrainConfig } from '../../spec/train.js';
import { printable } from '../../text.js';
import type { EpochRecord, RunState, StepRecord } from '../records.js';
import { relocate } from '../runConfig.js';
import { CheckpointStore } from './checkpoints.js';
import { RunLogs } from './logs.js';
import type { Origin } from './provenance.js';
import { decodeRun, encodeRun, type SavedRun } from './state.js';
import { type RunSummary, SUMMARY_FILE } from './summary.js';

const CONFIG = 'config.json';
const HINT = 'name a directory that you may write to with --run';

export class RunDirectory {
  readonly #checkpoints: CheckpointStore;
  #logs: RunLogs | undefined;
  #hasCheckpoint = false;

  private constructor(
    readonly path: string,
    private readonly lock: Lock,
    /** Whether it was made for this run: then a failure before the first checkpoint takes it away. */
    private readonly isNew: boolean,
  ) {
    this.#checkpoints = new CheckpointStore(join(path, 'checkpoint'));
  }

  /**
   * Makes the directory and writes its config.json.
   *
   * @param asked the directory named by the user, which must be new or empty; else the first free
   * `runs/<config name>-<n>` is taken
   * @param config its paths are relative to `configDirectory`; in the run they are relative to the run, so that it
   * can be trained again from there
   * @throws MlpError 73 where it can't be made or is taken, 75 where another run is training into it, 77 where it is not permitted
   */
  static async create(
    asked: string | undefined,
    config: TrainConfig,
    configPath: string,
    configDirectory: string,
  ): Promise<RunDirectory> {
    const path = asked ?? firstFree(configPath);
    if (asked !== undefined) makeDirectory(asked);
    const lock = lockDirectory(path);
    if (!(await hasRoom(path))) {
      lock.release();
      throw notEmpty(path);
    }
    const directory = new RunDirectory(path, lock, true);
    try {
      await directory.writeConfig(config, configDirectory);
      directory.#logs = await RunLogs.create(path);
      return directory;
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  /**
   * Opens the directory of a run that has ended before its time, or is to go on.
   * @throws MlpError 66 where there is none, 75 where another process is training into it
   */
  static async open(path: string): Promise<RunDirectory> {
    if (!statSync(join(path, CONFIG), { throwIfNoEntry: false })?.isFile()) {
      const found = statSync(path, { throwIfNoEntry: false })
        ? `a directory without ${CONFIG}`
        : 'no such directory';
      throw new MlpError(
        ExitCode.noInput,
        `${printable(path)}: found ${found}, expected a run`,
        'name the directory that mlp train has printed, or train anew without --resume',
      );
    }
    const directory = new RunDirectory(path, lockDirectory(path), false);
    await removeLeftovers(path);
    return directory;
  }

  /** The path of its config. */
  get configPath(): string {
    return join(this.path, CONFIG);
  }

  /** The config that it was started with. */
  get config(): TrainConfig {
    return loadTrainConfig(this.configPath).config;
  }

  /**
   * The state of the last checkpoint that is sound, undefined where the run has not come as far as one. `warn` is told of damaged ones.
   * @throws MlpError 65 where all are damaged
   */
  async load(warn: (sentence: string) => void): Promise<SavedRun | undefined> {
    const checkpoint = await this.#checkpoints.load(warn);
    this.#hasCheckpoint = checkpoint !== undefined;
    return checkpoint && decodeRun(checkpoint);
  }

  /** Goes on from a state, or from the beginning: cuts off what was written later. */
  async resume(state: SavedRun | undefined): Promise<void> {
    this.#logs = state ? await RunLogs.resume(this.path, state.files) : await RunLogs.create(this.path);
  }

  /** Writes config.json; the config's paths are relative to `configDirectory`. */
  async writeConfig(config: TrainConfig, configDirectory: string): Promise<void> {
    const text = JSON.stringify(relocate(config, configDirectory, this.path), undefined, 2);
    await this.#write(CONFIG, [`${text}\n`]);
  }

  async writeSteps(record: StepRecord): Promise<void> {
    await this.#logs?.writeSteps(record);
  }

  async writeEpoch(record: EpochRecord): Promise<void> {
    await this.#logs?.writeEpoch(record);
  }

  get hasCheckpoint(): boolean {
    return this.#hasCheckpoint;
  }

  /** Writes a checkpoint; the files that it counts on are safe on the disk before. */
  async saveCheckpoint(state: RunState, origin: Origin): Promise<void> {
    const files = (await this.#logs?.sync()) ?? { steps: 0, epochs: 0 };
    await this.#checkpoints.save(state.progress.steps, encodeRun({ ...state, origin, files }));
    this.#hasCheckpoint = true;
  }

  async writeModel({ header, parts }: EncodedTensors): Promise<void> {
    await this.#write(MODEL_FILE, [header, ...parts]);
  }

  /** Writes run.json: what the run was made of, and what came of it. */
  async writeSummary(summary: RunSummary): Promise<void> {
    await this.#write(SUMMARY_FILE, [`${JSON.stringify(summary, undefined, 2)}\n`]);
  }

  /** Ends the work on it. A new directory without a checkpoint is taken away: the run has failed. May be called twice. */
  async close(): Promise<void> {
    try {
      await this.#logs?.close();
    } finally {
      if (this.isNew && !this.#hasCheckpoint) rmSync(this.path, { recursive: true, force: true });
      this.lock.release();
    }
  }

  async #write(name: string, parts: readonly (Uint8Array | string)[]): Promise<void> {
    await writeFileAtomically(join(this.path, name), parts, HINT);
  }
}

/** Makes the first of runs/<config name>-1, -2, … that is not there yet. */
function firstFree(configPath: string): string {
  const name = basename(configPath, extname(configPath));
  try {
    mkdirSync('runs', { recursive: true });
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

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw writeFailure(path, error, HINT);
  }
}

/** Whether there is nothing in it but our lock, and what a process left that was killed at its very beginning. */
async function hasRoom(path: string): Promise<boolean> {
  await removeLeftovers(path);
  // The partial file of a living process is a lock that it will not get.
  return readdirSync(path).every((name) => name.startsWith('lock') || name.endsWith('.partial'));
}

function notEmpty(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a directory that is not empty, expected a new or empty one for the run`,
    'name another directory with --run, leave it out, or go on with the run that is there with --resume',
  );
}
