import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatMetric,
  formatMetricIn,
  formatPercent,
  formatRate,
  listed,
  printable,
  printableText,
} from '../src/text.js';

describe('printable', () => {
  it.each([
    ['a colour', '\x1b[31mred\x1b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a window title', '\x1b]0;owned\x07', '\\u001b]0;owned\\u0007'],
    ['a C1 control sequence', '\x9b2J', '\\u009b2J'],
    ['line breaks and tabs', 'a\r\n\tb', 'a\\r\\n\\tb'],
    ['NUL and DEL', '\0\x7f', '\\u0000\\u007f'],
    ['reversed reading', 'abc\u202ecba', 'abc\\u202ecba'],
    ['a byte-order mark', '\ufeffid', '\\ufeffid'],
    ['half a surrogate pair', '\ud800x', '\\ud800x'],
  ])('makes %s visible', (_, hostile, visible) => {
    expect(printable(hostile)).toBe(visible);
  });

  it.each(['sepal length (cm)', 'größe', '花弁', 'नमस्ते', '👩‍👩‍👧', 'C:\\data', 'می‌خواهم'])(
    'leaves %s alone',
    (text) => {
      expect(printable(text)).toBe(text);
    },
  );

  it('lets no control character and no half of a surrogate pair through', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
        (text) => {
          expect(printable(text)).not.toMatch(/[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/u);
        },
      ),
    );
  });
});

describe('printableText', () => {
  const hostile = 'a\n\tb \x1b[31mc\x1b]0;d\x07\x9b2J\u202e';

  it('keeps line feeds, and what it is told', () => {
    const rest = 'c\\u001b]0;d\\u0007\\u009b2J\\u202e';
    expect(printableText(hostile)).toBe(`a\n\\tb \\u001b[31m${rest}`);
    expect(printableText(hostile, { tabs: true })).toBe(`a\n\tb \\u001b[31m${rest}`);
    expect(printableText(hostile, { colours: true })).toBe(`a\n\\tb \x1b[31m${rest}`);
  });

  it('leaves JSON the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = printableText(JSON.stringify(value, undefined, 2));
        expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe('listed', () => {
  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a, b'],
    [['a', 'b', 'c'], 'a, b and 1 more'],
  ])('writes %j as "%s"', (items, text) => {
    expect(listed(items, 2)).toBe(text);
  });
});

describe('counted', () => {
  it.each([
    [0, 'class', 'classes', '0 classes'],
    [1, 'class', 'classes', '1 class'],
    [1n, 'row', undefined, '1 row'],
    [1797, 'row', undefined, '1,797 rows'],
  ])('writes %s, %s, %s as %s', (count, noun, plural, text) => {
    expect(counted(count, noun, plural)).toBe(text);
  });
});

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [557057, '557,057'],
    [-1234567, '-1,234,567'],
    [1e21, '1,000,000,000,000,000,000,000'],
    [2n ** 53n + 1n, '9,007,199,254,740,993'],
    [Number.NaN, 'NaN'],
  ])('writes %s as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [2_228_228, '2.23 MB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [16n * 1024n ** 3n, '17.2 GB'],
    [10n ** 30n, '1.00e6 YB'],
  ])('writes %s as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [0.00052, '0.52 ms'],
    [0.0351, '35 ms'],
    [0.0999, '0.1 s'],
    [0.213, '0.21 s'],
    [0.8, '0.8 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.5, '1 min 0 s'],
    [125, '2 min 5 s'],
    [3599.6, '1 h 0 min'],
    [3900, '1 h 5 min'],
    [86_399, '1 d 0 h'],
    [180_000, '2 d 2 h'],
    [Number.NaN, 'unknown'],
    [-1, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('writes %s seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('formatRate', () => {
  it.each([
    [41_234, '41.2k samples/s'],
    [3.4, '3.40 samples/s'],
    [0.5, '0.500 samples/s'],
    [999.7, '1.00k samples/s'],
    [2_500_000, '2.50M samples/s'],
    [Number.POSITIVE_INFINITY, '∞T samples/s'],
  ])('writes %s as %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe('formatMetric', () => {
  it.each([
    [0, '0.000'],
    [1, '1.000'],
    [0.0812345, '0.08123'],
    [0.9999999, '1.000'],
    [0.001, '0.001000'],
    [0.00099, '9.900e-4'],
    [1.23456e-5, '1.235e-5'],
    [-12.3456, '-12.35'],
    [9999.6, '10000'],
    [123_456, '123456'],
    [1_234_567, '1.235e6'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NEGATIVE_INFINITY, '-∞'],
  ])('writes %s as %s', (value, text) => {
    expect(formatMetric(value)).toBe(text);
  });

  it.each([
    [7, 0.0812345, '0.08123'],
    [7, 0.978, ' 0.9780'],
    [7, 0.00123456, '0.00123'],
    [6, 0.0000123, '1.2e-5'],
    [6, -0.01234, '-0.012'],
    [6, Number.NaN, '   NaN'],
  ])('takes %s columns for %s: %s', (width, value, text) => {
    expect(formatMetricIn(width, value)).toBe(text);
  });
});

describe('formatPercent', () => {
  it('writes shares of one', () => {
    expect([0, 0.97368, 1].map((share) => formatPercent(share))).toEqual(['0.0%', '97.4%', '100.0%']);
    expect(formatPercent(0.97368, 0)).toBe('97%');
  });

  it('writes the share of nothing as a dash', () => {
    expect(formatPercent(0 / 0)).toBe('-');
  });
});
