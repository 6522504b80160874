/**
 * Checkpoints `step-<n>.checkpoint`: a line `mlp checkpoint 1 <SHA-256 of all that follows, in
 * hexadecimal>`, then a safetensors file, so damage is noticed before use. The two newest are kept.
 * The run's directory must be locked.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, type Dirent } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileBytes, readChunks } from '../../data/source/fileBytes.js';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { removeLeftovers, syncFolder, writeFailure, writeFileAtomically } from '../../files/atomic.js';
import { requireNoLink } from '../../files/ownFiles.js';
import { openPlainFile } from '../../files/plainFile.js';
import { openSafetensors } from '../../model/safetensors/decode.js';
import type { TensorData } from '../../model/safetensors/dtype.js';
import type { EncodedTensors } from '../../model/safetensors/encode.js';
import { printable } from '../../text.js';

export interface Checkpoint {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly path: string;
}

const KEPT = 2;

/** Raised when a reader of the old layout would be misled. */
const VERSION = 1;
const HASH = 'sha256';
const HEX_DIGITS = 64;
const LINE_START = `mlp checkpoint ${VERSION} `;
export const CHECKSUM_LINE_BYTES = LINE_START.length + HEX_DIGITS + 1;
const LINE = new RegExp(`^${LINE_START}([0-9a-f]{${HEX_DIGITS}})\n$`);

const SHOWN_DIGITS = 12;

export class CheckpointStore {
  #isTidy = false;
  readonly #damaged = new Set<number>();

  /** @param folder created with the first checkpoint; its parent must exist */
  constructor(readonly folder: string) {}

  /**
   * Saves a state, then deletes all others but the newest sound one before it. If saving fails, the
   * old ones stay. One call at a time; tensors must not change until it resolves.
   * @throws MlpError ExitCode.cantCreate, noPermission or io if it can't be written
   */
  async save(step: number, { header, parts }: EncodedTensors): Promise<void> {
    await this.#makeFolder();
    await writeFileAtomically(this.#pathOf(step), withChecksum([header, ...parts]));
    this.#damaged.delete(step);
    await this.#prune(step);
  }

  /**
   * The newest checkpoint that is whole; undefined if there is none at all.
   * @param warn told of each newer one that is damaged or can't be read
   * @throws MlpError ExitCode.data if all are damaged, noPermission if one may not be read
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
        // Without permission it need not be damaged: the user can fix that and lose no steps.
        if (!(error instanceof MlpError) || error.exitCode === ExitCode.noPermission) throw error;
        faults.push(error);
        this.#damaged.add(step);
      }
    }
    if (faults.length === 0) return undefined;
    throw new MlpError(
      ExitCode.data,
      `${printable(this.folder)}: found only damaged checkpoints, expected a whole one: ` +
        faults.map(({ message }) => message).join('; '),
      'restore one from a backup, or train from the start in another directory',
    );
  }

  /** Deletes all checkpoints. */
  async discard(): Promise<void> {
    for (const step of await this.#steps()) {
      const path = this.#pathOf(step);
      if (await isOurs(path)) await rm(path);
    }
  }

  #pathOf(step: number): string {
    return join(this.folder, `${nameOf(step)}.checkpoint`);
  }

  async #makeFolder(): Promise<void> {
    try {
      requireNoLink(this.folder);
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
      // The new one is saved. If an old one can't be deleted now, it is after the next.
      const path = this.#pathOf(step);
      if (await isOurs(path)) await rm(path).catch(() => undefined);
    }
  }

  async #steps(): Promise<number[]> {
    let entries: Dirent[];
    requireNoLink(this.folder);
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

/** Whether a file begins as a checkpoint does. Others are not deleted, whatever their names. */
async function isOurs(path: string): Promise<boolean> {
  const file = await open(path, READ_PLAIN).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LINE_START.length), 0, LINE_START.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === LINE_START;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

/** Neither a link is followed nor a pipe waited for. Windows has neither flag. */
const READ_PLAIN = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

function nameOf(step: number): string {
  return `step-${step}`;
}

/** Whether the folder was created: false if it exists. */
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
  // One descriptor for both: the path may belong to another file after the check.
  const bytes = openPlainFile(path);
  try {
    await verifyChecksum(bytes);
  } catch (error) {
    closeSync(bytes.fd);
    throw error;
  }
  const file = openSafetensors(bytes, CHECKSUM_LINE_BYTES);
  try {
    const names = [...file.tensors.keys()];
    const tensors = new Map(names.map((name) => [name, file.read(name)]));
    return { metadata: file.metadata, tensors, path };
  } finally {
    file.close();
  }
}

/** The parts of a file, with the line that holds their checksum before them. */
export function withChecksum(parts: readonly Uint8Array[]): Uint8Array[] {
  const hash = createHash(HASH);
  for (const part of parts) hash.update(part);
  return [Buffer.from(`${LINE_START}${hash.digest('hex')}\n`), ...parts];
}

/** @throws MlpError ExitCode.data if the checksum does not fit, io if it can't be read */
async function verifyChecksum(file: FileBytes): Promise<void> {
  const { name } = file;
  const hash = createHash(HASH);
  let line = '';
  for await (const chunk of readChunks(file)) {
    const rest = Math.min(CHECKSUM_LINE_BYTES - line.length, chunk.length);
    line += chunk.toString('latin1', 0, rest);
    hash.update(chunk.subarray(rest));
  }
  const expected = LINE.exec(line)?.[1];
  if (expected === undefined) throw damaged(`${name}: found no checksum in the first line, expected one`);
  const found = hash.digest('hex');
  if (found !== expected) {
    throw damaged(`${name}: found content of SHA-256 ${shown(found)}, expected ${shown(expected)}`);
  }
}

function shown(hash: string): string {
  return `${hash.slice(0, SHOWN_DIGITS)}…`;
}

function damaged(message: string): MlpError {
  return new MlpError(ExitCode.data, message);
}
