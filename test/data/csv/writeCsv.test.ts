import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../src/data/csv/csvParse.js';
import { cellFormatter, guardFormula, joinCells, shortestFloat32 } from '../../../src/data/csv/writeCsv.js';
import { DELIMITERS } from '../../../src/spec/words.js';

function write(records: readonly (readonly string[])[], delimiter: string): string {
  const format = cellFormatter(delimiter);
  return records.map((cells) => joinCells(cells.map(format), delimiter)).join('');
}

/** Cells of all that may go wrong: quotes, delimiters, line ends, marks, nothing. */
const cell = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', ' ', '"', ',', ';', '|', '\t', '\n', '\r', '\ufeff', 'é', '🙂', '#'),
    maxLength: 6,
  }),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString()),
);

describe('a written record', () => {
  it.each([
    [['plain', 'text'], ',', 'plain,text\n'],
    [['a,b', 'c'], ',', '"a,b",c\n'],
    [['a,b', 'c;d'], ';', 'a,b;"c;d"\n'],
    [['a|b', 'c\td'], '|', '"a|b"|c\td\n'],
    [['a', 'c\td'], '\t', 'a\t"c\td"\n'],
    [['say "hi"'], ',', '"say ""hi"""\n'],
    [['two\nlines', 'two\r\nlines', 'two\rlines'], ',', '"two\nlines","two\r\nlines","two\rlines"\n'],
    [[' spaces '], ',', '" spaces "\n'],
    [['', ''], ',', ',\n'],
    [[''], ',', '""\n'],
    [['\ufeffname', 'b'], ',', '"\ufeffname",b\n'],
  ])('of %j with %j is %j', (cells, delimiter, line) => {
    expect(write([cells], delimiter)).toBe(line);
  });

  it('reads back as it was', () => {
    const table = fc.integer({ min: 1, max: 4 }).chain((width) => {
      return fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 });
    });
    fc.assert(
      fc.property(table, fc.constantFrom(...DELIMITERS), (records, delimiter) => {
        const text = Buffer.from(write(records, delimiter));
        expect(parse(text, parseOptions({ delimiter }))).toEqual(records);
        // As readers have it that skip empty lines.
        expect(parse(text, { bom: true, delimiter, skip_empty_lines: true })).toEqual(records);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the guard against formulas', () => {
  it.each([
    '=1+1',
    '=HYPERLINK("https://example.org/?"&A1)',
    '+1+1',
    '-1+1',
    '-2+3+cmd',
    '@SUM(1)',
    '\t=1+1',
    '\r=1+1',
    '+49 30 1234',
    '-1,5',
    '--',
    '\n=1+1',
    '＝1+1',
    '＋1',
    '－1+1',
    '＠SUM(1)',
  ])('puts an apostrophe before %j', (cell) => {
    expect(guardFormula(cell)).toBe(`'${cell}`);
  });

  it.each([
    '-',
    '+',
    '=',
    '@',
    '－',
    '-1.5',
    '+3e5',
    '-.5',
    '+7',
    '-1e999',
    '',
    'a=b',
    ' =1',
    "'=1",
    '1-2',
    'NA',
    'ä',
    '#1',
  ])('leaves %j alone', (cell) => {
    expect(guardFormula(cell)).toBe(cell);
  });
});

/** Any normal float32, each of its bits as likely as the others. */
const float32 = fc
  .integer({ min: 0, max: 2 ** 32 - 1 })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0])
  .filter((value) => Number.isFinite(value) && Math.abs(value) >= 2 ** -126);

/** The fewest digits that read back, by trying. */
function fewestDigits(value: number): number {
  let digits = 1;
  while (Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return digits;
}

/** How many digits the text has, without the zeros that only say where the point is. */
function digitsOf(text: string): number {
  const [mantissa] = text.replace('-', '').split('e');
  return mantissa.replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length;
}

describe('the shortest decimal of a float32', () => {
  it.each([
    [0, '0'],
    [0.1, '0.1'],
    [Math.fround(0.1), '0.1'],
    [-1.5, '-1.5'],
    [1 / 3, '0.33333334'],
    [Math.PI, '3.1415927'],
    [16_777_216, '16777216'],
    [1e-7, '1e-7'],
    [1e21, '1e+21'],
    [0.999_999_94, '0.99999994'],
    // The largest and the smallest normal one, and what is beyond them.
    [3.4028234663852886e38, '3.4028235e+38'],
    [2 ** -126, '1.1754944e-38'],
    [1.1e39, '1.1e+39'],
    [1.234567890123e-50, '1.234567890123e-50'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('writes %d as %s', (value, text) => {
    expect(shortestFloat32(value)).toBe(text);
  });

  it('reads back to the same number', () => {
    fc.assert(
      fc.property(float32, (value) => {
        expect(Math.fround(Number(shortestFloat32(value)))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  it('has no digit too many', () => {
    fc.assert(
      fc.property(fc.oneof(float32, fc.float({ min: 2 ** -20, max: 1, noNaN: true })), (value) => {
        expect(digitsOf(shortestFloat32(value))).toBe(
          digitsOf(String(Number(value.toPrecision(fewestDigits(value))))),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('gives back the decimal that a float32 was read from, up to six digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -30, max: 30 }), (n, exponent) => {
        const decimal = Number(`${n}e${exponent}`);
        expect(shortestFloat32(decimal)).toBe(String(decimal));
      }),
      { numRuns: 2000 },
    );
  });
});
