import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { openSafetensors } from '../../src/model/safetensors/decode.js';
import { errorOf, folderWith } from '../spec/support.js';
import { bytesOf, decode, type Layout } from './safetensorsFile.js';

const DTYPES =
  'BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, ' +
  'I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64';
const OTHER_FILE = 'it is no safetensors file, or damaged';
const CUT_SHORT = 'the file may be cut short; copy it again';

/** A header with one tensor: two by two of F32 in 16 bytes, but for what is given. */
function tensor(changes: object = {}) {
  return { t: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...changes } };
}

/** A header with an F32 vector for each pair of offsets, named a, b, c, … */
function vectors(...ranges: [begin: number, end: number][]) {
  return Object.fromEntries(
    ranges.map(([begin, end], i) => [
      'abcdefghijkl'[i],
      { dtype: 'F32', shape: [(end - begin) / 4], data_offsets: [begin, end] },
    ]),
  );
}

function expectRefused(bytes: Uint8Array, message: string, hint?: string) {
  expect(errorOf(() => decode(bytes))).toEqual({
    exitCode: ExitCode.data,
    message: `m.safetensors${message}`,
    hint,
  });
}

describe('a length that is wrong', () => {
  it.each([0, 1, 7])('a file of %d bytes', (length) => {
    const message = `: found ${length} bytes, expected a safetensors file, which has 8 or more`;
    expectRefused(new Uint8Array(length), message);
  });

  it.each<[name: string, layout: Layout, message: string, hint: string]>([
    [
      'the largest that can be written',
      { header: '{}', length: 2n ** 64n - 1n },
      ': found a header of 18446744073709551615 bytes, expected one of at most 100000000',
      OTHER_FILE,
    ],
    [
      'one that is negative for those who read it signed, and 60 for those who read four bytes',
      { header: tensor(), data: 16, length: 0xffffff000000003cn },
      ': found a header of 18446742974197923900 bytes, expected one of at most 100000000',
      OTHER_FILE,
    ],
    [
      'one above the limit',
      { header: '{}', length: 100_000_001n },
      ': found a header of 100000001 bytes, expected one of at most 100000000',
      OTHER_FILE,
    ],
    [
      'the limit, in a file of 10 bytes',
      { header: '{}', length: 100_000_000n },
      ': found a header of 100000000 bytes, expected at most the 2 that follow',
      CUT_SHORT,
    ],
    [
      'one above what is there',
      { header: '{}', length: 3n },
      ': found a header of 3 bytes, expected at most the 2 that follow',
      CUT_SHORT,
    ],
    [
      'a header that is missing',
      { header: '', length: 60n },
      ': found a header of 60 bytes, expected at most the 0 that follow',
      CUT_SHORT,
    ],
  ])('%s', (_, layout, message, hint) => {
    expectRefused(bytesOf(layout), message, hint);
  });
});

describe('a header that is no JSON object', () => {
  it.each<[name: string, header: unknown, message: string, hint?: string]>([
    ['none', '', ': found no header, expected one that begins with "{" (byte 123)', OTHER_FILE],
    [
      'space before it',
      '\t\n{}',
      ': found a header that begins with byte 9, expected one that begins with "{" (byte 123)',
      OTHER_FILE,
    ],
    [
      'a byte order mark',
      '\ufeff{}',
      ': found a header that begins with byte 239, expected one that begins with "{" (byte 123)',
      OTHER_FILE,
    ],
    [
      'an array',
      [],
      ': found a header that begins with byte 91, expected one that begins with "{" (byte 123)',
      OTHER_FILE,
    ],
    [
      'not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
      ': found a header that is not UTF-8, expected JSON in UTF-8',
      OTHER_FILE,
    ],
    [
      'half a surrogate pair in UTF-8',
      Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]),
      ': found a header that is not UTF-8, expected JSON in UTF-8',
      OTHER_FILE,
    ],
    ['cut off', '{', ': header:1:2: found the end of the file, expected a key in double quotes or "}"'],
    ['a second object', '{}{}', ': header:1:3: found "{", expected the end of the file'],
    ['zeros after it', '{}\0\0', ': header:1:3: found "\\u0000", expected the end of the file'],
    [
      'padding of other white space',
      '{}\r \t\n',
      ': found "\\r \\t\\n" after the JSON of the header, expected nothing but spaces',
    ],
    [
      'a number beyond double precision',
      '{"t":1e999}',
      ': header:1:6: found 1e999, expected a number of size at most 1.7976931348623157e+308',
    ],
    [
      'nested a million deep',
      `{"t":${'['.repeat(1_000_000)}`,
      ': header:1:69: found more than 64 levels of nesting, expected at most 64',
    ],
    [
      'the same tensor twice',
      '{"t":1,"t":2}',
      ': header:1:8: found the key "t" a second time, expected it once',
      'it is already on line 1; remove one of the two',
    ],
    [
      'the same tensor twice, once with an escape',
      '{"t":1,"\\u0074":2}',
      ': header:1:8: found the key "t" a second time, expected it once',
      'it is already on line 1; remove one of the two',
    ],
    [
      'the same key of a tensor twice',
      '{"t":{"dtype":"F32","dtype":"U8"}}',
      ': header:1:21: found the key "dtype" a second time, expected it once',
      'it is already on line 1; remove one of the two',
    ],
    [
      'metadata twice',
      '{"__metadata__":{},"__metadata__":{}}',
      ': header:1:20: found the key "__metadata__" a second time, expected it once',
      'it is already on line 1; remove one of the two',
    ],
  ])('%s', (_, header, message, hint) => {
    expectRefused(bytesOf({ header }), message, hint);
  });

  it('more values than any network has tensors', () => {
    const header = `{"t":[${'0,'.repeat(1_000_000)}0]}`;
    expect(errorOf(() => decode(bytesOf({ header })))).toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining('m.safetensors: header:1:200003: found more than 100000 values'),
    });
  });
});

describe('metadata that are not texts', () => {
  it.each<[metadata: unknown, problem: string]>([
    [null, 'found null, expected an object of strings'],
    ['text', 'found "text", expected an object of strings'],
    [['a'], 'found ["a"], expected an object of strings'],
    [{ a: 'b', c: 1 }, 'found 1 for "c", expected a string'],
    [{ a: { b: 'c' } }, 'found {"b":"c"} for "a", expected a string'],
    [{ a: null }, 'found null for "a", expected a string'],
  ])('%j', (metadata, problem) => {
    expectRefused(bytesOf({ header: { __metadata__: metadata } }), `: __metadata__: ${problem}`);
  });

  it('a tensor by that name', () => {
    const header = { __metadata__: tensor().t };
    expectRefused(
      bytesOf({ header, data: 16 }),
      ': __metadata__: found [2,2] for "shape", expected a string',
    );
  });
});

describe('a tensor whose entry is wrong', () => {
  it.each<[name: string, header: unknown, problem: string, hint?: string]>([
    ['a number', { t: 1 }, 'found 1, expected an object with dtype, shape and data_offsets'],
    ['null', { t: null }, 'found null, expected an object with dtype, shape and data_offsets'],
    ['an array', { t: ['F32'] }, 'found ["F32"], expected an object with dtype, shape and data_offsets'],
    ['empty', { t: {} }, 'found the keys [], expected dtype, shape and data_offsets'],
    [
      'a key too few',
      { t: { dtype: 'F32', shape: [2, 2] } },
      'found the keys ["dtype","shape"], expected dtype, shape and data_offsets',
    ],
    [
      'a key too many',
      tensor({ code: '' }),
      'found the keys ["code","data_offsets","dtype","shape"], expected dtype, shape and data_offsets',
    ],
    [
      'the old name of the offsets',
      { t: { dtype: 'F32', shape: [2, 2], offsets: [0, 16] } },
      'found the keys ["dtype","offsets","shape"], expected dtype, shape and data_offsets',
    ],
    ['an unknown type', tensor({ dtype: 'F31' }), `found dtype "F31", expected one of ${DTYPES}`],
    ['a type in small letters', tensor({ dtype: 'f32' }), `found dtype "f32", expected one of ${DTYPES}`],
    [
      'a type every object has',
      tensor({ dtype: 'toString' }),
      `found dtype "toString", expected one of ${DTYPES}`,
    ],
    ['a list of types', tensor({ dtype: ['F32'] }), `found dtype ["F32"], expected one of ${DTYPES}`],
    ['no type', tensor({ dtype: null }), `found dtype null, expected one of ${DTYPES}`],
    [
      'a shape that is a number',
      tensor({ shape: 4 }),
      'found shape 4, expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'a shape that looks like an array',
      tensor({ shape: { 0: 4, length: 1 } }),
      'found shape {"0":4,"length":1}, expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'a negative extent',
      tensor({ shape: [-2, -2] }),
      'found shape [-2,-2], expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'half an element',
      tensor({ shape: [0.5, 8] }),
      'found shape [0.5,8], expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'an extent as text',
      tensor({ shape: ['2', 2] }),
      'found shape ["2",2], expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'an extent that no double holds',
      '{"t":{"dtype":"F32","shape":[2,18446744073709551614],"data_offsets":[0,16]}}',
      'found shape [2,18446744073709552000], expected an array of whole numbers from 0 to 9007199254740991',
    ],
    [
      'a product that wraps around to 4 in 64 bits',
      tensor({ shape: [2 ** 33 + 1, 2 ** 33 - 1, 4] }),
      'found shape [8589934593,8589934591,4] of F32, expected one of fewer than 2^50 bytes',
    ],
    [
      'a product that is infinite in double precision',
      tensor({ shape: Array(30).fill(2 ** 50) }),
      'found shape [1125899906842624,1125899906842624,1125… of F32, expected one of fewer than 2^50 bytes',
    ],
    [
      'an overflow that a 0 would hide',
      tensor({ shape: [2 ** 50, 2 ** 50, 0], data_offsets: [0, 0] }),
      'found shape [1125899906842624,1125899906842624,0] of F32, expected one of fewer than 2^50 bytes',
    ],
    [
      'elements that fit, of more bytes than fit',
      tensor({ shape: [2 ** 52] }),
      'found shape [4503599627370496] of F32, expected one of fewer than 2^50 bytes',
    ],
    [
      'half a byte left over',
      tensor({ dtype: 'F4', shape: [3], data_offsets: [0, 2] }),
      'found shape [3] of F4, 12 bits, expected whole bytes',
    ],
    [
      'one offset',
      tensor({ data_offsets: [0] }),
      'found data_offsets [0], expected two whole numbers, [begin, end]',
    ],
    [
      'three offsets',
      tensor({ data_offsets: [0, 16, 32] }),
      'found data_offsets [0,16,32], expected two whole numbers, [begin, end]',
    ],
    [
      'negative offsets',
      tensor({ data_offsets: [-16, 0] }),
      'found data_offsets [-16,0], expected two whole numbers, [begin, end]',
    ],
    [
      'an end before the begin',
      tensor({ data_offsets: [16, 0] }),
      'found data_offsets [16,0], expected two whole numbers, [begin, end]',
    ],
    [
      'fractions of bytes',
      tensor({ data_offsets: [0.5, 16.5] }),
      'found data_offsets [0.5,16.5], expected two whole numbers, [begin, end]',
    ],
    [
      'offsets that no double tells apart',
      '{"t":{"dtype":"U8","shape":[0],"data_offsets":[9007199254740992,9007199254740993]}}',
      'found data_offsets [9007199254740992,9007199254740992], expected two whole numbers, [begin, end]',
    ],
    [
      'fewer bytes than its shape takes',
      tensor({ data_offsets: [0, 4] }),
      'found 4 bytes by data_offsets, expected 16 by shape [2,2] of F32',
    ],
    [
      'more bytes than its shape takes',
      tensor({ shape: [2] }),
      'found 16 bytes by data_offsets, expected 8 by shape [2] of F32',
    ],
    [
      'a scalar without bytes',
      tensor({ shape: [], data_offsets: [0, 0] }),
      'found 0 bytes by data_offsets, expected 4 by shape [] of F32',
    ],
    [
      'bytes beyond the end',
      tensor({ data_offsets: [4, 20] }),
      'found data_offsets [4,20], expected them within the 16 bytes after the header',
      CUT_SHORT,
    ],
    [
      'a petabyte',
      tensor({ shape: [2 ** 47], data_offsets: [0, 2 ** 49] }),
      'found data_offsets [0,562949953421312], expected them within the 16 bytes after the header',
      CUT_SHORT,
    ],
    [
      'an empty tensor far away',
      tensor({ shape: [0], data_offsets: [2 ** 49, 2 ** 49] }),
      'found data_offsets [562949953421312,562949953421312], expected them within the 16 bytes after the header',
      CUT_SHORT,
    ],
  ])('%s', (_, header, problem, hint) => {
    expectRefused(bytesOf({ header, data: 16 }), `: tensor "t": ${problem}`, hint);
  });

  it.each<[name: string, shown: string]>([
    ['\u001b[2J\n', '\\u001b[2J\\n'],
    ['__proto__', '__proto__'],
    ['"', '\\"'],
    ['\ud800', '\\ud800'],
    ['x'.repeat(1000), `${'x'.repeat(39)}…`],
  ])('is named in a way that a terminal can show: %j', (name, shown) => {
    const header = `{${JSON.stringify(name)}:0}`;
    expectRefused(
      bytesOf({ header }),
      `: tensor "${shown}": found 0, expected an object with dtype, shape and data_offsets`,
    );
  });
});

describe('tensors that do not fill the file', () => {
  it.each<[name: string, header: unknown, data: number, message: string]>([
    [
      'a hole before the first',
      vectors([4, 16]),
      16,
      ': tensor "a": found its bytes to begin at 4, after a hole, expected 0, the end of the header',
    ],
    [
      'a hole between two',
      vectors([0, 8], [12, 16]),
      16,
      ': tensor "b": found its bytes to begin at 12, after a hole, expected 8, the end of tensor "a"',
    ],
    [
      'an overlap',
      vectors([0, 8], [4, 16]),
      16,
      ': tensor "b": found its bytes to begin at 4, where they overlap, expected 8, the end of tensor "a"',
    ],
    [
      'ten tensors over the same bytes',
      vectors(...Array<[number, number]>(10).fill([0, 16])),
      16,
      ': tensor "b": found its bytes to begin at 0, where they overlap, expected 16, the end of tensor "a"',
    ],
    [
      'one inside another, listed before it',
      { b: vectors([4, 8]).a, ...vectors([0, 16]) },
      16,
      ': tensor "b": found its bytes to begin at 4, where they overlap, expected 16, the end of tensor "a"',
    ],
    [
      'an empty one inside another',
      vectors([0, 16], [8, 8]),
      16,
      ': tensor "b": found its bytes to begin at 8, where they overlap, expected 16, the end of tensor "a"',
    ],
    [
      'another file behind the last',
      vectors([0, 16]),
      50,
      ': found 34 bytes after the end of tensor "a", expected the file to end there',
    ],
    [
      'no tensors at all',
      {},
      3,
      ': found 3 bytes after the end of the header, expected the file to end there',
    ],
  ])('%s', (_, header, data, message) => {
    expectRefused(bytesOf({ header, data }), message);
  });
});

describe('what looks odd and is right', () => {
  it.each<[name: string, header: unknown, data: number]>([
    ['no tensors', '{}', 0],
    ['spaces after the header', '{}      ', 0],
    ['line breaks inside it', '{\n\t"t" : {"dtype":"U8","shape":[],"data_offsets":[0,1]}\r\n}', 1],
    ['an empty tensor', tensor({ shape: [2, 0], data_offsets: [0, 0] }), 0],
    ['empty tensors before, between and behind', vectors([8, 8], [4, 8], [4, 4], [0, 4], [0, 0]), 8],
    ['a thousand extents', tensor({ shape: [...Array(1000).fill(1), 4] }), 16],
    ['the keys in another order', '{"t":{"data_offsets":[0,16],"shape":[4],"dtype":"F32"}}', 16],
    ['two elements in a byte', tensor({ dtype: 'F4', shape: [32] }), 16],
    ['four elements in three bytes', tensor({ dtype: 'F6_E2M3', shape: [4], data_offsets: [0, 3] }), 3],
    [
      'names that every object has',
      `{"__proto__":${JSON.stringify(tensor().t)},"__metadata__":{"__proto__":""}}`,
      16,
    ],
    ['a name of nothing', { '': tensor().t }, 16],
  ])('%s', (_, header, data) => {
    const bytes = bytesOf({ header, data });
    const { tensors } = decode(bytes);
    const { __metadata__: _metadata, ...entries } = JSON.parse(
      typeof header === 'string' ? header : JSON.stringify(header),
    );
    expect([...tensors.keys()].sort()).toEqual(Object.keys(entries).sort());
    const covered = [...tensors.values()].reduce((total, { begin, end }) => total + end - begin, 0);
    expect(covered).toBe(data);
  });
});

describe('what the machine has to give', () => {
  /** Files of a few bytes that claim more than any machine has, each by another number. */
  const CLAIMS: [name: string, layout: Layout][] = [
    ['a header of 16 exabytes', { header: '{}', length: 2n ** 64n - 1n }],
    ['a header of the size of the limit', { header: '{}', length: 100_000_000n }],
    [
      'a tensor of a petabyte',
      { header: tensor({ shape: [2 ** 47], data_offsets: [0, 2 ** 49] }), data: 16 },
    ],
    ['a tensor of exabytes', { header: tensor({ shape: [2 ** 40, 2 ** 20] }), data: 16 }],
    ['a tensor at the far end', { header: tensor({ data_offsets: [2 ** 49, 2 ** 49 + 16] }), data: 16 }],
    [
      'many tensors over the same bytes',
      { header: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, tensor().t])), data: 16 },
    ],
  ];

  it.each(CLAIMS)('%s is refused before anything is allocated for it', (_, layout) => {
    const bytes = bytesOf(layout);
    const path = join(folderWith({ 'm.safetensors': bytes }), 'm.safetensors');
    const before = process.memoryUsage().arrayBuffers;
    expect(errorOf(() => openSafetensors(path)).exitCode).toBe(ExitCode.data);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes.length + 2 ** 16);
  });

  it('the file is read up to the end of its header, each byte once', () => {
    const bytes = bytesOf({ header: tensor(), data: 16 });
    const asked: [number, number][] = [];
    const { begin } = decode(bytes, asked).tensors.get('t') ?? {};
    expect(asked).toEqual([
      [0, 8],
      [8, bytes.length - 24],
    ]);
    expect(begin).toBe(bytes.length - 16);
  });

  it.skipIf(process.platform !== 'linux')('a file that is refused is closed', () => {
    const path = join(folderWith({ 'm.safetensors': bytesOf({ header: '[]' }) }), 'm.safetensors');
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    for (let i = 0; i < 200; i++) errorOf(() => openSafetensors(path));
    expect(openFiles() - before).toBeLessThan(100);
  });

  it.skipIf(process.platform !== 'linux')(
    'a tensor of 8 TiB in a file that is a hole is refused when it is read',
    () => {
      const length = 2 ** 43;
      const header = { t: { dtype: 'U8', shape: [length], data_offsets: [0, length] } };
      const bytes = bytesOf({ header });
      const path = join(folderWith({ 'm.safetensors': bytes }), 'm.safetensors');
      truncateSync(path, bytes.length + length);
      const file = openSafetensors(path);
      expect(errorOf(() => file.read('t'))).toMatchObject({
        exitCode: ExitCode.data,
        message: `${path}: tensor "t": found ${length} bytes, expected no more than memory has room for`,
      });
      file.close();
    },
  );
});
