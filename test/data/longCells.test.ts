/**
 * A cell may be long, up to a mebibyte: whatever looks at it has to do so in one pass, or a stranger's file stops the
 * program. Of these texts, a second pass for each character would take minutes.
 */
import { describe, expect, it } from 'vitest';
import { isPlaceholder, looksNumeric, numberHint, parseDecimal } from '../../src/data/cell.js';
import { plainNumber, suggestNotation } from '../../src/data/csv/notation.js';
import { type DateOrder, findDates, PATTERNS, parseDate } from '../../src/data/dates.js';
import { lookalikes } from '../../src/data/levels.js';
import type { NumberNotation } from '../../src/spec/cellConfig.js';
import { parsePythonJson } from '../../src/sweep/pythonJson.js';
import { folderOf, mlpHere } from '../support/cli.js';

const LENGTH = 2 ** 17;
const long = (text: string) => text.repeat(LENGTH / text.length);
const PARTS = ['9', '0', ' ', '\t', ' 0 ', '0.', '.0', ',0', '-', '–', '1e', '%', '(', '/1', 'a '];
const STARTS = ['', '0', '1.', '–', '<', '(', '+', '$', 'Mon', '2024-01-01T'];
const TEXTS = STARTS.flatMap((start) =>
  PARTS.flatMap((part) => ['x', ''].map((end) => start + long(part) + end)),
);

const NOTATIONS: NumberNotation[] = [
  { decimal: ',' },
  { thousands: ' ', parentheses: true },
  { thousands: '.', decimal: ',', strip: ['%', '$'], exponent: 'D' },
];

describe('a long cell', () => {
  it.each<[string, (text: string) => unknown]>([
    ['a number', parseDecimal],
    ['what looks like one', looksNumeric],
    ['its hint', (text) => numberHint(text, '')],
    ['a missing value', isPlaceholder],
    ['the notation of a column', (text) => suggestNotation([text])],
    ['a date', (text) => (Object.keys(PATTERNS) as DateOrder[]).map((order) => parseDate(text, order))],
    ['the dates of a column', (text) => findDates([text])],
    ['levels that look alike', (text) => lookalikes([text, '1'])],
  ])('is read in one pass: %s', (_, look) => {
    expect(() => TEXTS.forEach(look)).not.toThrow();
  });

  it.each(NOTATIONS)('is read in one pass as a number of the notation %j', (notation) => {
    const read = plainNumber(notation);
    expect(TEXTS.filter((text) => text.endsWith('x')).map(read)).not.toContain('');
  });
});

it('a cell with many quotes in it is read in one pass, also by bytes', async () => {
  const cell = `a${'"'.repeat(2 ** 19)}x`;
  const rows = Array.from({ length: 9 }, (_, i) => `${i},${i % 2 ? cell : 'b'}\n`).join('');
  const { code, stdout } = await mlpHere(['inspect', 'data.csv', '--json'], {
    cwd: folderOf({ 'data.csv': `x,y\n${rows}` }),
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout).rows).toBe(9);
});

it('a line of JSON whose strings have no end is refused in one pass', () => {
  expect(() => parsePythonJson(`[NaN,${long('"\\"')}`)).toThrow(SyntaxError);
});
