import { describe, expect, it } from 'vitest';
import { formatOf, openTable, readWhole } from '../../../src/data/openTable.js';
import { profileTable } from '../../../src/data/profile/profile.js';
import { fixture, projectPath } from '../../support/fixtures.js';

interface Expected {
  rows: number;
  duplicateRows: number;
  columns: Record<
    string,
    {
      missing: number;
      distinct: number;
      min?: number;
      max?: number;
      mean?: number;
      deviation?: number;
      counts?: Record<string, number>;
    }
  >;
}

const { shipped } = fixture<{ shipped: Record<string, Expected> }>('pandas/summary.json');

async function profileOf(name: string) {
  const file = await openTable(projectPath(`data/${name}.csv`), { delimiter: 'auto', header: 'auto' });
  try {
    const table = await readWhole(file, { threads: 1 });
    // The target is the last column of each.
    return profileTable(table, formatOf(file), table.names.length - 1);
  } finally {
    file.close();
  }
}

describe.each(Object.entries(shipped))('%s.csv', (name, { rows, duplicateRows, columns }) => {
  it('has the figures that pandas tells', async () => {
    const profile = await profileOf(name);
    expect([profile.rows, profile.duplicateRows]).toEqual([rows, duplicateRows]);
    expect(profile.columns.map((column) => column.name)).toEqual(Object.keys(columns));
    for (const { missing, distinct, range, mean, deviation, ...column } of profile.columns) {
      const expected = columns[column.name];
      expect([column.name, missing, distinct]).toEqual([column.name, expected.missing, expected.distinct]);
      if (expected.counts) {
        const counts = profile.target?.classes?.map((level) => [level.name, level.rows]);
        expect(Object.fromEntries(counts ?? [])).toEqual(expected.counts);
      } else {
        const { min, max } = range ?? {};
        const found = [min, max, mean, deviation].map((value) => value ?? Number.NaN);
        const figures = [expected.min, expected.max, expected.mean, expected.deviation].map(
          (value) => value ?? Number.NaN,
        );
        expect(found).toBeAllclose(figures, { relative: 1e-12 });
      }
    }
  });
});

it.each([
  ['breast-cancer', 'binary', []],
  ['diabetes', 'regression', []],
  [
    'digits',
    'multiclass',
    ['columns "pixel_0_0", "pixel_4_0", "pixel_4_7" are constant: they carry no information'],
  ],
  [
    'iris',
    'multiclass',
    [
      'line 144 is a duplicate of line 103: duplicates in both training and test rows make the test score too good',
    ],
  ],
  ['wine', 'multiclass', []],
] as const)('%s.csv is %s, and raises no false alarm', async (name, task, warnings) => {
  const profile = await profileOf(name);
  expect(profile.target?.task).toBe(task);
  expect(profile.warnings.map(({ text }) => text)).toEqual(warnings);
});
