import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniqueNames } from '../../../src/data/csv/detect.js';
import { type Dialect, type DialectRequest, detectDialect } from '../../../src/data/csv/dialect.js';
import { plainNumbers } from '../../../src/data/csv/notation.js';
import { describeFormat } from '../../../src/data/csv/readingNotes.js';
import { openSource } from '../../../src/data/source/source.js';
import { ExitCode, MlpError } from '../../../src/errors.js';
import { DELIMITERS } from '../../../src/spec/words.js';
import { Folder, rejection } from '../files.js';

const folder = new Folder();

/** With everything left to detection, unless said. */
async function begin(content: string | Uint8Array, request: Partial<DialectRequest> = {}): Promise<Dialect> {
  const source = await openSource(folder.write('table.csv', content));
  try {
    return await detectDialect(source, { delimiter: 'auto', header: 'auto', ...request });
  } finally {
    source.close();
  }
}

/** The error, its message without the folder. */
async function failure(content: string | Uint8Array, request: Partial<DialectRequest> = {}) {
  const { exitCode, message, hint } = await rejection(begin(content, request));
  expect(exitCode).toBe(ExitCode.data);
  return { message: message.replace(join(folder.path, 'table.csv'), 'table.csv'), hint };
}

/** What follows `dataStart` in the content. */
function dataOf(content: string | Uint8Array, { dataStart }: Dialect): string {
  return Buffer.from(content).subarray(dataStart).toString();
}

/** Rows of numbers that differ. */
function numbers(rows: number, columns: number, row: (cells: string[]) => string): string {
  return Array.from({ length: rows }, (_, i) =>
    row(Array.from({ length: columns }, (_, j) => `${i}.${j}`)),
  ).join('\n');
}

/** What csv-parse is asked for. */
const TRIMMED = {
  record_delimiter: ['\r\n', '\n', '\r'],
  relax_column_count: true,
  relax_quotes: true,
  ltrim: true,
  rtrim: true,
  skip_empty_lines: true,
};

describe('the delimiter', () => {
  it.each<[string, string, string]>([
    [',', 'commas', 'a,b,c\n1,2,3\n4,5,6\n'],
    [';', 'semicolons', 'a;b;c\n1;2;3\n4;5;6\n'],
    ['\t', 'tabs', 'a\tb\tc\n1\t2\t3\n4\t5\t6\n'],
    ['|', 'bars', 'a|b|c\n1|2|3\n4|5|6\n'],
    [';', 'semicolons beside decimal commas', 'a;b\n1,5;2,5\n3,5;4,5\n'],
    [';', 'semicolons beside decimal commas, without a header', '1,5;2,5;3,5\n3,5;4,5;5,5\n'],
    ['\t', 'tabs beside decimal commas', '1,5\t2,5\n3,5\t4,5\n'],
    [',', 'commas beside bars in some values', 'id,genres\n1,a|b\n2,c|d\n3,e\n'],
    [',', 'commas beside semicolons in quotes', '"a;b","c;d"\n"1;2","3;4"\n"5;6","7;8"\n'],
    [';', 'semicolons beside commas in text', 'name;text\nx;one, two, three\ny;one\nz;one, two\n'],
    [',', 'commas with line breaks in quotes', 'a,b\n1,"x;y\nx;y\n""x"";y"\n2,z\n'],
    [',', 'commas, though a row is ragged', 'a,b\n1,2\n3,4,5\n6,7\n'],
    [',', 'commas after a quoted beginning', '\ufeff"a;b",c\n1,2\n3,4\n'],
    [',', 'none: one column', 'a\n1\n2\n'],
    ['\t', 'runs of blanks', '1 2 3\n4 5 6\n'],
    [',', 'none: bars in few lines of text', 'one\ntwo | three\nfour\n'],
    [';', 'semicolons in a single record', '1;2'],
    ['\t', 'tabs beside a stray quote', 'a\tb\n1\t"x"\n3\t4,4\n2\t5"\n'],
  ])('is %j where there are %s', async (delimiter, _, content) => {
    expect((await begin(content)).delimiter).toBe(delimiter);
  });

  it('is told by records that end with CRLF or CR too', async () => {
    for (const end of ['\r\n', '\r']) {
      expect((await begin(['a;b', '1,5;2', '3;4,5', ''].join(end))).delimiter).toBe(';');
    }
  });

  it('is not told by comments', async () => {
    const content = '# a;b;c, "and more\n'.repeat(5).concat('x,y\n1,2\n');
    expect((await begin(content, { comment: '#' })).delimiter).toBe(',');
  });

  it('is as set', async () => {
    const { delimiter, names } = await begin('a,b;c\n1,2;3\n', { delimiter: ';' });
    expect({ delimiter, names }).toEqual({ delimiter: ';', names: ['a,b', 'c'] });
  });

  it('is detected in any table of plain cells', async () => {
    const cell = fc.stringMatching(/^[a-z0-9.]{1,8}$/);
    const table = fc
      .integer({ min: 2, max: 6 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom(...DELIMITERS), async (rows, delimiter) => {
        const content = rows.map((row) => row.join(delimiter)).join('\n');
        const dialect = await begin(content, { header: false });
        expect(dialect).toMatchObject({ delimiter, sample: rows });
      }),
      { numRuns: 100 },
    );
  });
});

describe('the header', () => {
  it.each<[string, string]>([
    ['words over numbers', 'a,b\n1,2\n3,4\n'],
    ['words over numbers and text', 'width,species\n1.5,setosa\n2,virginica\n'],
    ['a word over numbers with gaps', 'a,b\nNA,2\n3,?\n,4\n'],
    ['a nameless column of row numbers', 'id,a\n0,1\n1,2\n'],
    ['a word over numbers beside years', 'id,2019,2020\n1,5.5,6\n2,7,8\n'],
    ['words over numbers beside dates', 'country,lat,1/22/20,1/23/20\nx,10.5,0,1\ny,-3.2,2,3\n'],
    ['words over dates', 'day,city\n2020-01-01,Rome\n2020-01-02,Rome\n'],
    ['words over amounts and decimal commas', 'price;note\n1,50 €;a\n2,75 €;a\n'],
    ['names with digits in them', 'label,1x1,1x2\n5,0,0\n3,1,2\n'],
    ["a data frame's count over numbers", 'class,0,1,2\nx,0.5,1.5,2\ny,3.5,4.5,1\n'],
    ['words over other words', 'name,city\nann,rome\nbob,rome\n'],
    ['words in one column', 'word\none\ntwo\n'],
    ['a word over one row', 'a,b\n1,2\n'],
  ])('is there: %s', async (_, content) => {
    const { header, dataLine, names } = await begin(content);
    expect({ header, dataLine }).toEqual({ header: true, dataLine: 2 });
    expect(names).toEqual(content.split('\n')[0].split(content.includes(';') ? ';' : ','));
  });

  it.each<[string, string]>([
    ['numbers alone', '1,2\n3,4\n'],
    ['years over numbers, which may be either', '2019,2020,2021\n5,6,7\n8,9,10\n'],
    ['a class after numbers', '5.1,3.5,setosa\n4.9,3.0,virginica\n4.7,3.2,setosa\n'],
    ['a class after whole numbers', '5,3,1,setosa\n4,3,2,virginica\n4,2,0,setosa\n'],
    ['missing cells in the first row', 'NA,?,1\n2,3,4\n5,6,7\n'],
    ['nothing but missing cells in the first row', ',,\n2,3,4\n5,6,7\n'],
    ['a bad cell in the first of rows of fractions', 'x1.5,2.5\n1.5,3.5\n4.5,5.5\n'],
    ['words that come again below', 'yes,a\nno,b\nyes,c\n'],
    ['the same word twice', 'x,x,o\no,y,z\n'],
    ['decimal commas', '1,5;2,5\n3,5;4,5\n'],
    ['dates and text', '2020-01-01,Rome\n2020-01-02,Paris\n'],
    ['a placeholder that comes again below', 'unknown,2\n1,3\n2,4\nunknown,5\n'],
    ['one row of numbers', '1,2\n'],
    ['one row of numbers and a word', '1,2,x\n'],
  ])('is not there: %s', async (_, content) => {
    const { header, dataStart, dataLine, names } = await begin(content);
    expect({ header, dataStart, dataLine }).toEqual({ header: false, dataStart: 0, dataLine: 1 });
    expect(names).toEqual(names.map((_, i) => String(i)));
  });

  it('is as set', async () => {
    expect(await begin('1,2\n3,4\n', { header: true })).toMatchObject({
      header: true,
      names: ['1', '2'],
      sample: [['3', '4']],
    });
    expect(await begin('a,b\n3,4\n', { header: false })).toMatchObject({
      header: false,
      names: ['0', '1'],
      sample: [
        ['a', 'b'],
        ['3', '4'],
      ],
    });
  });

  it('keeps the order of names that look like numbers, and takes __proto__ and constructor', async () => {
    expect((await begin('b,2,1,__proto__,constructor\n1,2,3,4,5\n')).names).toEqual([
      'b',
      '2',
      '1',
      '__proto__',
      'constructor',
    ]);
  });
});

describe('what is not part of the table', () => {
  it.each<[string, string, string]>([
    ['bare', 'sep=;\na;b\n1;2\n', ';'],
    ['after a byte order mark', '\ufeffsep=;\r\na;b\r\n1;2\r\n', ';'],
    ['in quotes', '"sep=|"\na|b\n1|2\n', '|'],
    ['padded', 'sep=;;\na;b\n1;2\n', ';'],
  ])('is a line that names the separator: %s', async (_, content, delimiter) => {
    expect(await begin(content)).toMatchObject({ delimiter, names: ['a', 'b'], dataLine: 3 });
  });

  it('are lines above it and rows below the header, as many as the config says', async () => {
    const content = `Station,5\nit's "x\na,b\nmm,s\n1,2\n3,4\n`;
    const dialect = await begin(content, { skipLines: 2, skipRows: 1 });
    expect(dialect).toMatchObject({ header: true, names: ['a', 'b'], dataLine: 5 });
    expect(dialect.sample).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });
});

describe('columns separated by runs of blanks', () => {
  it('are found where most cells are text, if many rows have a number in the same place', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => `A1${i % 4} ${i} A3${i % 2} yes`);
    expect((await begin(`${rows.join('\n')}\n`)).names).toHaveLength(4);
    const sentences = Array.from({ length: 12 }, (_, i) => `blue sky and ${'abcd'[i % 4]}`);
    expect((await begin(`${sentences.join('\n')}\n`)).names).toHaveLength(1);
  });

  it.each([
    ['without a header', ' 1   2.5 x\n 3   4   y\n', false],
    ['with one', 'a b y\n1 2 x\n3 4 y\n', true],
  ])('are found: %s', async (_, content, header) => {
    const dialect = await begin(content);
    expect(dialect).toMatchObject({ header, delimiter: '\t', reading: { delimiter: 'whitespace' } });
    expect(dialect.names).toHaveLength(3);
  });

  it('are none in a column of texts', async () => {
    expect((await begin('New York\nSan Jose\nEl Paso\n')).names).toHaveLength(1);
  });
});

describe('names that are made up', () => {
  it.each<[string, string, string[], number[], number[]]>([
    ['a name twice', 'a,b,a\n1,2,x\n', ['a', 'b', 'a.1'], [], [2]],
    ['a name that is taken', 'a,a,a.1\n1,2,x\n', ['a', 'a.2', 'a.1'], [], [1]],
    ['an empty name', ',a,class\n0.5,1,x\n', ['Unnamed: 0', 'a', 'class'], [0], []],
    ['a blank name', 'a, ,c\n0,1,x\n', ['a', 'Unnamed: 1', 'c'], [1], []],
  ])('are those of pandas: %s', async (_, content, names, nameless, repeated) => {
    for (const header of ['auto', true] as const) {
      expect(await begin(content, { header })).toMatchObject({ names, nameless, repeated, rowNames: [] });
    }
  });

  it.each<[string, string, number[]]>([
    ['numbers of rows', ',a,y\n0,1.5,x\n1,2.5,z\n', [0]],
    ['numbers of rows in any order', ',a,y\n7,1.5,x\n3,2.5,z\n', [0]],
    ['names of rows', '"","a","y"\n"r 1",1.5,"x"\n"r 2",2.5,"z"\n', [0]],
    ['names of rows that the header leaves out', '"a","y"\n"r 1",1.5,"x"\n"r 2",2.5,"z"\n', [0]],
    ['such a file saved again', ',Unnamed: 0,a\n0,0,1.5\n1,1,2.5\n', [0, 1]],
    ['no fractions', ',a,y\n0.5,1.5,x\n1.5,2.5,z\n', []],
    ['no number twice', ',a,y\n1,1.5,x\n1,2.5,z\n', []],
  ])('belong to a column of row names: %s', async (_, content, rowNames) => {
    expect((await begin(content, { header: true })).rowNames).toEqual(rowNames);
  });
});

describe('empty cells at the end of every row', () => {
  it.each<[string, string, string[], number]>([
    ['a column', 'a,b,\n1,2,\n3,4,\n', ['a', 'b'], 1],
    ['two columns', 'a,b,,\n1,2,,\n3,4,,\n', ['a', 'b'], 2],
    ['not in the header', 'a,b\n1,2,\n3,4,\n', ['a', 'b'], 1],
    ['in the header alone', 'a,b,\n1,2\n3,4\n', ['a', 'b'], 0],
    ['not where a row has a value', 'a,b,\n1,2,\n3,4,5\n', ['a', 'b', 'Unnamed: 2'], 0],
    ['not where the column has a name', 'a,b,c\n1,2,\n3,4,\n', ['a', 'b', 'c'], 0],
  ])('are no column: %s', async (_, content, names, trailing) => {
    expect(await begin(content)).toMatchObject({ names, trailing });
  });
});

describe('the place where the data begin', () => {
  it.each<[string, string, string, number]>([
    ['after LF', 'a,b\n1,2\n', '1,2\n', 2],
    ['after CRLF', 'a,b\r\n1,2\r\n', '1,2\r\n', 2],
    ['after CR', 'a,b\r1,2\r', '1,2\r', 2],
    ['after a byte order mark', '\ufeffa,b\n1,2\n', '1,2\n', 2],
    ['after a byte order mark alone', '\ufeff1,2\n3,4\n', '1,2\n3,4\n', 1],
    ['after characters of several bytes', 'ä€,😀\n1,2\n', '1,2\n', 2],
    ['after all of these', '\ufeff"ä€",😀\r\n1,2\r\n', '1,2\r\n', 2],
    ['after a header with line breaks', '"a\r\nb","c\nd\re"\n1,2\n', '1,2\n', 5],
    ['after a header with quotes', '"a ""b""","c"\n1,2\n', '1,2\n', 2],
    ['after comments before the header', '# x\n# "y\r\na,b\n1,2\n', '1,2\n', 4],
    ['after comments behind the header', 'a,b\n# x\r\n# y\n1,2\n', '1,2\n', 4],
    ['after comments, without a header', '\ufeff# x\r# y\n1,2\n3,4\n', '1,2\n3,4\n', 3],
    ['without a line end after them', 'a,b\n1,2', '1,2', 2],
  ])('is known %s', async (_, content, data, dataLine) => {
    const dialect = await begin(content, { comment: '#' });
    expect(dialect.dataLine).toBe(dataLine);
    expect(dataOf(content, dialect)).toBe(data);
    expect(dialect.names[0]).not.toMatch(/^\ufeff/);
  });

  it('takes a mark for a comment only where one is set, and only where a line begins', async () => {
    expect((await begin('#a,b\n1,2\n3,4\n')).names).toEqual(['#a', 'b']);
    expect((await begin('a,b\n1,#2\n', { comment: '#' })).sample).toEqual([['1', '#2']]);
  });
});

describe('the sample', () => {
  it('holds at most 200 records of data', async () => {
    const rows = numbers(300, 2, (cells) => cells.join(','));
    const withHeader = await begin(`a,b\n${rows}\n`);
    expect(withHeader.sample).toHaveLength(200);
    expect(withHeader.sample[199]).toEqual(['199.0', '199.1']);
    expect((await begin(rows)).sample).toHaveLength(200);
  });

  it('ends before a record that is cut off', async () => {
    const text = 'x\n'.repeat(1000);
    const { sample } = await begin(`a,b\n${`1,"${text}"\n`.repeat(100)}`);
    expect(sample.length).toBeGreaterThan(10);
    expect(sample.length).toBeLessThan(100);
    for (const row of sample) expect(row).toEqual(['1', text]);
  });

  it('holds a whole record, however wide the table', async () => {
    const names = Array.from({ length: 60_000 }, (_, i) => `column ${i}`);
    const cells = names.map((_, i) => `${i}.5`);
    const dialect = await begin(`${names.join('\t')}\n${`${cells.join('\t')}\n`.repeat(3)}`);
    expect(dialect).toMatchObject({ delimiter: '\t', header: true, dataLine: 2 });
    expect(dialect.names).toEqual(names);
    expect(dialect.sample[0]).toEqual(cells);
  });

  it('is what csv-parse reads', async () => {
    const content = '"a ""x""",b,c\n"1\r\n2",3, 4 \n,"",""""\n';
    expect((await begin(content, { header: true })).sample).toEqual(parse(content, TRIMMED).slice(1));
  });

  it('keeps ragged rows, a second header and odd quotes for the reader of the rest', async () => {
    const { sample } = await begin('a,b\nm,kg\n1,2\n3\n\n4,5,6\n7,8"\n9,10\n');
    expect(sample).toEqual([['m', 'kg'], ['1', '2'], ['3'], ['4', '5'], ['7', '8"'], ['9', '10']]);
  });
});

describe('a first line that is no part of the table', () => {
  const rows = 'a,b,c\n1,2,3\n4,5,6\n';

  it.each<[string, string, string, string]>([
    ['a title', `Measurements\n${rows}`, '1 field, expected 3', 'data.skipLines to 1'],
    ['two titles', `Measurements, 2020\nby us\n${rows}`, '2 fields, expected 3', 'data.skipLines to 2'],
    ['a comment', `# made by us\n${rows}`, '1 field, expected 3', 'set data.comment to "#"'],
  ])('is refused: %s', async (_, content, found, hint) => {
    for (const header of ['auto', true, false] as const) {
      const error = await failure(content, { header });
      expect(error.message).toBe(`table.csv:1: found ${found} as in the rows below`);
      expect(error.hint).toContain(hint);
    }
  });

  it.each(['auto', true] as const)('is passed over where it is empty: header %s', async (header) => {
    const dialect = await begin(`\n \n${rows}`, { header });
    expect(dialect).toMatchObject({ names: ['a', 'b', 'c'], dataLine: 4, before: { emptyLines: 2 } });
  });

  it('is a title that separators pad, above a header', async () => {
    const error = await failure('Water,,\nsite,name,liter\nx,y,"44,761"\n');
    expect(error.message).toBe('table.csv:1: found a title with empty fields, expected a header');
    expect(error.hint).toContain('data.skipLines to 1');
  });

  it('is named by its line after comments', async () => {
    const { message } = await failure(`# x\nMeasurements\n${rows}`, { comment: '#' });
    expect(message).toContain('table.csv:2: found 1 field');
  });

  it('is not seen in a table of one column, nor where a single row below is longer', async () => {
    expect((await begin('Measurements\n1\n2\n')).names).toEqual(['Measurements']);
    expect((await begin('a,b\n1,2,3\n4,5\n')).names).toEqual(['a', 'b']);
  });
});

describe('a file without data', () => {
  it.each<[string, string, boolean | 'auto', string]>([
    ['nothing', '', 'auto', 'an empty file, expected rows'],
    ['nothing', '', true, 'an empty file, expected a header and rows'],
    ['a byte order mark', '\ufeff', false, 'an empty file, expected rows'],
    ['comments', '# x\n# y', 'auto', 'no record, expected rows'],
    ['a header', 'a,class\n', true, 'a header and nothing after it, expected a header and rows'],
    ['a header', 'a,class', 'auto', 'a header and nothing after it, expected a header and rows'],
    [
      'a header and a comment',
      'a,class\n# x\n',
      'auto',
      'a header and nothing after it, expected a header and rows',
    ],
  ])('is refused: %s (header: %3$s)', async (_, content, header, found) => {
    const { message } = await failure(content, { header, comment: '#' });
    expect(message).toBe(`table.csv: found ${found}`);
  });

  it('comes with a hint where its only row may be data', async () => {
    expect((await failure('a,class\n')).hint).toContain('set data.header to false');
  });
});

describe('comments above the table that nobody set a character for', () => {
  it('are skipped if they start with a bar and are no row', async () => {
    const dialect = await begin(`|1x3 Cross validator\n|by us\n${'1,2,x\n'.repeat(9)}`, { header: false });
    expect(dialect).toMatchObject({
      comments: ['|1x3 Cross validator', '|by us'],
      names: ['0', '1', '2'],
      dataLine: 3,
      dataStart: 28,
    });
    expect((await begin('|a|b\n|1|2\n|3|4\n')).comments).toEqual([]);
    expect((await begin('|x\nname\nAnn\nBob\n')).comments).toEqual([]);
  });
});

describe('quotes', () => {
  it.each([
    [
      'never closed in the header',
      '"a,class\n1,x\n',
      'table.csv:1: column 0: found a quote that is never closed',
    ],
    [
      'never closed in the first row',
      '# x\na,class\n1,"x\ny\n',
      'table.csv:3: column "class": found a quote that is never closed',
    ],
    [
      'closed too early',
      'a;class\n1;"x"y\n',
      'table.csv:2: column "class": found text after the closing quote, expected a semicolon or the end of the line',
    ],
  ])('are refused where one is %s', async (_, content, message) => {
    expect((await failure(content, { header: true, comment: '#' })).message).toBe(message);
  });

  it('are named by the lines where the field begins and its quote ends, also after line ends within quotes', async () => {
    const { message } = await failure('"a\r\nb",c\r\n"1\r\n\r\n2","x\r\ny" z\r\n', { header: true });
    expect(message).toBe(
      'table.csv:5: column "c": found text after the closing quote on line 6, expected a comma or the end of the line',
    );
  });

  it('are refused where one swallows what would fill the memory', async () => {
    const { message } = await failure(`a,class\n1,"x\n${'2,y\n'.repeat(2 ** 20)}`, { header: true });
    expect(message).toBe('table.csv:2: column "class": found a field of more than 1 MiB');
  });
});

describe('describeDialect', () => {
  it.each([
    [{ delimiter: ',', header: true }, 'separated by commas, with a header'],
    [{ delimiter: ';', header: false }, 'separated by semicolons, without a header'],
    [{ delimiter: '\t', header: true }, 'separated by tabs, with a header'],
    [
      { delimiter: '|', header: false, comment: '#' },
      'separated by bars, without a header, comments after #',
    ],
  ])('is one phrase', (dialect, phrase) => {
    expect(describeFormat(dialect)).toBe(phrase);
  });
});

describe('readBeginning', () => {
  const chunk = fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5 }) },
    {
      weight: 5,
      arbitrary: fc
        .constantFrom('1', '2.5', 'x', 'ä', ',', ';', '\n', '\r\n', '\r', '"', '#', '\ufeff')
        .map((text) => Buffer.from(text)),
    },
  );
  const content = fc.array(chunk, { maxLength: 25 }).map((chunks) => Buffer.concat(chunks));
  const request = fc.record({
    delimiter: fc.constantFrom('auto', ...DELIMITERS),
    header: fc.constantFrom('auto' as const, true, false),
  });

  it.each([undefined, '#'])(
    'gives a beginning as csv-parse reads it or an error for the user, whatever the bytes (comments: %s)',
    async (comment) => {
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(content, request, async (bytes, asked) => {
          let dialect: Dialect;
          try {
            dialect = await begin(bytes, { ...asked, ...(comment !== undefined && { comment }) });
          } catch (error) {
            if (!(error instanceof MlpError)) throw error;
            expect(error.message).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
            return;
          }
          // Other encodings are decoded first.
          if (!isUtf8(bytes)) return;
          const { names, sample, dataLine } = dialect;
          expect(names).toHaveLength(dialect.header ? new Set(names).size : (sample[0]?.length ?? 0));
          // Read from dataStart on, the data are the sample: the rest of a broken file is left aside.
          const data = dataOf(bytes, dialect);
          const rows: string[][] = [];
          try {
            parse(data, {
              delimiter: dialect.delimiter,
              ...TRIMMED,
              ...(comment !== undefined && { comment, comment_no_infix: true }),
              on_record(cells: string[]) {
                rows.push(cells);
                return null;
              },
            });
          } catch {}
          // The sample ends before text that follows a closing quote.
          const width = dialect.names.length;
          const plain = plainNumbers(dialect.notations ?? new Map());
          const cellsOf = (cells: string[]) =>
            cells.slice(0, width).map((cell, i) => plain.get(i)?.(cell) ?? cell);
          expect(rows.slice(0, sample.length).map(cellsOf)).toEqual(sample);
          const before = bytes.subarray(0, bytes.length - Buffer.byteLength(data)).toString();
          expect(dataLine).toBe(before.split(/\r\n|\n|\r/).length);
          accepted++;
        }),
        { numRuns: 300 },
      );
      expect(accepted).toBeGreaterThan(50);
    },
  );
});

describe('uniqueNames', () => {
  it('numbers 50,000 equal names, each at once', () => {
    const { names, repeated } = uniqueNames(Array(50_000).fill('a'));
    expect(names.slice(-2)).toEqual(['a.49998', 'a.49999']);
    expect(repeated).toHaveLength(49_999);
  });
});
