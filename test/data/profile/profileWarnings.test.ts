import { describe, expect, it } from 'vitest';
import { profileTable } from '../../../src/data/profile/profile.js';
import { tableOf } from '../encoding/tables.js';

type Cells = (number | string | null)[];

const repeat = <Cell>(count: number, cell: (i: number) => Cell): Cell[] =>
  Array.from({ length: count }, (_, i) => cell(i));

/** Numbers without a pattern that a warning is for. */
const wave = (rows: number) => repeat(rows, (i) => Math.sin(i * i));

function warningsOf(cells: Record<string, Cells>, target?: string, header = true) {
  const table = { ...tableOf(cells), header };
  const index = target === undefined ? undefined : table.names.indexOf(target);
  return profileTable(table, { delimiter: ',', header }, index).warnings;
}

describe('warnings about columns', () => {
  it('are none for columns of numbers and categories', () => {
    const x = wave(100);
    expect(warningsOf({ x, city: x.map((u) => (u > 0 ? 'Rome' : 'Oslo')) })).toEqual([]);
  });

  it('count missing cells', () => {
    const x = wave(200);
    const gaps = x.map((u, i) => (i % 4 ? u : null));
    expect(warningsOf({ x: wave(200), gaps })).toEqual([
      {
        kind: 'missing',
        columns: ['gaps'],
        text: 'column "gaps" lacks 50 cells (25 %): data.missing says how to fill them',
      },
    ]);
    expect(warningsOf({ gaps, x: wave(200), more: [...gaps].reverse() })[0].text).toBe(
      'columns "gaps", "more" lack 100 cells (25 %): data.missing says how to fill them',
    );
  });

  it.each([
    ['is constant: it carries no information', 3],
    ['is empty: it carries no information', null],
  ])('name a column that %s', (text, cell) => {
    const found = warningsOf({ x: wave(50), same: repeat(50, () => cell) }).filter(
      ({ kind }) => kind === 'constant',
    );
    expect(found).toEqual([{ kind: 'constant', columns: ['same'], text: `column "same" ${text}` }]);
  });

  it('name the first five of many columns in the text, and all beside it', () => {
    const names = repeat(8, (i) => `c${i}`);
    const [warning] = warningsOf({
      ...Object.fromEntries(names.map((name, i) => [name, repeat(20, () => i)])),
      x: wave(20),
    });
    expect(warning.columns).toEqual(names);
    expect(warning.text).toBe(
      'columns "c0", "c1", "c2", "c3", "c4" and 3 more are constant: they carry no information',
    );
  });

  it('call columns by number where there is no header', () => {
    expect(warningsOf({ 0: wave(20), 1: repeat(20, () => 1) }, undefined, false)[0].text).toBe(
      'column 1 is constant: it carries no information',
    );
  });

  it('point at identifiers', () => {
    const id = repeat(50, (i) => i + 1);
    const name = repeat(50, (i) => `name ${i}`);
    expect(warningsOf({ id, x: wave(50), name })).toEqual([
      {
        kind: 'identifier',
        columns: ['id', 'name'],
        text: 'columns "id", "name" look like identifiers: if so, name them in data.exclude',
      },
    ]);
  });

  it('say that many levels make many inputs', () => {
    const postcode = (levels: number) => repeat(1000, (i) => `code ${i % levels}`);
    expect(warningsOf({ x: wave(1000), postcode: postcode(100) })).toEqual([]);
    expect(warningsOf({ x: wave(1000), postcode: postcode(101) })).toEqual([
      {
        kind: 'levels',
        columns: ['postcode'],
        text: 'column "postcode" has more than 100 levels, and each becomes an input of the network unless it is embedded (data.embedFrom, or the tabular preset)',
      },
    ]);
  });

  it('say what float32 has no number for', () => {
    const largest = 3.4028234663852886e38;
    const scaled = (by: number) => wave(10).map((u, i) => (i === 4 ? by : u * 1e38));
    expect(warningsOf({ x: scaled(-largest) })).toEqual([]);
    expect(warningsOf({ x: scaled(-largest * 1.01) }).map(({ kind }) => kind)).toEqual(['overflow']);
  });

  it('point at values far from all others, unless nearly all values are equal', () => {
    const x = wave(500).map((u, i) => (i === 123 ? 1e6 : u));
    expect(warningsOf({ x }).map(({ kind }) => kind)).toEqual(['outlier']);
    expect(warningsOf({ x: x.map((u) => -u) }).map(({ kind }) => kind)).toEqual(['outlier']);
    expect(warningsOf({ x: wave(500).map((u, i) => (i === 123 ? 1000 : u)) })).toEqual([]);
    const sparse = repeat(500, (i) => (i % 5 ? 0 : i === 125 ? 1e6 : (i % 11) + 1));
    expect(warningsOf({ x: wave(500), sparse })).toEqual([]);
  });
});

describe('warnings about classes', () => {
  const balanceOf = (rows: readonly number[]) => {
    const y = rows.flatMap((count, label) => repeat(count, () => `c${label}`));
    return warningsOf({ x: wave(y.length), y }, 'y').filter(({ kind }) =>
      ['imbalance', 'single'].includes(kind),
    );
  };

  it('are none up to twenty times the rows', () => {
    expect(balanceOf([200, 10])).toEqual([]);
    expect(balanceOf(repeat(150, () => 4))).toEqual([]);
  });

  it('say how many times the rows of the rarest class the largest one has', () => {
    expect(balanceOf([50, 201, 10])).toEqual([
      {
        kind: 'imbalance',
        columns: ['y'],
        text:
          'the class "c1" has 20 times the rows of "c2": ' +
          'consider data.weights "balanced", and look beyond the accuracy',
      },
    ]);
  });

  it('name classes with a single row', () => {
    expect(balanceOf([10, 1]).map(({ text }) => text)).toEqual([
      'the class "c1" has a single row, and a stratified split needs two of each',
    ]);
    expect(balanceOf([10, 1, 1])[0].text).toMatch(/^the classes "c1", "c2" have a single row/);
  });
});
