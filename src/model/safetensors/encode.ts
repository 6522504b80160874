/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header (name → dtype,
 * shape, byte range, and string metadata), then the tensors' bytes.
 * https://github.com/huggingface/safetensors#format
 */
import { createHash } from 'node:crypto';
import type { FloatArray } from '../../kernels/kernels.js';
import { type Dtype, isLittleEndian, reverseElements } from './dtype.js';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: FloatArray | Int32Array;
}

export interface EncodedTensors {
  /** Length prefix and header, padded with spaces so that the tensors are aligned to 8 bytes. */
  readonly header: Uint8Array;
  /** The bytes of each tensor, in the order given. */
  readonly parts: readonly Uint8Array[];
  /** SHA-256 of all parts in hexadecimal. Computed on first use, as slowly as they are written. */
  readonly sha256: string;
}

type Metadata = Readonly<Record<string, string>>;

const ALIGNMENT = 8;

/**
 * Encodes tensors (row-major, F32, F64 or I32) without copying their data: the parts are views of
 * it.
 * @param metadata or a function that makes them from the SHA-256 of all parts
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Metadata | ((sha256: string) => Metadata),
): EncodedTensors {
  const parts = tensors.map(({ data }) => littleEndianBytes(data));
  let sha256 = typeof metadata === 'function' ? hashOf(parts) : undefined;
  const texts = typeof metadata === 'function' ? metadata(sha256 as string) : metadata;
  // Entries, not properties: a tensor may be named __proto__.
  const header: [name: string, entry: unknown][] = [['__metadata__', texts]];
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    const end = offset + data.byteLength;
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  return {
    header: encodeHeader(Object.fromEntries(header)),
    parts,
    get sha256() {
      sha256 ??= hashOf(parts);
      return sha256;
    },
  };
}

function dtypeOf(data: NamedTensor['data']): Dtype {
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Float32Array ? 'F32' : 'F64';
}

/** SHA-256 of tensors, one after the other, as they lie in a file. */
export function hashTensors(tensors: Iterable<NamedTensor['data']>): string {
  return hashOf(Array.from(tensors, littleEndianBytes));
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function encodeHeader(header: Record<string, unknown>): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(ALIGNMENT + length).fill(0x20, ALIGNMENT + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, ALIGNMENT);
  return bytes;
}

function littleEndianBytes(data: NamedTensor['data']): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (isLittleEndian()) return bytes;
  const copy = bytes.slice();
  reverseElements(copy, data.BYTES_PER_ELEMENT);
  return copy;
}
