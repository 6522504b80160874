import { describe, expect, it } from 'vitest';
import { distinct, Levels, lookalikeSentences, lookalikes } from '../../src/data/levels.js';

describe('Levels', () => {
  it('orders text by code unit, whatever the order of the cells', () => {
    expect(Levels.of(['b', 'a', 'B', 'ä', '10', '9']).names).toEqual(['10', '9', 'B', 'a', 'b', 'ä']);
  });

  it('orders numbers by size where all are numbers', () => {
    expect(Levels.of(['10', '9', '-1', '1e3', '0.5']).names).toEqual(['-1', '0.5', '9', '10', '1e3']);
  });

  it('keeps spellings of one number apart', () => {
    const levels = Levels.of(['1', '1.0', '01', '2', '-0', '0']);
    expect(levels.names).toEqual(['-0', '0', '01', '1', '1.0', '2']);
    expect(['01', '1', '+1'].map((cell) => levels.index(cell))).toEqual([2, 3, undefined]);
  });

  it('keeps ids apart that are one float64', () => {
    const ids = ['310455667788990029', '310455667788990011', '9007199254740993', '9007199254740992'];
    expect(Levels.of(ids).names).toEqual([ids[3], ids[2], ids[1], ids[0]]);
  });

  it('takes spellings of one number for one level in an old model', () => {
    const levels = Levels.byValue(['0', '1', '2']);
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

describe('lookalikes', () => {
  it.each([
    [
      ['Yes', 'no', 'yes', 'NO'],
      [['Yes', 'yes'], 'case'],
      [['no', 'NO'], 'case'],
    ],
    [
      ['1.1', '1.10', '1E3', '1000', '2'],
      [['1.1', '1.10'], 'the spelling of a number'],
      [['1E3', '1000'], 'the spelling of a number'],
    ],
    [
      ['007', '7', '+7', '70'],
      [['007', '7', '+7'], 'the spelling of a number'],
    ],
    [
      ['-0', '0.0', '.0e5'],
      [['-0', '0.0', '.0e5'], 'the spelling of a number'],
    ],
    [
      ['New York', 'New  York', ' New York', 'NewYork'],
      [['New York', 'New  York', ' New York', 'NewYork'], 'spaces'],
    ],
    [
      ['new york', 'New\u00a0York'],
      [['new york', 'New\u00a0York'], 'spelling'],
    ],
    [
      ['caf\u00e9', 'cafe\u0301'],
      [['caf\u00e9', 'cafe\u0301'], 'spelling'],
    ],
    [['310455667788990011', '310455667788990029', '1e400', '1e401', '-1', '1', 'e1', '1e']],
  ])('of %j', (levels, ...groups) => {
    expect(lookalikes(levels as string[]).map(({ levels, differIn }) => [levels, differIn])).toEqual(groups);
  });

  it('makes a sentence of each group', () => {
    expect(lookalikeSentences('column "y"', 'classes', ['a', 'A', 'b'])).toEqual([
      'column "y": the classes "a", "A" differ only in case: they stay different, so spell them alike if they mean the same',
    ]);
  });
});

describe('distinct', () => {
  it('gives each number once, rising', () => {
    expect(distinct([3, -1, 10, 3, 2])).toEqual([-1, 2, 3, 10]);
  });
});
