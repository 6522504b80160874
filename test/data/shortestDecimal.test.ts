import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortestFloat32 } from '../../src/data/shortestDecimal.js';

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
