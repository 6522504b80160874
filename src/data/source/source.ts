/**
 * The bytes of a data file, gzip, pipe or standard input. All can be read by position, repeatedly
 * and from any thread: a plain file in place, everything else from a temporary copy. Also the
 * hashes of a config's files.
 */
import { closeSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isatty } from 'node:tty';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { exists, requireAnswer } from '../../files/mounts.js';
import { noPlainFile, openForReading } from '../../files/plainFile.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import { matches } from '../../spec/words.js';
import { printable } from '../../text.js';
import { decodeFile } from './decode.js';
import {
  encodingNamed,
  markedEncoding,
  shownEncoding,
  startOf,
  UTF8,
  WINDOWS_1252,
  wideEncoding,
} from './encoding.js';
import type { FileBytes } from './fileBytes.js';
import { refuseOtherFile } from './otherFiles.js';
import { type Notation, Rewriter } from './rewrite.js';
import { type DataFile, type OpenFile, ReadFiles, StoredFile } from './storedFile.js';
import { copyStream, TemporaryFile, type UnpackProgress, unpackGzip } from './unpack.js';

export { type FileBytes, readAt } from './fileBytes.js';
export type { OpenFile } from './storedFile.js';
export type { UnpackProgress } from './unpack.js';

export interface OpenOptions {
  /** A label of `TextDecoder`; `auto`, the default, detects UTF-8 and UTF-16. */
  readonly encoding?: 'auto' | string;
  /** What text is decoded as that `auto` finds to be neither; Windows-1252 by default. */
  readonly fallback?: string;
  /** Called while copying, unpacking and decoding. */
  readonly progress?: UnpackProgress;
  /** Takes the file as stored, and closes it; undefined for what can be read only once. */
  readonly keep?: (stored: StoredFile | undefined) => void;
}

/**
 * The text of a file, unpacked and in UTF-8. A plain file in UTF-8 is read in place. That a text is
 * not UTF-8 may be found late: `readText` then asks to decode it.
 */
export class Source implements FileBytes {
  #file: OpenFile;
  readonly #options: OpenOptions;
  /** Sentences for the user: how the bytes were read, if not as UTF-8. */
  readonly notes: string[] = [];
  /** The encoding of the file as stored, if it is not UTF-8: its standard name. */
  encoding: string | undefined;
  #isRewritten = false;

  private constructor(file: OpenFile, options: OpenOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Takes over the file, and closes it in case of an error. */
  static async of(file: OpenFile, options: OpenOptions): Promise<Source> {
    const source = new Source(file, options);
    try {
      await source.#decodeStart();
      return source;
    } catch (error) {
      source.close();
      throw error;
    }
  }

  get name(): string {
    return this.#file.name;
  }

  get fd(): number {
    return this.#file.fd;
  }

  get size(): number {
    return this.#file.size;
  }

  /** Whether text that is not UTF-8 may be decoded: the encoding was neither set nor detected. */
  get mayDecode(): boolean {
    const { encoding = 'auto' } = this.#options;
    return encoding === 'auto' && this.encoding === undefined;
  }

  /**
   * Decodes the file as `fallback`. Up to the first byte that is not ASCII, all bytes stay where
   * they are.
   * @throws MlpError as `decodeFile` does
   */
  async decodeFallback(): Promise<void> {
    const { fallback = WINDOWS_1252 } = this.#options;
    await this.#decode(fallback, true);
    this.notes.push(
      `${this.name}: the text is not UTF-8: it was read as ${shownEncoding(fallback)} (data.encoding can name another encoding)`,
    );
  }

  /**
   * Replaces the text, of which `chunks` are all, by a copy in RFC 4180. Later calls do nothing.
   * @throws MlpError as the chunks and `TemporaryFile` do
   */
  async rewrite(notation: Notation, chunks: AsyncIterable<Buffer>): Promise<void> {
    if (this.#isRewritten) return;
    this.#isRewritten = true;
    const rewriter = new Rewriter(notation);
    const copy = TemporaryFile.create(this.name);
    try {
      let isStart = true;
      for await (const chunk of chunks) {
        const mark = isStart && markedEncoding(chunk) === UTF8 ? MARK_LENGTH : 0;
        copy.write(rewriter.write(chunk.subarray(mark)));
        isStart = false;
      }
      copy.write(rewriter.end());
      this.requireUnchanged();
    } catch (error) {
      copy.close();
      throw error;
    }
    this.#file.close();
    this.#file = copy;
  }

  requireUnchanged(): void {
    this.#file.requireUnchanged();
  }

  close(): void {
    this.#file.close();
  }

  async #decodeStart(): Promise<void> {
    const { encoding = 'auto' } = this.#options;
    refuseOtherFile(this);
    const start = startOf(this);
    const marked = markedEncoding(start);
    if (encoding === 'auto') {
      const wide = marked ?? wideEncoding(start);
      if (wide === undefined || wide === UTF8) return;
      await this.#decode(wide, false);
      this.notes.push(`${this.name}: the text is in UTF-16`);
    } else {
      const named = marked ?? encodingNamed(encoding) ?? UTF8;
      if (named === UTF8) return;
      await this.#decode(named, false);
    }
    // Such as an HTML page in UTF-16.
    refuseOtherFile(this);
  }

  async #decode(encoding: string, guessed: boolean): Promise<void> {
    const stored = this.#file;
    const decoded = await decodeFile(stored, encoding, guessed, this.#options.progress);
    this.#file = decoded;
    this.encoding = encoding;
    try {
      stored.requireUnchanged();
    } finally {
      stored.close();
    }
  }
}

/** Of a byte order mark in UTF-8. */
const MARK_LENGTH = 3;
const STANDARD_INPUT = 0;

/** All files of a table are open at once, and a system allows some thousands. */
const MOST_FILES = 1000;

const GZIP = [0x1f, 0x8b];

/** Standard input can be read once. Afterwards its number may belong to another file. */
let standardInputTaken = false;

/** The path that `path` means in a config in `directory`; `-` stays standard input. */
export function sourcePath(path: string, directory: string): string {
  return path === '-' || isAbsolute(path) ? path : join(directory, path);
}

/**
 * The files that a config in `directory` names: a path, several, or patterns in which `*` is any text
 * of a name, in the order of the names.
 * @throws MlpError ExitCode.noInput for a pattern that fits no file; data for too many files
 */
export function filesOf(given: string | readonly string[], directory: string): string[] {
  const files = [given].flat().flatMap((path) => matchingFiles(path, directory));
  if (files.length <= MOST_FILES) return files;
  throw new MlpError(
    ExitCode.data,
    `${printable(files[0])} and others: found ${files.length} files, expected at most ${MOST_FILES} for a table`,
    'join some of them into one file',
  );
}

function matchingFiles(path: string, directory: string): string[] {
  if (!path.includes('*') || exists(sourcePath(path, directory))) return [path];
  const found = path.split('/').reduce(
    (folders, part) => {
      if (!part.includes('*')) return folders.map((folder) => `${folder}${part}/`);
      return folders.flatMap((folder) =>
        namesIn(sourcePath(folder || '.', directory))
          .filter((name) => matches(part, name) && (part.startsWith('.') || !name.startsWith('.')))
          .map((name) => `${folder}${name}/`),
      );
    },
    [''],
  );
  const files = found
    .map((name) => name.slice(0, -1))
    // A name that is not UTF-8 is an error, once it is opened.
    .filter((name) => name.includes('\ufffd') || exists(sourcePath(name, directory)));
  if (files.length > 0) return files;
  throw new MlpError(ExitCode.noInput, `${printable(path)}: found no file of such a name`);
}

function namesIn(folder: string): string[] {
  requireAnswer(folder);
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw readError(printable(folder), error);
  }
}

/**
 * Opens the file at `path`, or standard input for `-`; gzip is detected by content.
 * @throws MlpError ExitCode.noInput for a missing file, a directory, a device, or a pipe that nobody
 *   writes to; noPermission or io if it can't be read; data for a damaged gzip, for a file that is no text, or not in the encoding;
 *   cantCreate or io for a temporary file
 */
export async function openSource(path: string, options: OpenOptions = {}): Promise<Source> {
  const file = await openBytes(path, options);
  try {
    return await Source.of(file, options);
  } catch (error) {
    throw error instanceof MlpError ? error : readError(file.name, error);
  }
}

/** Opens a file, and unpacks it, of whatever format it is. */
export async function openBytes(
  path: string,
  { progress, keep }: Pick<OpenOptions, 'progress' | 'keep'> = {},
): Promise<OpenFile> {
  const name = path === '-' ? 'standard input' : printable(path);
  try {
    const file = await openFile(path, name, progress);
    keep?.(file instanceof StoredFile ? file.share() : undefined);
    if (keep && file instanceof StoredFile) await file.settle();
    return isGzip(file) ? await unpack(file, progress) : file;
  } catch (error) {
    throw error instanceof MlpError ? error : readError(name, error);
  }
}

/** The file at `path`, not unpacked. */
async function openFile(path: string, name: string, progress?: UnpackProgress): Promise<OpenFile> {
  // Standard input may be a file whose start has been read by another process: only a stream
  // continues from there.
  if (path === '-') return copyStream(takeStandardInput(), name, progress);
  const fd = openForReading(path);
  const stats = fstatSync(fd);
  if (stats.isFile()) return new StoredFile(name, fd, path);
  if (stats.isFIFO() || isatty(fd)) return copyStream(fd, name, progress);
  closeSync(fd);
  throw noPlainFile(name, stats);
}

async function unpack(packed: OpenFile, progress?: UnpackProgress): Promise<OpenFile> {
  try {
    return await unpackGzip(packed, progress);
  } finally {
    packed.close();
  }
}

function takeStandardInput(): number {
  if (standardInputTaken) {
    throw new MlpError(
      ExitCode.config,
      'standard input: found "-" for two files, expected it for one',
      'give the other one by its path',
    );
  }
  standardInputTaken = true;
  return STANDARD_INPUT;
}

function isGzip({ fd }: FileBytes): boolean {
  const start = new Uint8Array(GZIP.length);
  return readSync(fd, start, 0, GZIP.length, 0) === GZIP.length && GZIP.every((byte, i) => start[i] === byte);
}

/**
 * The files of a config in `directory`, with their hashes as they are now.
 * @throws MlpError ExitCode.noInput, io or noPermission for a file that can't be read
 */
export async function fingerprintData(config: DataConfig, directory: string): Promise<DataFile[]> {
  const files = new ReadFiles();
  try {
    for (const split of ['train', 'validation', 'test'] as const) {
      const given = config[split];
      if (typeof given !== 'string' && !Array.isArray(given)) continue;
      for (const path of filesOf(given, directory)) {
        files.add(`data.${split}`, path, openStored(sourcePath(path, directory)));
      }
    }
    return await files.hashes();
  } finally {
    files.close();
  }
}

/** The file at a path if it can be read more than once. */
function openStored(path: string): StoredFile | undefined {
  if (path === '-') return undefined;
  const fd = openForReading(path);
  if (fstatSync(fd).isFile()) return new StoredFile(printable(path), fd, path);
  closeSync(fd);
  return undefined;
}
