import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { DEFAULT_MISSING, type MissingValues } from '../../../src/data/missingValues.js';
import { openTable, readWhole } from '../../../src/data/openTable.js';
import type { ColumnKind } from '../../../src/data/table.js';
import { ExitCode, MlpError } from '../../../src/errors.js';
import { allOf } from '../../support/datasets.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();
const AUTO = { delimiter: 'auto', header: 'auto' } as const;

async function read(content: string | Uint8Array, name = 'data.jsonl', target?: number) {
  const file = await openTable(folder.write(name, content), AUTO);
  try {
    const table = await readWhole(file, { target });
    return { ...table, notes: [...file.notes, ...(table.notes ?? [])], description: file.description };
  } finally {
    file.close();
  }
}

async function refusal(content: string, name?: string) {
  const { exitCode, message } = await rejection(read(content, name));
  expect(exitCode).toBe(ExitCode.data);
  return message.replaceAll(`${folder.path}/`, '');
}

const lines = (...rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('JSON Lines', () => {
  it('are a table of the union of their names', async () => {
    const {
      names,
      rows,
      columns,
      lines: found,
    } = await read(lines({ a: 1.5, c: 'red', on: true }, { c: 'blue', a: null }, { w: 3, on: false, a: 2 }));
    expect([names, rows, [...found]]).toEqual([['a', 'c', 'on', 'w'], 3, [1, 2, 3]]);
    expect(columns).toEqual([
      { kind: 'numeric', values: Float64Array.of(1.5, Number.NaN, 2), missing: 1 },
      { kind: 'text', levels: ['red', 'blue'], codes: Int32Array.of(0, 1, -1), missing: 1 },
      { kind: 'text', levels: ['true', 'false'], codes: Int32Array.of(0, -1, 1), missing: 1 },
      { kind: 'numeric', values: Float64Array.of(Number.NaN, Number.NaN, 3), missing: 2 },
    ]);
  });

  it('keep text as text and numbers as written', async () => {
    const text = '{"code": "01", "id": 208310224003697457, "y": 1.10}\n{"code": "1", "id": 1E3, "y": 1.1}\n';
    const { columns } = await read(text, undefined, 2);
    expect(columns[0]).toMatchObject({ kind: 'text', levels: ['01', '1'] });
    expect(columns[2]).toMatchObject({ kind: 'numeric', written: { levels: ['1.10', '1.1'] } });
    const file = await openTable(folder.write('data.jsonl', text), AUTO);
    const table = await file.read(['skipped', 'text', 'skipped']);
    expect(table.columns[1]).toMatchObject({ levels: ['208310224003697457', '1E3'] });
    file.close();
  });

  it('tell text from a missing value, but for a list of the user', async () => {
    const text = lines({ a: 'NA', b: 1 }, { a: null, b: 'NA' }, { a: '', b: 2 }, { a: 'k', b: 3 });
    const { columns } = await read(text);
    expect(columns[0]).toMatchObject({ levels: ['NA', 'k'], missing: 2 });
    expect(columns[1]).toMatchObject({ kind: 'numeric', missing: 1 });
    const kinds: ColumnKind[] = ['text', 'numeric'];
    const ownList: MissingValues = { texts: ['k'], inNumbers: [] };
    const file = await openTable(folder.write('data.jsonl', text.replace('"NA"}', 'null}')), AUTO);
    expect((await file.read(kinds, undefined, ownList)).columns[0]).toMatchObject({
      levels: ['NA'],
      missing: 3,
    });
    file.close();
  });

  it('may be packed, in UTF-16, have blank lines, and any name', async () => {
    const text = lines({ a: 1, b: 'é' }, { a: 2, b: 'ü' });
    const { columns } = await read(text);
    for (const [content, name] of [
      [gzipSync(text), 'data.jsonl.gz'],
      [Buffer.from(`\ufeff${text}`, 'utf16le'), 'data.ndjson'],
      [`\ufeff\r\n${text.replaceAll('\n', '\r\n\r\n')}`, 'data.json'],
      [text.trimEnd(), 'data.csv'],
    ] as const) {
      expect((await read(content, name)).columns).toEqual(columns);
    }
    expect((await read(`${text}\n \n`)).notes.join()).toMatch(/2 empty lines are skipped/);
  });

  it('are refused if a few names make a large table of nothing', async () => {
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`c${i}`, 0]));
    const sparse = lines(wide) + lines({ c0: 1 }).repeat(1000);
    expect(await refusal(sparse)).toBe(
      'data.jsonl: found 21,000 values in a table of 1,001 rows and 20,000 columns, expected one for every 100 cells or more',
    );
  });

  it('are read in chunks of fewer rows if they are wide', async () => {
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`c${i}`, i]));
    const file = await openTable(
      folder.write('data.jsonl', lines(wide) + lines({ c1: 5 }).repeat(250)),
      AUTO,
    );
    expect(file.sample).toHaveLength(13);
    const kinds: ColumnKind[] = file.names.map((_, i) => (i === 1 ? 'numeric' : 'skipped'));
    const chunks: number[][] = [];
    for await (const { table } of file.chunks(kinds, 4096, { missingValues: DEFAULT_MISSING })) {
      const column = table.columns[1];
      chunks.push(column?.kind === 'numeric' ? [...column.values] : []);
    }
    file.close();
    expect(chunks.map(({ length }) => length)).toEqual([100, 100, 51]);
    expect(chunks.flat()).toEqual([1, ...new Array(250).fill(5)]);
  });

  it('report texts among numbers', async () => {
    const { columns, notes } = await read(lines({ a: 1 }, { a: '7' }, { a: 2 }));
    expect(columns[0]).toMatchObject({ kind: 'numeric', values: Float64Array.of(1, 7, 2) });
    expect(notes.join()).toMatch(/column "a" holds 2 numbers and 1 text in quotes/);
  });

  it.each([
    ['{"a":1}\n{"a":2', 'data.jsonl:2:7: found the end of the line, expected a comma or }'],
    [
      '{"a":1}\n\n{"a":}\n',
      'data.jsonl:3:6: column "a": found "}", expected a number, text, true, false or null',
    ],
    [
      '{"a":1}\n{"a":[2]}\n',
      'data.jsonl:2:6: column "a": found an array, expected a number, text, true, false or null',
    ],
    ['{"a":1}\n{"a":{"b":2}}\n', /2:6: column "a": found an object/],
    ['{"a":1}\n{"a":1,"a":2}\n', 'data.jsonl:2:8: found the name "a" twice, expected different names'],
    ['{"a":1}\n{"a":True}\n', /2:6: column "a": found "True"/],
    ['{"a":1}\n{"a":007}\n', /2:6: column "a": found "007"/],
    ['{"a":1},\n{"a":2}\n', 'data.jsonl:1:8: found ",", expected the end of the line'],
    ['{"a":1}{"a":2}\n', /1:8: found "{", expected the end of the line/],
    ['{"a":1}\n[2]\n', /2:1: found "\[", expected an object/],
    ['{"a":1}\na,b\n', /2:1: found "a", expected an object/],
    [
      '{"a":1}\n{"a":"x}\n',
      'data.jsonl:2:6: found a text without its closing quote, expected one before the end of the line',
    ],
    ['{"a":1}\n{"a":"\\x"}\n', /2:6: found the text "\\x", expected one with valid escapes/],
    ['{"a":1}\n{"a":"\\u0000"}\n', /2:6: found the text/],
    ['{"a":1}\n{"a" 2}\n', 'data.jsonl:2:6: found "2", expected a colon after the name'],
    ['{"a":1}\n{\'a\':2}\n', /2:2: found "'a'", expected a name in double quotes/],
    ['{"a":1}\n{"":2}\n', 'data.jsonl:2:2: found an empty name, expected a name for each column'],
    ['{"a":1,\n"b":2}\n', /1:8: found the end of the line, expected a name in double quotes/],
    ['{}\n', 'data.jsonl:1: found no names, expected columns'],
    ['{"a":1}\n{"a":2}\n{"a":-Infinity}\n', 'data.jsonl:3: column "a": found "-Infinity", expected a number'],
  ])('refuse %j', async (content, expected) => {
    const message = await refusal(content);
    if (typeof expected === 'string') expect(message).toBe(expected);
    else expect(message).toMatch(expected);
  });

  it.each(['[{"a":1},{"a":2}]', '{\n  "a": 1\n}\n', '[\n{"a":1}\n]\n'])(
    'are what the error asks for instead of %j',
    async (content) => {
      const { message, hint } = await rejection(read(content, 'data.json'));
      expect(message).toMatch(/found a JSON document, expected a table/);
      expect(hint).toMatch(/lines=True/);
    },
  );

  it('train with nested columns that are excluded, and hold out rows of a CSV', async () => {
    folder.write('train.jsonl', lines({ a: 1, t: [1, { b: '}' }], y: 'n' }, { a: 3, y: 'm', t: {} }));
    folder.write('test.csv', 'y,a\nm,2\n');
    const config = configOf({ train: 'train.jsonl', test: 'test.csv', target: 'y', exclude: ['t'] });
    const { train, test, classes } = await loadDataset(config, folder.path, inConfig);
    expect([...allOf(train.features), ...allOf(test?.features)]).toEqual([1, 3, 2]);
    expect(classes).toEqual(['m', 'n']);
  });
});

describe('any JSON Lines', () => {
  const name = fc.constantFrom('a', 'b c', 'é"', '__proto__', '0');
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
  );
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('NA', '', '7', ' x ', '\t"\\'),
  );
  const cell = fc.oneof(
    number.map((raw) => ({ raw, text: raw })),
    text
      .filter((value) => !value.includes('\0'))
      .map((value) => ({ raw: JSON.stringify(value), text: value })),
    fc.constantFrom('true', 'false').map((raw) => ({ raw, text: raw })),
    fc.constant({ raw: 'null', text: '' }),
  );
  const row = fc.uniqueArray(fc.tuple(name, cell), { selector: ([key]) => key, minLength: 1 });
  const blank = fc.constantFrom('', ' ', '\t');

  it('has the cells that JSON.parse finds, whole and in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 9 }),
        blank,
        fc.integer({ min: 1, max: 4 }),
        async (rows, space, capacity) => {
          const content = rows.map(
            (cells) =>
              `{${cells.map(([key, { raw }]) => `${space}${JSON.stringify(key)}${space}:${raw}${space}`).join(',')}}${space}\n`,
          );
          const names = [...new Set(rows.flatMap((cells) => cells.map(([key]) => key)))];
          const file = await openTable(folder.write('any.jsonl', content.join('')), AUTO);
          expect(file.names).toEqual(names);
          const kinds = names.map((): ColumnKind => 'text');
          const expected = rows.map((cells) =>
            names.map((key) => cells.find(([own]) => own === key)?.[1].text ?? ''),
          );
          const table = await file.read(kinds);
          const found = Array.from({ length: table.rows }, (_, r) =>
            table.columns.map((column) =>
              column?.kind === 'text' ? (column.levels[column.codes[r]] ?? '') : undefined,
            ),
          );
          const withoutBlank = (cells: readonly string[]) =>
            cells.map((value) => (value.trim() === '' ? '' : value));
          expect(found).toEqual(expected.map(withoutBlank));
          const chunks: (readonly string[])[] = [];
          for await (const { cells, table } of file.chunks(kinds, capacity, {
            missingValues: DEFAULT_MISSING,
          })) {
            expect(table.rows).toBeLessThanOrEqual(capacity);
            chunks.push(...cells);
          }
          expect(chunks).toEqual(expected);
          file.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is read as JSON.parse reads it, or refused with its line, when bytes change', async () => {
    const whole = Buffer.from(
      lines({ a: 1.5, b: 'é"\\', c: true }, { a: -2e3, c: null, b: '' }, { b: 'x', a: 3, c: [1] }),
    );
    const change = fc.tuple(
      fc.nat(whole.length - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]:,"\\0n\n'))),
    );
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 2 }), fc.nat(whole.length), async (changes, cut) => {
        const bytes = Buffer.from(whole.subarray(0, cut % 3 === 0 ? cut : whole.length));
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const file = await openTable(folder.write('changed.jsonl', bytes), AUTO);
          if (file.description !== 'in JSON Lines') return file.close();
          accepted++;
          const bare = (text: string) => text.replaceAll(/(?<=[:,\s])(NaN|-?Infinity)(?=[\s,}])/g, 'null');
          const rows = new TextDecoder(file.csv?.source.encoding ?? 'utf-8').decode(bytes).split('\n');
          // In a wrong encoding the text differs, but it is JSON all the same.
          if (rows.join('').includes('\ufffd')) return file.close();
          const objects = rows.filter((line) => line.trim() !== '').map((line) => JSON.parse(bare(line)));
          // JSON.parse reorders names of digits.
          const keys = new Set(objects.flatMap((object) => Object.keys(object)));
          expect([...file.names].sort()).toEqual([...keys].sort());
          file.close();
        } catch (error) {
          if (!(error instanceof MlpError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});
