import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, pad, printable, textWidth } from '../../src/report/text.js';

/** Any string, hostile ones among them. */
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

describe('printable', () => {
  it.each([
    ['a colour', '\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a window title', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
    ['a C1 control sequence', '\x9b2J', '\\x9b2J'],
    ['line breaks and tabs', 'a\r\n\tb', 'a\\r\\n\\tb'],
    ['NUL and DEL', '\0\x7f', '\\x00\\x7f'],
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

describe('textWidth', () => {
  it.each([
    ['', 0],
    ['loss', 4],
    ['32×1024 … R²', 12],
    ['├─ ⣿', 4],
    ['größe', 5],
    ['gro\u0308ße', 5],
    ['花弁', 4],
    ['ｶﾅ', 2],
    ['Ａ', 2],
    ['한국', 4],
    ['🙂', 2],
    ['👩‍👩‍👧', 2],
    ['🇨🇭', 2],
    ['❤️', 2],
  ])('of %s is %i', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe('clip', () => {
  it('leaves what fits alone', () => {
    expect(clip('malignant', 9)).toBe('malignant');
  });

  it('ends in an ellipsis where something is missing', () => {
    expect(clip('malignant', 5)).toBe('mali…');
    expect(clip('malignant', 5, '~')).toBe('mali~');
    expect(clip('malignant', 1)).toBe('…');
    expect(clip('malignant', 0)).toBe('');
  });

  it('never halves a wide character', () => {
    expect(clip('花弁の長さ', 4)).toBe('花…');
  });

  it('keeps to the width, and pad fills it up', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.nat(30),
        fc.constantFrom('left' as const, 'right' as const),
        (text, width, align) => {
          const clipped = clip(printable(text), width);
          expect(textWidth(clipped)).toBeLessThanOrEqual(width);
          expect(pad(clipped, width, align)).toHaveLength(clipped.length + width - textWidth(clipped));
        },
      ),
    );
  });
});
