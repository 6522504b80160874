import { describe, expect, it } from 'vitest';
import { profileTable, type Warning } from '../../../src/data/profile/profile.js';
import { RandomState } from '../../../src/random/randomState.js';
import { tableOf } from '../encoding/tables.js';

type Cells = (number | string | null)[];

const repeat = <Cell>(count: number, cell: (i: number) => Cell): Cell[] =>
  Array.from({ length: count }, (_, i) => cell(i));

function leaksOf(cells: Record<string, Cells>): Warning[] {
  const table = tableOf(cells);
  return profileTable(table, { delimiter: ',', header: true }, table.names.indexOf('y')).warnings.filter(
    ({ kind }) => kind === 'leak',
  );
}

/** Numbers in [0, 1) that have nothing to do with one another. */
function noise(rows: number, seed: number): number[] {
  const random = new RandomState(seed);
  return repeat(rows, () => random.rand());
}

/** A class for each row, of these shares, by lot. */
function classes(rows: number, seed: number, shares: readonly number[] = [0.5, 0.5]): string[] {
  return noise(rows, seed).map((u) => {
    let rest = u;
    const found = shares.findIndex((share) => {
      rest -= share;
      return rest < 0;
    });
    return `class ${found < 0 ? shares.length - 1 : found}`;
  });
}

describe('a column of which each value goes with one class', () => {
  it.each<[string, (name: string, i: number) => number | string | null]>([
    ['text', (name: string, i: number) => `${name.at(-1)}${i % 4}`],
    ['numbers', (name: string, i: number) => ((i % 4) - 1.5) * (name === 'class 0' ? 1 : 7)],
    ['text with gaps', (name: string, i: number) => (i % 5 ? `of ${name}` : null)],
  ])('is a leak: %s', (_, cell) => {
    const y = classes(200, 1);
    expect(leaksOf({ x: y.map(cell), z: noise(200, 7), y })).toEqual([
      {
        kind: 'leak',
        columns: ['x'],
        text: 'column "x" may give the target away: each value goes with a single value of the target',
      },
    ]);
  });

  it('is none where one row contradicts', () => {
    const y = classes(200, 1);
    const x = y.map((name, i) => (i === 150 ? 'of another' : `of ${name}`));
    x[17] = x[18] === `of ${y[17]}` ? 'of class 0' : x[18];
    const mixed = x.map((cell, i) =>
      i === 60 ? (cell === 'of class 0' ? 'of class 1' : 'of class 0') : cell,
    );
    expect(leaksOf({ x: mixed, y })).toEqual([]);
  });

  it('is none in a table so small that it may be chance', () => {
    const y = classes(30, 2);
    expect(leaksOf({ x: y.map((name) => `of ${name}`), z: noise(30, 7), y })).toEqual([]);
  });

  it('is none where nearly all rows are of one class', () => {
    const rows = 400;
    const y = repeat(rows, (i) => (i < 4 ? 'rare' : 'common'));
    const x = repeat(rows, (i) => (i < 4 ? 'red' : ['green', 'blue', 'white'][i % 3]));
    expect(leaksOf({ x, z: noise(rows, 7), y })).toEqual([]);
  });

  it('is none where the values hardly repeat', () => {
    const rows = 300;
    const y = classes(rows, 3);
    const x = y.map((name, i) => (i < 160 ? (i % 10) + (name === 'class 0' ? 0.2 : 0.4) : 10.5 + i));
    expect(leaksOf({ x, z: noise(rows, 7), y })).toEqual([]);
  });

  it('is none where only whole rows repeat', () => {
    const y = classes(100, 4);
    const x = noise(100, 5);
    const z = noise(100, 6);
    const twice = <Cell>(cells: Cell[]) => [...cells, ...cells, ...cells];
    expect(leaksOf({ x: twice(x), z: twice(z), y: twice(y) })).toEqual([]);
  });
});

describe('a column that is missing', () => {
  it('is a leak where it is missing in the rows of one class alone', () => {
    const y = classes(200, 1);
    const x = noise(200, 2);
    const discharged = y.map((name, i) => (name === 'class 0' ? null : x[i]));
    expect(leaksOf({ discharged, z: noise(200, 7), y }).map(({ text }) => text)).toEqual([
      'column "discharged" may give the target away: cells are missing in the rows of one class, and in no others',
    ]);
    const kept = discharged.map((cell, i) => (i === y.indexOf('class 0') ? 0.5 : cell));
    expect(leaksOf({ kept, z: noise(200, 7), y })).toEqual([]);
  });
});

describe('a column of numbers whose thresholds separate the classes', () => {
  it('is a leak', () => {
    const y = classes(200, 1, [0.3, 0.4, 0.3]);
    const place: Record<string, number> = { 'class 0': 2, 'class 1': 0, 'class 2': 1 };
    const x = noise(200, 2).map((u, i) => u * 0.9 + place[y[i]]);
    expect(leaksOf({ x, y }).map(({ text }) => text)).toEqual([
      'column "x" may give the target away: a threshold separates the classes',
    ]);
    x[y.indexOf('class 0')] = 1.5;
    expect(leaksOf({ x, y })).toEqual([]);
  });

  it('is none where a class has too few rows to tell', () => {
    const y = repeat(1000, (i) => (i === 500 ? 'rare' : 'common'));
    const x = noise(1000, 2).map((u, i) => (i === 500 ? 2 : u));
    expect(leaksOf({ x, y })).toEqual([]);
  });
});

describe('a target of numbers', () => {
  const y = noise(300, 1).map((u) => Math.round(u * 1e6) / 100);

  it('is given away by itself in another unit', () => {
    const x = y.map((value) => 32 - 1.8 * value + Math.sin(value) / 100);
    expect(leaksOf({ x, y }).map(({ text }) => text)).toEqual([
      'column "x" may give the target away: it is a straight line over the target',
    ]);
  });

  it('is given away by whatever keeps its order', () => {
    const logarithm = y.map((value) => -Math.log(value + 1));
    const band = y.map((value) => Math.floor(value / 1000));
    expect(leaksOf({ logarithm, band, y })).toEqual([
      {
        kind: 'leak',
        columns: ['logarithm', 'band'],
        text: 'columns "logarithm", "band" may give the target away: it rises or falls with the target without exception',
      },
    ]);
    band[10] = 4.5;
    expect(leaksOf({ band, y })).toEqual([]);
  });

  it('is not given away by what only comes near it', () => {
    const x = noise(300, 2).map((u, i) => y[i] * (1 + u / 10));
    const flag = y.map((value) => (value === Math.max(...y) ? 1 : 0));
    expect(leaksOf({ x, flag, y })).toEqual([]);
  });
});

it('sees no leak in columns that have nothing to do with the target', () => {
  for (let seed = 0; seed < 20; seed++) {
    const rows = 30 + 20 * seed;
    const y = seed % 2 ? classes(rows, seed, [0.9, 0.1]) : noise(rows, seed);
    const columns = repeat(20, (j): [string, Cells] => {
      const levels = 2 ** (j % 6);
      const cells = noise(rows, 1000 * seed + j);
      return [`x${j}`, j % 2 ? cells : cells.map((u) => Math.floor(u * levels))];
    });
    expect([seed, leaksOf({ ...Object.fromEntries(columns), y })]).toEqual([seed, []]);
  }
});
