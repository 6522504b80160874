/** What the byte path accepts it reads as csv-parse's table does, wherever the borders of its pieces lie. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../../src/data/csv/readTable.js';
import { readNumericTable } from '../../../src/data/numeric/numericFile.js';
import type { Tuning } from '../../../src/data/numeric/workspace.js';
import type { ColumnKind, Table } from '../../../src/data/table.js';
import { MlpError } from '../../../src/errors.js';
import { Folder } from '../files.js';
import { number, owned } from './arbitraries.js';
import { THREADED, TINY, withSource } from './support.js';

const folder = new Folder();

interface Both {
  readonly numeric: Table | null;
  /** Undefined where csv-parse's table refuses the file. */
  readonly table: Table | undefined;
}

/** Undefined where not even the beginning can be read. */
async function readBoth(
  content: string | Uint8Array,
  tuning: Partial<Tuning>,
  { kind = 'auto' as ColumnKind, threads = 1, header = true as boolean | 'auto' } = {},
): Promise<Both | undefined> {
  try {
    return await withSource(
      folder,
      content,
      async (source, dialect) => {
        const kinds = dialect.names.map(() => kind);
        const numeric = await readNumericTable({ source, dialect, kinds, threads }, tuning);
        const table = await readTable(source, dialect, { kinds: () => kinds }).catch((error) => {
          if (error instanceof MlpError) return undefined;
          throw error;
        });
        return { numeric, table };
      },
      header,
    );
  } catch (error) {
    if (error instanceof MlpError) return undefined;
    throw error;
  }
}

describe('readNumericTable', () => {
  it('reads every file it takes as readTable does, wherever chunks end', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        owned,
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 12 }),
        async ({ content }, chunkBytes, blockCells) => {
          const both = await readBoth(content, { chunkBytes, blockCells, manyColumns: blockCells });
          if (both?.numeric) {
            expect(both.numeric).toEqual(both.table);
            read++;
          }
        },
      ),
      { numRuns: 90 },
    );
    expect(read).toBeGreaterThan(45);
  });

  it('keeps the spelling of labels as readTable does, wherever pieces end', async () => {
    const plain = fc.integer({ min: -1200, max: 1200 }).map(String);
    const spelled = fc.constantFrom(
      '007',
      '1.10',
      '1.1',
      '1e2',
      '1E2',
      '-0',
      '+7',
      '310455667788990011',
      'NA',
      '"1.10"',
      '"7"',
    );
    const labels = fc.array(fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: spelled }), {
      minLength: 1,
      maxLength: 30,
    });
    const many = fc.array(number, { minLength: 150, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 9, arbitrary: labels }, { weight: 1, arbitrary: many }),
        fc.integer({ min: 1, max: 64 }),
        async (cells, chunkBytes) => {
          const content = `y,x\n${cells.map((cell) => `${cell},1\n`).join('')}`;
          const both = await readBoth(
            content,
            { chunkBytes, blockCells: 8, manyColumns: 1 },
            { kind: 'label' },
          );
          if (both?.numeric) expect(both.numeric).toEqual(both.table);
          const [column] = both?.table?.columns ?? [];
          if (column?.kind !== 'numeric' || column.written === 'many') return;
          const { written, values } = column;
          const texts = cells.map((_, row) => {
            if (Number.isNaN(values[row])) return 'NA';
            return written ? written.levels[written.codes[row]] : String(values[row]);
          });
          expect(texts).toEqual(cells.map((cell) => cell.replaceAll('"', '')));
        },
      ),
      { numRuns: 90 },
    );
  });

  it('accepts nothing that readTable reads otherwise, of any characters', async () => {
    const character = fc.constantFrom(...'0123456789..--+eE,,,\n\n\r" \tnaé?x\0'.split(''));
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: character, maxLength: 60 }),
        fc.constantFrom<ColumnKind>('auto', 'text', 'numeric'),
        async (content, kind) => {
          const both = await readBoth(content, TINY, { kind, header: false });
          if (!both?.numeric) return;
          expect(both.numeric).toEqual(both.table);
          read++;
        },
      ),
      { numRuns: 250 },
    );
    expect(read).toBeGreaterThan(20);
  });

  it('accepts no quotes that readTable reads otherwise', async () => {
    const part = fc.constantFrom(
      '"',
      '"',
      '"',
      '""',
      ',',
      ',',
      '\n',
      '\n',
      '\r\n',
      '\r',
      ' ',
      'x',
      '1',
      'NA',
      'é',
      '\t',
    );
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 40 }),
        fc.constantFrom<ColumnKind>('auto', 'text', 'numeric', 'label'),
        fc.integer({ min: 1, max: 24 }),
        async (parts, kind, chunkBytes) => {
          const both = await readBoth(
            parts.join(''),
            { chunkBytes, blockCells: 4, manyColumns: 1 },
            { kind, header: false },
          );
          if (!both?.numeric) return;
          expect(both.numeric).toEqual(both.table);
          if (both.numeric.rows > 1) read++;
        },
      ),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(5);
  });

  it('accepts no random bytes that readTable refuses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const both = await readBoth(bytes, TINY, { kind: 'text', header: false });
        if (both?.numeric) expect(both.numeric).toEqual(both.table);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same table for every size of chunk and any number of threads', async () => {
    const texts = [
      'a',
      'Zoë',
      '"a\n1,2"',
      '"NA"',
      ' "say ""hi"", ""hi""" ',
      '"\r\n\n"',
      '"1.#IND"',
      '5" pipe',
    ];
    const rows = Array.from({ length: 200 }, (_, i) => `${i},"${i / 7}",${texts[i % 8]},${-i}e-3`);
    const content = `n,x,c,y\n${rows.join('\n')}\n`;
    const expected = (await readBoth(content, {}))?.table;
    expect(expected?.rows).toBe(200);
    await withSource(
      folder,
      content,
      async (source, dialect) => {
        const kinds = dialect.names.map((): ColumnKind => 'auto');
        const read = (tuning: Partial<Tuning>, threads = 1) =>
          readNumericTable({ source, dialect, kinds, threads }, tuning);
        for (let chunkBytes = 1; chunkBytes < 80; chunkBytes++) {
          expect(await read({ chunkBytes, blockCells: chunkBytes })).toEqual(expected);
        }
        for (const threads of [1, 2, 3]) {
          expect(await read({ ...THREADED, chunkBytes: 100 }, threads)).toEqual(expected);
        }
      },
      true,
    );
  });

  it('is not misled by a column whose first rows are of another kind', async () => {
    const numbers = `x\n${'1\n'.repeat(250)}word\n`;
    expect((await readBoth(numbers, {}))?.numeric).toBeNull();
    const words = `x\n${'word\n'.repeat(250)}1\n`;
    expect((await readBoth(words, {}))?.numeric).toBeNull();
  });
});
