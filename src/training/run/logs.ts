/** The tables that grow during a run: steps.csv, epochs.csv and layers.csv. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { writeFailure } from '../../files/atomic.js';
import { requireOwnFile } from '../../files/ownFiles.js';
import { GROWING_FILES } from '../../files/runFiles.js';
import type { LayerStatistics } from '../../network/layerStatistics.js';
import { printable } from '../../text.js';
import type { EpochRecord, StepRecord } from '../loop.js';
import { metricsOf } from '../monitor.js';
import type { LogState } from './state.js';

const STEPS_HEADER = 'step,epoch,learning_rate,loss\n';
const LAYERS_HEADER = 'epoch,layer,gradient_norm,output_mean,output_deviation,output_zeros\n';

export class RunLogs {
  readonly #steps: Log;
  readonly #epochs: Log;
  readonly #layers: Log;

  private constructor([steps, epochs, layers]: readonly Log[]) {
    this.#steps = steps;
    this.#epochs = epochs;
    this.#layers = layers;
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
    state: LogState = { steps: 0, epochs: 0 },
    warn: (sentence: string) => void = () => {},
  ): Promise<RunLogs> {
    const lengths = [state.steps, state.epochs, state.layers ?? 0];
    const hashes = [state.stepsSha256, state.epochsSha256, state.layersSha256];
    const logs: Log[] = [];
    try {
      for (const [i, name] of GROWING_FILES.entries()) logs.push(await Log.open(directory, name, lengths[i]));
      for (const [i, log] of logs.entries()) await log.verify(hashes[i], warn);
      return new RunLogs(logs);
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

  /** What is undefined is an empty cell. */
  async writeLayers(epoch: number, layers: readonly LayerStatistics[]): Promise<void> {
    const rows = layers.map(({ layer, gradientNorm, outputs: { mean, deviation, zeros } = {} }) =>
      [epoch, layer, ...[gradientNorm, mean, deviation, zeros].map(sixDigits)].join(','),
    );
    const header = this.#layers.length === 0 ? LAYERS_HEADER : '';
    await this.#layers.append(`${header}${rows.join('\n')}\n`);
  }

  /** Cuts off what is not continued, and flushes all files, so that they outlast a failure of the machine. */
  async sync(): Promise<LogState> {
    if (this.#steps.length === 0) await this.#steps.append(STEPS_HEADER);
    await Promise.all([this.#steps.sync(), this.#epochs.sync(), this.#layers.sync()]);
    return {
      steps: this.#steps.length,
      epochs: this.#epochs.length,
      stepsSha256: this.#steps.sha256,
      epochsSha256: this.#epochs.sha256,
      layers: this.#layers.length,
      layersSha256: this.#layers.sha256,
    };
  }

  async close(): Promise<void> {
    await this.#steps.close();
    await this.#epochs.close();
    await this.#layers.close();
  }
}

function sixDigits(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toPrecision(6)));
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
