import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type DialectRequest, detectDialect } from '../../../src/data/csv/dialect.js';
import { readTable } from '../../../src/data/csv/readTable.js';
import { openSource } from '../../../src/data/source/source.js';
import { type ColumnKind, numericColumn, type Table, textColumn } from '../../../src/data/table.js';
import { ExitCode } from '../../../src/errors.js';
import { Folder, rejection } from '../files.js';

const folder = new Folder();

interface Options extends Partial<DialectRequest> {
  /** Of all columns, or of each. */
  kinds?: ColumnKind | ColumnKind[];
}

/** Reads with a header, columns by their cells, unless said. */
async function read(content: string | Uint8Array, options: Options = {}): Promise<Table> {
  const { kinds = 'auto', ...request } = options;
  const source = await openSource(folder.write('t.csv', content));
  try {
    const dialect = await detectDialect(source, { delimiter: ',', header: true, ...request });
    return await readTable(source, dialect, {
      kinds: (names) => (typeof kinds === 'string' ? names.map(() => kinds) : kinds),
    });
  } finally {
    source.close();
  }
}

/** The error for the user, its message without the folder. */
async function failure(content: string | Uint8Array, options: Options = {}) {
  const { exitCode, message, hint } = await rejection(read(content, options));
  expect(exitCode).toBe(ExitCode.data);
  return { message: message.replace(join(folder.path, 't.csv'), 't.csv'), hint };
}

async function message(content: string | Uint8Array, options?: Options): Promise<string> {
  return (await failure(content, options)).message;
}

/** [rows] The cells of a text column, null where they are missing. */
function texts(table: Table, index: number): (string | null)[] {
  const { levels, codes } = textColumn(table, index);
  return Array.from(codes, (code) => (code < 0 ? null : levels[code]));
}

const values = (table: Table, index: number) => Array.from(numericColumn(table, index).values);

const kindsOf = (table: Table) => table.columns.map((column) => column?.kind);

describe('readTable', () => {
  it('reads numbers, text, names and lines', async () => {
    const table = await read('a,b,class\n1,2.5,x\n-3e2,.5,y\n7,8,x\n');
    expect(table).toMatchObject({ header: true, names: ['a', 'b', 'class'], rows: 3 });
    expect(values(table, 0)).toEqual([1, -300, 7]);
    expect(values(table, 1)).toEqual([2.5, 0.5, 8]);
    expect(textColumn(table, 2).levels).toEqual(['x', 'y']);
    expect(texts(table, 2)).toEqual(['x', 'y', 'x']);
    expect(table.lines).toEqual(Uint32Array.of(2, 3, 4));
  });

  it('numbers the columns where there is no header', async () => {
    const table = await read('1,2,x\n3,4,y', { header: false });
    expect(table).toMatchObject({ header: false, names: ['0', '1', '2'], rows: 2 });
    expect(values(table, 0)).toEqual([1, 3]);
    expect(table.lines).toEqual(Uint32Array.of(1, 2));
  });

  it('keeps the order of names that look like numbers', async () => {
    const table = await read('b,2,1,class\n10,20,30,x\n');
    expect(table.names).toEqual(['b', '2', '1', 'class']);
    expect(values(table, 1)).toEqual([20]);
  });

  it('does not look at skipped columns', async () => {
    const table = await read('id,a\nabc,1\n x ,2\n', { kinds: ['skipped', 'numeric'] });
    expect(kindsOf(table)).toEqual([undefined, 'numeric']);
    expect(values(table, 1)).toEqual([1, 2]);
  });

  it('takes __proto__ and constructor as names and levels', async () => {
    const table = await read('__proto__,constructor\n1,__proto__\n2,constructor\n3,__proto__\n');
    expect(table.names).toEqual(['__proto__', 'constructor']);
    expect(texts(table, 1)).toEqual(['__proto__', 'constructor', '__proto__']);
  });

  it.each([';', '\t', '|'])('separates by %j', async (delimiter) => {
    const table = await read('a,b\n1.5,"x,y;z\t|"\n'.replace(/,(?!y)/g, delimiter), { delimiter });
    expect(values(table, 0)).toEqual([1.5]);
    expect(texts(table, 1)).toEqual(['x,y;z\t|'.replace(/,(?!y)/g, delimiter)]);
  });

  it('skips a byte order mark at the start of the file, and there alone', async () => {
    expect((await read('\ufeffa,class\n1,x\n')).names).toEqual(['a', 'class']);
    expect(values(await read('\ufeff1,x\n2,y\n', { header: false }), 0)).toEqual([1, 2]);
    expect(texts(await read('a,class\n"\ufeffx",1\n'), 0)).toEqual(['\ufeffx']);
  });

  it('reads quotes, with delimiters and line ends within them', async () => {
    const table = await read('"a","the ""class"""\n1,"x, y"\n2,"first\r\nsecond"\n"3","say ""no"""\n4,z\n');
    expect(table.names).toEqual(['a', 'the "class"']);
    expect(values(table, 0)).toEqual([1, 2, 3, 4]);
    expect(texts(table, 1)).toEqual(['x, y', 'first\r\nsecond', 'say "no"', 'z']);
  });

  it('skips comments where asked, and takes them for data elsewhere', async () => {
    const content = 'a,class\n1,#x\n"#2",y\n';
    expect(texts(await read(content, { comment: '#', kinds: 'text' }), 0)).toEqual(['1', '#2']);
    const table = await read('# "made\na,class\n#\n1,x\n# by, "hand\n2,y#z\n#end', { comment: '#' });
    expect(values(table, 0)).toEqual([1, 2]);
    expect(texts(table, 1)).toEqual(['x', 'y#z']);
    expect(await message('a,class\n1,x\n#2,y,z\n')).toBe('t.csv:3: found 3 fields, expected 2');
  });

  it('reads a file of many chunks, with characters and line ends across their borders', async () => {
    const letters = ['ä', 'ö', 'ü', '€', '𝄞'];
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i},${i / 8},${letters.slice(i % 6).join('')}x`);
    const table = await read(`n,eighth,class\r\n${rows.join('\r\n')}\r\n`);
    expect(table.rows).toBe(60_000);
    expect(numericColumn(table, 0).values).toEqual(Float64Array.from(rows, (_, i) => i));
    expect(numericColumn(table, 1).values[59_999]).toBe(59_999 / 8);
    expect(textColumn(table, 2).levels).toEqual(['äöü€𝄞x', 'öü€𝄞x', 'ü€𝄞x', '€𝄞x', '𝄞x', 'x']);
    expect(table.lines[59_999]).toBe(60_001);
  });

  it('makes room for more rows than the length of the first ones lets it expect', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => (i < 200 ? `${i},"${'x'.repeat(500)}"` : `${i},y`));
    const table = await read(`n,class\n${rows.join('\n')}\n`);
    expect(numericColumn(table, 0).values).toEqual(Float64Array.from(rows, (_, i) => i));
    expect(table.lines[4999]).toBe(5001);
    expect(texts(table, 1)[4999]).toBe('y');
  });

  it('tells how far it is', async () => {
    const path = folder.write('long.csv', `a\n${'1\n'.repeat(400_000)}`);
    const source = await openSource(path);
    const seen: number[][] = [];
    const dialect = await detectDialect(source, { delimiter: ',', header: true });
    await readTable(source, dialect, { kinds: () => ['auto'], progress: (...bytes) => seen.push(bytes) });
    source.close();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toEqual([800_002, 800_002]);
  });

  it('is refused where the table does not fit into the memory', async () => {
    vi.stubGlobal('Float64Array', function refuse() {
      throw new RangeError('Array buffer allocation failed');
    });
    try {
      const failed = await failure('a,class\n1,x\n');
      expect(failed.message).toBe('t.csv: found a table of 2 columns that does not fit into memory');
      expect(failed.hint).toContain('data.exclude');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('is refused with 74 where the file shrinks while it is read', async () => {
    const path = folder.write('shrinks.csv', `a\n${'1\n'.repeat(400_000)}`);
    const source = await openSource(path);
    const dialect = await detectDialect(source, { delimiter: ',', header: true });
    truncateSync(path, 100);
    const error = await rejection(readTable(source, dialect, { kinds: () => ['auto'] }));
    source.close();
    expect(error.exitCode).toBe(ExitCode.io);
    expect(error.message).toContain('changed while it was read');
  });
});

describe('lines', () => {
  it('end at LF, CRLF and CR, also mixed, and leave none of them in a value', async () => {
    const table = await read('a,class\r\n1,x\n2,x\r\n3,x\r4,x');
    expect(textColumn(table, 1).levels).toEqual(['x']);
    expect(table.lines).toEqual(Uint32Array.of(2, 3, 4, 5));
  });

  it('are counted within quotes and comments too', async () => {
    const table = await read(
      '#\r\na,"b\r\nb",c\r\n#\n#"\r1,"\n\r\n\r",x\r\n#\r\n2,\'\n,y\r\n3,"\r\n",'.replace("'\n", 'z'),
      {
        comment: '#',
        kinds: 'skipped',
        header: true,
      },
    );
    expect(table.lines).toEqual(Uint32Array.of(6, 11, 12));
  });

  it('are named where a row begins', async () => {
    expect(await message('a,class\n1,"x\r\ny"\nb,z\n3,z\n')).toBe(
      't.csv:4: column "a": found "b", expected a number',
    );
    expect(await message('a,class\n1,"x\n\ny"\n2,"z\nz",3\n')).toBe('t.csv:5: found 3 fields, expected 2');
  });
});

describe('a column read by its cells', () => {
  it('holds numbers where more than half of the cells that are not missing are numbers', async () => {
    expect(kindsOf(await read('a,b,c\n1,x,\n2,2,\n,y,\n,,NA\n'))).toEqual(['numeric', 'text', 'text']);
    expect(await message('a\n1\n2\nx\n')).toBe('t.csv:4: column "a": found "x", expected a number');
    expect(kindsOf(await read('a\n1\n2\nx\ny\n'))).toEqual(['text']);
  });

  it('keeps its texts exactly', async () => {
    expect(texts(await read('a\n007\n7.0\nx\ny\n7.0\nz\n'), 0)).toEqual(['007', '7.0', 'x', 'y', '7.0', 'z']);
  });

  it('has no levels where all cells are missing', async () => {
    expect((await read('a,b\n1,\n2,NA\n')).columns[1]).toEqual({
      kind: 'text',
      levels: [],
      codes: Int32Array.of(-1, -1),
      missing: 2,
    });
  });

  /** More rows than are looked at before the reading begins. */
  const many = (cell: string, count = 300) => `${cell}\n`.repeat(count);

  it('is text though its first rows are numbers', async () => {
    const table = await read(`a\n${many('1.50')}${many('x')}`);
    expect(textColumn(table, 0).levels).toEqual(['1.50', 'x']);
    expect(texts(table, 0).filter((cell) => cell === 'x')).toHaveLength(300);
  });

  it('is text though its first rows are missing', async () => {
    const table = await read(`a,b\n${many('1,')}${many('2,x', 2)}`);
    expect(textColumn(table, 1)).toMatchObject({ levels: ['x'], missing: 300 });
  });

  it('is refused at its first word though its first rows are words', async () => {
    expect(await message(`a,b\n${many('1,x')}${many('2,3', 400)}`)).toBe(
      't.csv:2: column "b": found "x", expected a number',
    );
  });

  it('is refused at the first word of all columns of numbers', async () => {
    expect(await message(`a,b\n${many('1,2')}3,x\ny,z\n`)).toBe(
      't.csv:302: column "b": found "x", expected a number',
    );
  });

  it.each([
    ['decimal commas', '"1,5"'],
    ['thousands in groups', '1 000'],
    ['percentages', '12.5%'],
    ['amounts', '$3.20'],
    ['numbers that overflow', '1e400'],
    ['hexadecimal numbers', '0x1f'],
  ])('is not quietly made a category of %s', async (_, cell) => {
    expect(await message(`a,b\n1,${cell}\n2,${cell}\n3,4\n`)).toContain(
      `t.csv:2: column "b": found "${cell.replaceAll('"', '')}", expected a number`,
    );
  });
});

describe('a missing cell', () => {
  const cells = ['', '  ', 'NA', 'N/A', 'NaN', 'null', '?', ' NA '];

  it.each(cells)('is NaN among numbers, no level among texts, and counted: %j', async (cell) => {
    const table = await read(`a,b\n1,x\n${cell},${cell}\n3,y\n`);
    expect(table.columns[0]).toEqual({
      kind: 'numeric',
      values: Float64Array.of(1, Number.NaN, 3),
      missing: 1,
    });
    expect(table.columns[1]).toEqual({
      kind: 'text',
      levels: ['x', 'y'],
      codes: Int32Array.of(0, -1, 1),
      missing: 1,
    });
  });

  it('is not an empty line, unless it is quoted', async () => {
    expect(values(await read('a\n1\n\n""\n3\n'), 0)).toEqual([1, Number.NaN, 3]);
  });
});

describe('a cell that is no number', () => {
  it.each([
    ['abc', '"abc"', 'data.categories'],
    ['na', '"na"', 'list it in data.missingValues'],
    ['--', '"--"', 'list it in data.missingValues'],
    ['Infinity', '"Infinity"', 'only finite numbers'],
    ['-inf', '"-inf"', 'only finite numbers'],
    ['0x10', '"0x10"', 'decimal digits'],
    ['1_000', '"1_000"', 'no thousands separators'],
    ['1 000', '"1 000"', 'data.numbers: {"b":{"thousands":" "}}'],
    ['1\u00a0000', '"1\\u00a0000"', 'data.numbers: {"b":{"thousands":" "}}'],
    ['"1,000,000"', '"1,000,000"', 'data.thousands: ","'],
    ['"1,5"', '"1,5"', 'data.decimal: ","'],
    ['12%', '"12%"', 'data.numbers: {"b":{"strip":"%"}}'],
    ['−1', '"−1"', 'write the minus as a hyphen'],
    ['1\u001b[31m', '"1\\u001b[31m"', 'plain decimals'],
  ])('is refused with its line, its column and a hint: %j', async (cell, shown, hint) => {
    const failed = await failure(`a,b,class\n1,2,x\n3,4,x\n5,${cell},y\n`);
    expect(failed.message).toBe(`t.csv:4: column "b": found ${shown}, expected a number`);
    expect(failed.hint).toContain(hint);
    expect(
      await failure(`a,b,class\n1,2,x\n3,4,x\n5,${cell},y\n`, { kinds: ['numeric', 'numeric', 'text'] }),
    ).toEqual(failed);
  });

  it('is refused where it is too large a number', async () => {
    const failed = await failure('a,class\n1e400,x\n');
    expect(failed.message).toBe('t.csv:2: column "a": found "1e400", expected a number that fits a float64');
    expect(failed.hint).toContain('1.797e308');
  });

  it('is named by the number of its column where there is no header', async () => {
    expect(await message('1,2,x\n3,4,y\n5,four,y\n', { header: false })).toBe(
      't.csv:3: column 1: found "four", expected a number',
    );
  });

  it('may be a second header in the first row of data, or a first one', async () => {
    const second = await failure('width,class\ncm,-\n1,x\n2,y\n');
    expect(second.message).toBe('t.csv:2: column "width": found "cm", expected a number');
    expect(second.hint).toContain('second header');
    const first = await failure('width,class\n1,x\n2,y\n', { header: false });
    expect(first.message).toBe('t.csv:1: column 0: found "width", expected a number');
    expect(first.hint).toContain('set data.header to true');
  });
});

describe('spaces', () => {
  it.each([' x', 'x ', '\tx', 'x\u00a0', ' x \t'])('around a cell are dropped: %j', async (cell) => {
    const table = await read(`a,class\n1,x\n2,${cell}\n`);
    expect(texts(table, 1)).toEqual(['x', 'x']);
    expect(table.notes).toEqual([
      expect.stringContaining('t.csv: spaces around cells without quotes are dropped'),
    ]);
    expect(texts(await read(`a,class\n1,x\n2,"${cell}"\n`), 1)).toEqual(['x', cell]);
  });

  it('are dropped around names, numbers and quoted cells as well', async () => {
    const table = await read(' a , "b" \n 1 , "x, y" \n" 2 ",z\n');
    expect(table.names).toEqual(['a', 'b']);
    expect(values(table, 0)).toEqual([1, 2]);
    expect(texts(table, 1)).toEqual(['x, y', 'z']);
  });
});

describe('empty lines', () => {
  it('are skipped and counted, and the lines of the rows are right', async () => {
    const table = await read('a,b\n\n1,x\n \n\r\n2,y\n\n\n');
    expect(values(table, 0)).toEqual([1, 2]);
    expect([...table.lines]).toEqual([3, 6]);
    expect(table.notes).toEqual([expect.stringContaining('t.csv: 5 empty lines are skipped')]);
  });
});

describe('a quote within a cell without quotes', () => {
  it('is text', async () => {
    expect(texts(await read('a,n\n5" pipe,1\n37°36\'37.8"N,2\n'), 0)).toEqual(['5" pipe', '37°36\'37.8"N']);
  });
});

describe('a row of the wrong length', () => {
  it.each([
    ['too few fields', 'a,b,class\n1,2,x\n3,y\n', 't.csv:3: found 2 fields, expected 3'],
    ['too many fields', 'a,class\n1,x\n2,y,\n', 't.csv:3: found 3 fields, expected 2'],
    ['a single field', 'a,class\n1,x\n1\n', 't.csv:3: found 1 field, expected 2'],
  ])('is refused: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });

  it('comes with a hint that names the delimiter', async () => {
    const failed = await failure('a;b\n1;x\n2;y;z\n', { delimiter: ';' });
    expect(failed.hint).toBe(
      'put a value that contains a semicolon in quotes; data.badRows "skip" leaves such rows out',
    );
  });
});

describe('quotes', () => {
  /** More rows than are looked at before the reading begins, and so many lines. */
  const head = `a,b,class\n${'1,2,x\n'.repeat(300)}`;
  const withHead = (end: string, line: string) => head.replaceAll('\n', line) + end;

  it.each([
    ['never closed', '1,2,"y\n3,4,z\n', '302: column "class": found a quote that is never closed'],
    [
      'never closed in the first column',
      '#\n"1,2,y\n3,4,z\n',
      '303: column "a": found a quote that is never closed',
    ],
    [
      'never closed after a field of several lines',
      '1,"\r\n\n",x\n"1\n\r","2\n",\n3,"4\n\n,z\n',
      '309: column "b": found a quote that is never closed',
    ],
    [
      'never closed, on another line than its row begins',
      '"1\r\n2\r",3,"y\n4,5,z\n',
      '304: column "class": found a quote that is never closed',
    ],
    [
      'closed too early',
      '1,"2"3,x\n',
      '302: column "b": found text after the closing quote, expected a comma or the end of the line',
    ],
    [
      'closed by the next one',
      '1,"2\r\n""\r\n3,"4",y\n',
      '302: column "b": found text after the closing quote on line 304, expected a comma or the end of the line',
    ],
    [
      'closed by the next one, in the first column after comments',
      '#\n#\r\n"1\r\n3,"4",y\n',
      '304: column "a": found text after the closing quote on line 305, expected a comma or the end of the line',
    ],
  ])('are refused where one is %s', async (_, end, expected) => {
    expect(await message(withHead(end, '\n'), { comment: '#' })).toBe(`t.csv:${expected}`);
    expect(await message(withHead(end, '\r\n'), { comment: '#' })).toBe(`t.csv:${expected}`);
  });
});

describe('a field of more than 1 MiB', () => {
  const mebibyte = 2 ** 20;
  const head = `a,class\n${'1,x\n'.repeat(300)}`;
  const refused = 't.csv:302: column "class": found a field of more than 1 MiB';

  it('is refused, and a shorter one read', async () => {
    const longest = `${'"'.repeat(mebibyte - 2)}€`.slice(0, mebibyte - 3).concat('€');
    expect(Buffer.byteLength(longest)).toBe(mebibyte);
    const quoted = `"${longest.replaceAll('"', '""')}"`;
    expect(texts(await read(`${head}2,${quoted}\n`), 1)[300]).toBe(longest);
    expect(await message(`${head}2,${quoted.replace('€', '€x')}\n`)).toBe(refused);
    expect(await message(`${head}2,${'x'.repeat(mebibyte + 1)}\n`)).toBe(refused);
  });

  it('is named by the line on which it begins', async () => {
    const field = `"${'y\n'.repeat(mebibyte)}"`;
    expect(await message(`${head}"2\n\r\n3",${field}\n`)).toBe(refused.replace('302', '304'));
    expect(await message(`${head}"2\n\r\n3",${field.repeat(2).replaceAll('""', '')}\n`)).toBe(
      refused.replace('302', '304'),
    );
  });

  it('is refused where a quote is never closed, before it fills the memory', async () => {
    const failed = await failure(`${head}2,"y\n${'3,z\n'.repeat(mebibyte)}`);
    expect(failed.message).toBe(refused);
    expect(failed.hint).toContain('a quote that opens here may never be closed');
  });

  it('is refused where the file is one long line', async () => {
    expect(await message(`${head}2,${'y'.repeat(4 * mebibyte)}`)).toBe(refused);
  });

  it('may also be a row of more than 16 MiB, or a comment', async () => {
    expect(await message(`${head}2,${`${'y'.repeat(1000)},`.repeat(18_000)}`)).toContain(
      'found a row of more than 16 MiB',
    );
    expect(await message(`${head}#${'y'.repeat(4 * mebibyte)}\n1,2\n`, { comment: '#' })).toBe(
      't.csv:302: found a comment of more than 1 MiB',
    );
  });

  it('is not what many lines of comments are', async () => {
    const comments = `#${'y'.repeat(1022)}\n`.repeat(4 * 1024);
    expect((await read(`${head}${comments}2,x\n`, { comment: '#' })).lines[300]).toBe(302 + 4 * 1024);
  });
});

describe('a file that is no text', () => {
  it.each([
    ['a NUL byte', 'a,class\n1,x\n2,\0\n', 't.csv:3:3: found a NUL byte at offset 14, expected text'],
    [
      'a byte that begins no character, far from the start',
      Buffer.concat([Buffer.from(`a,class\n${'1,€\n'.repeat(80_000)}2,`), Buffer.of(0xff, 0x0a)]),
      't.csv:80002:3: found the byte 0xff at offset 480010, which is not valid UTF-8',
    ],
  ])('is refused: %s', async (_, content, expected) => {
    expect(await message(content)).toBe(expected);
  });
});
