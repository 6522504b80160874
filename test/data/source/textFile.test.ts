import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OpenOptions, openSource } from '../../../src/data/source/source.js';
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
  it('gives a whole file in pieces that end between characters', async () => {
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
  it.each([
    ['a workbook', 'PK\u0003\u0004..xl/workbook.xml', 'an Excel workbook'],
    ['a workbook in a gzip', gzipSync('PK\u0003\u0004..xl/workbook.xml'), 'an Excel workbook'],
    [
      'a sheet of LibreOffice',
      'PK\u0003\u0004mimetypeapplication/vnd.oasis.opendocument.spreadsheet',
      'a LibreOffice spreadsheet',
    ],
    ['a ZIP', 'PK\u0003\u0004a.csv', 'a ZIP archive'],
    ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'an Excel workbook (.xls)'],
    ['a file of zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 4), 'a file compressed by zstd'],
    ['a file of xz', Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0), 'a file compressed by xz'],
    ['a gzip in a gzip', gzipSync(gzipSync('a,b\n')), 'a file that gzip has compressed twice'],
    ['a database', 'SQLite format 3\0', 'an SQLite database'],
    ['a web page', '\n<!DOCTYPE HTML>\n<p>404</p>', 'an HTML page'],
    ['a web page in UTF-16', Buffer.from('\ufeff<html>', 'utf16le'), 'an HTML page'],
    ['XML', '<?xml version="1.0"?>\n<rows/>', 'an XML document'],
    ['JSON', '[\n  {"a": 1}\n]', 'a JSON document'],
    [
      'a pointer of Git LFS',
      'version https://git-lfs.github.com/spec/v1\noid …',
      'a pointer of Git LFS instead of the data',
    ],
  ])('is refused and named: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(`table.csv: found ${expected}, expected a table`);
  });

  it.each([['[a],[b]\n1,2\n'], ['<a,b\n1,2\n'], ['PAR1,PAR2\n1,2\n'], ['{a},b\n1,2\n']])(
    'is not taken for something else: %j',
    async (text) => {
      expect((await piecesOf(text)).map(String).join('')).toBe(text);
    },
  );

  it.each([
    ['a NUL byte', 'a,class\n1,x\n2,\0\n', 'table.csv:3:3: found a NUL byte at offset 14, expected text'],
    [
      'a character cut short at the end',
      Buffer.from('a,class\n1,\xe2\x82', 'latin1'),
      'table.csv:2:3: found the byte 0xe2 at offset 10, which is not valid UTF-8',
    ],
    [
      'a byte that begins no character, after others that do',
      Buffer.concat([Buffer.from(`a,class\n${'1,€\n'.repeat(90_000)}2,`), Buffer.of(0xff, 0x0a)]),
      'table.csv:90002:3: found the byte 0xff at offset 540010, which is not valid UTF-8',
    ],
    [
      'a byte without a meaning in Windows-1252',
      Buffer.from('a,class\n1,caf\xe9\n2,\x81\n', 'latin1'),
      'table.csv:3:3: found text that is neither UTF-8 nor Windows-1252',
    ],
  ])('is refused with its line: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });

  it('is told from UTF-8, whatever the bytes', async () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'ä', '€', '😀', '\n', ','), maxLength: 8 });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      letters.map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), async (parts) => {
        const content = Buffer.concat(parts);
        const valid = !content.includes(0) && Buffer.from(content.toString()).equals(content);
        const { text, notes } = await read(content, {}).catch((error) => {
          if (!(error instanceof MlpError)) throw error;
          return { text: undefined, notes: [] };
        });
        if (valid) expect(text).toBe(content.toString());
        // Anything else is an error, or decoded with a note.
        else expect(text === undefined || notes.length === 1).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

async function read(content: string | Uint8Array, options: OpenOptions) {
  const source = await openSource(folder.write('table.csv', content), options);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readText(source)) chunks.push(chunk);
    return { text: Buffer.concat(chunks).toString(), notes: [...source.notes], encoding: source.encoding };
  } finally {
    source.close();
  }
}

describe('the encoding', () => {
  const text = 'größe,ort\n1,Köln\n2,Hof\n';

  it.each([
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le'],
    ['big-endian UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), 'utf-16be'],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['big-endian UTF-16 without a mark', Buffer.from(text, 'utf16le').swap16(), 'utf-16be'],
    ['UTF-16 in a gzip', gzipSync(Buffer.from(text, 'utf16le')), 'utf-16le'],
    ['Latin-1', Buffer.from(text, 'latin1'), 'windows-1252'],
    ['Latin-1 in a gzip', gzipSync(Buffer.from(text, 'latin1')), 'windows-1252'],
  ])('is detected and noted: %s', async (_, content, encoding) => {
    const found = await read(content, {});
    expect(found).toMatchObject({ text, encoding });
    expect(found.notes).toHaveLength(1);
    expect(found.notes[0]).toMatch(encoding === 'windows-1252' ? /Windows-1252/ : /UTF-16/);
  });

  it('maps the whole of Windows-1252 as the standard does', async () => {
    // https://encoding.spec.whatwg.org/index-windows-1252.txt
    const content = Buffer.from('a\x80\x8a\x93\x9f\xa0\xff\n', 'latin1');
    expect((await read(content, {})).text).toBe('a€Š“Ÿ\u00a0ÿ\n');
  });

  it('is found late, in a chunk after many of ASCII', async () => {
    const ascii = 'a,b\n'.repeat(200_000);
    const found = await read(Buffer.concat([Buffer.from(ascii), Buffer.of(0xe9, 0x0a)]), {});
    expect(found.text).toBe(`${ascii}é\n`);
    expect(found.encoding).toBe('windows-1252');
  });

  it('is what it is said to be', async () => {
    const cyrillic = Buffer.from('f0eef1f22c790a', 'hex');
    expect(await read(cyrillic, { encoding: 'windows-1251' })).toEqual({
      text: 'рост,y\n',
      notes: [],
      encoding: 'windows-1251',
    });
    expect((await read(cyrillic, { fallback: 'windows-1251' })).text).toBe('рост,y\n');
    const japanese = Buffer.from('93fa967b2c790a', 'hex');
    expect((await read(japanese, { encoding: 'shift_jis' })).text).toBe('日本,y\n');
    const long = Buffer.concat(Array.from({ length: 60_000 }, () => japanese));
    expect((await read(long, { encoding: 'shift_jis' })).text).toBe('日本,y\n'.repeat(60_000));
  });

  it('gives way to a byte order mark', async () => {
    expect((await read('\ufeffä\n', { encoding: 'windows-1251' })).text).toBe('\ufeffä\n');
  });

  it('is an error where the bytes are none of its characters', async () => {
    const error = await rejection(read(Buffer.from('a\nb\x81', 'latin1'), { encoding: 'shift_jis' }));
    expect(error.message).toMatch(/table.csv:2:2: found bytes that are no text in shift_jis$/);
    const latin = await rejection(read(Buffer.from('a,\xe9\n', 'latin1'), { encoding: 'utf-8' }));
    expect(latin.message).toMatch(/found the byte 0xe9 at offset 2, which is not valid UTF-8$/);
  });
});
