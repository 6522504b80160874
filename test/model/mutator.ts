/** Random damage to safetensors files, for the tests of what reads them. */
import { ExitCode, MlpError } from '../../src/errors.js';
import { Mt19937 } from '../../src/random/mt19937.js';
import { printable } from '../../src/text.js';

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

/** Damages safetensors files at random; the generator is seeded, so a seed always means the same files. */
export class Mutator {
  readonly #random = new Mt19937();

  constructor(
    private readonly files: readonly Buffer[],
    seed: number,
  ) {
    this.#random.seed(seed);
  }

  /** One of the files after one to three mutations. */
  next(): Buffer {
    let bytes: Buffer = this.#pick(this.files);
    for (let left = 1 + this.#below(3); left > 0; left--) {
      bytes = this.#below(2) === 0 ? this.#mutateHeader(bytes) : this.#mutateBytes(bytes);
    }
    return bytes;
  }

  /** One of the files after one to three mutations of the JSON texts in its metadata. */
  nextMetadata(): Buffer {
    const file = this.#pick(this.files);
    const length = Number(file.readBigUInt64LE());
    const { __metadata__: metadata, ...tensors } = JSON.parse(file.toString('utf8', 8, 8 + length));
    for (let left = 1 + this.#below(3); left > 0; left--) {
      const key = this.#pick(Object.keys(metadata));
      const tokens = [...metadata[key].matchAll(TOKEN)];
      if (tokens.length > 0) metadata[key] = this.#mutateToken(metadata[key], tokens);
      if (this.#below(20) === 0) delete metadata[key];
      if (Object.keys(metadata).length === 0) break;
    }
    return withHeader(JSON.stringify({ __metadata__: metadata, ...tensors }), file.subarray(8 + length));
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
    return withHeader(this.#mutateToken(text, tokens), file.subarray(8 + Number(length)));
  }

  #mutateToken(text: string, tokens: readonly RegExpExecArray[]): string {
    const { index, 0: token } = this.#pick(tokens);
    const [other] = this.#pick(tokens);
    const changed = this.#pick([this.#pick(HOSTILE), this.#pick(HOSTILE), other, '', token + other]);
    return text.slice(0, index) + changed + text.slice(index + token.length);
  }
}

function withHeader(text: string, data: Uint8Array): Buffer {
  const header = Buffer.from(text);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, data]);
}

/** Throws unless an error is one for the user, short and printable, of data (65) in the file at `path`. */
export function requireClean(error: unknown, path: string): void {
  if (!(error instanceof MlpError)) throw error;
  const { exitCode, message } = error;
  const isClean =
    exitCode === ExitCode.data &&
    message.startsWith(`${path}: `) &&
    /found .*expected|unknown .*expected|missing; expected|does not have/.test(message) &&
    message.length < path.length + 400 &&
    printable(message) === message;
  if (!isClean) throw new Error(`not a clean error: ${exitCode} ${JSON.stringify(message)}`);
}
