/**
 * The pages of a column chunk. hyparquet parses the headers and the delta encodings. The common
 * encodings are decoded here: by whole pages into typed arrays, and dictionaries as codes.
 */
import { crc32 } from 'node:zlib';
import type { ColumnMetaData, Encoding, PageHeader, SchemaElement } from 'hyparquet';
import { alpDecode } from 'hyparquet/src/alp.js';
import { parquetHeader } from 'hyparquet/src/column.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import { decompressed } from './codecs.js';
import { type Codes, Damage, lookUp } from './codes.js';

/**
 * Values of a physical type: BOOLEAN as 0 and 1, INT96 and byte arrays as their bytes, all others as
 * numbers of the type.
 */
export type Values = Int32Array | BigInt64Array | Float32Array | Float64Array | Uint8Array | Uint8Array[];

export interface Page {
  readonly rows: number;
  /** [rows] 1 for a row with a value, 0 for a null; undefined if no row is null. */
  readonly present?: Uint8Array;
  /** The values of the rows that have one; of a dictionary if there are codes. */
  readonly values: Values;
  /** For each row that has a value, its number in the dictionary `values`. */
  readonly codes?: Codes;
}

/** A leaf of the schema that is not nested. */
export interface Leaf {
  readonly element: SchemaElement;
  readonly isOptional: boolean;
}

/** Bytes that usually hold the header of a page. As many are read at once as hold four. */
const LOOK = 2 ** 12;

const BYTES_OF_VIEW = 100;

/** Bytes of a file, from a position in a column chunk on. */
export type ChunkBytes = (at: number, length: number) => Uint8Array;

/** Reads the pages of a column chunk, of which only one is in memory at a time. */
export class PageReader {
  readonly #bytes: ChunkBytes;
  readonly #length: number;
  readonly #leaf: Leaf;
  readonly #codec: ColumnMetaData['codec'];
  readonly #rows: number;
  #look: { readonly at: number; readonly bytes: Uint8Array } = { at: 0, bytes: new Uint8Array() };
  /** Where the next page begins, and the rows before it. */
  #next = { at: 0, done: 0 };
  #last = this.#next;
  #dictionary: { readonly at: number; values: Values | undefined } | undefined;

  /**
   * @param length of the chunk in bytes
   * @param rows of the chunk
   */
  constructor(
    bytes: ChunkBytes,
    length: number,
    leaf: Leaf,
    { codec }: Pick<ColumnMetaData, 'codec'>,
    rows: number,
  ) {
    this.#bytes = bytes;
    this.#length = length;
    this.#leaf = leaf;
    this.#codec = codec;
    this.#rows = rows;
  }

  /** The rows before the next page. */
  get done(): number {
    return this.#next.done;
  }

  /**
   * The next page, or the first one that ends after row `from`; undefined after the last row.
   * @throws Error for anything but pages of so many rows
   */
  next(from = 0): Page | undefined {
    const rows = this.#rows;
    while (this.#next.done < rows) {
      this.#last = this.#next;
      const { at, done } = this.#next;
      if (at >= this.#length) throw new Damage(`found ${done} rows, expected ${rows}`);
      const { header, body, end } = this.#pageAt(at);
      if (header.type === 'DICTIONARY_PAGE') {
        this.#dictionary = { at, values: this.#readDictionary(header, body) };
        this.#next = { at: end, done };
      } else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
        const { num_values: count } = required<{ num_values: number }>(
          header.data_page_header ?? header.data_page_header_v2,
        );
        requireCount(count);
        this.#next = { at: end, done: done + count };
        if (done + count > rows) throw new Damage(`found more than ${rows} rows`);
        if (done + count <= from) continue;
        this.#requireSound(header, body);
        const page =
          header.type === 'DATA_PAGE'
            ? dataPage(body, header, this.#leaf, this.#codec)
            : dataPageV2(body, header, this.#leaf, this.#codec);
        return readValues(page, this.#leaf.element, () => this.#dictionaryValues());
      }
      // An index page tells nothing about the rows.
      else this.#next = { at: end, done };
    }
    return undefined;
  }

  /** Goes back before the page that `next` has returned last. */
  back(): void {
    this.#next = this.#last;
  }

  /** Of the dictionary in memory, about. */
  get dictionaryBytes(): number {
    const { values } = this.#dictionary ?? {};
    if (!Array.isArray(values)) return values?.byteLength ?? 0;
    return values.reduce((sum, { length }) => sum + BYTES_OF_VIEW + length, 0);
  }

  /** Frees the dictionary until a page needs it. */
  forget(): void {
    if (this.#dictionary) this.#dictionary.values = undefined;
  }

  #dictionaryValues(): Values | undefined {
    const dictionary = this.#dictionary;
    if (dictionary && dictionary.values === undefined) {
      const { header, body } = this.#pageAt(dictionary.at);
      dictionary.values = this.#readDictionary(header, body);
    }
    return dictionary?.values;
  }

  #readDictionary(header: PageHeader, body: Uint8Array): Values {
    this.#requireSound(header, body);
    const { num_values: count } = required(header.dictionary_page_header);
    const page = decompressed(body, header.uncompressed_page_size, this.#codec);
    return readPlain(page, 0, this.#leaf.element, count);
  }

  #requireSound({ crc }: PageHeader, body: Uint8Array): void {
    if (crc !== undefined && crc32(body) !== crc >>> 0) throw new Damage('found a wrong checksum');
  }

  #pageAt(at: number): { header: PageHeader; body: Uint8Array; end: number } {
    const { header, start } = this.#headerAt(at);
    const size = header.compressed_page_size;
    if (!(size >= 0 && start + size <= this.#length)) throw new Damage('found a page that is cut short');
    return { header, body: this.#read(start, size), end: start + size };
  }

  #headerAt(at: number): { header: PageHeader; start: number } {
    const rest = this.#length - at;
    // It may be longer than what was read.
    for (let length = Math.min(LOOK, rest); ; length = Math.min(16 * length, rest)) {
      const bytes = this.#read(at, length);
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
      try {
        const header = parquetHeader(reader);
        if (reader.offset <= length || length === rest) return { header, start: at + reader.offset };
      } catch (error) {
        if (length === rest) throw error;
      }
    }
  }

  #read(at: number, length: number): Uint8Array {
    const { at: start, bytes } = this.#look;
    if (at >= start && at + length <= start + bytes.length)
      return bytes.subarray(at - start, at - start + length);
    if (length > LOOK) return this.#bytes(at, length);
    this.#look = { at, bytes: this.#bytes(at, Math.min(4 * LOOK, this.#length - at)) };
    return this.#look.bytes.subarray(0, length);
  }
}

/** A page without its levels. */
interface DataPage {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly encoding: Encoding;
  readonly rows: number;
  readonly present?: Uint8Array;
}

function dataPage(
  body: Uint8Array,
  header: PageHeader,
  leaf: Leaf,
  codec: ColumnMetaData['codec'],
): DataPage {
  const { num_values: rows, encoding, definition_level_encoding: levels } = required(header.data_page_header);
  requireCount(rows);
  const bytes = decompressed(body, header.uncompressed_page_size, codec);
  if (!leaf.isOptional) return { bytes, at: 0, encoding, rows };
  if (levels !== 'RLE') throw new Damage(`found the encoding ${levels} of levels, expected RLE`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const present = readLevels(bytes, 4, 4 + length, rows);
  return { bytes, at: 4 + length, encoding, rows, ...(present && { present }) };
}

function dataPageV2(
  body: Uint8Array,
  header: PageHeader,
  leaf: Leaf,
  codec: ColumnMetaData['codec'],
): DataPage {
  const {
    num_values: rows,
    encoding,
    definition_levels_byte_length: length,
    repetition_levels_byte_length: repetition,
    is_compressed: isCompressed,
  } = required(header.data_page_header_v2);
  requireCount(rows);
  if (repetition !== 0 || !(length >= 0 && length <= body.length))
    throw new Damage('found levels of a nested column');
  const present = leaf.isOptional ? readLevels(body, 0, length, rows) : undefined;
  const rest = body.subarray(length);
  const size = header.uncompressed_page_size - length;
  // A page without values may have no bytes at all.
  const bytes = isCompressed === false || size === 0 ? rest : decompressed(rest, size, codec);
  return { bytes, at: 0, encoding, rows, ...(present && { present }) };
}

/** [rows] 1 where the level is 1; undefined if it is everywhere. */
function readLevels(bytes: Uint8Array, at: number, end: number, rows: number): Uint8Array | undefined {
  // Most often it is one run of ones.
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at };
  if (readVarInt(reader) === 2 * rows && reader.offset < end && bytes[reader.offset] === 1) return undefined;
  const present = readBits({ bytes, at, end, width: 1, count: rows });
  return present.includes(0) ? present : undefined;
}

function readBits(codes: Codes): Uint8Array {
  const bits = new Uint8Array(codes.count);
  lookUp(codes, Uint8Array.of(0, 1), bits);
  return bits;
}

function readValues(
  { bytes, at, encoding, rows, present }: DataPage,
  element: SchemaElement,
  dictionaryOf: () => Values | undefined,
): Page {
  const count = present ? countOnes(present) : rows;
  const known = present && { present };
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    const dictionary = dictionaryOf();
    if (dictionary === undefined) throw new Damage('found codes without a dictionary');
    // A page of nulls has no byte for the width.
    const codes = { bytes, at: at + 1, end: bytes.length, width: count === 0 ? 0 : bytes[at], count };
    return { rows, values: dictionary, codes, ...known };
  }
  return { rows, values: decode(bytes, at, encoding, element, count), ...known };
}

function decode(
  bytes: Uint8Array,
  at: number,
  encoding: Encoding,
  element: SchemaElement,
  count: number,
): Values {
  const { type, type_length: length } = element;
  if (encoding === 'PLAIN') return readPlain(bytes, at, element, count);
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    return readBits({ bytes, at: at + 4, end: bytes.length, width: 1, count });
  }
  if (count === 0) return [];
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at };
  switch (encoding) {
    case 'DELTA_BINARY_PACKED': {
      const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, values);
      return values;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count);
      const unpack = encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray;
      unpack(reader, count, values);
      return values;
    }
    case 'BYTE_STREAM_SPLIT':
      return byteStreamSplit(reader, count, required(type), length) as Values;
    case 'ALP':
      return alpDecode(reader, count, required(type)) as Values;
    default:
      throw new Damage(`found the encoding ${encoding}, expected one of Parquet's`);
  }
}

/** `count` values one after the other. */
function readPlain(
  bytes: Uint8Array,
  at: number,
  { type, type_length: length }: SchemaElement,
  count: number,
): Values {
  requireCount(count);
  const fixed = (width: number) => {
    const end = at + count * width;
    if (end > bytes.length) throw new Damage('found a page with too few values');
    // A copy, which is aligned.
    return bytes.slice(at, end);
  };
  switch (type) {
    case 'INT32':
      return new Int32Array(fixed(4).buffer);
    case 'INT64':
      return new BigInt64Array(fixed(8).buffer);
    case 'FLOAT':
      return new Float32Array(fixed(4).buffer);
    case 'DOUBLE':
      return new Float64Array(fixed(8).buffer);
    case 'BOOLEAN': {
      if (at + Math.ceil(count / 8) > bytes.length) throw new Damage('found a page with too few values');
      return Uint8Array.from({ length: count }, (_, i) => (bytes[at + (i >> 3)] >> (i & 7)) & 1);
    }
    case 'BYTE_ARRAY':
      return readByteArrays(bytes, at, count);
    default: {
      const width = type === 'INT96' ? 12 : required(length);
      const all = fixed(width);
      return Array.from({ length: count }, (_, i) => all.subarray(i * width, (i + 1) * width));
    }
  }
}

function readByteArrays(bytes: Uint8Array, at: number, count: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Each has four bytes for its length.
  if (4 * count > bytes.length) throw new Damage('found a page with too few values');
  const values = new Array<Uint8Array>(count);
  for (let i = 0; i < count; i++) {
    const start = at + 4;
    const end = start + view.getUint32(at, true);
    if (end > bytes.length) throw new Damage('found a value that is cut short');
    values[i] = bytes.subarray(start, end);
    at = end;
  }
  return values;
}

function countOnes(present: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < present.length; i++) count += present[i];
  return count;
}

function requireCount(count: number): void {
  if (!(count >= 0)) throw new Damage('found a negative number of values');
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Damage('found an incomplete header');
  return value;
}
