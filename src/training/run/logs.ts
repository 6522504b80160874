/** The tables that grow during a run: steps.csv and epochs.csv. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { writeFailure } from '../../files/atomic.js';
import { requireOwnFile } from '../../files/ownFiles.js';
import { RUN_FILES } from '../../files/runFiles.js';
import { printable } from '../../text.js';
import type { EpochRecord, StepRecord } from '../loop.js';
import { metricsOf } from '../monitor.js';
import type { FileLengths } from './state.js';

const STEPS_HEADER = 'step,epoch,learning_rate,loss\n';

export class RunLogs {
  readonly #steps: Log;
  readonly #epochs: Log;

  private constructor(steps: Log, epochs: Log) {
    this.#steps = steps;
    this.#epochs = epochs;
  }

  /** @throws MlpError ExitCode.cantCreate, noPermission or io if a file can't be written */
  static async create(directory: string): Promise<RunLogs> {
    const logs = new RunLogs(
      await Log.open(directory, RUN_FILES.steps, 0),
      await Log.open(directory, RUN_FILES.epochs, 0),
    );
    await logs.#steps.append(STEPS_HEADER);
    return logs;
  }

  /**
   * Continues the files as they were at a checkpoint: cuts off what was written later.
   * @throws MlpError ExitCode.data if they are shorter than at the checkpoint; or as `create`
   */
  static async resume(directory: string, lengths: FileLengths): Promise<RunLogs> {
    const steps = await Log.open(directory, RUN_FILES.steps, lengths.steps);
    try {
      return new RunLogs(steps, await Log.open(directory, RUN_FILES.epochs, lengths.epochs));
    } catch (error) {
      await steps.close();
      throw error;
    }
  }

  async writeSteps({ epoch, firstStep, learningRates, losses }: StepRecord): Promise<void> {
    let lines = '';
    for (let i = 0; i < losses.length; i++) {
      lines += `${firstStep + i},${epoch},${learningRates[i]},${losses[i]}\n`;
    }
    await this.#steps.append(lines);
  }

  async writeEpoch(record: EpochRecord): Promise<void> {
    // An undefined metric is an empty cell.
    const columns = new Map<string, number | null>([
      ['epoch', record.epoch],
      ...metricsOf(record),
      ['learning_rate', record.learningRate],
      ['seconds', record.seconds],
    ]);
    const header = this.#epochs.length === 0 ? `${[...columns.keys()].join(',')}\n` : '';
    await this.#epochs.append(`${header}${[...columns.values()].join(',')}\n`);
  }

  /** Flushes both files, so that they outlast a failure of the machine. Returns their lengths. */
  async sync(): Promise<FileLengths> {
    await Promise.all([this.#steps.sync(), this.#epochs.sync()]);
    return { steps: this.#steps.length, epochs: this.#epochs.length };
  }

  async close(): Promise<void> {
    await this.#steps.close();
    await this.#epochs.close();
  }
}

// A link that was made meanwhile is an error, and a pipe is not waited for. Windows has neither flag.
const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const APPEND = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

class Log {
  readonly #path: string;
  readonly #file: FileHandle;
  /** In bytes. */
  length: number;

  private constructor(path: string, file: FileHandle, length: number) {
    this.#path = path;
    this.#file = file;
    this.length = length;
  }

  /** Opens or creates a file of the run's own, and cuts it off at `length`. */
  static async open(directory: string, name: string, length: number): Promise<Log> {
    const path = join(directory, name);
    let file: FileHandle | undefined;
    try {
      requireOwnFile(path);
      file = await open(path, APPEND);
      const { size } = await file.stat();
      if (size < length) throw tooShort(path, size, length);
      await file.truncate(length);
      return new Log(path, file, length);
    } catch (error) {
      await file?.close();
      throw writeFailure(path, error);
    }
  }

  /** @param text ASCII */
  async append(text: string): Promise<void> {
    try {
      await this.#file.appendFile(text);
      this.length += text.length;
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function tooShort(path: string, size: number, length: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${printable(path)}: found ${size} bytes, expected at least the ${length} that it had at the checkpoint`,
    'it was changed since then: restore it from a copy of the run, or train anew',
  );
}
