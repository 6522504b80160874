import { describe, expect, it } from 'vitest';
import { distinct, Levels } from '../../src/data/levels.js';

describe('Levels', () => {
  it('orders text by code unit, whatever the order of the cells', () => {
    expect(Levels.of(['b', 'a', 'B', 'ä', '10', '9']).names).toEqual(['10', '9', 'B', 'a', 'b', 'ä']);
  });

  it('orders numbers by size where all are numbers', () => {
    expect(Levels.of(['10', '9', '-1', '1e3', '0.5']).names).toEqual(['-1', '0.5', '9', '10', '1000']);
  });

  it('takes spellings of one number for one level', () => {
    const levels = Levels.of(['1', '1.0', '01', '2', '-0', '0']);
    expect(levels.names).toEqual(['0', '1', '2']);
    expect(['+1', '1e0', '2.0', '-0.0', '3', 'x'].map((cell) => levels.index(cell))).toEqual([
      1,
      1,
      2,
      0,
      undefined,
      undefined,
    ]);
  });

  it('takes numbers beside text for text', () => {
    const levels = Levels.of(['1', '1.0', 'x']);
    expect(levels.names).toEqual(['1', '1.0', 'x']);
    expect(levels.index('01')).toBeUndefined();
  });

  it('takes a number too large for a float64 for text', () => {
    expect(Levels.of(['2', '1e400', '1e500']).names).toEqual(['1e400', '1e500', '2']);
  });

  it('knows levels that are named like what every object has', () => {
    const levels = Levels.of(['constructor', '__proto__']);
    expect(levels.index('__proto__')).toBe(0);
    expect(levels.index('constructor')).toBe(1);
    expect(levels.index('toString')).toBeUndefined();
  });

  it.each([[['1e21', '-0', '5e-324', '1e-7']], [['b', '1', 'a']]])(
    'makes the same levels of its names: %j',
    (cells) => {
      const { names } = Levels.of(cells);
      expect(Levels.of(names).names).toEqual(names);
    },
  );
});

describe('distinct', () => {
  it('gives each number once, rising', () => {
    expect(distinct([3, -1, 10, 3, 2])).toEqual([-1, 2, 3, 10]);
  });
});
