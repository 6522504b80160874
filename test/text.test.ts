import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../src/text.js';

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
