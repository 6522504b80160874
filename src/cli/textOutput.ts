/** Where a long text goes, a piece at a time: to standard output, or into a new file. */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type MlpError, systemErrorCode } from '../errors.js';
import { syncFolder } from '../files/atomic.js';
import { writeFailure } from '../files/failure.js';
import { partialPath } from '../files/partial.js';
import { placeOf, requireFree } from './newFile.js';
import { isPlainFile } from './output.js';

export interface TextOutput {
  /** Writes, and waits until there is room for more. False where nobody takes any more: then what is left need not be made. */
  write(text: string): Promise<boolean>;
  /** Says that all is written. */
  finish(): Promise<void>;
  /** Takes away what is not finished. May always be called. */
  discard(): void;
}

/** Standard output, wherever it leads. What stops it other than a reader that has gone is an error: one of `guardStreams`, or an MlpError (74). */
export class StandardOutput implements TextOutput {
  #open = true;

  write(text: string): Promise<boolean> {
    return isPlainFile() ? this.#writeFile(text) : this.#writeStream(text);
  }

  async finish(): Promise<void> {}

  discard(): void {}

  async #writeFile(text: string): Promise<boolean> {
    try {
      writeFileSync(process.stdout.fd, text);
      return true;
    } catch (error) {
      throw writeFailure('stdout', error);
    }
  }

  #writeStream(text: string): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    return new Promise((resolve) => {
      process.stdout.write(text, (error) => {
        if (error) this.#open = false;
        resolve(this.#open);
      });
    });
  }
}

/** A file that has its name only when it is finished, and leaves nothing before, not even where the process exits. */
export class OutputFile implements TextOutput {
  readonly #place: string;
  readonly #partial: string;
  #fd: number | undefined;

  /**
   * @param force whether it may take the place of a file that is there; a link keeps its own, and what it points to is replaced
   * @throws MlpError 73 where there is a file that it may not replace, or no folder; 77 where it is not permitted; 74
   */
  constructor(
    private readonly path: string,
    private readonly force: boolean,
  ) {
    requireFree(path, force);
    this.#place = force ? placeOf(path) : path;
    this.#partial = partialPath(this.#place);
    this.#fd = this.#attempt(() => openSync(this.#partial, 'wx'));
    process.once('exit', this.discard);
  }

  async write(text: string): Promise<boolean> {
    this.#attempt(() => writeFileSync(this.#descriptor, text));
    return true;
  }

  /** @throws MlpError 74 where it can't be brought to the disk; 73 where somebody else has taken the name in the meantime */
  async finish(): Promise<void> {
    this.#attempt(() => {
      fsyncSync(this.#descriptor);
      this.#close();
      if (this.force) renameSync(this.#partial, this.#place);
      else this.#publish();
    });
    this.discard();
    await syncFolder(dirname(this.#place)).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  readonly discard = (): void => {
    process.off('exit', this.discard);
    this.#close();
    rmSync(this.#partial, { force: true });
  };

  /** A second name for the file fails where a rename would overwrite; not all file systems have it. */
  #publish(): void {
    try {
      linkSync(this.#partial, this.#place);
    } catch (error) {
      requireFree(this.path, false);
      if (systemErrorCode(error) === 'EEXIST') throw error;
      renameSync(this.#partial, this.#place);
    }
  }

  get #descriptor(): number {
    if (this.#fd === undefined) throw new TypeError(`${this.path} is closed`);
    return this.#fd;
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): MlpError {
    return writeFailure(this.path, error, 'name another file with -o');
  }
}
