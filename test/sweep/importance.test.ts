import { describe, expect, it } from 'vitest';
import { checkSweep } from '../../src/spec/sweepConfig.js';
import { importances } from '../../src/sweep/importance.js';
import { type Point, Space } from '../../src/sweep/space.js';
import { fixture } from '../support/fixtures.js';

interface Fixture {
  trials: { value: number; point: Point }[];
  importances: Record<string, number>;
  ofTwelve: Record<string, number>;
}

const spaceOf = (space: object) => Space.of(checkSweep({ space }).sweep.space);

const space = spaceOf({
  rate: { log: [1e-4, 0.1] },
  width: { int: [8, 512], log: true },
  depth: { int: [1, 5] },
  dropout: { float: [0, 0.5], step: 0.1 },
  momentum: { float: [0.5, 1] },
  activation: { choice: ['relu', 'tanh', 'selu'] },
  l2: { choice: [0, { log: [1e-6, 0.01] }] },
});

describe('importances', () => {
  it.each([
    [80, 'importances'],
    [12, 'ofTwelve'],
  ] as const)("of %i trials are Optuna's, by PED-ANOVA", (count, key) => {
    const { trials, [key]: expected } = fixture<Fixture>('optuna/importance.json');
    const found = importances(space, trials.slice(0, count));
    expect([...found.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, importance] of found) {
      expect(Math.abs(importance - expected[name]), name).toBeLessThan(1e-10);
    }
    const sorted = [...found.values()];
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
    expect(sorted.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it('are 0 of what cannot be told: one value, no trial, equal results', () => {
    const one = spaceOf({ a: { choice: [1] }, b: { int: [1, 3] } });
    expect([...importances(one, [])]).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    const equal = [1, 2, 3].map((b) => ({ point: { a: 0, b }, value: 7 }));
    expect(importances(one, equal).get('b')).toBe(0);
  });
});
