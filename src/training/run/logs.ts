/** The tables that grow during a run: steps.csv and epochs.csv. */
import { createHash } from 'node:crypto';
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
import type { LogState } from './state.js';

const STEPS_HEADER = 'step,epoch,learning_rate,loss\n';

export class RunLogs {
  readonly #steps: Log;
  readonly #epochs: Log;

  private constructor(steps: Log, epochs: Log) {
    this.#steps = steps;
    this.#epochs = epochs;
  }

  /**
   * Creates the files, or continues them as they were at a checkpoint. What was written later is cut off before the first
   * write, or by `sync`: a run that fails before either leaves them as they are.
   * @param warn told of a file whose rows are others: the run itself does not need them
   * @throws MlpError ExitCode.data if one is shorter than at the checkpoint; cantCreate, noPermission or io
   * if one can't be written
   */
  static async open(
    directory: string,
    { steps, epochs, stepsSha256, epochsSha256 }: LogState = { steps: 0, epochs: 0 },
    warn: (sentence: string) => void = () => {},
  ): Promise<RunLogs> {
    const logs: Log[] = [];
    try {
      logs.push(await Log.open(directory, RUN_FILES.steps, steps));
      logs.push(await Log.open(directory, RUN_FILES.epochs, epochs));
      await logs[0].verify(stepsSha256, warn);
      await logs[1].verify(epochsSha256, warn);
      return new RunLogs(logs[0], logs[1]);
    } catch (error) {
      for (const log of logs) await log.close();
      throw error;
    }
  }

  async writeSteps({ epoch, firstStep, learningRates, losses }: StepRecord): Promise<void> {
    let lines = this.#steps.length === 0 ? STEPS_HEADER : '';
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

  /** Cuts off what is not continued, and flushes both files, so that they outlast a failure of the machine. */
  async sync(): Promise<LogState> {
    if (this.#steps.length === 0) await this.#steps.append(STEPS_HEADER);
    await Promise.all([this.#steps.sync(), this.#epochs.sync()]);
    return {
      steps: this.#steps.length,
      epochs: this.#epochs.length,
      stepsSha256: this.#steps.sha256,
      epochsSha256: this.#epochs.sha256,
    };
  }

  async close(): Promise<void> {
    await this.#steps.close();
    await this.#epochs.close();
  }
}

// A link that was made meanwhile is an error, and a pipe is not waited for. Windows has neither flag.
const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const APPEND = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

class Log {
  readonly #path: string;
  readonly #file: FileHandle;
  /** Of the content up to `length`. */
  readonly #hash = createHash('sha256');
  /** In bytes. */
  length: number;
  #isCut = false;

  private constructor(path: string, file: FileHandle, length: number) {
    this.#path = path;
    this.#file = file;
    this.length = length;
  }

  /** Opens or creates a file of the run's own, of at least `length` bytes. */
  static async open(directory: string, name: string, length: number): Promise<Log> {
    const path = join(directory, name);
    let file: FileHandle | undefined;
    try {
      requireOwnFile(path);
      file = await open(path, APPEND);
      const { size } = await file.stat();
      if (size < length) throw tooShort(path, size, length);
      return new Log(path, file, length);
    } catch (error) {
      await file?.close();
      throw writeFailure(path, error);
    }
  }

  /** Hashes what is continued; `warn` is told if that has another hash. */
  async verify(sha256: string | undefined, warn: (sentence: string) => void): Promise<void> {
    try {
      const buffer = Buffer.allocUnsafe(2 ** 16);
      for (let position = 0; position < this.length; ) {
        const most = Math.min(buffer.length, this.length - position);
        const { bytesRead } = await this.#file.read(buffer, 0, most, position);
        if (bytesRead === 0) break;
        this.#hash.update(buffer.subarray(0, bytesRead));
        position += bytesRead;
      }
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
    if (sha256 === undefined || sha256 === this.sha256) return;
    warn(
      `${printable(this.#path)}: found other rows than at the checkpoint, expected the same: the run continues below them`,
    );
  }

  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** @param text ASCII */
  async append(text: string): Promise<void> {
    try {
      await this.#cut();
      await this.#file.appendFile(text);
      this.#hash.update(text);
      this.length += text.length;
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#cut();
      await this.#file.datasync();
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  async #cut(): Promise<void> {
    if (!this.#isCut) await this.#file.truncate(this.length);
    this.#isCut = true;
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
