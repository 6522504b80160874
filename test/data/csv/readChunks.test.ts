import { describe, expect, it } from 'vitest';
import { DEFAULT_MISSING } from '../../../src/data/missingValues.js';
import { openTable } from '../../../src/data/openTable.js';
import { RejectedRows } from '../../../src/data/rejectedRows.js';
import type { ColumnKind } from '../../../src/data/table.js';
import type { ChunkOptions, ReadRows, TableSource } from '../../../src/data/tableSource.js';
import { Folder } from '../files.js';

const folder = new Folder();

/** Calls `use` with the chunks of a file whose bad rows are left out, and with those so far. */
async function withChunks<Result>(
  name: string,
  content: string,
  { capacity, ...options }: Partial<ChunkOptions> & { readonly capacity: number },
  use: (chunks: AsyncGenerator<ReadRows>, rejected: RejectedRows, file: TableSource) => Promise<Result>,
): Promise<Result> {
  const request = { delimiter: 'auto', header: 'auto', skipsBadRows: true } as const;
  const file = await openTable(folder.write(name, content), request);
  try {
    const kinds = file.names.map((): ColumnKind => 'numeric');
    const rejected = new RejectedRows(name, false);
    const chunks = file.chunks(kinds, capacity, { missingValues: DEFAULT_MISSING, rejected, ...options });
    return await use(chunks, rejected, file);
  } finally {
    file.close();
  }
}

const files = [
  { name: 'data.csv', start: 'a,b\n1,2\n', good: '3,4\n', bad: '5\n', cells: ['5'] },
  { name: 'data.jsonl', start: '{"a":1,"b":2}\n', good: '{"a":3,"b":4}\n', bad: 'x\n', cells: [] },
];

describe.each(files)('bad rows of $name', ({ name, start, good, bad, cells }) => {
  it('are handed out as they are read, not with all of their chunk of the file', async () => {
    const most = await withChunks(
      name,
      start + bad.repeat(100_000),
      { capacity: 10 },
      async (chunks, rejected) => {
        const { value } = await chunks.next();
        expect([value?.table.rows, value?.cells.length, value?.bad?.size]).toEqual([1, 10, 9]);
        const found = rejected.rows;
        await chunks.return(undefined);
        return found;
      },
    );
    // 200 kB are one chunk; csv-parse pauses every 16 KiB, the reader of JSON Lines at each table.
    expect(most).toBeLessThanOrEqual(name === 'data.csv' ? 2 ** 13 : 9);
  });

  it('share a table without rows', async () => {
    const content = start + bad.repeat(25) + good + bad.repeat(15);
    await withChunks(name, content, { capacity: 10 }, async (chunks) => {
      const tables: ReadRows['table'][] = [];
      const found: unknown[] = [];
      for await (const chunk of chunks) {
        tables.push(chunk.table);
        found.push([[...chunk.table.lines], [...(chunk.bad ?? [])].map(([index, { line }]) => line - index)]);
      }
      const first = name === 'data.csv' ? 2 : 1;
      const offsets = (from: number, count: number) => Array<number>(count).fill(first + from);
      expect(found).toEqual([
        [[first], offsets(0, 9)],
        [[], offsets(10, 10)],
        [[first + 26], offsets(20, 9)],
        [[], offsets(30, 10)],
        [[], offsets(40, 2)],
      ]);
      expect(new Set(tables).size).toBe(3);
      expect(tables[1].columns).toHaveLength(2);
    });
  });

  it('have errors without a stack, while other errors keep theirs', async () => {
    await withChunks(name, start + bad, { capacity: 10 }, async (chunks) => {
      const { value } = await chunks.next();
      const { error, line } = value?.bad?.get(1) ?? {};
      expect(error?.message).toMatch(`${name}:${line}`);
      expect(error?.stack).not.toContain('\n    at ');
      expect(new Error().stack).toContain('\n    at ');
    });
  });

  it('have the cells that can be told apart, if any are wanted', async () => {
    const cellsWith = (kept?: number[]) =>
      withChunks(name, start + bad, { capacity: 10, ...(kept && { kept }) }, async (chunks) => {
        const { value } = await chunks.next();
        return value?.cells;
      });
    expect(await cellsWith()).toEqual([['1', '2'], cells]);
    expect(await cellsWith([1])).toEqual([['1', '2'], cells]);
    expect(await cellsWith([])).toEqual([[], []]);
  });
});

it('takes no memory for the rows of a table that a file does not have', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `c${i}`);
  const row = `${names.map((_, i) => i).join()}\n`;
  const content = `${names.join()}\n${row.repeat(450)}`;
  await withChunks('wide.csv', content, { capacity: 10_000 }, async (chunks) => {
    const { value } = await chunks.next();
    const column = value?.table.columns[7];
    const values = column?.kind === 'numeric' ? column.values : new Float64Array();
    expect([...values]).toEqual(Array(450).fill(7));
    // Room for 200 rows is made at first, then twice as much.
    expect(values.buffer.byteLength).toBeLessThan(2 ** 16 + 1);
  });
});
