import { describe, expect, it } from 'vitest';
import { RandomState } from '../../../src/random/randomState.js';
import { Pace } from '../../../src/training/engine/pace.js';

/**
 * Takes steps for so many seconds, which last as long as the ways say. Returns the part of the time that was lost.
 *
 * @param factor of a step together, so many after a change
 */
function run(
  pace: Pace,
  clock: { now: number },
  seconds: number,
  together: number,
  alone: number,
  factor: (since: number) => number = () => 1,
): number {
  const start = clock.now;
  let steps = 0;
  let since = 0;
  let isAlone = pace.isAlone;
  const step = () => {
    clock.now += isAlone ? alone : together * factor(since++);
    steps++;
  };
  pace.begin();
  while (clock.now - start < 1000 * seconds) {
    step();
    pace.step();
    if (pace.isAlone === isAlone) continue;
    // A change takes a step.
    step();
    isAlone = pace.isAlone;
    since = 0;
    pace.changed();
  }
  pace.end();
  return 1 - (steps * Math.min(together, alone)) / (clock.now - start);
}

describe('the pace of a team', () => {
  it.each([
    ['small steps, alone', 0.008, 0.0025],
    ['small steps on a busy machine, alone', 3, 0.0025],
    ['large steps, together', 2, 3.7],
    ['large steps on a busy machine, alone', 30, 8],
  ])('finds the faster way, and loses little time by looking at the other: %s', (_, together, alone) => {
    const clock = { now: 5 };
    const pace = new Pace(() => clock.now);
    run(pace, clock, 2, together, alone);
    expect(run(pace, clock, 20, together, alone)).toBeLessThan(0.03);
  });

  it('is not deceived by compiling, cold caches, or a processor that is taken away now and then', () => {
    const lost = Array.from({ length: 20 }, (_, seed) => {
      const random = new RandomState(seed);
      const clock = { now: 0 };
      // As measured on a shared machine. Compiling and lost processors alone take a sixth of the second.
      const isTaken = () => random.rand() < 0.05;
      const factor = (since: number) =>
        clock.now < 60 ? 5 : ([2.5, 1.5, 2.4][since] ?? (isTaken() ? 4 : 1));
      return run(new Pace(() => clock.now), clock, 1, 1, 1.5, factor);
    });
    expect(lost.reduce((sum, part) => sum + part) / lost.length).toBeLessThan(0.25);
  });

  it('looks again soon when what took a processor away is gone', () => {
    const lost = Array.from({ length: 20 }, (_, seed) => {
      const random = new RandomState(seed);
      const clock = { now: 0 };
      const pace = new Pace(() => clock.now);
      // A time slice of others now and then makes steps of all threads the slower ones.
      run(pace, clock, 4, 0.21, 0.32, () => (random.rand() < 0.05 ? 20 : 1));
      return run(pace, clock, 1, 0.21, 0.32);
    });
    expect(lost.reduce((sum, part) => sum + part) / lost.length).toBeLessThan(0.12);
  });

  it('changes its mind when the other way becomes faster, within seconds', () => {
    const clock = { now: 0 };
    const pace = new Pace(() => clock.now);
    run(pace, clock, 10, 2, 4);
    expect(pace.isAlone).toBe(false);
    run(pace, clock, 10, 20, 4);
    expect(pace.isAlone).toBe(true);
    run(pace, clock, 10, 2, 4);
    expect(run(pace, clock, 5, 2, 4)).toBeLessThan(0.03);
    expect(pace.isAlone).toBe(false);
  });

  it('does not count the time between two commands', () => {
    const clock = { now: 0 };
    const pace = new Pace(() => clock.now);
    for (let i = 0; i < 3; i++) {
      pace.begin();
      clock.now += 1;
      pace.step();
      pace.end();
      clock.now += 1000;
    }
    expect(pace.isAlone).toBe(false);
  });
});
