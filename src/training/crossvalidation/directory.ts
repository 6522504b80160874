/** The directory of a cross-validation, locked while a process works on it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { asDataError, ExitCode, MlpError } from '../../errors.js';
import { removeLeftovers, writeFileAtomically } from '../../files/atomic.js';
import { type Lock, lockDirectory } from '../../files/lock.js';
import { requireNoDirectory, requireNoLink } from '../../files/ownFiles.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import { choice, object, text, wholeNumber } from '../../spec/fields.js';
import { isObject, readJson } from '../../spec/json.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../../spec/loadConfig.js';
import { checkSchema } from '../../spec/messages.js';
import { LEAST_FOLDS, MOST_REPEATS } from '../../spec/splitConfig.js';
import * as z from '../../spec/zod.js';
import { printable } from '../../text.js';
import { firstFree, HINT, lockEmpty, makeDirectory, relocate, removeIfEmpty } from '../run/directory.js';
import type { CrossValidationRequest } from './folds.js';
import type { CrossValidationReport } from './report.js';

export const CROSS_VALIDATION_FILES = {
  /** What was asked for, and the scores so far. */
  report: 'crossvalidation.json',
  /** The config as it was written. */
  config: RUN_FILES.config,
  /** Out-of-fold predictions, once all folds are finished. */
  predictions: 'predictions.csv',
} as const;

const column = z.union([text('a column'), wholeNumber(0)], { error: 'a column' });

const requestSchema: z.ZodType<CrossValidationRequest> = object({
  folds: wholeNumber(LEAST_FOLDS),
  repeats: wholeNumber(1, MOST_REPEATS),
  as: choice(['test', 'validation']),
  shape: object({
    group: column.exactOptional(),
    ordered: z.literal(true, { error: 'true' }).exactOptional(),
    by: column.exactOptional(),
    stratify: z
      .union([z.literal(false), z.literal('quantiles')], { error: 'false or "quantiles"' })
      .exactOptional(),
  }),
});

export class CrossValidationDirectory {
  readonly path: string;
  readonly #lock: Lock;

  private constructor(path: string, lock: Lock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * @param asked which must be new or empty; else the first free `runs/<config name>-cv-<n>`
   * @throws MlpError ExitCode.cantCreate, e.g. if it is not empty; busy if a process uses it;
   * noPermission
   */
  static async create(asked: string | undefined, configPath: string): Promise<CrossValidationDirectory> {
    const path = asked ?? firstFree(configPath, '-cv');
    if (asked !== undefined) makeDirectory(asked);
    return new CrossValidationDirectory(path, await lockEmpty(path));
  }

  /**
   * @throws MlpError ExitCode.noInput if there is no cross-validation, busy if a process works on it,
   * cantCreate if directories lie where files are to be
   */
  static async open(path: string): Promise<CrossValidationDirectory> {
    if (!statOf(join(path, CROSS_VALIDATION_FILES.report))?.isFile()) {
      const found = statOf(path)
        ? `a directory without ${CROSS_VALIDATION_FILES.report}`
        : 'no such directory';
      throw new MlpError(
        ExitCode.noInput,
        `${printable(path)}: found ${found}, expected a cross-validation`,
        'name the directory that mlp crossvalidate has printed, or start a new one without --resume',
      );
    }
    for (const name of Object.values(CROSS_VALIDATION_FILES)) requireNoDirectory(join(path, name));
    const directory = new CrossValidationDirectory(path, lockDirectory(path));
    await removeLeftovers(path);
    return directory;
  }

  /** For a process that trains folds, while another one has the lock and writes. */
  static join(path: string): CrossValidationDirectory {
    return new CrossValidationDirectory(path, { release() {} });
  }

  get configPath(): string {
    return join(this.path, CROSS_VALIDATION_FILES.config);
  }

  /** The config that it was started with; undefined if it was killed before that was written. */
  loadConfig(): LoadedTrainConfig | undefined {
    return statOf(this.configPath) ? loadTrainConfig(this.configPath) : undefined;
  }

  /** @throws MlpError ExitCode.data for what `mlp crossvalidate` does not write */
  readRequest(): CrossValidationRequest {
    const path = join(this.path, CROSS_VALIDATION_FILES.report);
    return asDataError(() => {
      const { value, text } = readJson(path);
      const request = isObject(value) ? value.request : undefined;
      return checkSchema(requestSchema, request, (at) => ({ file: path, path: ['request', ...at], text }));
    });
  }

  /** The directory of a run inside of this one. */
  runPath(name: string): string {
    const path = join(this.path, name);
    requireNoLink(path);
    return path;
  }

  async writeConfig({ written, directory }: LoadedTrainConfig): Promise<void> {
    const config = relocate(written, directory, this.path);
    await this.#write(CROSS_VALIDATION_FILES.config, [`${JSON.stringify(config, undefined, 2)}\n`]);
  }

  async writeReport(report: CrossValidationReport): Promise<void> {
    await this.#write(CROSS_VALIDATION_FILES.report, [`${JSON.stringify(report, undefined, 2)}\n`]);
  }

  async writePredictions(lines: Iterable<string>): Promise<void> {
    await this.#write(CROSS_VALIDATION_FILES.predictions, inChunks(lines));
  }

  /** Deletes our own files, and the directory if nothing else is in it. */
  delete(): void {
    for (const name of Object.values(CROSS_VALIDATION_FILES)) rmSync(join(this.path, name), { force: true });
    this.close();
    removeIfEmpty(this.path);
  }

  close(): void {
    this.#lock.release();
  }

  async #write(name: string, parts: Iterable<string>): Promise<void> {
    await writeFileAtomically(join(this.path, name), parts, HINT);
  }
}

/** Fewer writes than lines. */
const CHUNK = 2 ** 16;

function* inChunks(lines: Iterable<string>): Generator<string> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  yield text;
}
