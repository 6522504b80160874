import { describe, expect, it } from 'vitest';
import { profileTable, type TableProfile } from '../../../src/data/profile/profile.js';
import type { Table } from '../../../src/data/table.js';
import { fixture } from '../../support/fixtures.js';
import { tableOf } from '../encoding/tables.js';

interface Figures {
  missing: number;
  distinct: number;
  min?: number;
  max?: number;
  mean?: number;
  deviation?: number;
  counts?: Record<string, number>;
}

interface Expected {
  rows: number;
  duplicateRows: number;
  columns: Record<string, Figures>;
}

const pandas = fixture<{
  cells: Record<string, (number | string | null)[]>;
  awkward: Expected;
}>('pandas/summary.json');

const DIALECT = { delimiter: ',', header: true };

const profileOf = (cells: Parameters<typeof tableOf>[0], target?: string): TableProfile => {
  const table = tableOf(cells);
  return profileTable(table, DIALECT, target === undefined ? undefined : table.names.indexOf(target));
};

const column = ({ columns }: TableProfile, name: string) => {
  const found = columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
};

const warningsOf = ({ warnings }: TableProfile, kind: string) =>
  warnings.filter((warning) => warning.kind === kind).map(({ text }) => text);

const repeat = <Cell>(count: number, cell: (i: number) => Cell): Cell[] =>
  Array.from({ length: count }, (_, i) => cell(i));

describe('the figures of a column', () => {
  const { cells, awkward: expected } = pandas;
  const profile = profileOf(cells);

  it.each(Object.entries(expected.columns))('are those of pandas for %j', (name, figures) => {
    const { missing, distinct, range, mean, deviation, frequent } = column(profile, name);
    expect({ missing, distinct }).toEqual({ missing: figures.missing, distinct: figures.distinct });
    expect(range).toEqual(figures.min === undefined ? undefined : { min: figures.min, max: figures.max });
    if (figures.mean !== undefined && figures.deviation !== undefined) {
      const scale = figures.deviation;
      expect([mean, deviation]).toBeAllclose([figures.mean, figures.deviation], {
        relative: 1e-14,
        absolute: 1e-14 * scale,
      });
    }
    if (figures.counts !== undefined) {
      const counts = Object.entries(figures.counts).map(([level, rows]) => ({ name: level, rows }));
      expect(frequent).toEqual(counts);
    }
  });

  it('count the rows that are earlier rows again, as pandas does', () => {
    expect([profile.rows, profile.duplicateRows]).toEqual([expected.rows, expected.duplicateRows]);
  });

  it('hold for a quarter of a million different numbers', () => {
    const rows = 2 ** 18;
    const { distinct, mean, range } = column(
      profileOf({ a: repeat(rows, (i) => ((i * 40_503) % rows) / 4) }),
      'a',
    );
    expect([distinct, range, mean]).toEqual([rows, { min: 0, max: (rows - 1) / 4 }, (rows - 1) / 8]);
  });

  it('name the five most frequent levels, the earlier of two that are equally frequent first', () => {
    const letters = [...'abcdefgbcdefgcgg'];
    expect(column(profileOf({ letters }), 'letters').frequent).toEqual([
      { name: 'g', rows: 4 },
      { name: 'c', rows: 3 },
      { name: 'b', rows: 2 },
      { name: 'd', rows: 2 },
      { name: 'e', rows: 2 },
    ]);
  });
});

describe('the kind of a column', () => {
  const kindOf = (cells: (number | string | null)[], name = 'x') =>
    column(profileOf({ [name]: cells }), name).kind;

  it.each([
    ['numeric', 'fractions', repeat(30, (i) => i / 2)],
    ['integer', 'whole numbers that repeat', repeat(30, (i) => i % 7)],
    ['integer', 'whole numbers with gaps', repeat(30, (i) => 2 * i)],
    ['integer', 'nine whole numbers in a row', repeat(9, (i) => i)],
    ['category', 'text that repeats', repeat(30, (i) => `level ${i % 7}`)],
    ['category', 'text that occurs twice on average', repeat(30, (i) => `level ${i % 15}`)],
    ['category', 'nine different texts', repeat(9, (i) => `row ${i}`)],
    ['constant', 'one number', repeat(30, () => 5)],
    ['constant', 'one text', repeat(30, () => 'same')],
    ['constant', 'one text with gaps', repeat(30, (i) => (i % 3 ? 'yes' : null))],
    ['constant', 'missing cells alone', repeat(30, () => null)],
    ['identifier', 'whole numbers without a gap', repeat(30, (i) => i + 1000)],
    ['identifier', 'the same in another order', repeat(30, (i) => (i * 7) % 30)],
    ['identifier', 'the same but for missing cells', repeat(30, (i) => (i === 4 ? null : i < 4 ? i : i - 1))],
    ['identifier', 'different texts', repeat(30, (i) => `customer ${i}`)],
    ['identifier', 'text that hardly repeats', repeat(30, (i) => `customer ${i % 25}`)],
  ])('is %s for %s', (kind, _, cells) => {
    expect(kindOf(cells)).toBe(kind);
  });

  it('is identifier for different whole numbers where the name says so', () => {
    const squares = repeat(30, (i) => i ** 2);
    for (const name of ['id', 'ID', 'customer_id', 'Customer ID', 'customerId', 'uuid', 'index']) {
      expect([name, kindOf(squares, name)]).toEqual([name, 'identifier']);
    }
    for (const name of ['humid', 'paid', 'indexed', 'identity', 'keys', 'x']) {
      expect([name, kindOf(squares, name)]).toEqual([name, 'integer']);
    }
    expect(
      kindOf(
        repeat(30, (i) => i % 10),
        'id',
      ),
    ).toBe('integer');
  });

  it('is never identifier for the target', () => {
    const count = repeat(30, (i) => i);
    const names = repeat(30, (i) => `name ${i}`);
    const x = repeat(30, (i) => i ** 2 % 17);
    expect(column(profileOf({ x, count }, 'count'), 'count').kind).toBe('integer');
    expect(column(profileOf({ x, names }, 'names'), 'names').kind).toBe('category');
  });
});

it('advises to keep the rows of a repeated id together', () => {
  const patient = repeat(40, (i) => i % 10);
  const profile = profileOf(
    { patient, x: repeat(40, (i) => Math.sin(i)), y: repeat(40, (i) => Math.cos(i)) },
    'y',
  );
  expect(warningsOf(profile, 'groups')).toEqual([
    'column "patient" repeats its values, which seem to say whose a row is: to keep the rows of one together, set data.validation to {"share": 0.2, "group": "patient"}',
  ]);
  const once = profileOf({ patient_id: repeat(40, (i) => i * 7), y: repeat(40, (i) => Math.cos(i)) }, 'y');
  expect(warningsOf(once, 'groups')).toEqual([]);
});

describe('the target', () => {
  it('is a task with the balance of its classes', () => {
    const grade = repeat(40, (i) => (i % 4 === 0 ? 'b' : 'a'));
    const { target } = profileOf({ x: repeat(40, (i) => Math.sin(i)), grade }, 'grade');
    expect(target).toEqual({
      name: 'grade',
      index: 1,
      task: 'binary',
      reason: 'column "grade" holds 2 different texts, taken as classes (binary); data.task decides',
      classes: [
        { name: 'a', rows: 30 },
        { name: 'b', rows: 10 },
      ],
      conflictingRows: 0,
    });
  });

  it('has the classes of numbers in numeric order', () => {
    const { target } = profileOf({ digit: repeat(60, (i) => (i * 7) % 12) }, 'digit');
    expect(target?.task).toBe('multiclass');
    expect(target?.classes?.map(({ name }) => name)).toEqual([...Array(12).keys()].map(String));
  });

  it('is a quantity without classes', () => {
    const { target } = profileOf({ y: repeat(40, (i) => Math.sin(i)) }, 'y');
    expect(target).toEqual({
      name: 'y',
      index: 0,
      task: 'regression',
      reason: 'column "y" holds 40 different numbers, taken as a quantity (regression); data.task decides',
    });
  });

  it.each([
    [
      26,
      2,
      'regression',
      '26 different whole numbers, 0 to 25: classes? a quantity? Taken as a quantity (regression)',
    ],
    [
      4,
      10,
      'multiclass',
      '4 different whole numbers, 0 to 3: classes? a quantity? Taken as classes (multiclass)',
    ],
    [2, 10, 'binary', '2 different whole numbers, taken as classes (binary)'],
  ])('says what %i whole numbers are taken for', (count, times, task, reason) => {
    const { target } = profileOf({ y: repeat(count * times, (i) => i % count) }, 'y');
    expect(target).toMatchObject({ task, reason: `column "y" holds ${reason}; data.task decides` });
  });

  it('counts classes in the rows that have one, and warns of the others', () => {
    const y = repeat(40, (i) => (i === 7 ? null : i % 2 ? 'yes' : 'no'));
    const profile = profileOf({ x: repeat(40, (i) => Math.sin(i)), y }, 'y');
    expect(profile.target?.classes).toEqual([
      { name: 'no', rows: 20 },
      { name: 'yes', rows: 19 },
    ]);
    expect(warningsOf(profile, 'target')).toEqual([
      'the target is missing in 1 of 40 rows: remove or complete them',
    ]);
    expect(warningsOf(profile, 'missing')).toEqual([]);
  });

  it.each([
    ['a single value', repeat(20, () => 'yes')],
    ['no value', repeat(20, () => null)],
  ])('has no task with %s', (what, y) => {
    const profile = profileOf({ x: repeat(20, (i) => Math.sin(i)), y }, 'y');
    expect(profile.target?.task).toBeUndefined();
    expect(warningsOf(profile, 'target')[0]).toBe(`the target holds ${what}: there is nothing to learn`);
  });
});

describe('duplicate rows', () => {
  it('are those equal in every cell, missing ones and both zeros being equal', () => {
    const profile = profileOf({
      a: [0, null, -0, null, 1],
      b: ['x', 'y', 'x', 'y', null],
    });
    expect(profile.duplicateRows).toBe(2);
    expect(warningsOf(profile, 'duplicates')).toEqual([
      '2 rows are duplicates of earlier rows (line 4 is a duplicate of line 2): duplicates in both training and test rows make the test score too good',
    ]);
  });

  it('are in conflict where only the class differs, whatever their identifiers', () => {
    const rows = 30;
    const x = repeat(rows, (i) => [1, 1, 1, 2, 2][i] ?? i + 0.5);
    const y = repeat(rows, (i) => ['p', 'q', 'q', 'p', 'p'][i] ?? 'p');
    const id = repeat(rows, (i) => i);
    const profile = profileOf({ id, x, y }, 'y');
    expect(profile.duplicateRows).toBe(0);
    expect(profile.target?.conflictingRows).toBe(3);
    expect(warningsOf(profile, 'conflicts')).toEqual([
      '3 rows have the features of another row but not its class: no model gets all of them right',
    ]);
    expect(profileOf({ x, y }, 'y').duplicateRows).toBe(2);
  });

  it('are in no conflict where there is nothing but the target', () => {
    expect(profileOf({ y: ['a', 'b', 'a', 'b'] }, 'y').target?.conflictingRows).toBe(0);
  });

  it('are found among a hundred thousand rows', () => {
    const rows = 100_000;
    const a = repeat(rows, (i) => (i % 90_000) / 7);
    const b = repeat(rows, (i) => i % 10);
    expect(profileOf({ a, b }).duplicateRows).toBe(10_000);
  });
});

it('says the same of a table whatever its columns are called', () => {
  const named = (name: string): Table => tableOf(new Map([[name, repeat(12, (i) => i)]]));
  for (const name of ['__proto__', 'constructor', '\u001b[31m', '']) {
    const profile = profileTable(named(name), DIALECT);
    expect(profile.columns[0]).toMatchObject({ name, kind: 'identifier', distinct: 12 });
    expect(profile.warnings[0].text).not.toContain('\u001b');
  }
});

describe('dates and booleans', () => {
  const day = (i: number) => String(i + 1).padStart(2, '0');

  it('are kinds of their own', () => {
    const profile = profileOf(
      {
        iso: repeat(20, (i) => `2024-03-${day(i)}`),
        compact: repeat(20, (i) => 20240301 + i),
        hour: repeat(20, (i) => `${day(i)}:30`),
        open: repeat(20, (i) => ['Yes', 'no', 'yes'][i % 3]),
        y: repeat(20, (i) => ['yes', 'no'][i % 2]),
      },
      'y',
    );
    expect(profile.columns.map(({ kind }) => kind)).toEqual(['date', 'date', 'date', 'boolean', 'category']);
    expect(column(profile, 'iso').dates).toEqual({
      order: 'ymd',
      range: { min: '2024-03-01', max: '2024-03-20' },
      parts: ['weekday', 'elapsed'],
    });
    expect(column(profile, 'hour').dates?.range).toEqual({ min: '01:30', max: '20:30' });
    expect(warningsOf(profile, 'spelling')).toEqual([]);
    expect(warningsOf(profile, 'identifier')).toEqual([]);
    expect(warningsOf(profile, 'dates')).toEqual([
      'column "compact" holds days such as 20240301: name it in data.dates, or they are numbers',
    ]);
  });

  it('are reported if they can be read in two ways, or not at all', () => {
    const profile = profileOf({
      when: repeat(10, (i) => `01/${day(i)}/2024`),
      since: repeat(20, (i) => (i === 4 ? 'soon' : `${day(i)}/01/2024`)),
    });
    expect(column(profile, 'when').dates?.order).toBe('ambiguous');
    expect(warningsOf(profile, 'dates')).toEqual([
      'column "when": dates such as "01/01/2024" may have the day first, or the month: set data.dates to {"when": {"order": "dmy"}}, or to "mdy" or "ymd"',
      'people.csv:6: column "since": "soon" is no date as most others are: correct it, list it in data.missingValues, or name the column in data.exclude',
    ]);
  });
});
