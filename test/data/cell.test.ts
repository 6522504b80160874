import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLongInteger, looksNumeric, numberHint, parseDecimal } from '../../src/data/cell.js';

describe('parseDecimal', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['+5', 5],
    ['007', 7],
    ['5.', 5],
    ['.5', 0.5],
    ['-1.25e-3', -0.00125],
    ['1E+2', 100],
    ['0.1000000000000000055511151231257827', 0.1],
    // Halfway cases: the nearest double, ties to even.
    ['9007199254740993', 9007199254740992],
    ['2.2250738585072011e-308', 2.225073858507201e-308],
    ['1e-400', 0],
    ['000000000000000000001.5', 1.5],
    ['.000000000000001', 1e-15],
    ['-999999999999999.', -999999999999999],
    ['12345678901234567890', 12345678901234567000],
  ])('reads %s', (text, value) => {
    expect(parseDecimal(text)).toBe(value);
  });

  it.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '1\r',
    '1\n',
    '0x10',
    '0b1',
    '1_000',
    '1 000',
    '1,5',
    '1e',
    'e5',
    '.',
    '+',
    '--1',
    '1n',
    'NaN',
    'Infinity',
    '-inf',
    'true',
    '½',
    '１',
  ])('does not take %j for a number', (text) => {
    expect(parseDecimal(text)).toBeNaN();
  });

  it('says that a number is too large', () => {
    expect(parseDecimal('1e400')).toBe(Number.POSITIVE_INFINITY);
    expect(parseDecimal('-1e400')).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('parseDecimal on any text', () => {
  /** The grammar in one line, and the engine's own correctly rounded reading of it. */
  const oracle = (text: string) =>
    /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;

  it('takes the same texts for the same numbers as a regular expression and Number', () => {
    const piece = fc.constantFrom(...'0123456789..--++eE'.split(''), '00', '99', 'e1', ' ', 'x', '\n', '٣');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        expect(parseDecimal(pieces.join(''))).toBe(oracle(pieces.join('')));
      }),
      { numRuns: 20_000 },
    );
  });

  it('reads what is written with any number of digits before and after the point', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength: 12 });
    const sign = fc.constantFrom('', '-', '+');
    const exponent = fc.constantFrom('', '', 'e5', 'E-12', 'e+300');
    fc.assert(
      fc.property(sign, digits, fc.constantFrom('.', ''), digits, exponent, (...parts) => {
        expect(parseDecimal(parts.join(''))).toBe(oracle(parts.join('')));
      }),
      { numRuns: 20_000 },
    );
  });

  it('gives back every double that is written as short or as long as may be', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // No zero is written with a sign.
        fc.pre(value !== 0);
        expect(parseDecimal(String(value))).toBe(value);
        expect(parseDecimal(value.toExponential(20))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('looksNumeric', () => {
  it.each([
    ...['1', '-2.5e3', '1e400', '1,5', '-0,25', '1,5e3', '1,000', '1,000,000.5', '1.000.000,5'],
    ...[
      '1 000',
      '1\u00a0000',
      "1'000",
      '1_000_000',
      '0x1F',
      '0b101',
      '0o17',
      'inf',
      '-Infinity',
      '∞',
      '−1.5',
    ],
    ...['12%', '12.5 %', '$3', '-$3.20', '5€', '£ 5', ' 1', '1 '],
    ...['(5)', '12 kg', '12kg', '<1.0', '1.0D+05', 'USD 5'],
  ])('holds for %j', (text) => {
    expect(looksNumeric(text)).toBe(true);
  });

  it.each([
    ...[
      '',
      'x',
      'NA',
      '1a',
      'a1',
      '12 pack',
      '3G',
      '2020-01-01',
      '12:30',
      '1.2.3.4',
      '123 45',
      '1-2',
      'infinite',
    ],
    ...['0x', '%', '$', '-', ',', '(a)', 'e5', '1/2'],
  ])('does not hold for %j', (text) => {
    expect(looksNumeric(text)).toBe(false);
  });
});

describe('isLongInteger', () => {
  it.each(['9007199254740993', '-41000000000000001', ' 123456789012345678 '])('holds for %s', (text) => {
    expect(isLongInteger(text)).toBe(true);
  });

  it.each(['9007199254740991', '1e20', '41000000000000001.0', '0000000000000000012', 'x'])(
    'does not hold for %s',
    (text) => {
      expect(isLongInteger(text)).toBe(false);
    },
  );
});

describe('numberHint', () => {
  it.each([
    [' 1', 'remove the spaces around the value'],
    ['n/a', 'if it means a missing value, list it in data.missingValues'],
    ['1e400', 'a number may be as large as 1.797e308'],
    ['0x10', 'write the number in decimal digits'],
    ['word', 'otherwise'],
  ])('says how to mend %j', (text, hint) => {
    expect(numberHint(text, 'otherwise')).toBe(hint);
  });
});
