/** The format is little-endian; few machines are not. */
import { endianness } from 'node:os';

export function isLittleEndian(): boolean {
  return endianness() === 'LE';
}

/** Reverses the bytes of each element of 1, 2, 4 or 8 bytes, in place. */
export function reverseElements(bytes: Uint8Array, elementBytes: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (elementBytes === 2) buffer.swap16();
  else if (elementBytes === 4) buffer.swap32();
  else if (elementBytes === 8) buffer.swap64();
}
