import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { formatJson, isContainer, parseJson, positionOf, readJson } from '../../src/spec/json.js';
import { errorOf, folderWith } from './support.js';

const parse = (text: string) => parseJson(text, 'c.json');

describe('parseJson', () => {
  it.each([
    '{"a": [1, -2.5e-3, true, false, null, "x\\u00e9\\n"], "b": {}}',
    '[]',
    ' "text" ',
    '0',
    '-0.0',
    '1e308',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('skips a byte order mark', () => {
    expect(parse('\ufeff{"a": 1}')).toEqual({ a: 1 });
  });

  it.each<[text: string, message: string, hint?: string]>([
    ['', 'c.json:1:1: found an empty file, expected JSON'],
    [' \r\n\t', 'c.json:1:1: found an empty file, expected JSON'],
    ['{\n  "a": 1,\n  "b": }', 'c.json:3:8: found "}", expected a value'],
    ['{', 'c.json:1:2: found the end of the file, expected a key in double quotes or "}"'],
    ['{"a"', 'c.json:1:5: found the end of the file, expected ":"'],
    ['{"a":', 'c.json:1:6: found the end of the file, expected a value'],
    ['{"a":1\n', 'c.json:2:1: found the end of the file, expected "," or "}"'],
    ['{"a" 1}', 'c.json:1:6: found "1", expected ":"'],
    ['{"a":1 "b":2}', 'c.json:1:8: found a string, expected "," or "}"'],
    ['{"a":1,}', 'c.json:1:8: found "}", expected a key in double quotes', 'remove the comma before it'],
    ['[1,\n]', 'c.json:2:1: found "]", expected a value', 'remove the comma before it'],
    ['[1 2]', 'c.json:1:4: found "2", expected "," or "]"'],
    ['[1,,2]', 'c.json:1:4: found ",", expected a value'],
    ['[1}', 'c.json:1:3: found "}", expected "," or "]"'],
    ['[1] 2', 'c.json:1:5: found "2", expected the end of the file'],
    ['{a: 1}', 'c.json:1:2: found "a", expected a key in double quotes or "}"'],
    ["['a']", 'c.json:1:2: found "\'", expected a value or "]"', 'JSON takes double quotes only'],
    ['[1, // one\n2]', 'c.json:1:5: found "/", expected a value', 'JSON has no comments'],
    ['[True]', 'c.json:1:2: found "True", expected a value or "]"'],
    ['[NaN]', 'c.json:1:2: found "NaN", expected a value or "]"'],
    ['nul', 'c.json:1:1: found "nul", expected a value'],
    ['[01]', 'c.json:1:3: found "1", expected "," or "]"', 'a number has no leading zeros'],
    ['[1.]', 'c.json:1:3: found ".", expected "," or "]"'],
    ['[-]', 'c.json:1:2: found "-", expected a value or "]"'],
    [
      '["ab',
      'c.json:1:5: found the end of the file, expected the closing quote of the string that starts at 1:2',
    ],
    [
      '["a\nb"]',
      'c.json:1:4: found the end of the line inside a string, expected its closing quote or an escape such as \\n',
    ],
    ['"\t"', 'c.json:1:2: found "\\t" inside a string, expected its closing quote or an escape such as \\n'],
    [
      '"C:\\data"',
      'c.json:1:4: found \\d inside a string, expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
      'a backslash itself is written \\\\',
    ],
    [
      '"\\u12"',
      'c.json:1:2: found \\u inside a string, expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX',
      'a backslash itself is written \\\\',
    ],
    ['\u0000', 'c.json:1:1: found "\\u0000", expected a value'],
    ['[\u001b[31m', 'c.json:1:2: found "\\u001b", expected a value or "]"'],
    ['\u00a01', 'c.json:1:1: found "\\u00a0", expected a value'],
    ['{"units":\r\n1e999}', `c.json:2:1: found 1e999, expected a number of size at most ${Number.MAX_VALUE}`],
    ['[-1e400]', `c.json:1:2: found -1e400, expected a number of size at most ${Number.MAX_VALUE}`],
  ])('refuses %j with line and column', (text, message, hint) => {
    expect(errorOf(() => parse(text))).toEqual({ exitCode: ExitCode.config, message, hint });
  });

  it('refuses a key given twice, and names both lines', () => {
    expect(errorOf(() => parse('{\n "units": 1,\n "bias": true,\n "\\u0075nits": 2}'))).toEqual({
      exitCode: ExitCode.config,
      message: 'c.json:4:2: found the key "units" a second time, expected it once',
      hint: 'it is already on line 2; remove one of the two',
    });
  });

  it('takes the same key in two objects', () => {
    expect(parse('[{"a": 1}, {"a": {"a": 2}}]')).toEqual([{ a: 1 }, { a: { a: 2 } }]);
  });

  it('reads 64 levels of nesting and refuses 65', () => {
    expect(parse('['.repeat(64) + ']'.repeat(64))).toBeInstanceOf(Array);
    expect(errorOf(() => parse('['.repeat(65) + ']'.repeat(65))).message).toBe(
      'c.json:1:65: found more than 64 levels of nesting, expected at most 64',
    );
  });

  it.each(['[', '{"a":'])('refuses a million times %s without overflowing the stack', (opening) => {
    expect(errorOf(() => parse(opening.repeat(1e6))).message).toMatch(/more than 64 levels of nesting/);
  });

  it('refuses more than 100000 values', () => {
    const array = (length: number) => `[${Array(length).fill('1').join()}]`;
    expect(parse(array(99_999))).toHaveLength(99_999);
    expect(errorOf(() => parse(array(100_000))).message).toMatch(/more than 100000 values/);
  });

  it('keeps __proto__ an ordinary key that pollutes nothing', () => {
    const value = parse(
      '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    );
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('writes the control characters of a file name out', () => {
    expect(errorOf(() => parseJson('', 'a\u001b[2J.json')).message).toBe(
      'a\\u001b[2J.json:1:1: found an empty file, expected JSON',
    );
  });

  it('accepts what JSON.parse accepts, with the same value, and nothing else', () => {
    const pieces = fc.constantFrom(
      ...'{}[],:"\\/ \n\t-+.0123eEaun',
      '"a"',
      '"b":',
      '"\\u0041"',
      'true',
      'null',
      '1.5',
      '-0',
      '1e5',
      '\u0001',
      '\ufeff',
      'é',
    );
    const almostJson = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([json, at, extra]) => {
      const cut = at % (json.length + 1);
      return json.slice(0, cut) + extra + json.slice(cut + 1);
    });
    const texts = fc.oneof(
      fc.json(),
      almostJson,
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!text.startsWith('\ufeff'));
        let expected: unknown;
        let isJson = true;
        try {
          expected = JSON.parse(text);
        } catch {
          isJson = false;
        }
        try {
          expect(parse(text)).toEqual(expected);
          expect(isJson).toBe(true);
        } catch (error) {
          if (!(error instanceof MlpError)) throw error;
          expect(isJson && !/a second time|of size at most/.test(error.message)).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('positionOf', () => {
  /** The line and column of the mark in a text, and the text without it. */
  function unmarked(text: string) {
    const [before, after] = text.split('¦');
    const lines = before.replace('\ufeff', '').split(/\r\n|\n/);
    return { text: before + after, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }

  it.each<[what: string, path: (string | number)[], text: string]>([
    ['the document', [], ' \n ¦{"a": 1}'],
    ['a value', ['a'], '{"a": ¦1}'],
    ['a value on a line of its own', ['a', 'b'], '{\n  "a": {\n    "b":\n ¦"x"}}'],
    ['an element', ['a', 2], '{"a": [1, [0, {"a": 5}], ¦3]}'],
    ['a key of the same name further in', ['b', 'b'], '{"a": {"b": {"b": 1}}, "b": {"a": 0, "b": ¦1}}'],
    ['a key in a string', ['b'], '{"a": "\\"b\\": 1, {[", "b": ¦1}'],
    ['an escaped key', ['b"\u00e9'], '{"\\u0062\\"\\u00e9": ¦1}'],
    ['the key __proto__', ['__proto__', 'x'], '{"__proto__": {"x": ¦1}}'],
    ['the object that lacks a key', ['a', 'b', 'c'], '{"x": {"b": 1}, "a": ¦{}}'],
    ['the short form of an object', ['layers', 1, 'type'], '{"layers": [4, ¦"rellu"]}'],
    ['a value after a byte order mark', ['a'], '\ufeff{"a": ¦1}'],
    ['a value between line ends of Windows', ['b'], '\ufeff{\r\n\t"a": 1,\r\n\t"b": ¦2\r\n}\r\n'],
    ['a value behind an emoji, in UTF-16 as editors count', ['b'], '{"😀": 1, "b": ¦2}'],
  ])('finds %s', (_, path, marked) => {
    const { text, ...position } = unmarked(marked);
    expect(positionOf(text, path)).toEqual(position);
  });

  it('finds a key, or what lacks it', () => {
    for (const [marked, path] of [
      ['{"a": 1,\n ¦"b": {}}', ['b']],
      ['{"a": {"x": 1, ¦"b": {}}}', ['a', 'b']],
      ['{"a": [0, ¦1]}', ['a', 1]],
      ['{"a": ¦{}}', ['a', 'b']],
    ] as const) {
      const { text, ...position } = unmarked(marked);
      expect(positionOf(text, path, true)).toEqual(position);
    }
  });

  it('finds every value of any document', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(undefined, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          const lines = text.split('\n');
          const check = (inner: unknown, path: (string | number)[]) => {
            const { line, column } = positionOf(text, path);
            const start = isContainer(inner) ? (Array.isArray(inner) ? '[' : '{') : JSON.stringify(inner);
            expect(lines[line - 1].slice(column - 1).startsWith(start)).toBe(true);
            if (Array.isArray(inner)) for (const [i, item] of inner.entries()) check(item, [...path, i]);
            else if (isContainer(inner)) for (const key in inner) check(inner[key], [...path, key]);
          };
          check(value, []);
        },
      ),
    );
  });
});

describe('readJson', () => {
  it('reads a file, and names it as it was named', () => {
    const path = join(folderWith({ 'a.json': '{"a": 1}' }), 'a.json');
    expect(readJson(path).value).toEqual({ a: 1 });
  });

  it('refuses a missing file with 66, and a directory', () => {
    const folder = folderWith({});
    const missing = join(folder, 'none.json');
    expect(errorOf(() => readJson(missing))).toMatchObject({
      exitCode: ExitCode.noInput,
      message: `${missing}: no such file`,
    });
    expect(errorOf(() => readJson(folder)).exitCode).toBe(ExitCode.noInput);
  });

  it.each([
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), '1:1: found the byte 0xff'],
    ['gzip', Buffer.from([0x1f, 0x8b, 0x08, 0x00]), '1:2: found the byte 0x8b'],
    ['a cut character', Buffer.from([0x22, 0xc3, 0x22]), '1:2: found the byte 0xc3'],
    [
      'a byte after U+FFFD and a byte order mark',
      Buffer.concat([Buffer.from('\ufeff["é\ufffd",\n"\ufffd'), Buffer.of(0xff)]),
      '2:3: found the byte 0xff',
    ],
  ])('refuses %s', (_, bytes, found) => {
    const path = join(folderWith({ 'a.json': bytes }), 'a.json');
    expect(errorOf(() => readJson(path))).toEqual({
      exitCode: ExitCode.config,
      message: `${path}:${found}, which is not UTF-8, expected JSON in UTF-8`,
      hint: 'save the file as UTF-8',
    });
  });

  it('refuses more than 4 MiB', () => {
    const folder = folderWith({
      'fits.json': `${' '.repeat(2 ** 22 - 1)}1`,
      'big.json': `${' '.repeat(2 ** 22)}1`,
    });
    expect(readJson(join(folder, 'fits.json')).value).toBe(1);
    expect(errorOf(() => readJson(join(folder, 'big.json'))).message).toMatch(
      /: found more than 4 MiB, expected a JSON/,
    );
  });
});

it('gives each entry of the document a line, and what is short no more than that', () => {
  const config = {
    network: { layers: [16, 'relu', 3] },
    data: {
      train: '../data/a-folder-with-a-long-name/measurements.csv',
      target: 'species',
      exclude: [],
      missing: { age: 'median' },
      test: undefined,
    },
    seed: 0,
  };
  expect(formatJson(config)).toBe(`{
  "network": { "layers": [16, "relu", 3] },
  "data": {
    "train": "../data/a-folder-with-a-long-name/measurements.csv",
    "target": "species",
    "exclude": [],
    "missing": { "age": "median" }
  },
  "seed": 0
}`);
});

it('breaks a line that is longer than 80 columns, its comma included', () => {
  const documentOf = (length: number) => ({ key: ['x'.repeat(length), 1] });
  // `  "key": ["…", 1],` has 17 characters beside the text.
  expect(formatJson(documentOf(63)).split('\n')).toEqual(['{', `  "key": ["${'x'.repeat(63)}", 1]`, '}']);
  expect(formatJson(documentOf(64)).split('\n')).toHaveLength(6);
});

it('writes any value so that it reads the same', () => {
  const values = [
    {},
    [],
    null,
    -0.5,
    'a "quoted"\n\u2028text',
    [[], [{}], { a: { b: [1, 2, { c: null }] } }],
    JSON.parse('{"__proto__": {"constructor": "x"}, "": 1}'),
    Array.from({ length: 100 }, (_, i) => ({ [`column ${i}`]: i })),
  ];
  for (const value of values) expect(JSON.parse(formatJson(value))).toEqual(value);
});
