/** Where the datasets of a config are cached, and by which name. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import type { DType } from '../../kernels/kernels.js';
import { isMemberFolds } from '../../spec/dataConfig.js';
import { toCanonicalJson } from '../../spec/json.js';
import type { Where } from '../../spec/messages.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { leastGatheredOf, networksOf } from '../../spec/widths.js';
import { lossNameOf, type Task } from '../../spec/words.js';
import { version } from '../../version.js';
import { CACHE_VERSION, type CachePlace, CacheWriter, cachePath, openCache } from '../cache/cacheFile.js';
import { DamagedCache } from '../cache/storedDataset.js';
import { MatrixTooLarge } from '../featureMatrix.js';
import { sourcePath } from '../source/source.js';
import type { DataFile, ReadFiles } from '../source/storedFile.js';
import type { Dataset } from './dataset.js';
import type { FillOptions } from './fillMatrix.js';
import type { GivenEncodings } from './givenEncodings.js';
import { standardizesTarget } from './targetUnits.js';

interface CacheOptions {
  readonly directory: string;
  readonly where: Where;
  readonly files?: ReadFiles | undefined;
  readonly memory?: object | undefined;
  readonly encodings?: GivenEncodings | undefined;
  readonly note?: ((sentence: string) => void) | undefined;
}

export class DatasetCaches {
  readonly #folder: string;
  readonly #key: (name: string, scalesTarget: boolean | null) => string;
  /** Whether the targets of a regression are scaled. */
  readonly #scales: boolean;
  readonly #dtype: DType;
  readonly #paths: readonly string[];
  readonly #note: CacheOptions['note'];

  private constructor(
    folder: string,
    key: (name: string, scalesTarget: boolean | null) => string,
    scales: boolean,
    dtype: DType,
    paths: readonly string[],
    note: CacheOptions['note'],
  ) {
    this.#folder = folder;
    this.#key = key;
    this.#scales = scales;
    this.#dtype = dtype;
    this.#paths = paths;
    this.#note = note;
  }

  /**
   * Hashes the files; undefined for a config without `data.cache`.
   * @param options whose `files` are open
   * @throws MlpError ExitCode.config for data that can't be read again; io as `StoredFile.sha256`
   */
  static async of(config: TrainConfig, options: CacheOptions): Promise<DatasetCaches | undefined> {
    const { cache } = config.data;
    if (cache === undefined) return undefined;
    const { directory, where, files, memory, encodings, note } = options;
    const hashed = (await files?.fingerprints()) ?? [];
    if (memory || hashed.length === 0 || hashed.some(({ sha256 }) => sha256 === undefined)) {
      throw new MlpError(
        ExitCode.config,
        `${where(['data', 'cache'])}: found data in memory, a pipe or standard input, expected files, which tell whether a cache is of them`,
        'remove the key, or write the data to a file',
      );
    }
    const folder = cache === 'auto' ? defaultCacheFolder() : resolve(directory, cache);
    const keyOf = (name: string, scalesTarget: boolean | null) =>
      createHash('sha256')
        .update(toCanonicalJson({ ...contentOf(config, hashed, directory, encodings), name, scalesTarget }))
        .digest('hex');
    const paths = hashed.map(({ path }) => sourcePath(path, directory));
    return new DatasetCaches(folder, keyOf, standardizesTarget(config), config.dtype, paths, note);
  }

  /** @param task that the targets turned out to be of */
  place(name: string, task: Task): CachePlace {
    return this.#place(name, task === 'regression');
  }

  /** Classes are not scaled, whatever the config says: a run's config says what was done. */
  #place(name: string, isRegression: boolean): CachePlace {
    const key = this.#key(name, isRegression ? this.#scales : null);
    return { folder: this.#folder, key, dtype: this.#dtype, paths: this.#paths };
  }

  /**
   * The datasets of the config, if all are cached.
   * @param refit whether that one is needed too
   * @throws MlpError ExitCode.noPermission or io
   */
  async open(refit: boolean): Promise<{ dataset: Dataset; refit?: Dataset } | undefined> {
    const dataset = await this.#open('dataset');
    if (!dataset || !refit) return dataset && { dataset };
    const other = await this.#open('refit');
    return other && { dataset, refit: other };
  }

  /** One of the datasets, if it is cached. */
  find(name: string, task: Task): Promise<Dataset | undefined> {
    return this.#openAt(this.place(name, task));
  }

  /** Says that a cache was written. */
  tell(place: CachePlace): void {
    this.#note?.(`the rows are in the cache ${cachePath(place)} now; mlp cache lists such files`);
  }

  async #open(name: string): Promise<Dataset | undefined> {
    return (await this.#openAt(this.#place(name, false))) ?? (await this.#openAt(this.#place(name, true)));
  }

  async #openAt(place: CachePlace): Promise<Dataset | undefined> {
    try {
      const dataset = await openCache(place);
      if (dataset) this.#note?.(`the rows come from the cache ${cachePath(place)}`);
      return dataset;
    } catch (error) {
      if (!(error instanceof DamagedCache)) throw error;
      this.#note?.(`${cachePath(place)}: ${error.message}; it is written anew`);
      return undefined;
    }
  }
}

/** A loading whose files are open. */
interface Filling {
  readonly config: TrainConfig;
  readonly directory: string;
  readonly where: Where;
  readonly options: Omit<CacheOptions, 'directory' | 'where'> & {
    readonly cache?: 'write' | 'read' | undefined;
  };
  readonly open: { close(): void | Promise<void> }[];
  caches?: DatasetCaches | undefined;
}

/** Fills a matrix in memory, or in a cache if there is to be one, or no room in memory. */
export async function filled(
  loading: Filling,
  { name, task }: { readonly name: string; readonly task: Task },
  fill: (cache: FillOptions['cache']) => Promise<Dataset>,
): Promise<Dataset> {
  const { open, options } = loading;
  if (!loading.caches) {
    try {
      return await fill(undefined);
    } catch (error) {
      const caches = error instanceof MatrixTooLarge && (await automaticCaches(loading));
      if (!caches) throw error;
      const found = await caches.find(name, task);
      if (found) return found;
      if (options.cache === 'read') throw error;
      options.note?.(`${error.message}, so they go to a file`);
      loading.caches = caches;
    }
  }
  const { caches } = loading;
  const place = caches.place(name, task);
  let writer: CacheWriter | undefined;
  const dataset = await fill(async (rows, columns) => {
    writer = await CacheWriter.begin(place, rows, columns);
    open.push(writer);
    return writer;
  });
  await writer?.finish(dataset);
  caches.tell(place);
  return dataset;
}

/** For rows that have no room in memory; undefined if they can't be in a cache either. */
async function automaticCaches({
  config,
  directory,
  where,
  options,
}: Filling): Promise<DatasetCaches | undefined> {
  if (options.memory || config.data.badRows === 'skip') return undefined;
  const data = { ...config.data, cache: 'auto' };
  const hashed = await options.files?.fingerprints();
  if (hashed?.some(({ sha256 }) => sha256 === undefined)) return undefined;
  return DatasetCaches.of({ ...config, data }, { ...options, directory, where });
}

/** That of the user: `$XDG_CACHE_HOME/mlp`, or what the system has for it. */
export function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'mlp');
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'mlp', 'Cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'mlp');
  return join(homedir(), '.cache', 'mlp');
}

/** All that a dataset depends on. */
function contentOf(
  config: TrainConfig,
  files: readonly DataFile[],
  directory: string,
  encodings: GivenEncodings | undefined,
) {
  const { data, seed, dtype, network, training } = config;
  const { cache: _, shuffle: __, train: ___, standardizeTarget: ____, validation, test, ...rest } = data;
  const rule = (rows: unknown) => (typeof rows === 'string' ? 'file' : rows);
  const found = {
    format: CACHE_VERSION,
    version,
    data: { ...rest, validation: rule(validation), test: rule(test) },
    files: files.map(({ key, path, sha256 }) => ({ key, path: resolve(directory, path), sha256 })),
    seed,
    dtype,
    ...(isMemberFolds(validation) && {
      members: network.members === undefined ? validation.folds : networksOf(network),
    }),
    loss: lossNameOf(training.loss),
    ...(Number.isFinite(leastGatheredOf(config)) && { leastGathered: leastGatheredOf(config) }),
    encodings: encodings && givenContent(encodings),
  };
  return JSON.parse(JSON.stringify(found));
}

function givenContent({
  header,
  task,
  features,
  targets,
  classes,
  labelValues,
  rareClasses,
  missingValues,
  predictionRanges,
  targetTransform,
  targetStandardization,
}: GivenEncodings) {
  const target = { targets, classes, labelValues, rareClasses, predictionRanges };
  return { header, task, features, missingValues, targetTransform, targetStandardization, ...target };
}
