import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_MISSING, type MissingValues } from '../../../src/data/missingValues.js';
import { openTable, readWhole } from '../../../src/data/openTable.js';
import { lookUp } from '../../../src/data/parquet/codes.js';
import { profileTable } from '../../../src/data/profile/profile.js';
import { RejectedRows } from '../../../src/data/rejectedRows.js';
import type { Column, ColumnKind, Table } from '../../../src/data/table.js';
import { ExitCode, MlpError } from '../../../src/errors.js';
import { fixture, projectPath } from '../../support/fixtures.js';
import { Folder, rejection } from '../files.js';

const folder = new Folder();
const AUTO = { delimiter: 'auto', header: 'auto' } as const;
const cells = fixture<Record<string, string[]>>('parquet/cells.json');
const fixturePath = (name: string) => projectPath(`test/fixtures/parquet/${name}.parquet`);
const open = (name: string) => openTable(fixturePath(name), AUTO);

/** The cells of a column as text, '' where they are missing. */
function texts(column: Column | undefined): string[] {
  if (column === undefined) throw new TypeError('a column was not read');
  if (column.kind === 'numeric')
    return Array.from(column.values, (value) => (Number.isNaN(value) ? '' : String(value)));
  return Array.from(column.codes, (code) => column.levels[code] ?? '');
}

const columnsOf = (table: Table) =>
  Object.fromEntries(table.names.map((name, i) => [name, texts(table.columns[i])]));

describe('a Parquet file with cells that are no numbers', () => {
  it('hands out the other rows, and why these can not be read', async () => {
    const file = await open('bad');
    const kinds: ColumnKind[] = ['numeric', 'skipped', 'numeric'];
    for (const capacity of [1, 7, 100]) {
      const rejected = new RejectedRows('bad.parquet', false);
      const lines: number[] = [];
      const bad: [number, string][] = [];
      const cells: (readonly string[])[] = [];
      for await (const chunk of file.chunks(kinds, capacity, { missingValues: DEFAULT_MISSING, rejected })) {
        lines.push(...chunk.table.lines);
        for (const [index, { line, error }] of chunk.bad ?? []) {
          expect(cells.length + index + 1).toBe(line);
          bad.push([line, error.message.replace(/^.*parquet:/, '')]);
        }
        cells.push(...chunk.cells);
      }
      expect(bad).toEqual([
        [4, '4: column "a": found "Infinity", expected a number'],
        [28, '28: column "a": found "Infinity", expected a number'],
        [42, '42: column "y": found "x, y", expected a number'],
      ]);
      expect(lines).toEqual(cells.map((_, row) => row + 1).filter((line) => ![4, 28, 42].includes(line)));
      expect([cells.length, cells[3], cells[41]]).toEqual([
        45,
        ['Infinity', '10', '4.5'],
        ['10.25', '1', 'x, y'],
      ]);
      expect(rejected.rows).toBe(3);
    }
    file.close();
  });

  it('is profiled without them', async () => {
    const file = await openTable(fixturePath('bad'), { ...AUTO, keepsOddCells: true });
    const { columns, warnings } = profileTable(await readWhole(file, { target: 2 }), file, 2);
    expect(columns[0]).toMatchObject({ kind: 'numeric', missing: 0, odd: { cells: 2, text: 'Infinity' } });
    expect(columns[2]).toMatchObject({ kind: 'numeric', missing: 3, mixture: { words: 2 } });
    expect(warnings.map(({ kind }) => kind)).toContain('odd-cells');
    file.close();
  });
});

describe('a Parquet file', () => {
  const files = [
    'none',
    'snappy',
    'gzip',
    'brotli',
    'lz4',
    'zstd',
    'pages2',
    'plain',
    'encodings',
    'required',
    'int96',
  ];

  it.each(files)('has the cells that Arrow finds: %s', async (name) => {
    const file = await open(name);
    const { nanos, ...others } = cells;
    const expected = name === 'int96' ? others : { ...others, nanos };
    const wanted =
      name === 'int96'
        ? { ...expected, micros: expected.micros.map((text) => text.replace('Z', '')) }
        : expected;
    const whole = await file.read(file.names.map((): ColumnKind => 'text'));
    expect(columnsOf(whole)).toEqual(wanted);
    expect([...whole.lines]).toEqual(cells.int8.map((_, row) => row + 1));
    expect(file.sample).toEqual(cells.int8.map((_, row) => file.names.map((key) => wanted[key][row])));
    for (const capacity of [1, 5, 100]) {
      const rows: (readonly string[])[] = [];
      const kinds = file.names.map((): ColumnKind => 'skipped');
      for await (const chunk of file.chunks(kinds, capacity, { missingValues: DEFAULT_MISSING })) {
        expect(chunk.table.rows).toBeLessThanOrEqual(capacity);
        expect([...chunk.table.lines]).toEqual(chunk.cells.map((_, i) => rows.length + i + 1));
        rows.push(...chunk.cells);
      }
      expect(rows).toEqual(file.sample);
    }
    file.close();
  });

  it.each(files)('has columns of its types: %s', async (name) => {
    const file = await open(name);
    const table = await readWhole(file);
    const kinds = Object.fromEntries(table.names.map((key, i) => [key, table.columns[i]?.kind]));
    for (const key of [
      'int8',
      'uint32',
      'int64',
      'long',
      'uint64',
      'half',
      'float',
      'double',
      'decimal',
      'wide',
    ]) {
      expect([key, kinds[key]]).toEqual([key, 'numeric']);
      const column = table.columns[table.names.indexOf(key)];
      const numbers = cells[key].map((text) => (text === '' ? Number.NaN : Number(text)));
      const exact = key === 'float' ? numbers.map(Math.fround) : numbers;
      expect(column).toMatchObject({
        values: Float64Array.from(exact),
        missing: numbers.filter(Number.isNaN).length,
      });
    }
    for (const key of ['bool', 'text', 'words', 'category', 'date', 'millis', 'micros', 'time', 'empty']) {
      expect([key, kinds[key]]).toEqual([key, 'text']);
    }
    file.close();
  });

  it('keeps the spelling of a target', async () => {
    const file = await open('snappy');
    const label = async (name: string) => {
      const target = file.names.indexOf(name);
      return (await readWhole(file, { target })).columns[target];
    };
    expect(await label('long')).toMatchObject({
      written: { levels: ['208310224003697457', '208310224003697458', '208310224003697459'] },
    });
    const decimal = await label('decimal');
    expect(decimal?.kind === 'numeric' && decimal.written !== 'many' && decimal.written?.levels).toContain(
      '-0.30',
    );
    expect(await label('int8')).not.toHaveProperty('written');
    file.close();
  });

  it('has missing values as told, and text that looks like one', async () => {
    const file = await open('zstd');
    const read = async (name: string, kind: ColumnKind, missingValues?: MissingValues) => {
      const kinds = file.names.map((own): ColumnKind => (own === name ? kind : 'skipped'));
      return (await file.read(kinds, undefined, missingValues)).columns[file.names.indexOf(name)];
    };
    expect(await read('text', 'auto')).toMatchObject({ levels: ['red', 'blé', 'NA', '01'] });
    const own = { texts: ['NA', '-3'], inNumbers: [] };
    expect(await read('text', 'auto', own)).toMatchObject({ levels: ['red', 'blé', '01'] });
    expect(await read('int8', 'numeric', own)).toMatchObject({ kind: 'numeric', missing: 1 });
    const message = (promise: Promise<unknown>) => rejection(promise).then((error) => error.message);
    expect(await message(read('text', 'numeric'))).toMatch(
      /zstd\.parquet:1: column "text": found "red", expected a number/,
    );
    file.close();
  });

  it('leaves nested columns out, and says so', async () => {
    const file = await open('nested');
    expect(file.names).toEqual(['int8']);
    expect(file.notes.join()).toMatch(/columns are nested, and left out: "list", "struct"/);
    file.close();
  });

  it('has the categories and the row names of pandas', async () => {
    const file = await open('pandas');
    const table = await readWhole(file);
    expect(table.columns[0]).toMatchObject({ kind: 'text', levels: ['3', '1', '10'] });
    expect([file.names[2], file.rowNames]).toEqual(['__index_level_0__', [2]]);
    expect(profileTable(table, { header: true, rowNames: file.rowNames ?? [] }).columns[2].kind).toBe(
      'identifier',
    );
    file.close();
  });

  it('may be packed, and have any name', async () => {
    const packed = folder.write('data.csv', gzipSync(readFileSync(fixturePath('plain'))));
    const file = await openTable(packed, AUTO);
    expect(file.description).toBe('in Parquet');
    file.close();
  });

  it.each([
    [
      'cut short',
      (bytes: Buffer) => bytes.subarray(0, 3000),
      /found a Parquet file without a footer at its end/,
    ],
    ['no rows', () => readFileSync(fixturePath('norows')), /found no row, expected rows/],
    [
      'encrypted',
      (bytes: Buffer) => Buffer.from(`PARE${bytes.toString('latin1', 4, bytes.length - 4)}PARE`, 'latin1'),
      /found an encrypted Parquet file/,
    ],
    ['a wrong byte', (bytes: Buffer) => bytes.fill(255, 60, 61), /column "int8": found a wrong checksum/],
  ])('is refused: %s', async (_, change, expected) => {
    const path = folder.write('bad.parquet', change(readFileSync(fixturePath('plain'))));
    const { exitCode, message } = await rejection(openTable(path, AUTO).then((file) => readWhole(file)));
    expect(exitCode).toBe(ExitCode.data);
    expect(message).toMatch(expected);
  });
});

describe('any Parquet file', () => {
  it('is refused with a clean error or read when bytes change or lack', async () => {
    const names = fc.constantFrom(
      'none',
      'snappy',
      'gzip',
      'brotli',
      'lz4',
      'zstd',
      'pages2',
      'encodings',
      'required',
    );
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (name, changes, cut) => {
          const bytes = readFileSync(fixturePath(name));
          const [[share]] = changes;
          const whole = cut
            ? Buffer.concat([bytes.subarray(0, Math.floor(share * bytes.length)), bytes.subarray(-8)])
            : bytes;
          for (const [at, byte] of changes) whole[Math.floor(at * whole.length)] = byte;
          const path = folder.write('changed.parquet', whole);
          try {
            const file = await openTable(path, AUTO);
            try {
              const table = await readWhole(file);
              for (const column of table.columns) expect(texts(column)).toHaveLength(table.rows);
            } finally {
              file.close();
            }
          } catch (error) {
            if (!(error instanceof MlpError)) throw error;
            refused++;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('has integers of any width, packed or repeated', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 32 }),
        fc.array(fc.nat(2 ** 32 - 1), { minLength: 8, maxLength: 40 }),
        (width, all) => {
          const values = all.slice(0, all.length & ~7).map((value) => value % 2 ** Math.min(width, 16));
          const bits = values.flatMap((value) =>
            Array.from({ length: width }, (_, bit) => Math.floor(value / 2 ** bit) % 2),
          );
          const packed = Array.from({ length: bits.length / 8 }, (_, i) =>
            bits.slice(8 * i, 8 * i + 8).reduce((sum, bit, k) => sum + bit * 2 ** k, 0),
          );
          const repeated = Array.from(
            { length: (width + 7) >> 3 },
            (_, i) => Math.floor(values[0] / 256 ** i) % 256,
          );
          const bytes = Uint8Array.of(6, ...repeated, (values.length / 8) * 2 + 1, ...packed);
          const expected = [values[0], values[0], values[0], ...values];
          // Behind them, bytes that don't count.
          const codes = { bytes: Uint8Array.of(...bytes, 255), at: 0, width, count: expected.length };
          const unpacked = (table: Float64Array, end: number) => {
            const out = new Float64Array(expected.length);
            lookUp({ ...codes, end }, table, out);
            return [...out];
          };
          const table = Float64Array.from({ length: Math.max(...expected) + 1 }, (_, code) => code / 8);
          expect(unpacked(table, bytes.length)).toEqual(expected.map((code) => code / 8));
          expect(() => unpacked(table, bytes.length - 1)).toThrow('too few');
          expect(() => unpacked(table.subarray(1), bytes.length)).toThrow('the dictionary lacks');
        },
      ),
    );
  });
});

describe('a column of numbers that has none', () => {
  it('is one of numbers where these are wanted: a row group of a column may be all missing', async () => {
    const file = await open('plain');
    const at = file.names.indexOf('empty');
    const kinds = file.names.map((_, i): ColumnKind => (i === at ? 'numeric' : 'skipped'));
    const expected = { kind: 'numeric', missing: 23 };
    expect((await file.read(kinds)).columns[at]).toMatchObject(expected);
    for await (const { table } of file.chunks(kinds, 100, { missingValues: DEFAULT_MISSING })) {
      expect(table.columns[at]).toMatchObject(expected);
    }
    file.close();
  });
});

it('is refused before it is read if its cells are more than the memory', async () => {
  const file = await open('plain');
  const limit = vi.spyOn(process, 'constrainedMemory').mockReturnValue(100);
  try {
    expect(await rejection(readWhole(file))).toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringMatching(/: the cells of [\d,]+ rows need .* of memory: this machine has 100 B$/),
      hint: expect.stringContaining('data.exclude'),
    });
  } finally {
    limit.mockRestore();
    file.close();
  }
});
