/** Reads a safetensors file: its header once, checked, then one tensor at a time. */
import { closeSync } from 'node:fs';
import { type FileBytes, readAt } from '../../data/source/fileBytes.js';
import { ExitCode, MlpError } from '../../errors.js';
import { openPlainFile } from '../../files/plainFile.js';
import { quote } from '../../text.js';
import { ARRAYS, BITS, isLittleEndian, reverseElements, type TensorData } from './dtype.js';
import { decodeHeader, type Header, type TensorInfo, tensorPlace } from './header.js';

export interface SafetensorsFile extends Header {
  /**
   * A copy of a tensor's elements, row-major.
   * @throws MlpError ExitCode.data if there is no such tensor, its type has no array (bool,
   * complex, less than single precision), or memory has no room for it; io if the file has become
   * shorter or can't be read
   */
  read(name: string): TensorData;
  /** Closes the file: nothing can be read after it. May be called twice. */
  close(): void;
}

/**
 * Opens a safetensors file and checks its header; the caller closes it. Memory is allocated for the
 * header alone, and only once the file is known to be as long as the header claims.
 *
 * @param of its path, or the file itself, which is closed with it
 * @param start where its content starts in the file, after other bytes; positions are counted from
 * there
 * @throws MlpError ExitCode.data as `decodeHeader` if it is damaged, noInput if it is missing or no
 * plain file, noPermission or io if it can't be read
 */
export function openSafetensors(of: string | FileBytes, start = 0): SafetensorsFile {
  const file = typeof of === 'string' ? openPlainFile(of) : of;
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(file.fd);
    isOpen = false;
  };
  try {
    const readPart = (begin: number, length: number) => readBytes(file, start + begin, length);
    const header = decodeHeader(readPart, Math.max(file.size - start, 0), file.name);
    const read = (name: string) => {
      // By now the descriptor may belong to another file.
      if (!isOpen) throw new Error(`${file.name} was read after it was closed`);
      return readTensor(file, start, header, name);
    };
    return { ...header, read, close };
  } catch (error) {
    close();
    throw error;
  }
}

function readTensor(file: FileBytes, start: number, { tensors }: Header, name: string): TensorData {
  const info = tensors.get(name);
  if (info === undefined) {
    throw new MlpError(
      ExitCode.data,
      `${file.name}: found no tensor ${quote(name)} among its ${tensors.size}, expected one of that name`,
    );
  }
  const place = tensorPlace(file.name, name);
  const array = emptyArray(info, place);
  const bytes = new Uint8Array(array.buffer);
  readAt(file, bytes, 0, bytes.length, start + info.begin);
  if (!isLittleEndian()) reverseElements(bytes, array.BYTES_PER_ELEMENT);
  return array;
}

/** An array for the elements of a tensor. */
function emptyArray({ dtype, begin, end }: TensorInfo, place: string): TensorData {
  const TypedArray = ARRAYS[dtype];
  if (TypedArray === undefined) {
    throw new MlpError(
      ExitCode.data,
      `${place}: found dtype ${dtype}, expected one of ${Object.keys(ARRAYS).join(', ')}`,
    );
  }
  try {
    return new TypedArray(((end - begin) * 8) / BITS[dtype]);
  } catch (error) {
    // The file is that long, but may have holes that take no space on the disk.
    throw new MlpError(
      ExitCode.data,
      `${place}: found ${end - begin} bytes, expected no more than memory has room for`,
      undefined,
      { cause: error },
    );
  }
}

function readBytes(file: FileBytes, begin: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readAt(file, bytes, 0, length, begin);
  return bytes;
}
