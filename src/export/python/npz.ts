/**
 * Tensors as NumPy's `.npz`: a zip file without compression whose entries are `.npy` files
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
import { crc32 } from 'node:zlib';
import type { FloatArray } from '../../kernels/kernels.js';
import { formatBytes } from '../../text.js';
import { computeProgram, type Exported, type ExportedFile, type Format, impossible } from '../format.js';
import type { Program } from '../program.js';

/** The sizes of a zip file without Zip64 have 32 bits. */
const MOST_BYTES = 2 ** 32 - 1;

export const npz: Format = {
  endings: ['.npz'],
  write({ program, ending }): Exported {
    const file = npzFile('npz', program, ending);
    return {
      files: [file],
      compute: computeFile(program, file),
      checkedBy: 'the weights of the file, read again, with the steps of mlp',
      notes: ['an npz holds the weights alone: --to numpy writes a script with it that predicts'],
    };
  },
};

/** All weights by their names in the model file; of an ensemble with the number of the member before them. */
export function npzFile(format: string, program: Program, ending: string): ExportedFile {
  const parts = zipped(
    program.parts.flatMap((part, i) =>
      Array.from(part.tensors, ([name, data]): Entry => {
        const shape = part.shapes.get(name) ?? [data.length];
        return { name: `${prefixOf(program, i)}${name}.npy`, parts: npy(data, shape) };
      }),
    ),
  );
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size > MOST_BYTES) {
    throw impossible(
      format,
      `found weights of ${formatBytes(size)}, expected at most 4 GiB, what a zip file holds`,
    );
  }
  return { ending, parts, isBinary: true };
}

/** What stands before the names of the tensors of a part. */
export function prefixOf({ parts }: Program, i: number): string {
  return parts.length === 1 ? '' : `member-${i + 1}.`;
}

/** Reads the tensors of a file again, and runs the program with them. */
export function computeFile(program: Program, { parts }: ExportedFile): ReturnType<typeof computeProgram> {
  const found = readNpz(Buffer.concat(Array.from(parts, (part) => Buffer.from(part))));
  const tensors = program.parts.map((part, i) => {
    const names = [...part.tensors.keys()];
    return new Map(names.map((name) => [name, found.get(`${prefixOf(program, i)}${name}`) as FloatArray]));
  });
  return computeProgram(program, tensors);
}

interface Entry {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

/** Version 1.0: the header ends at a multiple of 64 bytes. */
function npy(data: FloatArray, shape: readonly number[]): Uint8Array[] {
  const type = data instanceof Float32Array ? '<f4' : '<f8';
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((MAGIC.length + 2 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, ' ');
  MAGIC.copy(header);
  header.writeUInt16LE(length - MAGIC.length - 2, MAGIC.length);
  header.write(text, MAGIC.length + 2, 'latin1');
  header.write('\n', length - 1, 'latin1');
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');

/** 1980-01-01, the first day of a zip file: the same model gives the same file. */
const NO_DATE = (1 << 5) | 1;

/** Entries are stored as they are. APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16. */
function zipped(entries: readonly Entry[]): Uint8Array[] {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, parts } of entries) {
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    const sum = parts.reduce((crc, part) => crc32(part, crc), 0);
    const text = Buffer.from(name);
    // Version 2.0, the flag of names in UTF-8, method 0 (stored), time and date
    const common = Buffer.alloc(26);
    for (const [i, value] of [20, 1 << 11, 0, 0, NO_DATE].entries()) common.writeUInt16LE(value, 2 * i);
    common.writeUInt32LE(sum, 10);
    common.writeUInt32LE(size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(text.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, text]);
    files.push(local, ...parts);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, central, text]));
    offset += local.length + size;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(Math.min(offset, MOST_BYTES), 12);
  return [...files, ...directory, Buffer.concat([Buffer.from('PK\x05\x06'), end])];
}

/** The tensors of a file that `zipped` wrote, by their names. */
function readNpz(bytes: Buffer): Map<string, FloatArray> {
  const tensors = new Map<string, FloatArray>();
  for (let at = 0; bytes.toString('latin1', at, at + 4) === 'PK\x03\x04'; ) {
    const size = bytes.readUInt32LE(at + 18);
    const nameEnd = at + 30 + bytes.readUInt16LE(at + 26);
    const name = bytes.toString('utf8', at + 30, nameEnd);
    const entry = bytes.subarray(nameEnd, nameEnd + size);
    if (crc32(entry) !== bytes.readUInt32LE(at + 14)) throw new RangeError(`${name} has another checksum`);
    const start = MAGIC.length + 2 + entry.readUInt16LE(MAGIC.length);
    const { buffer } = Uint8Array.from(entry.subarray(start));
    const isSingle = entry.toString('latin1', 0, start).includes("'<f4'");
    tensors.set(
      name.slice(0, -'.npy'.length),
      isSingle ? new Float32Array(buffer) : new Float64Array(buffer),
    );
    at = nameEnd + size;
  }
  return tensors;
}
