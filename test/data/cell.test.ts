import { describe, expect, it } from 'vitest';
import { isMissing, parseDecimal } from '../../src/data/cell.js';

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

describe('isMissing', () => {
  it.each(['', '  ', 'NA', 'na', 'NaN', 'null', 'NULL', '?', ' NA '])('holds for %j', (text) => {
    expect(isMissing(text)).toBe(true);
  });

  it.each(['0', 'none of them', 'nano', '??', 'Nathan'])('does not hold for %j', (text) => {
    expect(isMissing(text)).toBe(false);
  });
});
