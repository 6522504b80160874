/** Every decimal number becomes the nearest float64: JavaScript's `Number` is the judge. */
import { describe, expect, it } from 'vitest';
import { Folder } from '../files.js';
import { uniform, withNumericFile } from './support.js';

const folder = new Folder();

/** The values that a file's only column of these numbers is read as, alone or with all numbers of the file. */
async function valuesOf(texts: readonly string[], features: readonly number[]): Promise<Float64Array> {
  const request = { kept: new Map([[0, 'numeric' as const]]), features };
  return withNumericFile(folder, `x\n${texts.join('\n')}\n`, request, (file) => {
    const column = file?.column(0);
    if (column?.kind !== 'numeric') throw new Error('the file was declined when expected to be read');
    return column.values;
  });
}

async function expectNearest(texts: readonly string[]): Promise<void> {
  for (const features of [[], [0]]) {
    const values = await valuesOf(texts, features);
    const wrong = texts.filter((text, i) => !Object.is(values[i], Number(text)));
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(values.length).toBe(texts.length);
  }
}

/** The exact decimal expansion of a float64 plus so many halves of the distance to the next one, for 2^-60 < x < 2^120. */
function expansion(value: number, halves: bigint): string {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0];
  const exponent = Number((bits >> 52n) & 0x7ffn) - 1075 - 1;
  const mantissa = 2n * ((bits & (2n ** 52n - 1n)) | (2n ** 52n)) + halves;
  if (exponent >= 0) return String(mantissa << BigInt(exponent));
  const places = -exponent;
  const digits = String(mantissa * 5n ** BigInt(places)).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function* randomBits(seed: number): Generator<number, never> {
  const next = uniform(seed);
  const words = new Uint32Array(2);
  const double = new Float64Array(words.buffer);
  for (;;) {
    words[0] = next.next().value * 2 ** 32;
    words[1] = next.next().value * 2 ** 32;
    if (Number.isFinite(double[0])) yield double[0];
  }
}

const take = <T>(from: Iterator<T>, count: number): T[] =>
  Array.from({ length: count }, () => from.next().value as T);

describe('numbers of numeric files', () => {
  it('are read back as they were written, of any bits', async () => {
    await expectNearest(take(randomBits(1), 20_000).map(String));
  });

  it('are nearest with 1 to 22 digits, signs, points and exponents anywhere', async () => {
    const next = uniform(2);
    const upTo = (n: number) => Math.floor(next.next().value * n);
    const texts = Array.from({ length: 60_000 }, () => {
      const digits = Array.from({ length: 1 + upTo(22) }, () => upTo(10)).join('');
      const point = upTo(digits.length + 2);
      const sign = ['', '-', '+'][upTo(3)];
      const exponent = upTo(3) === 0 ? `e${upTo(60) - 30}` : '';
      const body = point > digits.length ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
      return sign + body + exponent;
    });
    await expectNearest(texts);
  });

  it('are nearest around the middle between two float64', async () => {
    const next = uniform(3);
    const texts: string[] = [];
    for (let i = 0; i < 2000; i++) {
      const value = (1 + next.next().value) * 2 ** Math.floor(next.next().value * 160 - 50);
      for (const halves of [0n, 1n, -1n, 2n]) {
        const exact = expansion(value, halves);
        texts.push(exact, `${exact.includes('.') ? exact : `${exact}.`}0000001`);
        // The same cut to 17, 18 and 19 digits.
        const [whole, places = ''] = exact.split('.');
        const digits = (whole + places).replace(/^0+/, '');
        const exponent = digits.length - places.length;
        for (const length of [17, 18, 19]) {
          const cut = digits.slice(0, length);
          texts.push(`${cut}e${exponent - cut.length}`);
          if (exponent >= 0 && exponent <= 17)
            texts.push(`-${cut.slice(0, exponent)}.${cut.slice(exponent)}`);
        }
      }
    }
    await expectNearest(texts);
  });

  it('are nearest where they are hard: ties, limits, subnormals', async () => {
    const powers = Array.from({ length: 700 }, (_, i) => `1e${i - 380}`).filter(
      (text) => Number(text) < Infinity,
    );
    await expectNearest([
      ...[
        '9007199254740993',
        '9007199254740992',
        '9007199254740991',
        '9007199254740995',
        '18014398509481985',
      ],
      ...['9007199254740993.0', '0.5000000000000000', '0.50000000000000000', '0.500000000000000000'],
      ...['5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '2.2250738585072011e-308'],
      ...['1.7976931348623157e308', '179769313486231570000e288', '0e999', '-0e-999', '0.00000000000000000e5'],
      ...[
        '1e-400',
        '123456789012345678901234567890',
        '0000000000000000000000000000000000001',
        '.1',
        '1.',
        '-0',
        '-0.0',
      ],
      ...[
        '99999999',
        '100000000',
        '999999999999999',
        '9999999999999999',
        '99999999999999999',
        '9999999999999999999',
      ],
      ...[
        '8.5e22',
        '8.5e23',
        '1e0001',
        '1e+05',
        '6.02214076e23',
        '0.1e1',
        '00000000.1',
        '-.0',
        '0.000000000000001',
      ],
      ...powers,
    ]);
  });
});
