/**
 * The header of a safetensors file: 8 bytes of length (little-endian), then JSON (name → dtype,
 * shape and byte range), then the bytes of the tensors. The file may come from anywhere: every
 * claim of the header is checked against the size of the file before it is used. Anything that the
 * format does not define is refused, so that nothing rides along unseen.
 * https://github.com/huggingface/safetensors#format
 */
import { asDataError, ExitCode, MlpError } from '../../errors.js';
import { isObject, parseJson } from '../../spec/json.js';
import { printable, quote, showValue } from '../../text.js';
import { BITS, type Dtype, isDtype } from './dtype.js';

export interface TensorInfo {
  readonly dtype: Dtype;
  /** Row-major; [] is a scalar. */
  readonly shape: readonly number[];
  /** Position of the first byte in the file. */
  readonly begin: number;
  /** Position after the last byte in the file. */
  readonly end: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

type NamedTensor = readonly [name: string, info: TensorInfo];

/** Reads `length` bytes of the file from position `begin`. */
export type ReadBytes = (begin: number, length: number) => Uint8Array;

const LENGTH_BYTES = 8;
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';
const KEYS = ['data_offsets', 'dtype', 'shape'];
const OPENING_BRACE = 0x7b;

const OTHER_FILE = 'it is no safetensors file, or damaged';
const CUT_SHORT = 'the file may be cut short; copy it again';

/**
 * Reads and checks the header of a file of `size` bytes, and nothing beyond the header. JSON beyond
 * the limits of `parseJson` (100,000 values, some 12,000 tensors) is refused.
 *
 * @param name the file, as messages name it
 * @throws MlpError ExitCode.data for any fault, and what `read` throws
 */
export function decodeHeader(read: ReadBytes, size: number, name: string): Header {
  const file = printable(name);
  const length = headerLength(read, size, file);
  const { [METADATA]: texts = {}, ...entries } = parseHeader(
    headerText(read(LENGTH_BYTES, length), file),
    file,
  );
  const metadata = metadataMap(texts, `${file}: ${METADATA}`);
  const dataBegin = LENGTH_BYTES + length;
  const tensors = Object.entries(entries)
    .map(([key, entry]): NamedTensor => [key, tensorInfo(entry, dataBegin, size, tensorPlace(file, key))])
    .sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  requireCovered(tensors, dataBegin, size, file);
  return { metadata, tensors: new Map(tensors) };
}

/** The location of a tensor in error messages. */
export function tensorPlace(file: string, name: string): string {
  return `${file}: tensor ${quote(name)}`;
}

function headerLength(read: ReadBytes, size: number, file: string): number {
  if (size < LENGTH_BYTES) {
    throw damage(file, `found ${size} bytes, expected a safetensors file, which has ${LENGTH_BYTES} or more`);
  }
  const bytes = read(0, LENGTH_BYTES);
  // A bigint until it is known to be small: as a number, 2⁶⁴ − 1 would be rounded.
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw damage(
      file,
      `found a header of ${length} bytes, expected one of at most ${MAX_HEADER_BYTES}`,
      OTHER_FILE,
    );
  }
  const rest = size - LENGTH_BYTES;
  if (length > rest) {
    throw damage(
      file,
      `found a header of ${length} bytes, expected at most the ${rest} that follow`,
      CUT_SHORT,
    );
  }
  return Number(length);
}

function headerText(bytes: Uint8Array, file: string): string {
  if (bytes[0] !== OPENING_BRACE) {
    const found = bytes.length === 0 ? 'no header' : `a header that begins with byte ${bytes[0]}`;
    throw damage(
      file,
      `found ${found}, expected one that begins with "{" (byte ${OPENING_BRACE})`,
      OTHER_FILE,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw damage(file, 'found a header that is not UTF-8, expected JSON in UTF-8', OTHER_FILE, error);
  }
}

/** Parses `text`, which is an object, since it begins with a brace. */
function parseHeader(text: string, file: string): Record<string, unknown> {
  const header = asDataError(() => parseJson(text, `${file}: header`));
  const padding = text.slice(text.lastIndexOf('}') + 1);
  if (/[^ ]/.test(padding)) {
    throw damage(file, `found ${quote(padding)} after the JSON of the header, expected nothing but spaces`);
  }
  return header as Record<string, unknown>;
}

function metadataMap(metadata: unknown, place: string): Map<string, string> {
  if (!isObject(metadata)) {
    throw damage(place, `found ${showValue(metadata)}, expected an object of strings`);
  }
  const map = new Map<string, string>();
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw damage(place, `found ${showValue(value)} for ${quote(key)}, expected a string`);
    }
    map.set(key, value);
  }
  return map;
}

function tensorInfo(entry: unknown, dataBegin: number, size: number, place: string): TensorInfo {
  if (!isObject(entry)) {
    throw damage(place, `found ${showValue(entry)}, expected an object with dtype, shape and data_offsets`);
  }
  const keys = Object.keys(entry).sort();
  if (keys.length !== KEYS.length || keys.some((key, i) => key !== KEYS[i])) {
    throw damage(place, `found the keys ${showValue(keys)}, expected dtype, shape and data_offsets`);
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    throw damage(place, `found dtype ${showValue(dtype)}, expected one of ${Object.keys(BITS).join(', ')}`);
  }
  if (!isSizes(shape)) {
    throw damage(
      place,
      `found shape ${showValue(shape)}, expected an array of whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw damage(place, `found data_offsets ${showValue(offsets)}, expected two whole numbers, [begin, end]`);
  }
  const [begin, end] = offsets;
  const bytes = byteLength(dtype, shape, place);
  if (end - begin !== bytes) {
    throw damage(
      place,
      `found ${end - begin} bytes by data_offsets, expected ${bytes} by shape ${showValue(shape)} of ${dtype}`,
    );
  }
  if (end > size - dataBegin) {
    throw damage(
      place,
      `found data_offsets ${showValue(offsets)}, expected them within the ${size - dataBegin} bytes after the header`,
      CUT_SHORT,
    );
  }
  return { dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function byteLength(dtype: Dtype, shape: readonly number[], place: string): number {
  let bits: number = BITS[dtype];
  for (const extent of shape) {
    bits *= extent;
    // After every factor: a 0 at the end would hide that the product is no longer exact.
    if (!Number.isSafeInteger(bits)) {
      throw damage(
        place,
        `found shape ${showValue(shape)} of ${dtype}, expected one of fewer than 2^50 bytes`,
      );
    }
  }
  if (bits % 8 !== 0) {
    throw damage(place, `found shape ${showValue(shape)} of ${dtype}, ${bits} bits, expected whole bytes`);
  }
  return bits / 8;
}

/**
 * Checks that every byte after the header belongs to exactly one tensor. The tensors are sorted by
 * position.
 */
function requireCovered(
  tensors: readonly NamedTensor[],
  dataBegin: number,
  size: number,
  file: string,
): void {
  let covered = dataBegin;
  let previous = 'the header';
  for (const [name, { begin, end }] of tensors) {
    if (begin !== covered) {
      const fault = begin > covered ? 'after a hole' : 'where they overlap';
      throw damage(
        tensorPlace(file, name),
        `found its bytes to begin at ${begin - dataBegin}, ${fault}, expected ${covered - dataBegin}, the end of ${previous}`,
      );
    }
    covered = end;
    previous = `tensor ${quote(name)}`;
  }
  if (covered !== size) {
    throw damage(
      file,
      `found ${size - covered} bytes after the end of ${previous}, expected the file to end there`,
    );
  }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function damage(place: string, problem: string, hint?: string, cause?: unknown): MlpError {
  return new MlpError(ExitCode.data, `${place}: ${problem}`, hint, { cause });
}
