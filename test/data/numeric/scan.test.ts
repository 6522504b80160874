/** What the first way over a file finds, and what is left to csv-parse. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { Folder, rejection } from '../files.js';
import { fitFile, TINY, withNumericFile } from './support.js';

const folder = new Folder();
const numeric = new Map([[1, 'numeric' as const]]);

const rowsOf = (content: string | Uint8Array, kept = new Map<number, 'numeric' | 'text'>(), tuning = {}) =>
  withNumericFile(folder, content, { kept }, (file) => file?.rows ?? null, tuning);

describe('NumericFile.scan', () => {
  it.each([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['no last line end', 'a,b\n1,2\n3,4'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['CRLF, no last line end', 'a,b\r\n1,2\r\n3,4'],
    ['mixed line ends', 'a,b\n1,2\r\n3,4\n'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
    ['semicolons', 'a;b\n1;2\n3;4\n'],
    ['tabs', 'a\tb\n1\t2\n3\t4\n'],
    ['quotes in the header alone', '"a","b"\n1,2\n3,4\n'],
    ['a quote', 'a,b\n1,"2"\n3,4\n'],
    ['quotes around every cell', '"a","b"\r\n"1","2"\r\n"3","4"'],
    ['spaces around quotes', 'a,b\n1, "2" \n "3" ,4\n'],
    ['a separator in quotes', 'a,b\n1,"2,3"\n3,4\n'],
    ['quotes in quotes', 'a,b\n1,"say ""hi"""\n3,""""\n'],
    ['line breaks in quotes', 'a,b\n1,"2\n\r\n\r3"\n3,"\n"\n'],
    ['an empty cell in quotes', 'a,b\n"",""\n3,""\n'],
    ['a quote within a cell', 'a,b\n1,5" pipe\n3,37°36\'37.8"N\n'],
    ['a tab in quotes', 'a,b\n1,"2\t3"\n3,4\n'],
  ])('counts the rows with %s', async (_, content) => {
    expect(await rowsOf(content)).toBe(2);
    expect(await rowsOf(content, new Map(), TINY)).toBe(2);
  });

  it.each([
    ['a quote that is never closed', `a,b\n${'1,2\n'.repeat(100)}1,"2\n`],
    ['text after a closing quote', `a,b\n${'1,2\n'.repeat(300)}1,"2"3\n`],
    ['text after a closing quote and a space', `a,b\n${'1,2\n'.repeat(300)}1,"2" 3\n`],
    ['a second quoted text', `a,b\n${'1,2\n'.repeat(300)}1,"2" "3"\n`],
    ['a quote after another space than a blank', 'a,b\n1,\u00a0"2"\n3,4\n'],
    ['a control character in quotes', 'a,b\n1,"2\x01"\n3,4\n'],
    ['a row of too many fields with quotes', `a,b\n${'1,2\n'.repeat(300)}1,"2","3"\n`],
    ['a row that is too short', 'a,b\n1,2\n3\n'],
    ['a row that is too long', 'a,b\n1,2\n3,4,5\n'],
    ['two rows whose fields make up for each other', 'a,b\n1,2,3\n4\n'],
    ['an empty line', 'a,b\n1,2\n\n3,4\n'],
    ['an empty line that ends in CRLF', 'a\n1\n\r\n2\n'],
    ['a lone carriage return', 'a,b\n1,2\r3,4\n'],
    ['a carriage return within a row', 'a,b\n1\r,2\n3,4\n'],
    ['two carriage returns', 'a,b\n1,2\r\r\n3,4\n'],
    ['a control character', 'a,b\n1,2\n3,\x01\n'],
    ['a tab between commas', 'a,b\n1,2\n3,\t4\n'],
  ])('declines %s', async (_, content) => {
    expect(await rowsOf(content)).toBeNull();
    expect(await rowsOf(content, new Map(), TINY)).toBeNull();
  });

  it('declines a row that is far too long in a wide table', async () => {
    const row = (cells: number) => `${'1,'.repeat(cells - 1)}1\n`;
    expect(await rowsOf(row(40_000) + row(80_000), numeric)).toBeNull();
  });

  it('declines bytes that are no UTF-8, and takes those that are', async () => {
    const bytes = (tail: number[]) =>
      Buffer.concat([Buffer.from(`a,b\n${'1,2\n'.repeat(1000)}3,`), Buffer.from(tail)]);
    const late = (tail: number[]) =>
      withNumericFile(folder, bytes(tail), {}, (file) => file?.rows ?? null, TINY);
    expect(await late([0xc3, 0xa9])).toBe(1001);
    // Only past the beginning, which is read as text.
    const long = Buffer.concat([Buffer.from(`a,b\n${'1,2\n'.repeat(100_000)}3,`), Buffer.from([0xe9, 0x0a])]);
    expect(await rowsOf(long)).toBeNull();
  });

  it('declines comments, and rows longer than 1 MiB', async () => {
    const long = `a,b\n1,2\n${'0'.repeat(2 ** 20)}1,2\n`;
    expect(await rowsOf(long, new Map())).toBeNull();
    const short = `a,b\n1,2\n${'0'.repeat(2 ** 20 - 100)}1,2\n`;
    expect(await rowsOf(short, new Map())).toBe(2);
  });

  it('keeps numbers with NaN where they are missing', async () => {
    const content = 'a,b,c\n1,2.5,x\n1,NA,y\n1,,z\n1,-3e2,w\n';
    await withNumericFile(folder, content, { kept: numeric }, (file) => {
      expect(file?.column(1)).toEqual({
        kind: 'numeric',
        values: Float64Array.of(2.5, Number.NaN, Number.NaN, -300),
        missing: 2,
      });
      expect(() => file?.column(0)).toThrow(TypeError);
    });
  });

  it.each([
    ['a word', '1,2\n1,x\n'],
    ['a number too large', '1,2\n1,1e400\n'],
    ['nothing but missing cells', '1,\n1,NA\n'],
  ])('declines to capture numbers where there is %s', async (_, rows) => {
    expect(await rowsOf(`a,b\n${rows}`, numeric)).toBeNull();
  });

  it('keeps the same cells of files of long numbers, whatever cells are missing and however much memory there is', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => {
      const target = i % 70 === 69 ? '' : `${i / 3}`;
      return `${i / 7},${target},${i % 5}.0,${i === 250 ? 'NA' : i / 11}`;
    });
    const content = `a,y,label,b\n${rows.join('\n')}\n`;
    const kept = new Map([
      [1, 'numeric' as const],
      [2, 'label' as const],
    ]);
    const columnsOf = (features: readonly number[], tuning = {}) =>
      withNumericFile(
        folder,
        content,
        { kept, features },
        (file) => [file?.column(1), file?.column(2)],
        tuning,
      );
    const expected = await columnsOf([]);
    expect(expected[0]).toMatchObject({ kind: 'numeric', missing: 4 });
    for (const keptBytes of [0, 6000, 2 ** 20]) {
      for (const chunkBytes of [7, 1000, 2 ** 20]) {
        expect(await columnsOf([0, 3], { keptBytes, chunkBytes })).toEqual(expected);
        expect(await columnsOf([0], { keptBytes, chunkBytes })).toEqual(expected);
      }
    }
  });

  it('keeps text by its levels in the order of their first rows, across chunks', async () => {
    const words = [
      'Zoë',
      'b',
      '',
      'NA',
      '北京',
      'b',
      'Zoë',
      'a b',
      ...Array.from({ length: 200 }, (_, i) => `w${i}`),
    ];
    const content = `a,b\n${words.map((word) => `1,${word}`).join('\n')}\n`;
    for (const tuning of [{}, TINY]) {
      await withNumericFile(
        folder,
        content,
        { kept: new Map([[1, 'text']]) },
        (file) => {
          const column = file?.column(1);
          if (column?.kind !== 'text') throw new Error('the column is no text');
          expect(column.levels.slice(0, 5)).toEqual(['Zoë', 'b', '北京', 'a b', 'w0']);
          expect([...column.codes.slice(0, 9)]).toEqual([0, 1, -1, -1, 2, 1, 0, 3, 4]);
          expect(column.missing).toBe(2);
          expect(column.levels.length).toBe(204);
        },
        tuning,
      );
    }
  });

  it('drops spaces around cells, wherever chunks end', async () => {
    const content = 'a,b,c\n 1 ,  x y  ,2\n3,z ,    \r\n  4,  ,5  ';
    const kept = new Map([
      [0, 'numeric' as const],
      [1, 'text' as const],
      [2, 'numeric' as const],
    ]);
    for (const tuning of [{}, TINY]) {
      await withNumericFile(
        folder,
        content,
        { kept },
        (file) => {
          expect(file?.column(0)).toMatchObject({ values: Float64Array.of(1, 3, 4), missing: 0 });
          expect(file?.column(1)).toMatchObject({ levels: ['x y', 'z'], missing: 1 });
          expect(file?.column(2)).toMatchObject({ values: Float64Array.of(2, Number.NaN, 5), missing: 1 });
          expect(file?.notes).toEqual([expect.stringContaining('spaces around cells')]);
        },
        tuning,
      );
    }
  });

  it.each(['\n', '\r\n', ' \n \r\n\n'])('takes empty lines at the end: %j', async (lines) => {
    const rows = 'a,b\n1,2\n3,4\n';
    await withNumericFile(folder, rows + lines, {}, (file) => {
      expect(file?.rows).toBe(2);
      expect(file?.notes).toEqual([expect.stringContaining('empty line')]);
    });
  });

  it('takes a separator at the end of every row, and of every row only', async () => {
    expect(await rowsOf('a,b\n1,2,\n3,4,\n', numeric, TINY)).toBe(2);
    expect(await rowsOf(`a,b\n${'1,2,\n'.repeat(300)}3,4\n`, numeric)).toBeNull();
    expect(await rowsOf(`a,b\n${'1,2,\n'.repeat(300)}3,4,5\n`, numeric)).toBeNull();
  });

  it('declines a quoted cell longer than 1 MiB, and takes one that ends in another chunk', async () => {
    const long = (length: number) => `a,b\n1,2\n3,"${'x\n'.repeat(length / 2)}"\n5,6\n`;
    expect(await rowsOf(long(2 ** 20))).toBeNull();
    expect(await rowsOf(long(2 ** 20 - 100))).toBe(3);
    expect(await rowsOf(long(2 ** 16), new Map(), { chunkBytes: 2 ** 10 })).toBe(3);
  });

  it('reads cells in quotes as what they hold, wherever chunks end', async () => {
    const texts = ['Zoë', '"Zoë"', '"a,b"', '"say ""hi"""', ' " x " ', '"two\nlines"', '"two\r\nlines"'];
    const missing = ['NA', '""', '"  "', '"-NaN"', '"NA"', '"NA "', 'a 5" b', '"\rx"'];
    const content = `a,b\n${[...texts, ...missing].map((text, i) => `"${i}",${text}\n`).join('')}`;
    const kept = new Map([
      [0, 'numeric' as const],
      [1, 'text' as const],
    ]);
    for (let chunkBytes = 1; chunkBytes < 90; chunkBytes++) {
      await withNumericFile(
        folder,
        content,
        { kept },
        (file) => {
          expect(file?.column(0)).toMatchObject({ values: Float64Array.from({ length: 15 }, (_, i) => i) });
          const column = file?.column(1);
          if (column?.kind !== 'text') throw new Error('the column is no text');
          expect([...column.codes].map((code) => column.levels[code])).toEqual([
            ...['Zoë', 'Zoë', 'a,b', 'say "hi"', ' x ', 'two\nlines', 'two\r\nlines'],
            ...[undefined, undefined, undefined, '-NaN', 'NA', 'NA ', 'a 5" b', '\rx'],
          ]);
          expect(file?.notes).toEqual([expect.stringContaining('spaces around cells')]);
          const lines = Array.from({ length: 15 }, (_, row) => file?.line(row));
          expect(lines).toEqual([2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 18]);
        },
        { chunkBytes, blockCells: 4 },
      );
    }
  });

  it('says on which line a row stands', async () => {
    await withNumericFile(folder, '"a\nb",c\n1,2\n3,4\n', {}, (file) => {
      expect([file?.line(0), file?.line(1)]).toEqual([3, 4]);
    });
  });

  it('tells progress in rising bytes up to twice the size', async () => {
    const told: number[] = [];
    const content = `a,b\n${'1,2\n'.repeat(500)}`;
    const progress = (done: number, total: number) => {
      expect(total).toBe(2 * content.length);
      told.push(done);
    };
    await withNumericFile(
      folder,
      content,
      { progress },
      async (file) => file && fitFile(file, { columns: 2 }),
      {
        chunkBytes: 100,
      },
    );
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(2 * content.length);
  });

  it('is an error where the file has become shorter, or another', async () => {
    const content = `a,b\n${'1,2\n'.repeat(500)}`;
    const fitAfter = (change: (path: string) => void) =>
      withNumericFile(folder, content, {}, async (file) => {
        change(join(folder.path, 'plain.csv'));
        return file && fitFile(file, { columns: 2 });
      });
    const short = await rejection(fitAfter((path) => truncateSync(path, 800)));
    expect(short.exitCode).toBe(ExitCode.io);
    const other = await rejection(fitAfter((path) => writeFileSync(path, 'x'.repeat(content.length))));
    expect(other.exitCode).toBe(ExitCode.io);
    expect(other.message).toContain('changed while it was read');
  });
});
