/** Held-out rows by order, by group and by quantiles, and rare classes. */
import { describe, expect, it } from 'vitest';
import { splitRows } from '../../../src/data/dataset/splitRows.js';
import { firstRows, type LocatedColumn } from '../../../src/data/locatedColumn.js';
import { ExitCode } from '../../../src/errors.js';
import type { RowsOf } from '../../../src/spec/dataConfig.js';
import { formatPath } from '../../../src/spec/messages.js';

function textColumn(cells: readonly string[]): LocatedColumn {
  const levels = [...new Set(cells)];
  const codes = Int32Array.from(cells, (cell) => levels.indexOf(cell));
  return {
    column: { kind: 'text', levels, codes, missing: 0 },
    path: 'a.csv',
    name: 'c',
    label: 'column "c"',
    location: (row) => `a.csv:${row + 2}: column "c"`,
  };
}

function split(
  rows: number,
  validation: RowsOf,
  { column, values, seed = 0 }: { column?: LocatedColumn; values?: Float64Array; seed?: number } = {},
) {
  const { train, validation: held } = splitRows({
    validation,
    test: 0,
    locatedColumns: column ? { validation: column } : {},
    from: firstRows(rows),
    seed,
    path: 'a.csv',
    where: formatPath,
    ...(values && { values }),
  });
  return { train: [...train], held: [...held] };
}

describe('the last rows', () => {
  it('are those of the file, or of a column of dates', () => {
    expect(split(5, { last: 0.3 })).toEqual({ train: [0, 1, 2], held: [3, 4] });
    const column = textColumn(['2024-03-01', '2024-01-15', '2023-12-31', '2024-02-01', '2024-02-02']);
    expect(split(5, { last: 0.4, by: 'c' }, { column })).toEqual({ train: [1, 2, 3], held: [0, 4] });
  });

  it('are not ordered by dates that could be two', () => {
    const column = textColumn(['01/02/2024', '03/04/2024', '05/06/2024']);
    expect(() => split(3, { last: 0.4, by: 'c' }, { column })).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.data,
        message:
          'a.csv: column "c": found dates such as "01/02/2024", expected dates that show which number is the day',
      }),
    );
  });
});

it('groups are held out whole, near the share of the rows', () => {
  const cells = Array.from({ length: 60 }, (_, i) => `g${Math.floor(Math.sqrt(i * 3))}`);
  const column = textColumn(cells);
  for (let seed = 0; seed < 20; seed++) {
    const { train, held } = split(60, { share: 0.25, group: 'c' }, { column, seed });
    const trained = new Set(train.map((row) => cells[row]));
    expect(held.some((row) => trained.has(cells[row]))).toBe(false);
    expect([train.length + held.length, held.length > 5, held.length < 30]).toEqual([60, true, true]);
  }
});

it('a regression is stratified by quantiles', () => {
  const values = Float64Array.from({ length: 40 }, (_, i) => (i % 10 === 3 ? 1000 + i : i));
  for (let seed = 0; seed < 10; seed++) {
    const { held } = split(40, { share: 0.25, stratify: 'quantiles' }, { values, seed });
    expect(held).toHaveLength(10);
    expect(held.filter((row) => values[row] >= 1000)).toHaveLength(1);
  }
  expect(() => split(40, { share: 0.25, stratify: 'quantiles' })).toThrow('whose target is no quantity');
});
