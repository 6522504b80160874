import { describe, expect, it } from 'vitest';
import { checkSweep } from '../../src/spec/sweepConfig.js';
import { Space } from '../../src/sweep/space.js';

const spaceOf = (space: object) => Space.of(checkSweep({ space }).sweep.space);

const nested = spaceOf({
  'training.l2': { choice: [0, { log: [1e-6, 1e-2] }, { choice: [1, { int: [2, 4] }] }] },
  'network.layers': { choice: [[8, 'relu', 1], { value: { int: 1 } }] },
});

describe('a space', () => {
  it('has a parameter for each setting, and for each one inside a choice', () => {
    expect(nested.parameters.map(({ name, parent }) => [name, parent?.name, parent?.index])).toEqual([
      ['training.l2', undefined, undefined],
      ['training.l2[1]', 'training.l2', 1],
      ['training.l2[2]', 'training.l2', 2],
      ['training.l2[2][1]', 'training.l2[2]', 1],
      ['network.layers', undefined, undefined],
    ]);
  });

  it('draws only the parameters that are active', () => {
    const drawn = (l2: number) =>
      nested.point(({ name }) => (name === 'training.l2' ? l2 : name.endsWith(']') ? 1 : 0));
    expect(drawn(0)).toEqual({ 'training.l2': 0, 'network.layers': 0 });
    expect(drawn(2)).toEqual({
      'training.l2': 2,
      'training.l2[2]': 1,
      'training.l2[2][1]': 1,
      'network.layers': 0,
    });
  });

  it('gives the settings of a point as values, never as indices', () => {
    expect(nested.settingsOf({ 'training.l2': 1, 'training.l2[1]': 1e-4, 'network.layers': 1 })).toEqual([
      { path: 'training.l2', value: 1e-4 },
      { path: 'network.layers', value: { int: 1 } },
    ]);
  });

  it('has one key for equal settings', () => {
    const space = spaceOf({ a: { choice: [0.5, { float: [0, 1] }] }, b: { choice: [{ x: 1, y: 2 }] } });
    const other = spaceOf({ b: { choice: [{ y: 2, x: 1 }] }, a: { float: [0, 1] } });
    const key = space.keyOf({ a: 0, b: 0 });
    expect(key).toBe('{"a":0.5,"b":{"x":1,"y":2}}');
    expect(space.keyOf({ a: 1, 'a[1]': 0.5, b: 0 })).toBe(key);
    expect(other.keyOf({ a: 0.5, b: 0 })).toBe(key);
  });

  it('counts its points and lists them in order, the last setting fastest', () => {
    const space = spaceOf({
      a: { choice: ['x', { int: [1, 3], step: 2 }] },
      b: { float: [0, 0.3], step: 0.1 },
      c: { log: [1e-4, 0.1], steps: 4 },
    });
    expect([space.size, space.gridSize]).toEqual([Number.POSITIVE_INFINITY, 3 * 4 * 4]);
    const values = [...space.points(true)].map((point) => space.settingsOf(point).map(({ value }) => value));
    const expected = ['x', 1, 3].flatMap((a) =>
      [0, 0.1, 0.2, 0.3].flatMap((b) => [1e-4, 1e-3, 0.01, 0.1].map((c) => [a, b, c])),
    );
    expect(values).toEqual(expected);
  });

  it('spaces a grid evenly, without values that rounding makes equal', () => {
    const values = (setting: object) => [...spaceOf({ a: setting }).points(true)].map((point) => point.a);
    expect(values({ int: [1, 100], steps: 4 })).toEqual([1, 34, 67, 100]);
    expect(values({ int: [1, 4], log: true, steps: 9 })).toEqual([1, 2, 3, 4]);
    expect(values({ int: [16, 256], log: true, steps: 5 })).toEqual([16, 32, 64, 128, 256]);
    expect(values({ float: [-1, 1], steps: 3 })).toEqual([-1, 0, 1]);
  });
});
