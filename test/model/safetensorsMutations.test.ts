/**
 * Damaged at random: 2,000 files, or as many as MLP_MUTATIONS says. The generator is seeded, so a number always means the same files.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { openSafetensors, type SafetensorsFile } from '../../src/model/safetensors/decode.js';
import { ARRAYS } from '../../src/model/safetensors/dtype.js';
import { Mt19937 } from '../../src/random/mt19937.js';
import { printable } from '../../src/text.js';
import { projectPath } from '../support/fixtures.js';
import { rewritable } from './safetensorsFile.js';

const MUTATIONS = Number(process.env.MLP_MUTATIONS ?? 2000);
const FILES = ['network', 'types', 'unreadable', 'empty'].map((name) =>
  readFileSync(projectPath(`test/fixtures/safetensors/${name}.safetensors`)),
);

/** What takes the place of a number or a word of the header, beside the others that it has. */
const HOSTILE = [
  ...['0', '-1', '-0', '1', '3', '0.5', '1e3', '1e999', '4294967296', '2147483648', '9007199254740991'],
  ...[
    '9007199254740992',
    '9223372036854775807',
    '18446744073709551615',
    'null',
    'true',
    '[]',
    '{}',
    '[[]]',
    '""',
  ],
  ...[
    '"F64"',
    '"U8"',
    '"F4"',
    '"BOOL"',
    '"__metadata__"',
    '"__proto__"',
    '"shape"',
    '"data_offsets"',
    '"dtype"',
  ],
];
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+|[[\]{},:]/g;

class Mutator {
  readonly #random = new Mt19937();

  constructor(seed: number) {
    this.#random.seed(seed);
  }

  /** One of the files after one to three mutations. */
  next(): Buffer {
    let bytes: Buffer = this.#pick(FILES);
    for (let left = 1 + this.#below(3); left > 0; left--) {
      bytes = this.#below(2) === 0 ? this.#mutateHeader(bytes) : this.#mutateBytes(bytes);
    }
    return bytes;
  }

  #below(bound: number): number {
    return (this.#random.nextInt32() >>> 0) % bound;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)];
  }

  #mutateBytes(file: Buffer): Buffer {
    const bytes = Buffer.from(file);
    const at = this.#below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.#below(16));
    const random = Buffer.from(Array.from({ length: end - at }, () => this.#below(256)));
    switch (this.#below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << this.#below(8);
        return bytes;
      case 1:
        random.copy(bytes, at);
        return bytes;
      case 2:
        return Buffer.concat([bytes.subarray(0, at), random, bytes.subarray(at)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
      case 4:
        return bytes.subarray(0, at);
      default:
        // The length, whose high bytes chance would hardly ever leave alone.
        if (bytes.length >= 8) bytes[this.#pick([0, 0, 1, 2, 3, 7])] = this.#below(256);
        return bytes;
    }
  }

  /** Changes a token of the header and keeps its length right, so that what follows is read. */
  #mutateHeader(file: Buffer): Buffer {
    const length = file.length < 8 ? 0n : file.readBigUInt64LE();
    if (length === 0n || length > file.length - 8) return this.#mutateBytes(file);
    const text = file.toString('utf8', 8, 8 + Number(length));
    const tokens = [...text.matchAll(TOKEN)];
    if (tokens.length === 0) return this.#mutateBytes(file);
    const { index, 0: token } = this.#pick(tokens);
    const [other] = this.#pick(tokens);
    const changed = this.#pick([this.#pick(HOSTILE), this.#pick(HOSTILE), other, '', token + other]);
    const header = Buffer.from(text.slice(0, index) + changed + text.slice(index + token.length));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([prefix, header, file.subarray(8 + Number(length))]);
  }
}

/**
 * Opens a file and reads all its tensors. Either a clean error says what is wrong (false), or every tensor is as long as
 * its shape says and holds the bytes that the file has for it (true); anything else is thrown.
 */
function isReadable(path: string, bytes: Buffer): boolean {
  let file: SafetensorsFile;
  try {
    file = openSafetensors(path);
  } catch (error) {
    requireClean(error, path);
    return false;
  }
  for (const [name, { dtype, shape, begin, end }] of file.tensors) {
    try {
      const data = file.read(name);
      const elements = shape.reduce((product, extent) => product * extent, 1);
      if (data.length !== elements) throw new Error(`${data.length} elements when expected ${elements}`);
      if (bytes.compare(new Uint8Array(data.buffer), 0, data.byteLength, begin, end) !== 0) {
        throw new Error(`the bytes of ${JSON.stringify(name)} are not the file's`);
      }
    } catch (error) {
      if (ARRAYS[dtype] !== undefined) throw error;
      requireClean(error, path);
    }
  }
  file.close();
  return true;
}

function requireClean(error: unknown, path: string): void {
  if (!(error instanceof MlpError)) throw error;
  const { exitCode, message } = error;
  const isClean =
    exitCode === ExitCode.data &&
    message.startsWith(`${path}: `) &&
    /found .*(expected|inside one another)/.test(message) &&
    message.length < path.length + 400 &&
    printable(message) === message;
  if (!isClean) throw new Error(`not a clean error: ${exitCode} ${JSON.stringify(message)}`);
}

describe('a damaged file', () => {
  it(`is refused with a clean error or read as it is: ${MUTATIONS} of them`, { timeout: 600_000 }, () => {
    const { path, write } = rewritable();
    const mutator = new Mutator(5);
    let readable = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutator.next();
      write(bytes);
      try {
        if (isReadable(path, bytes)) readable++;
      } catch (error) {
        throw new Error(`mutation ${i}: ${bytes.toString('latin1')}`, { cause: error });
      }
    }
    // Elements, metadata and names may be any, so some mutations do no harm; the header's numbers may not.
    expect(readable / MUTATIONS).toBeGreaterThan(0.01);
    expect(readable / MUTATIONS).toBeLessThan(0.1);
  });

  it.each(FILES.map((bytes) => [bytes.length, bytes]))(
    'is refused wherever it is cut: %d bytes',
    (_, bytes) => {
      const { path, write } = rewritable();
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        write(cut);
        expect(isReadable(path, cut), `${length} bytes`).toBe(false);
      }
      write(bytes);
      expect(isReadable(path, bytes)).toBe(true);
    },
  );
});
