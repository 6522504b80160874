import { describe, expect, it } from 'vitest';
import { requireComplete, rowsWithMissing } from '../../../src/data/encoding/missing.js';
import { allRows, tableOf } from './tables.js';

const table = tableOf({
  age: [31, null, 45, null, 27],
  city: ['Lima', 'Oslo', null, 'Oslo', 'Lima'],
  height: [1, 2, 3, 4, 5],
});

describe('rowsWithMissing', () => {
  it('marks the rows with a missing cell in any of the columns', () => {
    expect([...rowsWithMissing(table, [0])]).toEqual([0, 1, 0, 1, 0]);
    expect([...rowsWithMissing(table, [1, 2])]).toEqual([0, 0, 1, 0, 0]);
    expect([...rowsWithMissing(table, [0, 1, 2])]).toEqual([0, 1, 1, 1, 0]);
    expect([...rowsWithMissing(table, [])]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('requireComplete', () => {
  const refused = (indices: number[], rows: Int32Array) => () => requireComplete(table, indices, rows);

  it('names the cell that comes first in the file, in whatever order rows and columns are', () => {
    expect(refused([0, 1], allRows(table))).toThrow(
      'people.csv:3: column "age": found a missing value, expected a number',
    );
    expect(refused([1, 0], Int32Array.of(4, 3, 2))).toThrow(
      'people.csv:4: column "city": found a missing value, expected a value',
    );
  });

  it('looks at no other rows and columns', () => {
    expect(refused([2], allRows(table))).not.toThrow();
    expect(refused([0, 1, 2], Int32Array.of(4, 0))).not.toThrow();
  });

  it('says how to go on', () => {
    expect(refused([0], allRows(table))).toThrow(
      expect.objectContaining({ exitCode: 65, hint: expect.stringContaining('data.missing') }),
    );
  });
});
