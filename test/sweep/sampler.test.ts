import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Method } from '../../src/spec/sweepConfig.js';
import { checkSweep } from '../../src/spec/sweepConfig.js';
import type { Observation } from '../../src/sweep/observation.js';
import { suggest, trialCount } from '../../src/sweep/sampler.js';
import { type Point, Space } from '../../src/sweep/space.js';

const spaceOf = (space: object) => Space.of(checkSweep({ space }).sweep.space);

/** A study of which trial k knows the results up to k − pending; an infinite value is a failure. */
function study(
  space: Space,
  method: Method,
  value: (point: Point) => number,
  { trials = 40, seed = 1, pending = 1 } = {},
): Observation[] {
  const told: Observation[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const history = told.map(
      (observation): Observation =>
        observation.trial <= trial - pending
          ? observation
          : { trial: observation.trial, point: observation.point, state: 'pending' },
    );
    const point = suggest({ space, method, seed }, trial, history);
    if (point === undefined) break;
    const result = value(point);
    told.push(
      Number.isFinite(result)
        ? { trial, point, state: 'complete', value: result }
        : { trial, point, state: 'failed' },
    );
  }
  return told;
}

const best = (told: readonly Observation[]) => Math.min(...told.map(({ value = Infinity }) => value));
const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const seeds = [1, 2, 3, 4, 5, 6, 7];

const tree = spaceOf({
  rate: { log: [1e-5, 1] },
  width: { int: [8, 512], log: true },
  l2: { choice: [0, { log: [1e-6, 1] }, { choice: ['a', { float: [0, 1], step: 0.25 }] }] },
});
/** Best at a rate of 1e-3, a width of 64 and an l2 of 1e-4. */
const valley = ({ rate, width, l2, 'l2[1]': decay }: Point) =>
  (Math.log10(rate) + 3) ** 2 +
  (Math.log2(width) - 6) ** 2 / 4 +
  (l2 === 1 ? 0.1 * (Math.log10(decay) + 4) ** 2 : 1);

describe('the sampler', () => {
  it.each(['grid', 'random', 'tpe'] as const)(
    'proposes all settings of a finite space once: %s',
    (method) => {
      // 0.5 is reached by two routes.
      const space = spaceOf({ a: { choice: [0.5, 'x', { float: [0, 1], step: 0.5 }] }, b: { int: [1, 4] } });
      const told = study(space, method, () => 1, { trials: 99 });
      expect(new Set(told.map(({ point }) => space.keyOf(point))).size).toBe(16);
      expect(told).toHaveLength(16);
    },
  );

  it('ends a range that rounding leaves few numbers of', () => {
    const space = spaceOf({ a: { float: [1, 1 + 3 * Number.EPSILON] } });
    expect(study(space, 'random', () => 1).length).toBeLessThanOrEqual(4);
  });

  it('goes through a grid in order, whatever was found', () => {
    const space = spaceOf({ a: { choice: ['x', 'y'] }, b: { log: [1, 100], steps: 3 } });
    const points = study(space, 'grid', () => Infinity).map(({ point }) => [point.a, point.b]);
    expect(points).toEqual([0, 1].flatMap((a) => [1, 10, 100].map((b) => [a, b])));
  });

  it('depends on the seed, the trial and the history alone', () => {
    const told = study(tree, 'tpe', valley, { trials: 15 });
    const ask = (seed: number, trial: number, history: readonly Observation[]) =>
      suggest({ space: tree, method: 'tpe', seed }, trial, history);
    expect(ask(1, 15, structuredClone(told))).toEqual(ask(1, 15, told));
    expect(ask(1, 15, [...told].reverse())).toEqual(ask(1, 15, told));
    const withoutBest = told.filter(({ value }) => value !== best(told));
    const others = [ask(2, 15, told), ask(1, 16, told), ask(1, 15, withoutBest)];
    for (const other of others) expect(other).not.toEqual(ask(1, 15, told));
  });

  it('draws from the whole range, evenly on its scale', () => {
    const told = study(tree, 'random', () => 1, { trials: 400 });
    const share = (is: (point: Point) => boolean) =>
      told.filter(({ point }) => is(point)).length / told.length;
    // Of 400 draws, 3.5 standard deviations are 0.09 at most.
    expect(Math.abs(share(({ rate }) => rate < 10 ** -2.5) - 0.5)).toBeLessThan(0.09);
    expect(Math.abs(share(({ width }) => width < 64) - 0.5)).toBeLessThan(0.09);
    expect(Math.abs(share(({ l2 }) => l2 === 1) - 1 / 3)).toBeLessThan(0.09);
  });

  it('stays within every range, rounded to what matters', () => {
    const range = fc
      .tuple(
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        fc.double({ min: 1.0001, max: 1e6, noNaN: true }),
      )
      .map(([low, ratio]) => [low, low * ratio]);
    fc.assert(
      fc.property(range, fc.nat(30), ([low, high], trial) => {
        const space = spaceOf({ a: { log: [low, high] }, b: { float: [-high, -low] } });
        const point = suggest({ space, method: 'random', seed: 1 }, trial, []) as Point;
        expect(point.a).toBeGreaterThanOrEqual(low);
        expect(point.a).toBeLessThanOrEqual(high);
        expect(point.b).toBeGreaterThanOrEqual(-high);
        expect(point.b).toBeLessThanOrEqual(-low);
      }),
    );
    const decimals = study(spaceOf({ a: { log: [1e-5, 1] } }), 'random', () => 1).map(({ point }) => point.a);
    for (const value of decimals) expect(String(Number(value.toPrecision(4)))).toBe(String(value));
  });
});

describe('the Parzen estimator', () => {
  it.each([1, 4])('finds the valley of a conditional space, %i trials at once', (pending) => {
    const results = (method: Method) =>
      median(seeds.map((seed) => best(study(tree, method, valley, { seed, pending }))));
    expect(results('tpe')).toBeLessThan(results('random') / 3);
  });

  it('is repelled by failures', () => {
    const space = spaceOf({ rate: { log: [1e-4, 1] } });
    const told = study(space, 'tpe', ({ rate }) => (rate > 1e-2 ? Infinity : (Math.log10(rate) + 3) ** 2), {
      trials: 30,
    });
    const failures = told.slice(15).filter(({ state }) => state === 'failed');
    expect(failures.length).toBeLessThan(5);
  });

  it('learns from failures alone', () => {
    const space = spaceOf({ kind: { choice: ['a', 'b'] }, rate: { float: [0, 1] } });
    const told = study(space, 'tpe', ({ kind }) => (kind === 0 ? Infinity : Number.NaN), { trials: 12 });
    expect(told.every(({ state }) => state === 'failed')).toBe(true);
    const failed = Array.from({ length: 12 }, (_, trial): Observation => {
      return { trial, point: { kind: 0, rate: (trial % 10) / 10 }, state: 'failed' };
    });
    const kinds = Array.from({ length: 20 }, (_, i) => {
      return suggest({ space, method: 'tpe', seed: 1 }, 12 + i, failed)?.kind;
    });
    expect(kinds.filter((kind) => kind === 1).length).toBeGreaterThan(15);
  });

  it('prefers complete trials to stopped ones, and of those the ones that came far', () => {
    const space = spaceOf({ x: { float: [0, 1] } });
    const at = (x: number, result: Partial<Observation>): Observation[] =>
      Array.from({ length: 4 }, (_, i) => ({
        trial: 0,
        point: { x: x + i / 100 },
        state: 'stopped',
        ...result,
      }));
    const near = (history: Observation[]) => {
      const numbered = history.map((observation, trial) => ({ ...observation, trial }));
      const points = Array.from({ length: 9 }, (_, i) => {
        return suggest({ space, method: 'tpe', seed: 1 }, 20 + i, numbered)?.x ?? 0;
      });
      return median(points);
    };
    const rest = at(0.5, { state: 'failed' });
    const far = at(0.2, { epoch: 9, value: 5 });
    const early = at(0.8, { epoch: 3, value: 1 });
    const complete = at(0.8, { state: 'complete', value: 9 });
    expect(near([...far, ...early, ...rest])).toBeLessThan(0.4);
    expect(near([...far, ...complete, ...rest])).toBeGreaterThan(0.6);
  });

  it('keeps trials that run at once apart', () => {
    const space = spaceOf({ x: { float: [0, 1] } });
    const told = study(space, 'tpe', ({ x }) => (x - 0.3) ** 2, { trials: 20 });
    const pending: Observation[] = [...told];
    for (let trial = 20; trial < 28; trial++) {
      const point = suggest({ space, method: 'tpe', seed: 1 }, trial, pending) as Point;
      pending.push({ trial, point, state: 'pending' });
    }
    const spread = (points: Observation[]) =>
      Math.max(...points.map(({ point }) => point.x)) - Math.min(...points.map(({ point }) => point.x));
    const alone = Array.from({ length: 8 }, (_, i): Observation => {
      const point = suggest({ space, method: 'tpe', seed: 1 }, 20 + i, told) as Point;
      return { trial: 20 + i, point, state: 'pending' };
    });
    expect(spread(pending.slice(20))).toBeGreaterThan(spread(alone));
  });
});

describe('the number of trials', () => {
  it('is 50 or the whole grid, and at most what the space has', () => {
    const small = spaceOf({ a: { int: [1, 6] }, b: { int: [1, 9], log: true, steps: 2 } });
    expect(trialCount({ method: 'grid' }, small)).toBe(12);
    expect(trialCount({ method: 'grid', trials: 5 }, small)).toBe(5);
    expect(trialCount({ method: 'random' }, small)).toBe(50);
    expect(trialCount({ method: 'random', trials: 99 }, small)).toBe(54);
    expect(trialCount({ method: 'tpe' }, tree)).toBe(50);
  });
});
