import { describe, expect, it } from 'vitest';
import { isMixture, settleMixtures } from '../../src/data/mixture.js';
import type { Table } from '../../src/data/table.js';

const others = (...texts: string[]) => {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
};
const different = (count: number) => others(...Array.from({ length: count }, (_, i) => `PC ${i}`));
const repeated = (count: number) => others(...new Array(count).fill('n.b.'));

describe('a column of mostly numbers is a mixture', () => {
  it.each([
    ['words in more than a tenth of the cells', 100, different(12), true],
    ['a tenth', 81, different(9), false],
    ['fewer than three', 10, different(2), false],
    ['ten kinds in a twentieth', 190, different(10), true],
    ['nine kinds', 171, different(9), false],
    ['ten kinds in fewer cells', 191, different(10), false],
    ['a word that repeats in a hundredth', 198, repeated(2), true],
    ['a word that repeats in fewer cells', 199, repeated(2), false],
    ['a single word', 20, repeated(1), false],
    ['a typing error in thousands of numbers', 5000, others('1O5', '7..2'), false],
    ['no other text', 20, others(), false],
    ['as many words as numbers, which are text', 20, different(20), false],
    ['numbers of one notation, which a key reads', 80, others('>100', '>50', '>100', '<5'), false],
    ['a word beside numbers of one notation', 80, others('>100', '>50', 'n.b.', 'n.b.'), true],
    ['letters behind numbers, in too many kinds for a unit', 20, others('12 a', '3 b', '12 b', '8 c'), true],
  ])('or not, by its other cells: %s', (_, numbers, texts, expected) => {
    expect(isMixture({ numbers, others: texts })).toBe(expected);
  });
});

/** A mixed column of these cells; empty ones are missing. */
function tableOf(cells: readonly string[], gaps: readonly string[] = []): Table {
  const levels = [...new Set(cells)].filter((cell) => cell !== '');
  const codes = Int32Array.from(cells, (cell) => levels.indexOf(cell));
  const missing = codes.filter((code) => code < 0).length;
  return {
    path: 'data.csv',
    header: true,
    names: ['a'],
    rows: cells.length,
    columns: [{ kind: 'text', levels, codes, missing }],
    lines: Uint32Array.from(cells, (_, row) => row + 2),
    mixed: [{ index: 0, gaps }],
  };
}

const numbers = (count: number, kinds: number) => Array.from({ length: count }, (_, i) => String(i % kinds));

describe('a mixture is read', () => {
  it('as numbers if a single word without a digit says that there is none', () => {
    const { table, mixtures } = settleMixtures(
      tableOf(['1.5', 'n.b.', '', '2', '-', '3', 'n.b.'], ['NA']),
      undefined,
    );
    expect(table.columns[0]).toEqual({
      kind: 'numeric',
      values: Float64Array.of(1.5, Number.NaN, Number.NaN, 2, Number.NaN, 3, Number.NaN),
      missing: 4,
    });
    // The key replaces the default list, so it also names what else was missing.
    expect(mixtures.get(0)).toEqual({
      numbers: 3,
      words: 2,
      example: 'n.b.',
      missingValues: ['n.b.', '-', 'NA'],
    });
  });

  it.each([
    ['a digit in the word', [...numbers(30, 3), '3+', '3+', '3+'], undefined],
    ['two words beside numbers that repeat', [...numbers(60, 9), 'S', 'M', 'S'], undefined],
    ['two words beside few numbers', [...numbers(30, 2), 'x', 'x', 'x'], undefined],
    ['four words', [...numbers(30, 30), 'a', 'b', 'c', 'd'], undefined],
    ['a word in a target of classes', [...numbers(60, 6), 'n.b.', 'n.b.'], 0],
  ])('as text otherwise: %s', (_, cells, target) => {
    const given = tableOf(cells);
    const { table, mixtures } = settleMixtures(given, target);
    expect(table.columns[0]).toBe(given.columns[0]);
    expect(mixtures.get(0)).not.toHaveProperty('missingValues');
  });

  it.each([
    ['two words beside numbers that hardly repeat', [...numbers(40, 40), 'refused', 'unknown'], undefined],
    ['a word in a target of many numbers', [...numbers(40, 40), 'n.b.', 'n.b.'], 0],
  ])('as numbers: %s', (_, cells, target) => {
    const { table } = settleMixtures(tableOf(cells), target);
    expect(table.columns[0]).toMatchObject({ kind: 'numeric', missing: 2 });
  });
});
