import { describe, expect, it } from 'vitest';
import {
  DEFAULT_MISSING,
  MissingRule,
  missingValuesOf,
  OLD_MISSING,
  QUOTED,
} from '../../src/data/missingValues.js';
import { sentinelOf } from '../../src/data/sentinel.js';

describe('MissingRule', () => {
  it.each([...DEFAULT_MISSING.texts, '', '  ', ' NA '])('holds by default for %j', (text) => {
    expect(MissingRule.standard.isMissing(text)).toBe(true);
    expect(MissingRule.standard.isMissingNumber(text)).toBe(true);
  });

  it.each(['Na', 'na', 'Null', 'none', 'N/a', '0', '??', 'unknown', 'missing'])(
    'does not hold for %j',
    (text) => {
      expect(MissingRule.standard.isMissing(text)).toBe(false);
      expect(MissingRule.standard.isMissingNumber(text)).toBe(false);
    },
  );

  it.each(['-', '.'])('holds for a lone %s in a column of numbers alone', (text) => {
    expect(MissingRule.standard.isMissing(text)).toBe(false);
    expect(MissingRule.standard.isMissingNumber(text)).toBe(true);
  });

  it('takes a quoted cell for text, but not among numbers', () => {
    expect(MissingRule.standard.isMissing(`${QUOTED}NA`)).toBe(false);
    expect(MissingRule.standard.isMissingNumber(`${QUOTED}NA`)).toBe(true);
  });

  it('is replaced by a list, which compares numbers by value among numbers', () => {
    const rule = MissingRule.of(missingValuesOf([-999, 'gap']), 'x');
    expect(['-999', 'gap', '', 'NA', '-'].map((cell) => rule.isMissing(cell))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(['-999.0', '-9.99e2', 'NA', '-', '999'].map((cell) => rule.isMissingNumber(cell))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('is replaced by column, and the default holds for the others', () => {
    const values = missingValuesOf({ age: ['-999'] });
    expect(MissingRule.of(values, 'age').isMissing('NA')).toBe(false);
    expect(MissingRule.of(values, 'toString').isMissing('NA')).toBe(true);
  });

  it('holds in any case for a model without a list', () => {
    const rule = MissingRule.of(OLD_MISSING, 'x');
    expect(['Na', 'NULL', '?', '', 'N/A'].map((cell) => rule.isMissing(cell))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('sentinelOf', () => {
  const values = Array.from({ length: 20 }, (_, i) => 10 + i);

  it.each([-999, 9999, 99.9, -9999.9, -32768, 999])('finds %d among 10 to 29', (value) => {
    expect(sentinelOf([...values, value, value, Number.NaN])).toEqual({
      value,
      rows: 2,
      least: 10,
      greatest: 29,
    });
  });

  it.each([-1, 40, 100, 500, 34])('does not take %d for one', (value) => {
    expect(sentinelOf([...values, value])).toBeUndefined();
  });

  it('needs others that differ', () => {
    expect(sentinelOf([1, 1, 1, 1, 1, 1, 999])).toBeUndefined();
    expect(sentinelOf([])).toBeUndefined();
  });
});
