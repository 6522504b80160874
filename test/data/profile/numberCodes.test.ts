import { describe, expect, it } from 'vitest';
import { profileTable } from '../../../src/data/profile/profile.js';
import { RandomState } from '../../../src/random/randomState.js';
import { tableOf } from '../encoding/tables.js';

type Cell = number | string | null;

const ROWS = 1200;
const NUMBERS = 60;

/** Whether x is told to be codes, of a target for each of its cells, drawn with a generator. */
function areCodes(
  cellOf: (random: RandomState, row: number) => number | null,
  targetOf: (x: number, random: RandomState) => Cell,
  seed = 1,
): boolean {
  const random = new RandomState(seed);
  const x = Array.from({ length: ROWS }, (_, row) => cellOf(random, row));
  const y = x.map((cell) => targetOf(cell ?? 0, random));
  const { target } = profileTable(tableOf({ x, y }), { delimiter: ',', header: true }, 1);
  return target?.codes?.includes('x') ?? false;
}

const anyOf = (random: RandomState) => random.randint(0, NUMBERS);
/** What a code has to do with the target: any number, always the same. */
const effectOf = (code: number) => new RandomState(Math.round(1000 + 2 * code)).randn();
const classOf = (logit: number, random: RandomState) =>
  random.rand() < 1 / (1 + Math.exp(-logit)) ? 'yes' : 'no';

describe('whole numbers are codes', () => {
  it.each<[string, (x: number, random: RandomState) => Cell]>([
    ['a quantity jumps', (x, random) => effectOf(x) + random.randn()],
    ['a quantity jumps and rises', (x, random) => x / 20 + effectOf(x) + random.randn()],
    ['a quantity far from 0 jumps', (x, random) => 1e9 + effectOf(x) + random.randn()],
    ['two classes do', (x, random) => classOf(3 * effectOf(x), random)],
    [
      'three classes do',
      (x, random) => (random.rand() < 0.5 ? 'abc'[(7 * x * x) % 3] : 'abc'[random.randint(0, 3)]),
    ],
    ['some targets are missing', (x, random) => (random.rand() < 0.1 ? null : effectOf(x) + random.randn())],
  ])('where from each to the next %s', (_, targetOf) => {
    expect(areCodes(anyOf, targetOf)).toBe(true);
    expect(
      areCodes(
        (random) => 17 + 3 * anyOf(random),
        (x, random) => targetOf((x - 17) / 3, random),
      ),
    ).toBe(true);
    expect(areCodes((random) => (random.rand() < 0.2 ? null : anyOf(random)), targetOf)).toBe(true);
  });

  it.each<[string, (x: number, random: RandomState) => Cell]>([
    ['nothing to do with them', (_, random) => random.randn()],
    ['to do with them by a curve', (x, random) => Math.sin(x / 8) + x / 20 + random.randn()],
    ['to do with them by a curve, as classes', (x, random) => classOf(3 * Math.sin(x / 8), random)],
    ['a few outliers', (x, random) => (random.rand() < 0.01 ? 1000 : x / 20 + random.randn())],
    ['a variance that rises', (x, random) => x * random.randn() ** 3],
    ['small steps on a line', (x, random) => x / 5 + effectOf(x) / 4 + random.randn() / 9],
  ])('but not where the target has %s', (_, targetOf) => {
    const few = (random: RandomState) => (random.rand() < 0.7 ? null : random.randint(0, 40));
    const found = Array.from({ length: 40 }, (_, seed) =>
      [anyOf, few].map((cellOf) => areCodes(cellOf, targetOf, seed)),
    );
    expect(found.flat().filter(Boolean)).toEqual([]);
  });

  const jumping = (x: number, random: RandomState) => effectOf(x) + random.randn();
  it.each<[string, (random: RandomState, row: number) => number]>([
    ['with gaps', (random) => 6 * anyOf(random)],
    ['of few values', (random) => random.randint(0, 31)],
    ['that hardly repeat', (random) => random.randint(0, ROWS / 4)],
    ['that hardly repeat, but for one', (random) => (random.rand() < 0.6 ? 0 : random.randint(1, ROWS / 6))],
    [
      'of which many are rare',
      (random) => (random.rand() < 0.5 ? random.randint(0, 40) : random.randint(40, 200)),
    ],
    ['that may be years', (random) => 1950 + anyOf(random)],
    ['that are not whole', (random) => anyOf(random) / 2],
  ])('never numbers %s', (_, cellOf) => {
    expect(areCodes(cellOf, jumping)).toBe(false);
  });

  it('never one of more than 64 columns', () => {
    const random = new RandomState(1);
    const x = Array.from({ length: ROWS }, () => anyOf(random));
    const y = x.map((cell) => jumping(cell, random));
    const found = (count: number) => {
      const copies = Array.from({ length: count }, (_, i) => [`x${i}`, x]);
      const table = tableOf({ ...Object.fromEntries(copies), y });
      const { target, warnings } = profileTable(table, { delimiter: ',', header: true }, count);
      return { codes: target?.codes?.length, warnings: warnings.filter(({ kind }) => kind === 'codes') };
    };
    expect(found(64).codes).toBe(64);
    expect(found(65)).toEqual({ codes: undefined, warnings: [] });
    expect(found(1).warnings).toEqual([
      {
        kind: 'codes',
        columns: ['x0'],
        text: 'column "x0" seems to hold codes, since the target jumps from one number to the next: data.categories reads them as a category',
      },
    ]);
  });
});
