/** The tables that grow with a run: steps.csv and epochs.csv. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { writeFailure } from '../../files/failure.js';
import { printable } from '../../text.js';
import { metricsOf } from '../monitor.js';
import type { EpochRecord, StepRecord } from '../records.js';
import type { FileLengths } from './state.js';

const STEPS_HEADER = 'step,epoch,learning_rate,loss\n';

export class RunLogs {
  private constructor(
    private readonly steps: Log,
    private readonly epochs: Log,
  ) {}

  /** @throws MlpError where a file can't be written (73, 74, 77) */
  static async create(directory: string): Promise<RunLogs> {
    const logs = new RunLogs(
      await Log.open(directory, 'steps.csv', 0),
      await Log.open(directory, 'epochs.csv', 0),
    );
    await logs.steps.append(STEPS_HEADER);
    return logs;
  }

  /**
   * Goes on after what the files held at a checkpoint; what was written later is cut off.
   * @throws MlpError 65 where they have become shorter; or as `create`
   */
  static async resume(directory: string, lengths: FileLengths): Promise<RunLogs> {
    const steps = await Log.open(directory, 'steps.csv', lengths.steps);
    try {
      return new RunLogs(steps, await Log.open(directory, 'epochs.csv', lengths.epochs));
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
    await this.steps.append(lines);
  }

  async writeEpoch(record: EpochRecord): Promise<void> {
    const columns = new Map([
      ['epoch', record.epoch],
      ...metricsOf(record),
      ['learning_rate', record.learningRate],
      ['seconds', record.seconds],
    ]);
    const header = this.epochs.length === 0 ? `${[...columns.keys()].join(',')}\n` : '';
    await this.epochs.append(`${header}${[...columns.values()].join(',')}\n`);
  }

  /** The lengths of both files, once what they hold will outlast a failure of the machine. */
  async sync(): Promise<FileLengths> {
    await Promise.all([this.steps.sync(), this.epochs.sync()]);
    return { steps: this.steps.length, epochs: this.epochs.length };
  }

  async close(): Promise<void> {
    await this.steps.close();
    await this.epochs.close();
  }
}

/** A file that is appended to. */
class Log {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    /** In bytes. */
    public length: number,
  ) {}

  /** Opens a file, or makes it, and cuts it off at `length`. */
  static async open(directory: string, name: string, length: number): Promise<Log> {
    const path = join(directory, name);
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'a');
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
      await this.file.appendFile(text);
      this.length += text.length;
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.file.datasync();
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function tooShort(path: string, size: number, length: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${printable(path)}: found ${size} bytes, expected the ${length} that it had at the checkpoint, or more`,
    'it was changed since: take it from a copy of the run, or train anew',
  );
}
