import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { openSafetensors } from '../../src/model/safetensors/decode.js';
import { encodeSafetensors, type NamedTensor } from '../../src/model/safetensors/encode.js';
import { errorOf, folderWith } from '../spec/support.js';
import { fixture, projectPath } from '../support/fixtures.js';
import { bytesOf, decode, rewritable } from './safetensorsFile.js';

interface Expected {
  [file: string]: {
    metadata: Record<string, string>;
    tensors: Record<string, { dtype: string; shape: number[]; values: (number | string)[] }>;
  };
}

const TEN: NamedTensor = { name: 'ten', shape: [10], data: new Float64Array(10) };

/** What the machine says of itself. */
const machine = vi.hoisted(() => ({ endianness: 'LE' }));

vi.mock('node:os', async (importOriginal) => {
  const os = await importOriginal<typeof import('node:os')>();
  return { ...os, endianness: () => machine.endianness };
});

function encode(tensors: readonly NamedTensor[], metadata: Record<string, string> = {}): Buffer {
  const { header, parts } = encodeSafetensors(tensors, metadata);
  return Buffer.concat([header, ...parts]);
}

/** An integer is written as text, and so is what JSON has no number for. */
function numberOf(value: number | string, dtype: string): number | bigint {
  return dtype === 'I64' || dtype === 'U64' ? BigInt(value) : Number(value);
}

/** All that a file holds. */
function readAll(path: string) {
  const file = openSafetensors(path);
  try {
    const tensors = [...file.tensors].map(([name, { dtype, shape }]) => {
      return { name, dtype, shape, data: file.read(name) };
    });
    return { metadata: file.metadata, tensors };
  } finally {
    file.close();
  }
}

const open = (bytes: Uint8Array) =>
  openSafetensors(join(folderWith({ 'm.safetensors': bytes }), 'm.safetensors'));
const readBack = (bytes: Uint8Array) =>
  readAll(join(folderWith({ 'm.safetensors': bytes }), 'm.safetensors'));

describe('encodeSafetensors', () => {
  const tensors: NamedTensor[] = [
    { name: 'w', shape: [1, 2], data: new Float32Array([1, -2]) },
    { name: 'b', shape: [], data: new Float64Array([0.5]) },
  ];

  it('writes length, header, spaces up to a multiple of 8, and the bytes of the tensors in their order', () => {
    const header =
      '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},' +
      '"b":{"dtype":"F64","shape":[],"data_offsets":[8,16]}}  ';
    expect(header.length % 8).toBe(0);
    const expected = Buffer.concat([
      Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(header),
      Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]),
      Buffer.from([0, 0, 0, 0, 0, 0, 0xe0, 0x3f]),
    ]);
    expect(encode(tensors, { k: 'v' })).toEqual(expected);
  });

  it('gives the SHA-256 of the bytes after the header', () => {
    const { parts, sha256 } = encodeSafetensors(tensors, {});
    expect(sha256).toBe(createHash('sha256').update(Buffer.concat(parts)).digest('hex'));
  });

  it('copies nothing: the parts are views of the tensors', () => {
    const { parts } = encodeSafetensors(tensors, {});
    expect(parts.map((part) => part.buffer)).toEqual(tensors.map(({ data }) => data.buffer));
    expect(parts[0].buffer).toBe(tensors[0].data.buffer);
  });

  it('writes the same bytes on a big-endian machine, and leaves the tensors as they are', () => {
    // The machine of the test only says it is one: what is reversed there comes out in the wrong order here.
    machine.endianness = 'BE';
    const { parts } = encodeSafetensors(tensors, {});
    machine.endianness = 'LE';
    expect([...parts[0]]).toEqual([0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]);
    expect([...parts[1]]).toEqual([0x3f, 0xe0, 0, 0, 0, 0, 0, 0]);
    expect(tensors[0].data).toEqual(new Float32Array([1, -2]));
  });
});

describe('openSafetensors', () => {
  it('reads what the encoder wrote: both types, scalars and empty tensors, NaN and −0 among the elements', () => {
    const tensors: NamedTensor[] = [
      { name: 'scalar', shape: [], data: new Float64Array([-0]) },
      { name: 'none', shape: [2, 0], data: new Float32Array() },
      {
        name: 'matrix',
        shape: [2, 2],
        data: new Float32Array([Number.NaN, Number.POSITIVE_INFINITY, 0.1, 3]),
      },
      { name: '__proto__', shape: [1], data: new Float64Array([Number.MIN_VALUE]) },
    ];
    const { metadata, tensors: read } = readBack(encode(tensors, { constructor: '', b: '{"c":"é\\u0000"}' }));
    expect([...metadata]).toEqual([
      ['constructor', ''],
      ['b', '{"c":"é\\u0000"}'],
    ]);
    expect(read.map(({ name, shape, data }) => ({ name, shape, data }))).toEqual(tensors);
    expect(read.map(({ dtype }) => dtype)).toEqual(['F64', 'F32', 'F32', 'F64']);
  });

  it('reads what the encoder wrote, whatever the names, shapes and numbers are', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'aZ0 _"\\\n\0\u007fé\u2028\u{1f600}\ufeff', '\ud800'),
    });
    const tensor = fc
      .record({
        name: text.filter((name) => name !== '__metadata__'),
        shape: fc.array(fc.nat(3), { maxLength: 4 }),
        Data: fc.constantFrom(Float32Array, Float64Array),
        first: fc.double(),
      })
      .map(({ name, shape, Data, first }) => {
        const data = new Data(shape.reduce((product, extent) => product * extent, 1));
        return { name, shape, data: data.map((_, i) => first * (i + 1)) };
      });
    const { path, write } = rewritable();
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 });
    fc.assert(
      fc.property(tensors, fc.dictionary(text, text), (written, metadata) => {
        write(encode(written, metadata));
        const read = readAll(path);
        expect(read.metadata).toEqual(new Map(Object.entries(metadata)));
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
        expect(read.tensors.map(({ name, shape, data }) => ({ name, shape, data })).sort(byName)).toEqual(
          [...written].sort(byName),
        );
      }),
    );
  });

  it.each(['network', 'types', 'empty'].map((name) => `${name}.safetensors`))(
    "reads %s as Python's safetensors wrote it",
    (name) => {
      const { metadata, tensors } = readAll(projectPath(`test/fixtures/safetensors/${name}`));
      const expected = fixture<Expected>('safetensors/expected.json')[name];
      expect(metadata).toEqual(new Map(Object.entries(expected.metadata)));
      expect(tensors.map((tensor) => tensor.name).sort()).toEqual(Object.keys(expected.tensors).sort());
      for (const { name: tensor, dtype, shape, data } of tensors) {
        const { values, ...rest } = expected.tensors[tensor];
        expect({ dtype, shape }).toEqual(rest);
        expect(Array.from<number | bigint>(data)).toEqual(values.map((value) => numberOf(value, dtype)));
      }
    },
  );

  it('lists tensors in the order of their bytes, with their places in the file', () => {
    const bytes = bytesOf({
      header: {
        b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
        a: { dtype: 'F16', shape: [2], data_offsets: [0, 4] },
      },
      data: 12,
    });
    const begin = bytes.length - 12;
    expect([...decode(bytes).tensors]).toEqual([
      ['a', { dtype: 'F16', shape: [2], begin, end: begin + 4 }],
      ['b', { dtype: 'F32', shape: [2], begin: begin + 4, end: begin + 12 }],
    ]);
  });

  it('reads tensors that are not aligned in the file', () => {
    const header = '{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}';
    expect(header.length % 8).not.toBe(0);
    const data = new Uint8Array(new Float64Array([Math.PI]).buffer);
    expect(readBack(bytesOf({ header, data })).tensors[0].data).toEqual(new Float64Array([Math.PI]));
  });

  it('gives every reader an array of its own', () => {
    const file = open(encode([{ name: 'a', shape: [2], data: new Float32Array([1, 2]) }]));
    const first = file.read('a');
    first[0] = 7;
    expect(file.read('a')).toEqual(new Float32Array([1, 2]));
    file.close();
  });

  it('reverses the bytes on a big-endian machine, of each element by its size', () => {
    machine.endianness = 'BE';
    const { tensors } = readAll(projectPath('test/fixtures/safetensors/types.safetensors'));
    machine.endianness = 'LE';
    const data = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
    expect(data.get('uint8')).toEqual(new Uint8Array([0, 1, 255]));
    expect(data.get('uint16')).toEqual(new Uint16Array([0, 0x0100, 0xffff]));
    expect(data.get('uint32')).toEqual(new Uint32Array([0, 0x01000000, 0xffffffff]));
    expect(data.get('uint64')).toEqual(new BigUint64Array([0n, 1n << 56n, 2n ** 64n - 1n]));
  });

  it('refuses to read half precision, complex numbers, truth values and 8-bit floats, whose files it opens', () => {
    const path = projectPath('test/fixtures/safetensors/unreadable.safetensors');
    const file = openSafetensors(path);
    expect(file.tensors.size).toBe(9);
    for (const [name, { dtype }] of file.tensors) {
      expect(errorOf(() => file.read(name))).toEqual({
        exitCode: ExitCode.data,
        message: `${path}: tensor "${name}": found dtype ${dtype}, expected one of F64, F32, I64, U64, I32, U32, I16, U16, I8, U8`,
      });
    }
    file.close();
  });

  it('says that a tensor is not there', () => {
    const file = open(encode([{ name: 'a', shape: [], data: new Float32Array(1) }]));
    expect(errorOf(() => file.read('toString')).message).toMatch(
      /m\.safetensors: found no tensor "toString" among its 1, expected one of that name$/,
    );
    file.close();
  });

  it('closes once, and reads nothing afterwards', () => {
    const file = open(encode([{ name: 'a', shape: [], data: new Float32Array(1) }]));
    file.close();
    file.close();
    expect(() => file.read('a')).toThrow('was read after it was closed');
  });

  it('says that a file became shorter after it was opened', () => {
    const path = join(folderWith({ 'm.safetensors': encode([TEN]) }), 'm.safetensors');
    const file = openSafetensors(path);
    truncateSync(path, statSync(path).size - 1);
    expect(errorOf(() => file.read('ten'))).toMatchObject({
      exitCode: ExitCode.io,
      message: expect.stringContaining('m.safetensors: changed while it was read'),
    });
    file.close();
  });
});

describe('openSafetensors of what is no file to read', () => {
  it('a path with nothing there: 66', () => {
    const path = join(folderWith({}), 'm.safetensors');
    expect(errorOf(() => openSafetensors(path))).toMatchObject({
      exitCode: ExitCode.noInput,
      message: `${path}: no such file`,
    });
  });

  it('a directory: 66', () => {
    const path = folderWith({});
    expect(errorOf(() => openSafetensors(path))).toEqual({
      exitCode: ExitCode.noInput,
      message: `${path}: found a directory, expected a file`,
    });
  });

  it.skipIf(process.platform === 'win32')('a named pipe, without waiting for a writer: 66', () => {
    const path = join(folderWith({}), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(errorOf(() => openSafetensors(path))).toEqual({
      exitCode: ExitCode.noInput,
      message: `${path}: found a pipe, expected a file`,
    });
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a forbidden file: 77', () => {
    const path = join(folderWith({ 'm.safetensors': encode([TEN]) }), 'm.safetensors');
    chmodSync(path, 0);
    expect(errorOf(() => openSafetensors(path)).exitCode).toBe(ExitCode.noPermission);
  });

  it('a path that a terminal would obey: shown as text', () => {
    const path = join(folderWith({}), '\u001b[2J');
    expect(errorOf(() => openSafetensors(path)).message).toMatch(/\\u001b\[2J: no such file$/);
  });
});
