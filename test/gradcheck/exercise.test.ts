import { describe, expect, it } from 'vitest';
import { checkGraph } from '../../src/gradcheck/check.js';
import { makeExercise } from '../../src/gradcheck/exercise.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';

const SEEDS = Array.from({ length: 100 }, (_, seed) => seed);

describe('makeExercise', () => {
  const exercises = SEEDS.map((seed) => makeExercise(seed, true));

  it('makes the same exercise of the same seed, and others of others', () => {
    expect(makeExercise(3, true)).toEqual(exercises[3]);
    expect(new Set(exercises.map((exercise) => JSON.stringify(exercise))).size).toBe(SEEDS.length);
    expect(new Set(exercises.map(({ nodes }) => Object.values(nodes).join())).size).toBeGreaterThan(30);
  });

  it('leaves the values open without the solution', () => {
    const open = makeExercise(3, false);
    const { manual = {} } = exercises[3];
    expect(open).toEqual({
      ...exercises[3],
      manual: Object.fromEntries(Object.keys(manual).map((k) => [k, '?'])),
    });
    const { check } = checkGraph(readGraph(open, 'exercise'), 'exercise');
    expect(check.parameters.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(
      Object.keys(manual),
    );
  });

  it('has a solution that passes, without kinks', () => {
    for (const exercise of exercises) {
      const { check, derivation } = checkGraph(readGraph(exercise, 'exercise'), 'exercise');
      expect(check.parameters.filter(({ passed, kink }) => !passed || kink)).toEqual([]);
      expect(derivation.derivatives.map(({ by }) => by)).toContain('a');
    }
  });

  it('asks for 3 to 5 parameters and a node, in numbers of at most three decimals', () => {
    for (const { inputs, manual = {} } of exercises) {
      const asked = Object.keys(manual);
      expect(asked.filter((name) => name in inputs).length).toBeGreaterThanOrEqual(3);
      expect(asked.filter((name) => name in inputs).length).toBeLessThanOrEqual(5);
      expect(asked.filter((name) => !(name in inputs))).toEqual(['a']);
      for (const value of Object.values(inputs)) expect(String(Math.abs(value))).toMatch(/^\d(\.\d)?$/);
      for (const value of Object.values(manual)) expect(String(value)).toMatch(/^-?\d(\.\d{1,3})?$/);
    }
  });

  it('has several paths to the output in many of them: a residual connection, or a weight used twice', () => {
    const several = exercises.filter((exercise) => {
      const { derivation } = checkGraph(readGraph(exercise, 'exercise'), 'exercise');
      return derivation.derivatives.some(({ by, pathCount }) => by !== 'x' && pathCount > 1n);
    });
    expect(several.length).toBeGreaterThan(SEEDS.length / 3);
  });
});
