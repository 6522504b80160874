import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../src/data/csv.js';
import { type ColumnKind, numericColumn, type Table, textColumn } from '../../src/data/table.js';
import { ExitCode, MlpError } from '../../src/errors.js';
import { Folder, rejection } from './files.js';

const folder = new Folder();

const lastIsText = (names: readonly string[]): ColumnKind[] =>
  names.map((_, i) => (i === names.length - 1 ? 'text' : 'numeric'));

/** Reads with a header, the last column as text. */
function read(content: string | Uint8Array, header = true): Promise<Table> {
  return readTable(folder.write('table.csv', content), { header, kinds: lastIsText });
}

function texts(table: Table, index: number): string[] {
  const { levels, codes } = textColumn(table, index);
  return Array.from(codes, (code) => levels[code]);
}

/** The message without the folder. */
async function message(content: string | Uint8Array, header = true): Promise<string> {
  const error = await rejection(read(content, header));
  expect(error.exitCode).toBe(ExitCode.data);
  return error.message.replace(join(folder.path, 'table.csv'), 'table.csv');
}

describe('readTable', () => {
  it('reads numbers, text, names and lines', async () => {
    const table = await read('a,b,class\n1,2.5,x\n-3e2,.5,y\n7,8,x\n');
    expect(table).toMatchObject({ header: true, names: ['a', 'b', 'class'], rows: 3 });
    expect(numericColumn(table, 0).values).toEqual(Float64Array.of(1, -300, 7));
    expect(numericColumn(table, 1).values).toEqual(Float64Array.of(2.5, 0.5, 8));
    expect(textColumn(table, 2).levels).toEqual(['x', 'y']);
    expect(texts(table, 2)).toEqual(['x', 'y', 'x']);
    expect(table.lines).toEqual(Uint32Array.of(2, 3, 4));
  });

  it('numbers the columns where there is no header', async () => {
    const table = await read('1,2,x\n3,4,y', false);
    expect(table).toMatchObject({ header: false, names: ['0', '1', '2'], rows: 2 });
    expect(table.lines).toEqual(Uint32Array.of(1, 2));
  });

  it('keeps the order of names that look like numbers', async () => {
    const table = await read('b,2,1,class\n10,20,30,x\n');
    expect(table.names).toEqual(['b', '2', '1', 'class']);
    expect(numericColumn(table, 1).values[0]).toBe(20);
  });

  it('does not look at skipped columns', async () => {
    const path = folder.write('table.csv', 'id,a\nabc,1\n,2\n');
    const table = await readTable(path, { header: true, kinds: () => ['skipped', 'numeric'] });
    expect(table.columns[0]).toBeUndefined();
    expect(numericColumn(table, 1).values).toEqual(Float64Array.of(1, 2));
  });

  it('takes __proto__ and constructor as names and values', async () => {
    const table = await read('__proto__,constructor\n1,__proto__\n2,constructor\n3,__proto__\n');
    expect(table.names).toEqual(['__proto__', 'constructor']);
    expect(texts(table, 1)).toEqual(['__proto__', 'constructor', '__proto__']);
  });

  it('skips a byte order mark', async () => {
    expect((await read('\ufeffa,class\n1,x\n')).names).toEqual(['a', 'class']);
    expect(numericColumn(await read('\ufeff1,x\n2,y\n', false), 0).values).toEqual(Float64Array.of(1, 2));
  });

  it('ends a line at LF, CRLF and CR, also mixed, and leaves none of them in a value', async () => {
    const table = await read('a,class\r\n1,x\n2,x\r\n3,x\r4,x');
    expect(textColumn(table, 1).levels).toEqual(['x']);
    expect(table.lines).toEqual(Uint32Array.of(2, 3, 4, 5));
  });

  it('reads commas, quotes and newlines within quotes, and still knows the lines', async () => {
    const table = await read('"a","the ""class"""\n1,"x, y"\n2,"first\r\nsecond"\n"3","say ""no"""\n4,z\n');
    expect(table.names).toEqual(['a', 'the "class"']);
    expect(texts(table, 1)).toEqual(['x, y', 'first\r\nsecond', 'say "no"', 'z']);
    expect(table.lines).toEqual(Uint32Array.of(2, 3, 5, 6));
  });

  it('reads a file of many pieces, with characters and line ends across their borders', async () => {
    const letters = ['ä', 'ö', 'ü', '€', '𝄞'];
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${i / 8},${letters.slice(i % 6).join('')}x`);
    const table = await read(`n,eighth,class\r\n${rows.join('\r\n')}\r\n`);
    expect(table.rows).toBe(20_000);
    expect(numericColumn(table, 0).values).toEqual(Float64Array.from(rows, (_, i) => i));
    expect(numericColumn(table, 1).values[19_999]).toBe(19_999 / 8);
    expect(textColumn(table, 2).levels).toEqual(['äöü€𝄞x', 'öü€𝄞x', 'ü€𝄞x', '€𝄞x', '𝄞x', 'x']);
    expect(table.lines[19_999]).toBe(20_001);
  });

  it("hashes the file's bytes", async () => {
    const content = '\ufeffa,class\r\n1,x\r\n';
    expect((await read(content)).sha256).toBe(createHash('sha256').update(content).digest('hex'));
  });
});

describe('a cell that is no number', () => {
  it.each([
    ['', 'an empty cell'],
    [' ', '" "'],
    [' 1', '" 1"'],
    ['abc', '"abc"'],
    ['NA', '"NA"'],
    ['NaN', '"NaN"'],
    ['Infinity', '"Infinity"'],
    ['0x10', '"0x10"'],
    ['1_000', '"1_000"'],
    ['1 000', '"1 000"'],
    ['"1,5"', '"1,5"'],
    ['1\u001b[31m', '"1\\u001b[31m"'],
  ])('is refused with its line and column: %j', async (cell, shown) => {
    expect(await message(`a,b,class\n1,2,x\n3,${cell},y\n`)).toBe(
      `table.csv:3: column "b": found ${shown}, expected a number`,
    );
  });

  it('is refused where it is too large a number', async () => {
    expect(await message('a,class\n1e400,x\n')).toBe(
      'table.csv:2: column "a": found "1e400", expected a number that fits a float64',
    );
  });

  it('is named by the number of its column where there is no header', async () => {
    expect(await message('1,2,x\n3,four,y\n', false)).toBe(
      'table.csv:2: column 1: found "four", expected a number',
    );
  });

  it('is named by the line on which its row begins', async () => {
    expect(await message('a,class\n1,"x\ny"\nb,z\n')).toBe(
      'table.csv:4: column "a": found "b", expected a number',
    );
  });

  it.each([
    ['a,class\nNA,x\n', true, 'missing values are not filled in'],
    ['a,class\n 1,x\n', true, 'remove the spaces'],
    ['a,class\n"1,5",x\n', true, 'write a point before the decimals'],
    ['a,class\n1e999,x\n', true, '1.797e308'],
    ['a,class\nred,x\n', true, 'data.exclude'],
    ['a,class\n1,x\n', false, 'give data.target as a name'],
  ])('comes with a hint: %j', async (content, header, hint) => {
    expect((await rejection(read(content, header))).hint).toContain(hint);
  });
});

describe('a text cell', () => {
  it.each([
    ['', 'found an empty cell, expected a value'],
    ['  ', 'found "  ", expected a value'],
    ['?', 'found "?", which stands for a missing value, expected a value'],
    ['NaN', 'found "NaN", which stands for a missing value, expected a value'],
    [' x', 'found " x", expected a value without spaces around it'],
  ])('is refused where it is missing or has spaces around it: %j', async (cell, found) => {
    expect(await message(`a,class\n1,x\n2,${cell}\n`)).toBe(`table.csv:3: column "class": ${found}`);
  });
});

describe('a table of the wrong shape', () => {
  it.each([
    ['too few fields', 'a,b,class\n1,2,x\n3,y\n', 'table.csv:3: found 2 fields, expected 3'],
    ['too many fields', 'a,class\n1,x\n2,y,\n', 'table.csv:3: found 3 fields, expected 2'],
    ['a single field', 'a,class\n1\n', 'table.csv:2: found 1 field, expected 2'],
    ['an empty line within', 'a,class\n1,x\n\n2,y\n', 'table.csv:3: found an empty line, expected 2'],
    [
      'a duplicate name',
      'a,b,a\n1,2,x\n',
      'table.csv:1: found the name "a" twice, for the columns 0 and 2 (from 0)',
    ],
    [
      'an empty name',
      ',a,class\n0,1,x\n',
      'table.csv:1: column 0 (from 0): found an empty name, expected one for every column',
    ],
    ['an empty first line', '\na,class\n1,x\n', 'table.csv:1: found an empty line, expected a header'],
    [
      'a header only',
      'a,class\n',
      'table.csv: found a header and nothing after it, expected a header and rows',
    ],
    ['nothing', '', 'table.csv: found an empty file, expected a header and rows'],
    ['a byte order mark only', '\ufeff', 'table.csv: found an empty file, expected a header and rows'],
    ['a second header', 'a,class\na,class\n1,x\n', 'table.csv:2: column "a": found "a", expected a number'],
  ])('is refused: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });
});

describe('quotes', () => {
  it.each([
    [
      'never closed',
      'a,class\n1,x\n2,"y\n3,z\n',
      'table.csv:3: column "class": found a quote that is never closed',
    ],
    [
      'never closed in the header',
      '"a,class\n1,x\n',
      'table.csv:1: column 0: found a quote that is never closed',
    ],
    [
      'closed too early',
      'a,class\n1,"x"y\n',
      'table.csv:2: column "class": found text after the closing quote, expected a comma or the end of the line',
    ],
    [
      'closed by the next one',
      'a,class\n1,"x\n2,"y"\n',
      'table.csv:2: column "class": found text after the closing quote on line 3, expected a comma or the end of the line',
    ],
    ['stray', 'a,class\n1,5"\n', 'table.csv:2: column "class": found a quote in the middle of a value'],
  ])('are refused where one is %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });

  it('are refused where one swallows what would fill the memory', async () => {
    const content = `a,class\n1,"x\n${'2,y\n'.repeat(2 ** 22)}`;
    expect(await message(content)).toBe('table.csv:2: column "class": found a row of more than 16 MiB');
  });
});

describe('a file that is no text', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');

  it.each([
    [
      'gzip',
      Buffer.of(0x1f, 0x8b, 8, 0, 0),
      'table.csv: found a file compressed by gzip, expected a CSV in UTF-8',
    ],
    [
      'a workbook',
      Buffer.from('PK\u0003\u0004..'),
      'table.csv: found a zip archive or a workbook, expected a CSV in UTF-8',
    ],
    [
      'UTF-16 with a mark',
      utf16('\ufeffa,class\n'),
      'table.csv: found text in UTF-16, expected a CSV in UTF-8',
    ],
    [
      'big-endian UTF-16',
      utf16('\ufeffa,b\n').swap16(),
      'table.csv: found text in UTF-16, expected a CSV in UTF-8',
    ],
    ['UTF-16 without a mark', utf16('a,class\n'), 'table.csv: found text in UTF-16, expected a CSV in UTF-8'],
    ['a NUL byte', 'a,class\n1,x\n2,\0\n', 'table.csv:3: found a NUL byte at offset 14, expected text'],
    [
      'Latin-1',
      Buffer.from('a,class\n1,caf\xe9\n2,x\n', 'latin1'),
      'table.csv:2: found the byte 0xe9 at offset 13, which is no valid UTF-8',
    ],
    [
      'a character cut short at the end',
      Buffer.from('a,class\n1,\xe2\x82', 'latin1'),
      'table.csv:2: found the byte 0xe2 at offset 10, which is no valid UTF-8',
    ],
    [
      'a byte that begins no character',
      Buffer.concat([Buffer.from(`a,class\n${'1,€\n'.repeat(20_000)}2,`), Buffer.of(0xff, 0x0a)]),
      'table.csv:20002: found the byte 0xff at offset 120010, which is no valid UTF-8',
    ],
  ])('is refused and named: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });
});

describe('a file that is not there to be read', () => {
  const options = { header: true, kinds: lastIsText };

  it('is refused with 66 where it is missing or a directory', async () => {
    const missing = await rejection(readTable(join(folder.path, 'no.csv'), options));
    expect(missing).toMatchObject({
      exitCode: ExitCode.noInput,
      message: `${join(folder.path, 'no.csv')}: no such file`,
    });
    const directory = await rejection(readTable(folder.path, options));
    expect(directory.exitCode).toBe(ExitCode.noInput);
    expect(directory.message).toContain('found a directory');
  });

  // root may read anything, and Windows knows no such mode
  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'is refused with 77 where it is forbidden',
    async () => {
      const path = folder.write('secret.csv', 'a,class\n1,x\n');
      chmodSync(path, 0);
      expect((await rejection(readTable(path, options))).exitCode).toBe(ExitCode.noPermission);
    },
  );
});

describe('properties', () => {
  const special = fc.string({
    unit: fc.constantFrom('a', 'ä', '"', ',', '\n', '\r', ' ', '1', '😀'),
    maxLength: 6,
  });
  // Most cells begin and end with a letter, for a table is refused where one is blank or has spaces around it.
  const cell = fc.oneof(
    { weight: 19, arbitrary: special.map((text) => `x${text}x`) },
    { weight: 1, arbitrary: special },
  );
  const rows = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
    );
  const allText = (names: readonly string[]): ColumnKind[] => names.map(() => 'text');
  const write = (cells: string[]) => cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');

  it('reads what it accepts as csv-parse does', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n', '\r'), async (cells, end) => {
        const content = cells.map((row) => write(row) + end).join('');
        const path = folder.write('random.csv', content);
        const expected: string[][] = parse(content, { record_delimiter: ['\r\n', '\n', '\r'] });
        try {
          const table = await readTable(path, { header: false, kinds: allText });
          const read = expected.map((row, i) => row.map((_, j) => texts(table, j)[i]));
          expect(read).toEqual(expected);
          expect(table.rows).toBe(expected.length);
          accepted++;
        } catch (error) {
          if (!(error instanceof MlpError)) throw error;
        }
      }),
      { numRuns: 150, seed: 1 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('gives a table or an error for the user, whatever the bytes', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom('1', '2.5', ',', '\n', '\r\n', '"', 'x', '\ufeff').map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.boolean(), async (pieces, header) => {
        const path = folder.write('bytes.csv', Buffer.concat(pieces));
        try {
          const table = await readTable(path, { header, kinds: lastIsText });
          expect(table.rows).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(MlpError);
        }
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});
