/** The data of trials: what has the same settings is read once. */
import { toCanonicalJson } from '../spec/json.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import { leastGatheredOf } from '../spec/widths.js';
import { relocate } from '../training/run/directory.js';
import { RunData } from '../training/runData.js';

/** So many that no trial uses are kept for later ones. */
const KEPT = 2;

export class Datasets {
  /** By their settings, those used last at the end. */
  readonly #read = new Map<string, Promise<RunData>>();

  /** The data of a config, to be closed by the caller. */
  async of(loaded: LoadedTrainConfig): Promise<RunData> {
    const { data, seed, dtype, training } = relocate(loaded.config, loaded.directory, '');
    const { loss, refit, from } = training;
    const gathers = Number.isFinite(leastGatheredOf(loaded.config));
    const key = toCanonicalJson({ data, seed, dtype, loss, refit, from, gathers });
    let reading = this.#read.get(key);
    if (reading) this.#read.delete(key);
    reading ??= RunData.read(loaded, {});
    this.#read.set(key, reading);
    try {
      return (await reading).share();
    } catch (error) {
      this.#read.delete(key);
      throw error;
    } finally {
      for (const old of [...this.#read.keys()].slice(0, -KEPT)) this.#forget(old);
    }
  }

  close(): void {
    for (const key of this.#read.keys()) this.#forget(key);
  }

  #forget(key: string): void {
    // A trial that still reads or uses it closes it in turn.
    this.#read.get(key)?.then(
      (data) => data.close(),
      () => undefined,
    );
    this.#read.delete(key);
  }
}
