/** A file without a name for what can't be read by position where it comes from. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { printable } from '../../text.js';

const HINT = 'the environment variable TMPDIR (TEMP on Windows) can name a folder with room for it';
/** A full disk, a quota that is used up, a file longer than the file system or the user may have. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Written from start to end, then read by position. Nobody else can open it, and it goes with the process where the system allows. */
export class TemporaryFile {
  size = 0;
  private open = true;

  private constructor(
    /** Of whose bytes this is a copy. */
    readonly name: string,
    readonly fd: number,
    private path: string | undefined,
  ) {
    // Windows may refuse as long as the file is open.
    this.unlink();
  }

  /** An empty one for the bytes of `name`; an MlpError (73) where there can be none. */
  static create(name: string): TemporaryFile {
    const path = join(tmpdir(), `mlp-${randomUUID()}`);
    try {
      return new TemporaryFile(name, openSync(path, 'wx+', 0o600), path);
    } catch (error) {
      throw new MlpError(
        ExitCode.cantCreate,
        `${printable(tmpdir())}: can't create a temporary file for the bytes of ${name}: ${reason(error)}`,
        HINT,
        { cause: error },
      );
    }
  }

  /** Adds bytes at the end; an MlpError (74) where there is no room for them. */
  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        const count = writeSync(this.fd, bytes, done, bytes.length - done, this.size);
        done += count;
        this.size += count;
      }
    } catch (error) {
      const full = NO_ROOM.has(systemErrorCode(error) ?? '');
      throw new MlpError(
        ExitCode.io,
        `${printable(tmpdir())}: ${full ? 'found no more room' : 'writing failed'} ` +
          `after ${this.size} bytes of ${this.name}: ${reason(error)}`,
        full ? HINT : undefined,
        { cause: error },
      );
    }
  }

  /** As a file that others could write to has it; they can't write to this one. */
  requireUnchanged(): void {}

  /** Takes the file away; may be called twice. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.fd);
    this.unlink();
  }

  private unlink(): void {
    if (this.path === undefined) return;
    try {
      unlinkSync(this.path);
      this.path = undefined;
    } catch {
      // Left to `close`, and after that to whoever tidies the folder of temporary files.
    }
  }
}

function reason(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
