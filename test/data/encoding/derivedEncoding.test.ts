/** Dates and booleans as numbers. */

import { describe, expect, it } from 'vitest';
import type { BooleanEncoding, DateEncoding, FeatureRequest } from '../../../src/data/encoding/encoding.js';
import { constantColumns, matrixColumns, matrixWidth } from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import { matrixIn } from '../../../src/data/featureMatrix.js';
import { ExitCode } from '../../../src/errors.js';
import type { DatePart } from '../../../src/spec/words.js';
import { allRows, tableOf } from './tables.js';

type Cells = readonly (string | null)[];

const REQUEST: FeatureRequest = { index: 0, scaling: 'none', missing: 'error', category: false };

function fitted(cells: Cells, request: Partial<FeatureRequest> = {}) {
  const table = tableOf({ x: cells });
  return { encodings: fitFeatures(table, [{ ...REQUEST, ...request }], allRows(table)) };
}

/** The rows of the matrix for these cells, by an encoding fitted on others. */
function write(encoding: DateEncoding | BooleanEncoding, cells: Cells) {
  const table = tableOf({ x: cells });
  const columns = matrixWidth([encoding]);
  const data = new Float64Array(cells.length * columns);
  const { unknown } = writeFeatures(table, [0], [encoding], allRows(table), matrixIn({ data, columns }));
  return { unknown, rows: cells.map((_, row) => [...data.subarray(row * columns, (row + 1) * columns)]) };
}

describe('dates', () => {
  const days = ['2024-01-01', '2024-04-01', '2024-07-02'];

  it('become the parts that are asked for', () => {
    const cells = [...days, '2025-01-01'];
    const { encodings } = fitted(cells, { dates: { parts: ['year', 'month', 'weekday', 'elapsed'] } });
    expect(matrixColumns(encodings)).toEqual([
      'x year',
      'x month sine',
      'x month cosine',
      'x weekday sine',
      'x weekday cosine',
      'x elapsed',
    ]);
    const [, april] = write(encodings[0] as DateEncoding, cells).rows;
    // 1 April 2024 was a Monday, 91 days after the first.
    const angle = (turns: number) => [Math.sin(2 * Math.PI * turns), Math.cos(2 * Math.PI * turns)];
    expect(april).toEqual([2024, ...angle(4 / 12), ...angle(1 / 7), 91]);
  });

  it('are scaled where they only grow', () => {
    const { encodings } = fitted(days, { scaling: 'minmax', dates: { parts: ['elapsed'] } });
    const { rows } = write(encodings[0] as DateEncoding, days);
    expect(rows).toEqual([[0], [91 / 183], [1]]);
  });

  it('have no inputs for parts that are the same in all rows', () => {
    const encoding = (parts: DatePart[]) => fitted(days, { dates: { parts } }).encodings[0] as DateEncoding;
    expect(encoding(['year', 'month', 'hour']).parts).toEqual(['month']);
    expect(encoding(['year']).inputs).toEqual([]);
    expect(fitted(['2024-01-01', '2024-01-01']).encodings[0].kind).toBe('category');
  });

  it('have the parts that differ, if none are asked for', () => {
    const partsOf = (cells: Cells) => (fitted(cells).encodings[0] as DateEncoding).parts;
    expect(partsOf(days)).toEqual(['month', 'weekday', 'elapsed']);
    expect(partsOf(['2024-01', '2024-02'])).toEqual(['month', 'elapsed']);
    expect(partsOf(['2024-01-01 10:00', '2024-01-01 11:00'])).toEqual(['hour', 'elapsed']);
    expect(partsOf(['10:00', '11:00'])).toEqual(['hour']);
  });

  it('are filled if they are missing: numbers by the policy, the others by no season', () => {
    const cells = ['2020-01-01', '2020-07-01', '2024-07-01', null];
    const parts = ['year', 'month'] as const;
    const median = fitted(cells, { missing: 'median', dates: { parts: [...parts] } })
      .encodings[0] as DateEncoding;
    expect(median.inputs.map(({ fill }) => fill)).toEqual([
      2020,
      expect.closeTo((Math.sin(Math.PI / 6) + 2 * Math.sin((7 * Math.PI) / 6)) / 3, 12),
      expect.closeTo((Math.cos(Math.PI / 6) + 2 * Math.cos((7 * Math.PI) / 6)) / 3, 12),
    ]);
    const marked = fitted(cells, { missing: 'indicator', dates: { parts: [...parts] } });
    expect(matrixColumns(marked.encodings).at(-1)).toBe('x missing');
    const { rows } = write(marked.encodings[0] as DateEncoding, cells);
    expect(rows.map((row) => row.at(-1))).toEqual([0, 0, 0, 1]);
    expect(rows[3][0]).toBeCloseTo((2020 + 2020 + 2024) / 3, 10);
  });

  it('are categories if the config says so', () => {
    expect(fitted(days, { category: true }).encodings[0].kind).toBe('category');
  });

  it.each<[string, Cells, FeatureRequest['dates'], string]>([
    [
      'a day that is none',
      [...days, '2024-02-30'],
      undefined,
      'people.csv:5: column "x": found "2024-02-30", expected a date such as 2024-12-31',
    ],
    [
      'another order',
      ['31/12/2024', '12/30/2024', '29/12/2024', '28/12/2024'],
      undefined,
      'people.csv:3: column "x": found "12/30/2024", expected a date such as 31/12/2024, the day first',
    ],
    [
      'not the order that is set',
      days,
      { order: 'dmy' },
      'people.csv:2: column "x": found "2024-01-01", expected a date such as 31/12/2024, the day first',
    ],
    [
      'no dates',
      ['a', 'b'],
      { parts: ['year'] },
      'people.csv:2: column "x": found "a", expected a date such as 2024-12-31',
    ],
    [
      'two possible orders',
      ['01/02/2024', '03/04/2024'],
      undefined,
      'people.csv: column "x": found dates such as "01/02/2024", expected dates that show which number is the day',
    ],
    [
      'a gap',
      [...days, null],
      undefined,
      'people.csv:5: column "x": found a missing value, expected a value',
    ],
    [
      'gaps alone',
      [null, null, 'a'].slice(0, 2),
      { parts: ['year'] },
      'people.csv: column "x": found missing values in all 2 training rows, expected at least one value to fill them with',
    ],
  ])('are refused: %s', (what, cells, dates, message) => {
    const missing = what === 'gaps alone' ? 'mean' : 'error';
    const table = tableOf({ x: cells });
    // A column without a text is read as numbers here.
    const columns = table.columns.map((column) =>
      column?.kind === 'numeric'
        ? {
            kind: 'text' as const,
            levels: [],
            codes: new Int32Array(cells.length).fill(-1),
            missing: cells.length,
          }
        : column,
    );
    const request = { ...REQUEST, missing, ...(dates && { dates }) } as const;
    expect(() => fitFeatures({ ...table, columns }, [request], allRows(table))).toThrow(
      expect.objectContaining({ exitCode: ExitCode.data, message }),
    );
  });

  it('are read as in training', () => {
    const { encodings } = fitted(['31/12/2023', '01/02/2024'], { dates: { parts: ['elapsed'] } });
    const encoding = encodings[0] as DateEncoding;
    expect(encoding.order).toBe('dmy');
    // 3 April, though it could be 4 March here.
    expect(write(encoding, ['03/04/2024']).rows).toEqual([[94]]);
    expect(() => write(encoding, ['01/02/2024', '2024-02-03'])).toThrow(
      'people.csv:3: column "x": found "2024-02-03", expected a date such as 31/12/2024, the day first',
    );
  });
});

describe('booleans', () => {
  it.each<[Cells]>([
    [['TRUE', 'FALSE']],
    [['True', 'false', 'TRUE', 'False']],
    [['t', 'f']],
    [['Yes', 'no', 'Y', 'n']],
    [['on', 'OFF']],
  ])('are %j', (cells) => {
    const { encodings } = fitted(cells);
    expect(encodings).toEqual([{ kind: 'boolean', column: 'x' }]);
    const expected = cells.map((cell) => [/^(t|y|on)/i.test(cell ?? '') ? 1 : 0]);
    expect(write(encodings[0] as BooleanEncoding, cells).rows).toEqual(expected);
  });

  it.each<[Cells]>([[['yes', 'no', 'maybe']], [['yes', 'false']], [['yes', 'Yes']], [['f', 'm']]])(
    'are not %j',
    (cells) => {
      expect(fitted(cells).encodings[0].kind).toBe('category');
    },
  );

  it('are filled with what is more frequent, or marked', () => {
    const cells = ['yes', 'no', 'yes', null];
    expect(fitted(cells, { missing: 'mean' }).encodings).toEqual([{ kind: 'boolean', column: 'x', fill: 1 }]);
    const marked = fitted(cells, { missing: 'indicator' }).encodings[0] as BooleanEncoding;
    expect(write(marked, ['no', null]).rows).toEqual([
      [0, 0],
      [0.5, 1],
    ]);
  });

  it('may be spelled otherwise later; other texts count as neither', () => {
    const encoding = fitted(['yes', 'no']).encodings[0] as BooleanEncoding;
    expect(write(encoding, ['TRUE', '0', 'maybe'])).toEqual({
      rows: [[1], [0], [0.5]],
      unknown: [{ column: 'x', level: 'maybe', rows: 1 }],
    });
  });

  it('are constant if all training rows say the same', () => {
    const table = tableOf({ x: ['yes', 'yes', 'no'] });
    const [constant] = fitFeatures(table, [REQUEST], Int32Array.of(0, 1));
    expect(constantColumns([constant])).toEqual(['x']);
    expect(fitFeatures(tableOf({ x: ['yes', 'YES', 'no'] }), [REQUEST], Int32Array.of(0, 1))).toEqual([
      { kind: 'constant', column: 'x', value: 'yes' },
    ]);
  });
});
