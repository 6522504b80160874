/**
 * The wire format of Protocol Buffers, as far as ONNX and TensorBoard need it: varints, fields with a
 * length, and floats. Written by hand because ten kinds of messages need no generator.
 * https://protobuf.dev/programming-guides/encoding
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** A message of fewer bytes becomes one part of the one that it goes into: its many small ones would take more. */
const SMALL_MESSAGE = 2 ** 16;

/** A message in the order in which its fields are added. Bytes are not copied, but those of small messages. */
export class Message {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** All bytes, in parts. */
  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }

  /** @param value a whole number; a negative one takes ten bytes */
  integer(field: number, value: number | bigint): this {
    return this.#add([varint(key(field, VARINT)), varint(value)]);
  }

  float(field: number, value: number): this {
    return this.#add([varint(key(field, FIXED32)), new Uint8Array(Float32Array.of(value).buffer)]);
  }

  double(field: number, value: number): this {
    return this.#add([varint(key(field, FIXED64)), new Uint8Array(Float64Array.of(value).buffer)]);
  }

  text(field: number, value: string): this {
    return this.bytes(field, [Buffer.from(value)]);
  }

  message(field: number, message: Message): this {
    const { parts, size } = message;
    return this.bytes(field, size < SMALL_MESSAGE ? [Buffer.concat(parts)] : parts, size);
  }

  bytes(field: number, parts: readonly Uint8Array[], size = sizeOf(parts)): this {
    return this.#add([varint(key(field, LENGTH)), varint(size)]).#add(parts);
  }

  #add(parts: readonly Uint8Array[]): this {
    // One by one: a model may have more parts than a call takes arguments.
    for (const part of parts) {
      this.#parts.push(part);
      this.#size += part.length;
    }
    return this;
  }
}

function key(field: number, type: number): number {
  return field * 8 + type;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** A field as it was read: an integer, a float, or bytes. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * The fields of a message in their order. Integers beyond 2⁵³ lose their last digits.
 * @throws RangeError for bytes that are no message
 */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === VARINT) yield { number, value: readVarint() };
    else if (tag % 8 === FIXED32) {
      yield { number, value: view.getFloat32(at, true) };
      at += 4;
    } else if (tag % 8 === LENGTH) {
      const length = readVarint();
      if (at + length > bytes.length) throw new RangeError(`field ${number} ends behind its message`);
      yield { number, value: bytes.subarray(at, at + length) };
      at += length;
    } else throw new RangeError(`field ${number} has the type ${tag % 8}`);
  }
}
