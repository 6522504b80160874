/**
 * Files as they lie on the disk. A run certifies the bytes that it has read, so the file stays open
 * until it is hashed: its path may belong to another file by then.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, fstatSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { changed, type FileBytes, readChunks } from './fileBytes.js';

/** `name`, `fd` and `size` describe the unpacked bytes. */
export interface OpenFile extends FileBytes {
  /** @throws MlpError ExitCode.io if the file has changed since it was opened */
  requireUnchanged(): void;
  /** Closes the file and deletes a temporary one. May be called twice. */
  close(): void;
}

/** The slowest clock of a kernel that stamps files: 100 a second, and a margin. */
const TICK_MILLISECONDS = 15;

/** A plain file, read in place. */
export class StoredFile implements OpenFile {
  readonly name: string;
  readonly fd: number;
  readonly size: number;
  readonly #path: string;
  readonly #opened: BigIntStats;
  readonly #sharers: { count: number; sha256?: string };
  #isOpen = true;

  /** Takes over the descriptor, which nothing was read from yet. */
  constructor(name: string, fd: number, path: string, sharedWith?: StoredFile) {
    this.name = name;
    this.fd = fd;
    this.#path = path;
    this.#opened = sharedWith ? sharedWith.#opened : fstatSync(fd, { bigint: true });
    this.size = Number(this.#opened.size);
    this.#sharers = sharedWith ? sharedWith.#sharers : { count: 0 };
    this.#sharers.count++;
  }

  /**
   * Waits until a write would give the file another time than it has. Call before the first read:
   * two writes within one tick of the file system's clock have the same time.
   */
  async settle(): Promise<void> {
    const age = Date.now() - Number(this.#opened.ctimeNs / 1_000_000n);
    if (age < TICK_MILLISECONDS) await setTimeout(TICK_MILLISECONDS);
  }

  /** The same open file for another reader, who closes it too. */
  share(): StoredFile {
    return new StoredFile(this.name, this.fd, this.#path, this);
  }

  requireUnchanged(): void {
    const { size, mtimeNs, ctimeNs, nlink } = this.#opened;
    const now = fstatSync(this.fd, { bigint: true });
    const isWritten = now.size !== size || now.mtimeNs !== mtimeNs;
    // A writer may set the time of modification back, but not ctime. Its names change that too.
    if (isWritten || (now.ctimeNs !== ctimeNs && now.nlink === nlink && this.#hasItsName())) {
      throw changed(this, Number(now.size));
    }
  }

  /**
   * SHA-256 in hexadecimal of the bytes that were there all the time since it was opened.
   * @throws MlpError ExitCode.io if it has changed since then
   */
  async sha256(): Promise<string> {
    if (this.#sharers.sha256 === undefined) {
      const hash = createHash('sha256');
      for await (const chunk of readChunks(this, undefined, true)) hash.update(chunk);
      this.#sharers.sha256 = hash.digest('hex');
    }
    this.requireUnchanged();
    return this.#sharers.sha256;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#sharers.count--;
    if (this.#sharers.count === 0) closeSync(this.fd);
  }

  #hasItsName(): boolean {
    const there = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return there?.ino === this.#opened.ino && there.dev === this.#opened.dev;
  }
}

/** Plain data that survives JSON. */
export interface DataFile {
  /** The config key that names it. */
  readonly key: 'data.train' | 'data.validation' | 'data.test';
  /** As the config has it; "-" is stdin. */
  readonly path: string;
  /** Of the file as stored. Absent for stdin and pipes, which can be read only once. */
  readonly sha256?: string;
}

/** The files that a config's data were read from, open until they are hashed. */
export class ReadFiles {
  readonly #files: (Omit<DataFile, 'sha256'> & { readonly stored?: StoredFile | undefined })[] = [];

  /** @param stored is closed here; undefined for what can be read only once */
  add(key: DataFile['key'], path: string, stored?: StoredFile): void {
    this.#files.push({ key, path, stored });
  }

  /**
   * Hashes all files, and closes them.
   * @throws MlpError ExitCode.io if one has changed since it was opened, or can't be read
   */
  async hashes(): Promise<DataFile[]> {
    try {
      return await this.fingerprints();
    } finally {
      this.close();
    }
  }

  /** The same, and leaves them open. */
  async fingerprints(): Promise<DataFile[]> {
    const hashes: DataFile[] = [];
    for (const { key, path, stored } of this.#files) {
      hashes.push({ key, path, ...(stored && { sha256: await stored.sha256() }) });
    }
    return hashes;
  }

  close(): void {
    for (const { stored } of this.#files) stored?.close();
  }
}
