/** The data of a run: read once, and shared by all runs that have the same. */
import type { Dataset } from '../data/dataset/dataset.js';
import { type Datasets, type LoadOptions, loadDatasets } from '../data/dataset/loadDataset.js';
import { type DataFile, ReadFiles } from '../data/source/storedFile.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import { movedPath } from './run/directory.js';
import { loadStart, type Start } from './start.js';

export interface ReadingOptions {
  readonly progress?: LoadOptions['progress'] | undefined;
  readonly note?: ((sentence: string) => void) | undefined;
  /** Tables that take the place of the config's files. */
  readonly memory?: LoadOptions['memory'] | undefined;
  readonly cache?: LoadOptions['cache'];
}

export class RunData {
  readonly dataset: Dataset;
  /** With training and validation rows together; only for a config with a refit. */
  readonly refit: Dataset | undefined;
  /** What gave the encodings, if they were not fitted to these data. */
  readonly start: Start | undefined;
  readonly #files: ReadFiles;
  readonly #directory: string;
  #hashes: Promise<readonly DataFile[]> | undefined;
  #users = 1;

  private constructor(
    { dataset, refit }: Datasets,
    start: Start | undefined,
    files: ReadFiles,
    /** Of the config: the paths of its data are relative to it. */
    directory: string,
  ) {
    this.dataset = dataset;
    this.refit = refit;
    this.start = start;
    this.#files = files;
    this.#directory = directory;
  }

  /** @throws MlpError as `loadStart` and `loadDatasets` */
  static async read(
    loaded: LoadedTrainConfig,
    { progress, note, memory, cache }: ReadingOptions,
  ): Promise<RunData> {
    const { config, directory, where } = loaded;
    const start = await loadStart(loaded, note);
    const files = new ReadFiles();
    try {
      const options = {
        files,
        ...(memory && { memory }),
        ...(note && { note }),
        ...(cache && { cache }),
        ...(progress && { progress }),
        ...(start && { encodings: start.model }),
      };
      const datasets = await loadDatasets(config, directory, where, options, config.training.refit);
      return new RunData(datasets, start, files, directory);
    } catch (error) {
      files.close();
      throw error;
    }
  }

  /** The same data for one more user, who closes them too. */
  share(): RunData {
    this.#users++;
    return this;
  }

  /**
   * What was read, with the hashes of its files. They are hashed when this is first called.
   * @param directory that of the config which asks: paths become relative to it
   * @throws MlpError ExitCode.io if one has changed since it was opened
   */
  async hashes(directory: string): Promise<readonly DataFile[]> {
    this.#hashes ??= this.#files.hashes();
    const files = await this.#hashes;
    const own = this.#directory;
    return directory === own
      ? files
      : files.map((file) => ({ ...file, path: movedPath(file.path, own, directory) }));
  }

  close(): void {
    if (--this.#users > 0) return;
    for (const rows of this.dataset.rejected ?? []) rows.close();
    // Files that are being hashed are closed at the end of that.
    if (!this.#hashes) this.#files.close();
  }
}
