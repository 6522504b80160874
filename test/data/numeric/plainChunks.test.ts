/** Rows that the byte path hands out are those of csv-parse, wherever chunks end, and whichever reads the rest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChunks } from '../../../src/data/csv/readChunks.js';
import { DEFAULT_MISSING } from '../../../src/data/missingValues.js';
import { readPlainChunks } from '../../../src/data/numeric/plainChunks.js';
import type { Tuning } from '../../../src/data/numeric/workspace.js';
import { RejectedRows } from '../../../src/data/rejectedRows.js';
import type { ColumnKind, PassedOver } from '../../../src/data/table.js';
import type { ReadRows } from '../../../src/data/tableSource.js';
import { MlpError } from '../../../src/errors.js';
import { Folder } from '../files.js';
import { owned } from './arbitraries.js';
import { THREADED, TINY, withSource } from './support.js';

const folder = new Folder();

interface Rows {
  /** [rows] Numbers and texts; null for a missing cell. */
  readonly values: unknown[];
  readonly lines: number[];
  readonly cells: unknown[];
  passed?: PassedOver;
  readonly bad: string[];
  error?: string;
  /** The rows of each table, and the levels of its columns of text. */
  readonly tables: number[];
  readonly levels: (readonly string[])[];
}

function add(rows: Rows, { table, cells, bad }: ReadRows): void {
  rows.tables.push(table.rows);
  for (const column of table.columns) if (column?.kind === 'text') rows.levels.push(column.levels);
  rows.lines.push(...table.lines);
  rows.cells.push(...cells);
  for (const { kind, line } of bad?.values() ?? []) rows.bad.push(`${line} ${kind}`);
  for (let row = 0; row < table.rows; row++) {
    rows.values.push(
      table.columns.map((column) => {
        if (column?.kind === 'numeric') return Number.isNaN(column.values[row]) ? null : column.values[row];
        return column && (column.levels[column.codes[row]] ?? null);
      }),
    );
  }
}

interface Options {
  readonly threads?: number;
  readonly tuning?: Partial<Tuning>;
  readonly kinds: (columns: number) => ColumnKind[];
  readonly capacity: number;
  readonly kept?: (columns: number) => number[];
  readonly rejects?: boolean;
}

/** Read by bytes with a tuning, else by csv-parse. Undefined where the beginning can't be read. */
async function read(
  content: string,
  { tuning, kinds, capacity, kept, rejects, threads = 1 }: Options,
): Promise<Rows | undefined> {
  const rows: Rows = { values: [], lines: [], cells: [], bad: [], tables: [], levels: [] };
  let isOpen = false;
  try {
    await withSource(
      folder,
      content,
      async (source, dialect) => {
        isOpen = true;
        const { length } = dialect.names;
        const options = {
          missingValues: structuredClone(DEFAULT_MISSING),
          threads,
          ...(rejects && { rejected: new RejectedRows('plain.csv', false) }),
          ...(kept && { kept: kept(length) }),
          onEnd: (passed: PassedOver) => {
            rows.passed = passed;
          },
        };
        const found = tuning
          ? readPlainChunks(source, dialect, kinds(length), capacity, options, tuning)
          : readChunks(source, dialect, kinds(length), capacity, options);
        for await (const chunk of found) add(rows, chunk);
      },
      true,
    );
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    if (!isOpen) return undefined;
    rows.error = error.message;
  }
  return rows;
}

describe('readPlainChunks', () => {
  it('hands out the rows of csv-parse, wherever chunks end and whatever is copied', async () => {
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(
        owned,
        fc.constantFrom('', '\n\n', 'x', '"', '"open', '1,2,3,4,5,6,7\n'),
        fc.record({
          chunkBytes: fc.integer({ min: 1, max: 64 }),
          blockCells: fc.integer({ min: 1, max: 12 }),
          manyColumns: fc.constantFrom(1, 99),
        }),
        fc.record({
          capacity: fc.integer({ min: 1, max: 5 }),
          number: fc.nat(7),
          kept: fc.nat(31),
          rejects: fc.boolean(),
        }),
        async ({ content, textColumns }, tail, tuning, { capacity, number, kept, rejects }) => {
          const options: Options = {
            capacity,
            rejects,
            // Some columns of text are read as numbers, whose cells are then errors.
            kinds: (columns) =>
              Array.from({ length: columns }, (_, i) =>
                i === number ? 'skipped' : textColumns[i] && number !== 7 ? 'text' : 'numeric',
              ),
            kept: (columns) => Array.from({ length: columns }, (_, i) => i).filter((i) => (kept >> i) & 1),
          };
          const text = content + tail;
          const expected = await read(text, options);
          const found = await read(text, { ...options, tuning });
          const sparse = ({ cells }: Rows) =>
            cells.map((row) => options.kept?.(textColumns.length).map((column) => (row as string[])[column]));
          expect(found && { ...found, tables: [], levels: [], cells: sparse(found) }).toEqual(
            expected && { ...expected, tables: [], levels: [], cells: sparse(expected) },
          );
          if (found && found.error === undefined) whole++;
        },
      ),
      { numRuns: 80 },
    );
    expect(whole).toBeGreaterThan(25);
  });

  it('hands out as many rows as are asked for, and fewer at the end and before those of csv-parse', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}\n`);
    const options: Options = {
      kinds: () => ['numeric', 'text'],
      capacity: 8,
      kept: () => [],
      tuning: { chunkBytes: 30 },
    };
    const plain = await read(`x,c\n${lines.join('')}`, options);
    expect(plain?.tables).toEqual([8, 8, 4]);
    expect(plain?.levels).toEqual([0, 1, 2].map(() => ['b', 'a']));
    expect(plain?.lines).toEqual(lines.map((_, i) => i + 2));
    expect(plain?.cells).toEqual(lines.map(() => []));
    // An empty line is for csv-parse.
    lines.splice(11, 0, '\n');
    const both = await read(`x,c\n${lines.join('')}`, options);
    expect(both?.values).toEqual(plain?.values);
    expect(both?.passed).toEqual({ spaces: false, emptyLines: 1 });
    expect(both?.tables.reduce((sum, rows) => sum + rows)).toBe(20);
    expect(both?.tables[0]).toBe(8);
    expect(both?.lines.slice(-1)).toEqual([22]);
  });

  it('reads ahead in another thread, also where a row starts elsewhere than it seems, or csv-parse reads the rest', async () => {
    const line = (i: number) => `${i},"a\n${i},b"\n`;
    const lines = Array.from({ length: 300 }, (_, i) => line(i));
    const options: Options = { kinds: () => ['numeric', 'text'], capacity: 7 };
    const tuning = { ...THREADED, chunkBytes: 10 };
    for (const end of ['', '\n1,2\n', '1,2,3\n']) {
      const text = `x,c\n${lines.join('')}${end}`;
      const found = await read(text, { ...options, tuning, threads: 2 });
      const expected = await read(text, options);
      expect(found && { ...found, tables: [], levels: [] }).toEqual({ ...expected, tables: [], levels: [] });
    }
  });

  it.each([1, 99])('says where spaces were dropped, and which numbers miss (%s)', async (manyColumns) => {
    const text = 'x,y\n1,2\n1\u00a0,NA\n,4.25e3\n';
    const options: Options = { kinds: () => ['numeric', 'numeric'], capacity: 8, kept: () => [] };
    const found = await read(text, { ...options, tuning: { manyColumns } });
    expect(found?.passed).toEqual({ spaces: true, emptyLines: 0 });
    expect(found?.values).toEqual([
      [1, 2],
      [1, null],
      [null, 4250],
    ]);
  });

  it('reads what it may not own by csv-parse alone: comments, and other missing values', async () => {
    const seen = await withSource(folder, 'x\n1\n-999\n', async (source, dialect) => {
      const missingValues = { texts: ['-999'], inNumbers: [] };
      const values: number[] = [];
      for await (const { table } of readPlainChunks(
        source,
        dialect,
        ['numeric'],
        9,
        { missingValues },
        TINY,
      )) {
        const [column] = table.columns;
        if (column?.kind === 'numeric') values.push(...column.values);
      }
      return values;
    });
    expect(seen).toEqual([1, Number.NaN]);
  });
});
