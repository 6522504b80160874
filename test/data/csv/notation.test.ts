import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from '../../../src/data/cell.js';
import {
  notationHint,
  numbersKey,
  plainNumber,
  suggestNotation,
  withNotations,
} from '../../../src/data/csv/notation.js';
import type { NumberNotation } from '../../../src/spec/cellConfig.js';

const CASES: [NumberNotation, [string, string | undefined][]][] = [
  [
    { decimal: ',' },
    [
      ['1,5', '1.5'],
      ['-,5', '-0.5'],
      ['3', '3'],
      ['1,5e3', '1.5e3'],
      ['1.5', undefined],
      ['1,234,5', undefined],
    ],
  ],
  [
    { decimal: ',', thousands: '.' },
    [
      ['1.234,5', '1234.5'],
      ['1.234.567', '1234567'],
      ['12,5', '12.5'],
      ['1.23', undefined],
      ['1.234.5', undefined],
    ],
  ],
  [
    { thousands: ',' },
    [
      ['1,234.5', '1234.5'],
      ['12,34,567', '1234567'],
      ['1234', '1234'],
      ['1,23', undefined],
    ],
  ],
  [
    { thousands: ' ' },
    [
      ['1 234', '1234'],
      ['1\u00a0234', '1234'],
      ['1\u202f234,5', undefined],
    ],
  ],
  [
    { thousands: "'" },
    [
      ["1'234.5", '1234.5'],
      ['1’234', '1234'],
    ],
  ],
  [
    { strip: '$' },
    [
      ['$5.00', '5.00'],
      ['-$5', '-5'],
      ['$-5', '-5'],
      ['$ 5', '5'],
      ['5', '5'],
      ['€5', undefined],
    ],
  ],
  [
    { strip: ['<', 'mg/l'] },
    [
      ['<1.0', '1.0'],
      ['< 1 mg/l', '1'],
      ['2mg/l', '2'],
    ],
  ],
  [
    { strip: '%' },
    [
      ['12%', '12'],
      ['12 %', '12'],
      ['%', undefined],
      ['x%', undefined],
    ],
  ],
  [
    { parentheses: true, strip: '$' },
    [
      ['(5)', '-5'],
      ['($5.5)', '-5.5'],
      ['7', '7'],
      ['(a)', undefined],
    ],
  ],
  [
    { exponent: 'D' },
    [
      ['1.0D+05', '1.0e+05'],
      ['1.0d5', '1.0e5'],
      ['1e3', '1e3'],
      ['1', '1'],
    ],
  ],
  [
    { strip: 'kg' },
    [
      ['−5 kg', '-5'],
      ['+5', '5'],
    ],
  ],
];

describe('a notation', () => {
  it.each(CASES)('%j reads its numbers and nothing else', (notation, cells) => {
    const plain = plainNumber(notation);
    for (const [cell, expected] of cells) expect(plain(cell), cell).toBe(expected);
  });

  it.each<[string[], NumberNotation | undefined]>([
    [['12%', '5%'], { strip: '%' }],
    [['$5', '-$1.5'], { strip: '$' }],
    [['(5)', '7'], { parentheses: true }],
    [['5 kg', '1.5 kg'], { strip: 'kg' }],
    [['<1.0', '2.5'], { strip: '<' }],
    [['1.0D+05', '2'], { exponent: 'D' }],
    [['1,234', '5'], { thousands: ',' }],
    [['1,5', '2'], { decimal: ',' }],
    [['1.234,5', '2'], { decimal: ',', thousands: '.' }],
    [['1', '2.5'], undefined],
    [['K37', 'K38'], undefined],
    [['red', 'blue'], undefined],
    [['2 red', '3 blue'], undefined],
    [['10-19', '20-29'], undefined],
    [['2020-01-05', '2020-01-06'], undefined],
    [['12:30', '13:45'], undefined],
    [[], undefined],
  ])('of %j is suggested', (cells, expected) => {
    expect(suggestNotation(cells)).toEqual(expected);
  });

  it('is named by the hint of a cell', () => {
    expect(notationHint('share', '12%')).toContain('data.numbers: {"share":{"strip":"%"}}');
    expect(notationHint('a', '1,5')).toContain('data.decimal: ","');
    expect(notationHint('a', '1,234')).toContain('data.thousands: ","');
    expect(notationHint('a', 'red')).toBeUndefined();
    expect(numbersKey('p', { strip: '$' })).toBe('data.numbers: {"p":{"strip":"$"}}');
  });
});

describe('any number', () => {
  it('in any notation is the number, and any other text is none', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,8}$/);
    const form = fc.record({
      sign: fc.constantFrom('', '-', '+'),
      whole: digits,
      places: fc.stringMatching(/^\d{0,4}$/),
      decimal: fc.constantFrom('.' as const, ',' as const),
      thousands: fc.constantFrom(' ', "'", '_'),
      unit: fc.constantFrom('$', '%', 'kg', '€'),
      before: fc.boolean(),
    });
    fc.assert(
      fc.property(form, ({ sign, whole, places, decimal, thousands, unit, before }) => {
        const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousands);
        const number = grouped + (places && decimal + places);
        const cell = before ? `${sign}${unit}${number}` : `${sign}${number} ${unit}`;
        const plain = plainNumber({ decimal, thousands, strip: unit })(cell);
        expect(Number(plain)).toBe(Number(`${sign}${whole}${places && `.${places}`}`));
      }),
    );
    const text = fc.string({
      unit: fc.constantFrom('1', '2', ',', '.', ' ', '-', '(', ')', '$', 'e', 'D', 'a'),
    });
    fc.assert(
      fc.property(text, (cell) => {
        const plain = plainNumber({
          decimal: ',',
          thousands: '.',
          strip: '$',
          parentheses: true,
          exponent: 'D',
        })(cell);
        if (plain !== undefined) expect(parseDecimal(plain)).not.toBeNaN();
        const suggested = suggestNotation([cell]);
        if (suggested) expect(plainNumber(suggested)(cell)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});

it('reports a suggested notation by a cell that needs it', () => {
  const sample = [['3'], ['36%'], ['7']];
  const start = { delimiter: ',', header: true, names: ['share'], sample };
  expect(withNotations('t.csv', start, { suggest: true }).notes).toEqual([
    't.csv: column "share": "36%" is read as 36 by data.numbers: {"share":{"strip":"%"}}',
  ]);
});

describe('decimal commas', () => {
  const detect = (sample: string[][], delimiter = ';') =>
    withNotations('t.csv', { delimiter, header: true, names: sample[0].map((_, i) => `c${i}`), sample }, {});

  it('are detected and reported once', () => {
    const { dialect, notes } = detect([
      ['1,5', 'a', '7', '1,250'],
      ['2', 'b,c', '8', '3,500'],
    ]);
    expect([...(dialect.notations ?? [])]).toEqual([
      [0, { decimal: ',' }],
      [3, { decimal: ',' }],
    ]);
    expect(dialect.sample).toEqual([
      ['1.5', 'a', '7', '1.250'],
      ['2', 'b,c', '8', '3.500'],
    ]);
    expect(notes).toEqual([
      't.csv: numbers have a decimal comma: "1,5" is read as 1.5 (data.decimal decides)',
    ]);
  });

  it('take points for thousands where one cell proves it', () => {
    const { dialect } = detect([
      ['1.234,5', '2.000'],
      ['12,5', '3'],
    ]);
    expect(dialect.sample).toEqual([
      ['1234.5', '2000'],
      ['12.5', '3'],
    ]);
  });

  it('are detected beside missing cells, which the user may name', () => {
    const sample = [['1,5'], ['gone'], ['gone'], ['2,5'], ['-']];
    const start = { delimiter: ';', header: true, names: ['c0'], sample };
    const missingValues = { texts: ['gone'], inNumbers: ['-'] };
    expect(withNotations('t.csv', start, { missingValues }).dialect.notations?.get(0)).toEqual({
      decimal: ',',
    });
    expect(withNotations('t.csv', start, {}).dialect.notations).toBeUndefined();
  });

  it.each([
    ['may be thousands', [['1,234'], ['2,500']], ';'],
    ['are separators', [['1,5'], ['2,5']], ','],
    ['stand in words', [['1,5'], ['a,b']], ';'],
  ])('are not detected where commas %s', (_, sample, delimiter) => {
    expect(detect(sample, delimiter).dialect.notations).toBeUndefined();
  });
});
