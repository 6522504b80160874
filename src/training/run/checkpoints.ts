/**
 * The checkpoints of a run: files `step-<n>.checkpoint`, each a seal and a safetensors file. The two newest are kept, so that there is one to go
 * back to whatever happens to the other. The run's directory must be locked: nobody else writes here.
 */
import type { Dirent } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { syncFolder, writeFileAtomically } from '../../files/atomic.js';
import { writeFailure } from '../../files/failure.js';
import { removeLeftovers } from '../../files/partial.js';
import { openSafetensors } from '../../model/safetensors/decode.js';
import type { TensorData } from '../../model/safetensors/dtype.js';
import type { EncodedTensors } from '../../model/safetensors/encode.js';
import { printable } from '../../text.js';
import { SEAL_BYTES, sealed, verifySeal } from '../checkpoint/seal.js';

export interface Checkpoint {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly path: string;
}

const KEPT = 2;

export class CheckpointStore {
  #isTidy = false;
  /** Steps of the checkpoints that were found damaged, and are nothing to go back to. */
  readonly #damaged = new Set<number>();

  /** @param folder made when the first checkpoint is saved; the folder around it must be there */
  constructor(readonly folder: string) {}

  /**
   * Saves the state after `step` steps, then takes away all but it and the newest before it that `load` did not find damaged: those of later
   * steps are given up. Whatever goes wrong, the ones that were there are there still. One at a time; the tensors must not change until it
   * is done.
   *
   * @throws MlpError 73 where it can't be created, 77 where it is not permitted, 74 where writing fails
   */
  async save(step: number, { header, parts }: EncodedTensors): Promise<void> {
    await this.#makeFolder();
    await writeFileAtomically(this.#pathOf(step), sealed([header, ...parts]));
    this.#damaged.delete(step);
    await this.#prune(step);
  }

  /**
   * The newest checkpoint that is whole; undefined where there is none at all. It is verified before anything is made of it.
   *
   * @param warn told of each newer one that is damaged or can't be read
   * @throws MlpError 65 where there are checkpoints, and all are damaged; 77 where one may not be read
   */
  async load(warn: (sentence: string) => void): Promise<Checkpoint | undefined> {
    const steps = await this.#steps();
    const faults: MlpError[] = [];
    for (const step of steps) {
      try {
        const checkpoint = await readCheckpoint(this.#pathOf(step));
        for (const { message } of faults) warn(`${message}: using ${nameOf(step)}`);
        return checkpoint;
      } catch (error) {
        // One that may not be read need not be damaged: the user can mend that, and loses no steps.
        if (!(error instanceof MlpError) || error.exitCode === ExitCode.noPermission) throw error;
        faults.push(error);
        this.#damaged.add(step);
      }
    }
    if (faults.length === 0) return undefined;
    throw new MlpError(
      ExitCode.data,
      `${printable(this.folder)}: found no checkpoint that is whole, expected one: ` +
        faults.map(({ message }) => message).join('; '),
      'copy one there from a backup, or train from the start in another directory',
    );
  }

  #pathOf(step: number): string {
    return join(this.folder, `${nameOf(step)}.checkpoint`);
  }

  async #makeFolder(): Promise<void> {
    try {
      if (await makeFolder(this.folder)) await syncFolder(dirname(this.folder));
      if (!this.#isTidy) await removeLeftovers(this.folder);
      this.#isTidy = true;
    } catch (error) {
      throw writeFailure(this.folder, error);
    }
  }

  async #prune(newest: number): Promise<void> {
    const steps = await this.#steps();
    const kept = steps.filter((step) => step <= newest && !this.#damaged.has(step)).slice(0, KEPT);
    for (const step of steps) {
      if (kept.includes(step)) continue;
      // The checkpoint is saved: what can't be taken away now is after the next one.
      await rm(this.#pathOf(step)).catch(() => undefined);
    }
  }

  /** Steps of the checkpoints that are there, the last first. */
  async #steps(): Promise<number[]> {
    let entries: Dirent[];
    try {
      entries = await readdir(this.folder, { withFileTypes: true });
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw readError(printable(this.folder), error);
    }
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => Number(/^step-(0|[1-9]\d*)\.checkpoint$/.exec(name)?.[1]))
      .filter(Number.isSafeInteger)
      .sort((a, b) => b - a);
  }
}

function nameOf(step: number): string {
  return `step-${step}`;
}

/** Whether it was made: false where it is there. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readCheckpoint(path: string): Promise<Checkpoint> {
  await verifySeal(path);
  const file = openSafetensors(path, SEAL_BYTES);
  try {
    const names = [...file.tensors.keys()];
    const tensors = new Map(names.map((name) => [name, file.read(name)]));
    return { metadata: file.metadata, tensors, path };
  } finally {
    file.close();
  }
}
