import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MISSING, type MissingValues, OLD_MISSING } from '../../../src/data/missingValues.js';
import { readColumns } from '../../../src/data/parquet/columnPool.js';
import { ColumnReader } from '../../../src/data/parquet/columnReader.js';
import { openParquet } from '../../../src/data/parquet/parquet.js';
import { openBytes } from '../../../src/data/source/source.js';
import type { Column, ColumnKind } from '../../../src/data/table.js';
import { projectPath } from '../../support/fixtures.js';
import { rejection } from '../files.js';

const fixturePath = (name: string) => projectPath(`test/fixtures/parquet/${name}.parquet`);

/** Leaves columns to other threads. */
class SlowReader extends ColumnReader {
  reads = 0;
  delay = 0;

  override read(...which: Parameters<ColumnReader['read']>) {
    this.reads++;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.delay);
    return super.read(...which);
  }
}

/** Reads by one thread, then by two until the second has read some of the first `shared` columns. */
async function readTwice(
  name: string,
  kindOf: (i: number) => ColumnKind,
  missingValues: MissingValues,
  shared: (wanted: number) => number,
) {
  const file = await openBytes(fixturePath(name));
  try {
    const reader = new SlowReader(file);
    const kinds = reader.names.map((_, i) => kindOf(i));
    const request = { kinds, missingValues, keepsBad: false };
    const read = (threads: number) => {
      const columns = new Map<number, Column>();
      const take = (index: number, column: Column) => columns.set(index, column);
      return readColumns(reader, file, { ...request, threads, take }).then(
        () => columns,
        ({ exitCode, message, hint }) => ({ exitCode, message, hint }),
      );
    };
    const one = await read(1);
    const most = shared(kinds.filter((kind) => kind !== 'skipped').length);
    for (reader.delay = 10; ; reader.delay *= 2) {
      reader.reads = 0;
      const two = await read(2);
      if (reader.reads < most) return { one, two };
      expect(two).toEqual(one);
    }
  } finally {
    file.close();
  }
}

describe('the threads that read Parquet', () => {
  it('never change the table', async () => {
    const kind = fc.constantFrom<ColumnKind>('auto', 'text', 'label', 'skipped');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('snappy', 'zstd', 'pages2', 'plain', 'encodings', 'required', 'int96'),
        fc
          .array(kind, { minLength: 4, maxLength: 20 })
          .filter((kinds) => !kinds.every((own) => own === 'skipped')),
        fc.constantFrom(DEFAULT_MISSING, OLD_MISSING, {
          texts: ['red'],
          inNumbers: [],
          byColumn: { int8: ['3'] },
        }),
        async (name, kinds, missingValues) => {
          const { one, two } = await readTwice(
            name,
            (i) => kinds[i % kinds.length],
            missingValues,
            (wanted) => wanted,
          );
          expect(one).not.toHaveProperty('message');
          expect(two).toEqual(one);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('find the first error in the order of the columns', async () => {
    const names = new ColumnReader(await openBytes(fixturePath('snappy'))).names;
    const [first, second] = ['text', 'words'].map((name) => names.indexOf(name));
    expect(first).toBeGreaterThan(2);
    const isBad = (i: number) => i === first || i === second;
    const { one, two } = await readTwice(
      'snappy',
      (i) => (isBad(i) ? 'numeric' : 'auto'),
      DEFAULT_MISSING,
      () => Math.min(first, second) + 1,
    );
    expect(one).toMatchObject({
      message: expect.stringContaining('column "text": found "red", expected a number'),
    });
    expect(two).toEqual(one);
  });

  it('tell how far they are', async () => {
    const file = openParquet(await openBytes(fixturePath('snappy')), { threadedCells: 0 });
    const done: number[] = [];
    let total = 0;
    const tell = (bytes: number, all: number) => {
      done.push(bytes);
      total = all;
    };
    await file.read(
      file.names.map((): ColumnKind => 'auto'),
      tell,
      undefined,
      2,
    );
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(total);
    const error = await rejection(file.read(file.names.map((): ColumnKind => 'numeric')));
    expect(error.message).toMatch(/expected a number/);
    file.close();
  });
});
