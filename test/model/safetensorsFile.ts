/** Safetensors files made byte by byte, for the tests of their reader. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { decodeHeader, type Header } from '../../src/model/safetensors/header.js';
import { folderWith } from '../spec/support.js';

export interface Layout {
  /** The header: bytes as they are, a text, or a value to be written as JSON. */
  header: unknown;
  /** Bytes after the header, or how many of them. */
  data?: Uint8Array | number;
  /** What the first 8 bytes say; the header's true length if left out. */
  length?: bigint;
}

export function bytesOf({ header, data = 0, length }: Layout): Uint8Array {
  const headerBytes =
    header instanceof Uint8Array
      ? header
      : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(headerBytes.length));
  return Buffer.concat([prefix, headerBytes, typeof data === 'number' ? new Uint8Array(data) : data]);
}

/** The header of a file called m.safetensors; fails where it is read beyond the file's end. What is read is added to `asked`. */
export function decode(bytes: Uint8Array, asked: [begin: number, length: number][] = []): Header {
  const read = (begin: number, length: number) => {
    if (begin + length > bytes.length) throw new Error(`read ${length} bytes at ${begin} of ${bytes.length}`);
    asked.push([begin, length]);
    return bytes.subarray(begin, begin + length);
  };
  return decodeHeader(read, bytes.length, 'm.safetensors');
}

/** A file for many contents in turn, gone after the test. One made anew each time is slow: some file systems wait for the disk. */
export function rewritable() {
  const path = join(folderWith({ 'm.safetensors': '' }), 'm.safetensors');
  const fd = openSync(path, 'r+');
  onTestFinished(() => closeSync(fd));
  const write = (bytes: Uint8Array) => {
    ftruncateSync(fd, bytes.length);
    writeSync(fd, bytes, 0, bytes.length, 0);
  };
  return { path, write };
}
