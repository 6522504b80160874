/**
 * The directory of a run: config.json, steps.csv, epochs.csv and model.safetensors. It is made before training starts,
 * so that a place that can't be written is found at once, and taken away again if the run fails.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import type { EncodedTensors } from '../model/safetensors/encode.js';
import type { TrainConfig } from '../spec/train.js';
import type { EpochRecord, StepRecord } from './run.js';

export class RunDirectory {
  readonly #steps: FileHandle;
  readonly #epochs: FileHandle;
  #hasEpochs = false;

  private constructor(
    readonly path: string,
    steps: FileHandle,
    epochs: FileHandle,
  ) {
    this.#steps = steps;
    this.#epochs = epochs;
  }

  /**
   * Makes the directory and writes its config.json.
   *
   * @param asked the directory named by the user, which must be new or empty; else the first free
   * `runs/<config name>-<n>` is taken
   * @param config its paths are relative to `configDirectory`; in the run they are relative to the run, so that it
   * can be trained again from there
   * @throws MlpError 73 where it can't be made or is taken, 77 where it is not permitted
   */
  static async create(
    asked: string | undefined,
    config: TrainConfig,
    configPath: string,
    configDirectory: string,
  ): Promise<RunDirectory> {
    const path = asked ?? firstFree(configPath);
    if (asked !== undefined) makeOrTakeEmpty(asked);
    try {
      const text = JSON.stringify(relocate(config, configDirectory, path), undefined, 2);
      await writeFile(join(path, 'config.json'), `${text}\n`);
      const steps = await open(join(path, 'steps.csv'), 'wx');
      const epochs = await open(join(path, 'epochs.csv'), 'wx');
      await steps.appendFile('step,epoch,learning_rate,loss\n');
      return new RunDirectory(path, steps, epochs);
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw writeError(path, error);
    }
  }

  /** Appends an epoch to epochs.csv and its steps to steps.csv. */
  async writeEpoch(record: EpochRecord): Promise<void> {
    try {
      const columns = epochColumns(record);
      if (!this.#hasEpochs) await this.#epochs.appendFile(`${Object.keys(columns).join(',')}\n`);
      this.#hasEpochs = true;
      await this.#steps.appendFile(stepLines(record.steps));
      await this.#epochs.appendFile(`${Object.values(columns).join(',')}\n`);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Writes model.safetensors beside its final name first, so that a half-written one never carries that name. */
  async writeModel({ header, parts }: EncodedTensors): Promise<void> {
    const path = join(this.path, 'model.safetensors');
    try {
      const file = await open(`${path}.partial`, 'w');
      try {
        for (const bytes of [header, ...parts]) await file.appendFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.partial`, path);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  async close(): Promise<void> {
    await this.#steps.close();
    await this.#epochs.close();
  }

  /** Takes the directory away: the run has failed. */
  async discard(): Promise<void> {
    await this.close().catch(() => undefined);
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** epochs.csv has a column for each metric of either side. */
function epochColumns(record: EpochRecord): Record<string, number> {
  const columns: Record<string, number> = { epoch: record.epoch };
  for (const side of ['train', 'validation'] as const) {
    for (const [name, value] of Object.entries(record[side]?.metrics ?? {}))
      columns[`${side}_${name}`] = value;
  }
  columns.learning_rate = record.learningRate;
  columns.seconds = record.seconds;
  return columns;
}

function stepLines({ epoch, firstStep, learningRate, losses }: StepRecord): string {
  let lines = '';
  for (let i = 0; i < losses.length; i++) lines += `${firstStep + i},${epoch},${learningRate},${losses[i]}\n`;
  return lines;
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
    throw writeError('runs', error);
  }
}

function makeOrTakeEmpty(path: string): void {
  let entries: string[];
  try {
    mkdirSync(path, { recursive: true });
    entries = readdirSync(path);
  } catch (error) {
    throw writeError(path, error);
  }
  if (entries.length === 0) return;
  throw new MlpError(
    ExitCode.cantCreate,
    `${path}: found a directory that is not empty, expected a new or empty one for the run`,
    'name another directory with --run, or leave it out',
  );
}

/** The config with its file paths relative to another directory, as JSON has them (with /). */
function relocate(config: TrainConfig, from: string, to: string): TrainConfig {
  const move = <Source>(source: Source) =>
    typeof source === 'string' && source !== '-'
      ? (relative(to, resolve(from, source)) || '.').split(sep).join('/')
      : source;
  const { $schema: _, ...rest } = config;
  const { train, validation, test } = config.data;
  return {
    ...rest,
    data: { ...config.data, train: move(train), validation: move(validation), test: move(test) },
  };
}

function writeError(path: string, error: unknown): MlpError {
  if (error instanceof MlpError) return error;
  const code = systemErrorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new MlpError(
      ExitCode.noPermission,
      `${path}: no permission to write here`,
      'name a directory that you may write to with --run',
      options,
    );
  }
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'ENOENT') {
    return new MlpError(
      ExitCode.cantCreate,
      `${path}: can't be made a directory`,
      'name another with --run',
      options,
    );
  }
  return new MlpError(ExitCode.io, `${path}: writing failed: ${message}`, undefined, options);
}
