import { describe, expect, it } from 'vitest';
import { encodeCells, RowHashes } from '../../../src/data/profile/equalCells.js';
import type { Column, NumericColumn } from '../../../src/data/table.js';
import { RandomState } from '../../../src/random/randomState.js';

function numeric(rows: number, value: (row: number) => number): NumericColumn {
  return { kind: 'numeric', values: Float64Array.from({ length: rows }, (_, row) => value(row)), missing: 0 };
}

function hashesOf(columns: readonly Column[], rows: number): RowHashes {
  const hashes = new RowHashes(rows);
  for (const column of columns) hashes.add(column, encodeCells(column).codes);
  return hashes;
}

/** By a map of the rows as text. */
function firstByText(columns: readonly NumericColumn[], rows: number): Int32Array {
  const seen = new Map<string, number>();
  return Int32Array.from({ length: rows }, (_, row) => {
    const text = columns.map(({ values }) => String(values[row])).join();
    const first = seen.get(text) ?? row;
    seen.set(text, first);
    return first;
  });
}

describe('the first of equal rows', () => {
  it('is found where all cells are equal', () => {
    const columns: Column[] = [
      { kind: 'text', levels: ['x', 'y'], codes: Int32Array.of(0, 1, 0, -1, 0, -1), missing: 2 },
      { kind: 'numeric', values: Float64Array.of(0, 0, -0, Number.NaN, 1, Number.NaN), missing: 2 },
    ];
    expect([...hashesOf(columns, 6).firstEqual()]).toEqual([0, 1, 0, 3, 4, 3]);
  });

  it('is the row itself where only hashes are equal', () => {
    // Among 200,000 different rows about five pairs have the same 32 bits; the last 50,000 rows are earlier ones again.
    const rows = 250_000;
    const random = new RandomState(0);
    const pairs = Array.from({ length: 200_000 }, () => [random.randint(0, 1e9), random.randint(0, 1e9)]);
    const columns = [0, 1].map((j) => numeric(rows, (row) => pairs[(row * 3) % pairs.length][j]));
    expect(hashesOf(columns, rows).firstEqual()).toEqual(firstByText(columns, rows));
  });

  it('is the same where equal rows are known', () => {
    const rows = 2000;
    const random = new RandomState(1);
    const columns = Array.from({ length: 3 }, () => numeric(rows, () => random.randint(0, 9)));
    const known = hashesOf(columns, rows).firstEqual();
    const fewer = columns.slice(0, 2);
    expect(hashesOf(fewer, rows).firstEqual(known)).toEqual(firstByText(fewer, rows));
  });
});
