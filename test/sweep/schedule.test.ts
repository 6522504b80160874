import { describe, expect, it } from 'vitest';
import {
  epochsAt,
  type JobResult,
  nextJob,
  observationsOf,
  openTrials,
  ranked,
  type Schedule,
  type Trial,
} from '../../src/sweep/schedule.js';

const HALVING = { factor: 3, minEpochs: 1 };
const ASHA: Schedule = { pending: 1, halving: HALVING, maximize: false, hasMore: true };

const paused = (value: number | null, epochs = 1): JobResult => ({ state: 'paused', epochs, value });
const complete = (value: number | null, epochs = 27): JobResult => ({ state: 'complete', epochs, value });
const failed: JobResult = { state: 'failed', epochs: 0, value: null, reason: 'it diverged' };

/** Trials with these results; one with fewer results than jobs is open. */
function trialsOf(...all: (readonly JobResult[])[]): Trial[] {
  let job = 0;
  return all.map((results, number) => {
    const jobs = results.map(() => job++);
    return { number, point: { x: number }, jobs: jobs.length > 0 ? jobs : [job++], results };
  });
}

describe('without halving', () => {
  it('opens as many trials as may be pending, and no more than there are', () => {
    const schedule = { ...ASHA, halving: undefined, pending: 2 };
    expect(nextJob([], schedule)).toBe('new trial');
    expect(nextJob(trialsOf([]), schedule)).toBe('new trial');
    expect(nextJob(trialsOf([], []), schedule)).toBeUndefined();
    expect(nextJob(trialsOf([complete(1)], []), schedule)).toBe('new trial');
    expect(nextJob(trialsOf([complete(1)]), { ...schedule, hasMore: false })).toBeUndefined();
  });
});

describe('halving', () => {
  it('pauses at rungs that grow by the factor', () => {
    expect([0, 1, 2, 3].map((rung) => epochsAt(rung, HALVING))).toEqual([1, 3, 9, 27]);
    expect(epochsAt(3, undefined)).toBeUndefined();
  });

  it('lets the best third of a rung go on, and starts a trial where there is none', () => {
    expect(nextJob(trialsOf([paused(3)], [paused(2)]), ASHA)).toBe('new trial');
    expect(nextJob(trialsOf([paused(3)], [paused(2)], [paused(4)]), ASHA)).toEqual({ promoted: 1 });
    const largest = { ...ASHA, maximize: true };
    expect(nextJob(trialsOf([paused(3)], [paused(2)], [paused(4)]), largest)).toEqual({ promoted: 2 });
    // Those that went on count at the rung where they were.
    const on = [paused(2), paused(1.5, 3)];
    expect(nextJob(trialsOf([paused(3)], on, [paused(4)]), ASHA)).toBe('new trial');
    expect(nextJob(trialsOf([paused(3)], on, [paused(4)], [paused(1)]), ASHA)).toEqual({ promoted: 3 });
  });

  it('prefers the top rung', () => {
    const second = (value: number) => [paused(value + 1), paused(value, 3)];
    const trials = trialsOf(second(3), second(2), second(1), [paused(0)], [paused(9)], [paused(9)]);
    expect(nextJob(trials, ASHA)).toEqual({ promoted: 2 });
  });

  it('takes failed trials and those without a value for the worst', () => {
    expect(nextJob(trialsOf([failed], [failed], [paused(4)]), ASHA)).toEqual({ promoted: 2 });
    expect(nextJob(trialsOf([paused(null)], [failed], [paused(4)]), ASHA)).toEqual({ promoted: 2 });
  });

  it('lets a trial that has ended early compete with those that are trained on', () => {
    const ended = [complete(1, 2)];
    const second = [paused(3), paused(2, 3)];
    expect(
      nextJob(trialsOf(ended, second, second, []), { ...ASHA, pending: 2, hasMore: false }),
    ).toBeUndefined();
    expect(nextJob(trialsOf([complete(5, 2)], second, second, []), { ...ASHA, pending: 2 })).toEqual({
      promoted: 1,
    });
  });

  it('trains at least the best to its end when no trial is left', () => {
    const last = { ...ASHA, hasMore: false };
    const two = trialsOf([paused(2)], [paused(1)]);
    expect(nextJob(two, last)).toEqual({ promoted: 1 });
    expect(nextJob(trialsOf([paused(2)], [paused(1), paused(0.5, 3)]), last)).toEqual({ promoted: 1 });
    expect(nextJob(trialsOf([paused(2)], [paused(1), complete(0.4, 5)]), last)).toBeUndefined();
    // Not before all results are in.
    expect(nextJob(trialsOf([paused(2)], []), { ...last, pending: 2 })).toBeUndefined();
  });

  it('ends with a winner that is complete, whatever the values', () => {
    for (let seed = 1; seed <= 20; seed++) {
      let trials: Trial[] = [];
      for (;;) {
        const next = nextJob(trials, { ...ASHA, hasMore: trials.length < 13 });
        if (next === undefined) break;
        const number = next === 'new trial' ? trials.length : next.promoted;
        const known = trials[number] ?? { number, point: {}, jobs: [], results: [] };
        const rung = known.results.length;
        const value = (((number + 1) * seed * 7919) % 101) - rung;
        const result = rung === 3 ? complete(value) : paused(value, 3 ** rung);
        const trial = { ...known, jobs: [...known.jobs, 0], results: [...known.results, result] };
        trials = number === trials.length ? [...trials, trial] : trials.with(number, trial);
      }
      expect(trials).toHaveLength(13);
      const [winner] = ranked(trials, false);
      const values = trials.map(({ results }) => results.at(-1)?.value ?? Number.POSITIVE_INFINITY);
      expect(winner.results.at(-1)).toMatchObject({ state: 'complete', value: Math.min(...values) });
    }
  });
});

it('takes the open jobs in the order in which they were opened', () => {
  const trials = [
    { number: 0, point: {}, jobs: [0, 5], results: [paused(1)] },
    { number: 1, point: {}, jobs: [1], results: [complete(1)] },
    { number: 2, point: {}, jobs: [2], results: [] },
  ];
  expect(openTrials(trials).map(({ number }) => number)).toEqual([2, 0]);
});

it('tells the sampler values to be minimised, and failures', () => {
  const trials = trialsOf([complete(0.9)], [paused(0.5, 3)], [failed], [complete(null)], []);
  const points = trials.map(({ point, number: trial }) => ({ trial, point }));
  expect(observationsOf(trials, true)).toEqual([
    { ...points[0], state: 'complete', value: -0.9 },
    { ...points[1], state: 'stopped', value: -0.5, epoch: 3 },
    { ...points[2], state: 'failed' },
    { ...points[3], state: 'failed' },
    { ...points[4], state: 'pending' },
  ]);
});

it('ranks complete trials, then stopped ones by their epochs, then failed ones', () => {
  const trials = trialsOf([failed], [paused(0.1, 3)], [paused(0.3, 9)], [complete(2)], [complete(1)]);
  expect(ranked(trials, false).map(({ number }) => number)).toEqual([4, 3, 2, 1, 0]);
});
