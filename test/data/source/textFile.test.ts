import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../../src/data/source/source.js';
import { readText } from '../../../src/data/source/textFile.js';
import { ExitCode, MlpError } from '../../../src/errors.js';
import { Folder, rejection } from '../files.js';

const folder = new Folder();

async function piecesOf(
  content: string | Uint8Array,
  progress?: (doneBytes: number, totalBytes: number) => void,
): Promise<Buffer[]> {
  const source = await openSource(folder.write('table.csv', content));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readText(source, progress)) chunks.push(chunk);
  } finally {
    source.close();
  }
  return chunks;
}

/** The message without the folder. */
async function message(content: string | Uint8Array): Promise<string> {
  const error = await rejection(piecesOf(content));
  expect(error.exitCode).toBe(ExitCode.data);
  return error.message.replace(join(folder.path, 'table.csv'), 'table.csv');
}

describe('readText', () => {
  it('gives a whole file in chunks that end between characters', async () => {
    for (const shift of [0, 1, 2]) {
      const text = `${'x'.repeat(shift)}${'€'.repeat(300_000)}`;
      const chunks = await piecesOf(text);
      expect(chunks.length).toBeGreaterThan(1);
      expect(chunks.map(String).join('')).toBe(text);
    }
  });

  it('gives nothing of an empty file', async () => {
    expect(await piecesOf('')).toEqual([]);
  });

  it('reports the bytes that are read', async () => {
    const reports: number[][] = [];
    await piecesOf('x'.repeat(600_000), (...report) => reports.push(report));
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.at(-1)).toEqual([600_000, 600_000]);
  });

  it('lets other work go on meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await piecesOf('x'.repeat(20_000_000));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('refuses a file that has shrunk since it was opened', async () => {
    const path = folder.write('shrinks.csv', 'x'.repeat(1_000_000));
    const source = await openSource(path);
    const chunks = readText(source);
    await chunks.next();
    truncateSync(path, 300_000);
    const rest = async () => {
      for await (const _ of chunks);
    };
    expect(await rejection(rest())).toMatchObject({
      exitCode: ExitCode.io,
      message: `${path}: changed while it was read: found 300000 bytes, expected 1000000`,
    });
    source.close();
  });
});

describe('a file that is no text', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');

  it.each([
    ['a workbook', Buffer.from('PK\u0003\u0004..'), 'found a zip archive or a workbook'],
    ['a file of zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 4), 'found a file compressed by zstd'],
    ['a file of xz', Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0), 'found a file compressed by xz'],
    ['UTF-16 with a mark', utf16('\ufeffa,class\n'), 'found text in UTF-16'],
    ['big-endian UTF-16', utf16('\ufeffa,b\n').swap16(), 'found text in UTF-16'],
    ['UTF-16 without a mark', utf16('a,class\n'), 'found text in UTF-16'],
    ['a gzip in a gzip', gzipSync(gzipSync('a,b\n')), 'found a file that gzip has compressed twice'],
    ['a workbook in a gzip', gzipSync('PK\u0003\u0004..'), 'found a zip archive or a workbook'],
    ['UTF-16 in a gzip', gzipSync(utf16('\ufeffa,b\n')), 'found text in UTF-16'],
  ])('is refused and named: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(`table.csv: ${expected}, expected a CSV in UTF-8`);
  });

  it.each([
    ['a NUL byte', 'a,class\n1,x\n2,\0\n', 'table.csv:3: found a NUL byte at offset 14, expected text'],
    [
      'Latin-1',
      Buffer.from('a,class\n1,caf\xe9\n2,x\n', 'latin1'),
      'table.csv:2: found the byte 0xe9 at offset 13, which is not valid UTF-8',
    ],
    [
      'a character cut short at the end',
      Buffer.from('a,class\n1,\xe2\x82', 'latin1'),
      'table.csv:2: found the byte 0xe2 at offset 10, which is not valid UTF-8',
    ],
    [
      'a byte that begins no character, in a later chunk',
      Buffer.concat([Buffer.from(`a,class\n${'1,€\n'.repeat(90_000)}2,`), Buffer.of(0xff, 0x0a)]),
      'table.csv:90002: found the byte 0xff at offset 540010, which is not valid UTF-8',
    ],
  ])('is refused with line and offset: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });

  it('is told from text, whatever the bytes', async () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'ä', '€', '😀', '\n', ','), maxLength: 8 });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      letters.map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), async (parts) => {
        const content = Buffer.concat(parts);
        const valid = !content.includes(0) && Buffer.from(content.toString()).equals(content);
        try {
          expect(Buffer.concat(await piecesOf(content))).toEqual(content);
          expect(valid).toBe(true);
        } catch (error) {
          if (!(error instanceof MlpError)) throw error;
          expect(valid).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });
});
