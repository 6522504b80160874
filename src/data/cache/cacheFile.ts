/**
 * The cache of a dataset: a file with the rows of the matrix, the arrays of the splits, and JSON of the
 * rest. It is named by a hash of what it was made of, which it holds, and appears whole or not at all.
 *
 *     rows [rows, columns] | arrays | JSON | a CRC-32 for each block of the file before it | trailer
 *
 * All numbers are little-endian. The trailer is a line of text of fixed length.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { ownerOfPartial, partialPath, syncFolder, writeFailure } from '../../files/atomic.js';
import { makeFolder } from '../../files/makeFolder.js';
import { isRunning } from '../../files/process.js';
import { bytesPerElement } from '../../kernels/arena.js';
import type { DType, FloatArray } from '../../kernels/kernels.js';
import { formatBytes, printable } from '../../text.js';
import type { Dataset } from '../dataset/dataset.js';
import { closeWith, type MatrixFile } from '../matrixFile.js';
import { type FileBytes, readAt } from '../source/fileBytes.js';
import { DamagedCache, describeDataset, restoreDataset, storeDataset } from './storedDataset.js';

/** Bytes that a CRC-32 is of. */
const BLOCK = 2 ** 20;
/** Another number for another format. */
export const CACHE_VERSION = 2;
const MAGIC = `mlp-cache ${CACHE_VERSION}`;
/** "mlp-cache 2", then in hexadecimal the key, where the arrays, the JSON and the CRCs begin, and the CRC-32 of the CRCs. */
const TRAILER = new RegExp(`^${MAGIC} ([0-9a-f]{64})${' ([0-9a-f]{12})'.repeat(3)} ([0-9a-f]{8})\n$`);
const TRAILER_BYTES = MAGIC.length + 65 + 3 * 13 + 9 + 1;
/** In bytes: a text of JavaScript is not longer. */
const LONGEST_TEXT = 511 * 2 ** 20;
/** Of the files in a folder of caches. */
export const CACHE_NAME = /^[0-9a-f]{64}\.mlpcache$/;

/** A message says what can be done instead. */
const OTHERWISE = 'name another folder in data.cache';

/** Where a cache is, or will be. */
export interface CachePlace {
  readonly folder: string;
  /** SHA-256 of all that the dataset depends on. */
  readonly key: string;
  readonly dtype: DType;
  /** What messages call the files of the dataset. */
  readonly paths: readonly string[];
}

export function cachePath({ folder, key }: CachePlace): string {
  return join(folder, `${key}.mlpcache`);
}

/** Writes a cache beside its name, row after row. */
export class CacheWriter {
  readonly matrix: MatrixFile;
  readonly #place: CachePlace;
  readonly #partial: string;
  readonly #fd: number;
  readonly #blocks: number[] = [];
  #crc = 0;
  #position = 0;
  #isFinished = false;

  private constructor(
    place: CachePlace,
    partial: string,
    fd: number,
    shape: Pick<MatrixFile, 'rows' | 'columns'>,
  ) {
    this.#place = place;
    this.#partial = partial;
    this.#fd = fd;
    const { dtype } = place;
    const size = shape.rows * shape.columns * bytesPerElement(dtype);
    this.matrix = { ...shape, dtype, bytes: { name: printable(cachePath(place)), fd, size } };
  }

  /**
   * Makes the folder, and a file in it that only its owner may read.
   * @throws MlpError ExitCode.io if the disk lacks the room; cantCreate or noPermission
   */
  static async begin(place: CachePlace, rows: number, columns: number): Promise<CacheWriter> {
    const path = cachePath(place);
    const partial = partialPath(path);
    try {
      makeFolder(place.folder, 0o700);
      removePartials(place.folder);
      requireRoom(path, place.folder, rows * columns * bytesPerElement(place.dtype));
      // Exclusive: it follows no link that somebody has put there.
      const fd = openSync(partial, 'wx+', 0o600);
      return new CacheWriter(place, partial, fd, { rows, columns });
    } catch (error) {
      throw writeFailure(path, error, OTHERWISE);
    }
  }

  /** Appends rows of the matrix, in their order. */
  append(rows: FloatArray): void {
    this.#write(bytesOf(rows));
  }

  /** Writes rows that are not in order yet: `append` writes over them. */
  writeAt(rows: FloatArray, row: number): void {
    this.#put(bytesOf(rows), this.#positionOf(row));
  }

  /** Reads such rows. */
  readAt(out: FloatArray, row: number): void {
    const bytes = bytesOf(out);
    readAt(this.matrix.bytes, bytes, 0, bytes.length, this.#positionOf(row));
  }

  #positionOf(row: number): number {
    return row * this.matrix.columns * bytesPerElement(this.matrix.dtype);
  }

  /**
   * Gives the file its name. It stays open for the dataset's matrix.
   * @param dataset on the matrix of this writer
   */
  async finish(dataset: Dataset): Promise<void> {
    const { text, arrays } = storeDataset(dataset, this.#place.paths);
    const path = cachePath(this.#place);
    try {
      const arraysAt = this.#position;
      for (const { buffer, byteOffset, byteLength } of arrays)
        this.#write(new Uint8Array(buffer, byteOffset, byteLength));
      const textAt = this.#position;
      this.#write(Buffer.from(text));
      const blocksAt = this.#position;
      if (blocksAt % BLOCK > 0) this.#blocks.push(this.#crc);
      const blocks = new Uint8Array(Uint32Array.from(this.#blocks).buffer);
      const places = [arraysAt, textAt, blocksAt].map((at) => hex(at, 12));
      this.#append(blocks);
      this.#append(Buffer.from([MAGIC, this.#place.key, ...places, `${hex(crc32(blocks), 8)}\n`].join(' ')));
      fsyncSync(this.#fd);
      renameSync(this.#partial, path);
      this.#isFinished = true;
      closeWith(this.matrix);
      await syncFolder(this.#place.folder);
    } catch (error) {
      throw writeFailure(path, error, OTHERWISE);
    }
  }

  /** Deletes a file that is not finished. May be called twice. */
  close(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    closeSync(this.#fd);
    rmSync(this.#partial, { force: true });
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const inBlock = this.#position % BLOCK;
      const part = bytes.subarray(done, done + BLOCK - inBlock);
      this.#append(part);
      this.#crc = crc32(part, inBlock === 0 ? 0 : this.#crc);
      done += part.length;
      if (this.#position % BLOCK === 0) this.#blocks.push(this.#crc);
    }
  }

  #append(bytes: Uint8Array): void {
    this.#put(bytes, this.#position);
    this.#position += bytes.length;
  }

  #put(bytes: Uint8Array, position: number): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      }
    } catch (error) {
      throw writeFailure(cachePath(this.#place), error, OTHERWISE);
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: FloatArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Deletes what dead processes have left; our own may be writing in the same folder. */
export function removePartials(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = ownerOfPartial(name);
    const isOurs = CACHE_NAME.test(name.slice(1).replace(/\.\d+\.[0-9a-f]{8}\.partial$/, ''));
    if (!isOurs || pid === process.pid || isRunning(pid)) continue;
    rmSync(join(folder, name), { force: true });
  }
}

/** The rest of the disk is left to others. */
const MOST_OF_ROOM = 0.9;

function requireRoom(path: string, folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const room = Math.floor(bavail * bsize * MOST_OF_ROOM);
  if (bytes <= room) return;
  throw new MlpError(
    ExitCode.io,
    `${printable(path)}: the rows need ${formatBytes(bytes)}, but the disk has room for ${formatBytes(room)}`,
    `free some space, or ${OTHERWISE}`,
  );
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * Opens a cache and verifies every byte of it; undefined if there is none.
 * @throws DamagedCache for a file that is not as it was written; MlpError noPermission or io
 */
export async function openCache(place: CachePlace): Promise<Dataset | undefined> {
  const file = openFile(cachePath(place));
  if (!file) return undefined;
  try {
    const dataset = await readDataset(file, place);
    closeWith(dataset.matrix as MatrixFile);
    return dataset;
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}

function openFile(path: string): FileBytes | undefined {
  const name = printable(path);
  let fd: number;
  try {
    // A link could lead to any file.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP') throw new DamagedCache('found a symbolic link, expected a file');
    if (code === 'ENXIO') throw new DamagedCache('found a socket, expected a file');
    throw readError(name, error);
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) return { name, fd, size: stats.size };
  closeSync(fd);
  throw new DamagedCache('found no plain file');
}

async function readDataset(file: FileBytes, { key, dtype, paths }: CachePlace): Promise<Dataset> {
  const { arraysAt, textAt, blocksAt, blocks } = readTrailer(file, key);
  const buffer = new Uint8Array(BLOCK);
  for (const [i, crc] of blocks.entries()) {
    const block = buffer.subarray(0, Math.min(BLOCK, blocksAt - i * BLOCK));
    readAt(file, block, 0, block.length, i * BLOCK);
    if (crc32(block) !== crc)
      throw new DamagedCache(`found other bytes than were written, from byte ${i * BLOCK} on`);
    if (i % 16 === 0) await nextTurn();
  }
  const arrays = new Arrays(file, arraysAt, textAt);
  const dataset = restoreDataset(
    readText(file, textAt, blocksAt),
    (name, length) => arrays.next(name, length),
    file,
    paths,
  );
  if (!arrays.isRead) throw new DamagedCache('found arrays of another length');
  const { rows, columns } = dataset.matrix;
  if (dataset.matrix.dtype !== dtype || rows * columns * bytesPerElement(dtype) !== arraysAt)
    throw new DamagedCache('found a matrix of another size');
  return dataset;
}

function readText(file: FileBytes, textAt: number, blocksAt: number): string {
  if (blocksAt - textAt > LONGEST_TEXT) throw new DamagedCache('found no dataset of ours');
  const text = Buffer.alloc(blocksAt - textAt);
  readAt(file, text, 0, text.length, textAt);
  return text.toString();
}

/** The arrays of a file, one after another. */
class Arrays {
  readonly #file: FileBytes;
  readonly #end: number;
  #position: number;

  constructor(file: FileBytes, start: number, end: number) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  get isRead(): boolean {
    return this.#position === this.#end;
  }

  next(name: 'Int32Array' | 'Float64Array', length: number): Int32Array | Float64Array {
    const bytes = length * (name === 'Int32Array' ? 4 : 8);
    if (!(bytes >= 0 && this.#position + bytes <= this.#end))
      throw new DamagedCache('found an array beyond the others');
    const array = name === 'Int32Array' ? new Int32Array(length) : new Float64Array(length);
    readAt(this.#file, new Uint8Array(array.buffer), 0, bytes, this.#position);
    this.#position += bytes;
    return array;
  }
}

/** What a list of caches says of one. */
export interface CacheContent {
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  readonly files: readonly string[];
}

/**
 * Reads what a cache is of, without its rows.
 * @throws DamagedCache; MlpError noPermission or io
 */
export function describeCache(path: string): CacheContent {
  const file = openFile(path);
  if (!file) throw new DamagedCache('found no file');
  try {
    const { textAt, blocksAt } = readTrailer(file, basename(path, '.mlpcache'));
    return describeDataset(readText(file, textAt, blocksAt));
  } finally {
    closeSync(file.fd);
  }
}

/** @param key of the rows that are expected */
function readTrailer(file: FileBytes, key: string) {
  const trailer = Buffer.alloc(Math.min(TRAILER_BYTES, file.size));
  readAt(file, trailer, 0, trailer.length, file.size - trailer.length);
  const text = trailer.toString('latin1');
  const found = TRAILER.exec(text);
  const [arraysAt, textAt, blocksAt, crc] =
    found?.slice(2).map((digits) => Number.parseInt(digits, 16)) ?? [];
  const bytes = file.size - TRAILER_BYTES - blocksAt;
  if (!found || arraysAt > textAt || textAt > blocksAt || bytes !== 4 * Math.ceil(blocksAt / BLOCK)) {
    throw new DamagedCache('found no end of a cache: the file is cut off, or not ours');
  }
  if (found[1] !== key) throw new DamagedCache('found the rows of other data, or of another config');
  const blocks = new Uint32Array(bytes / 4);
  readAt(file, new Uint8Array(blocks.buffer), 0, bytes, blocksAt);
  if (crc32(new Uint8Array(blocks.buffer)) !== crc)
    throw new DamagedCache('found other checksums than were written');
  return { arraysAt, textAt, blocksAt, blocks };
}
