import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, pad, textWidth } from '../../src/report/width.js';
import { printable } from '../../src/text.js';

/** Any string, hostile ones among them. */
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

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

  it.each([
    ['a family', '👩‍👩‍👧', 2],
    ['flags', '🇨🇭', 2],
    ['a letter of two parts', 'o\u0308', 1],
  ])('of many is that of one so many times, wherever pieces end: %s', (_, text, width) => {
    for (const before of ['', 'x', 'xy']) {
      expect(textWidth(before + text.repeat(1000))).toBe(before.length + 1000 * width);
    }
    // The square of the length would take a minute.
    expect(clip(text.repeat(2 ** 17), 2 * width)).toBe(`${text}…`);
  });

  it('of a letter with thousands of marks is one', () => {
    expect(textWidth(`a${'\u0308'.repeat(5000)}b`)).toBe(2);
  });
});

describe('clip', () => {
  it('leaves what fits alone', () => {
    expect(clip('malignant', 9)).toBe('malignant');
  });

  it('ends in an ellipsis where something is missing', () => {
    expect(clip('malignant', 5)).toBe('mali…');
    expect(clip('malignant', 5, true)).toBe('mali~');
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
