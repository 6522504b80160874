import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import type { PlainScheduleConfig, ScheduleConfig, WarmUpConfig } from '../../src/spec/scheduleConfig.js';
import { createSchedule, type Schedule } from '../../src/training/schedules.js';
import { fixture } from '../support/fixtures.js';

interface FixtureCase {
  name: string;
  schedule: ScheduleConfig;
  learningRate: number;
  steps: number;
  stepsPerEpoch: number;
  /** Of a plateau's monitored metric, by the epoch; null is NaN. */
  metrics?: (number | null)[];
  rates: number[];
}

type PlateauConfig = Extract<PlainScheduleConfig, { type: 'reduce-on-plateau' }>;

const plateau = (changes: Partial<PlateauConfig> = {}): PlateauConfig => ({
  type: 'reduce-on-plateau',
  gamma: 0.5,
  patience: 1,
  minDelta: 0,
  minimum: 0,
  monitor: 'validation_loss',
  ...changes,
});

const oneCycle = (pctStart: number): PlainScheduleConfig => ({
  type: 'one-cycle',
  pctStart,
  divFactor: 25,
  finalDivFactor: 1e4,
});

const warmUp = (fields: Omit<WarmUpConfig, 'type' | 'after'>, next: PlainScheduleConfig): WarmUpConfig => ({
  type: 'warm-up',
  ...fields,
  after: next,
});

const lossOf = (value: number) => new Map([['validation_loss', value]]);

/** The rates of all steps; `metrics` are told after the epochs. */
function ratesOf(
  config: ScheduleConfig,
  initial: number,
  length: { steps: number; stepsPerEpoch: number },
  metrics: readonly ReadonlyMap<string, number>[] = [],
): number[] {
  const schedule = createSchedule(config, initial, length);
  return Array.from({ length: length.steps }, (_, step) => {
    const epoch = Math.floor(step / length.stepsPerEpoch);
    const rate = schedule.learningRate(step, epoch);
    if ((step + 1) % length.stepsPerEpoch === 0) schedule.epochDone(metrics[epoch] ?? lossOf(1));
    return rate;
  });
}

describe('a schedule by the epoch', () => {
  const rates = (config: ScheduleConfig) => ratesOf(config, 0.8, { steps: 10, stepsPerEpoch: 2 });
  const twice = (values: number[]) => values.flatMap((value) => [value, value]);

  it('stays where it is', () => {
    expect(rates({ type: 'constant' })).toEqual(Array(10).fill(0.8));
  });

  it('decays by gamma each epoch, from the second on', () => {
    expect(rates({ type: 'exponential', gamma: 0.5 })).toEqual(twice([0.8, 0.4, 0.2, 0.1, 0.05]));
  });

  it('decays by gamma every so many epochs', () => {
    expect(rates({ type: 'step', gamma: 0.5, every: 2 })).toEqual(twice([0.8, 0.8, 0.4, 0.4, 0.2]));
  });

  it('is the power itself, to the last bit', () => {
    const epochs = Array.from({ length: 40 }, (_, epoch) => epoch);
    const length = { steps: 40, stepsPerEpoch: 1 };
    expect(ratesOf({ type: 'exponential', gamma: 0.95 }, 0.003, length)).toEqual(
      epochs.map((epoch) => 0.003 * 0.95 ** epoch),
    );
    expect(ratesOf({ type: 'step', gamma: 0.7, every: 3 }, 0.003, length)).toEqual(
      epochs.map((epoch) => 0.003 * 0.7 ** Math.floor(epoch / 3)),
    );
  });
});

describe("PyTorch's schedulers", () => {
  const cases = fixture<FixtureCase[]>('pytorch/schedules.json');

  it.each(cases)('$name', ({ schedule, learningRate, steps, stepsPerEpoch, metrics = [], rates }) => {
    const name = 'monitor' in schedule ? schedule.monitor : 'validation_loss';
    const told = metrics.map((value) => new Map([[name, value ?? Number.NaN]]));
    const actual = ratesOf(schedule, learningRate, { steps, stepsPerEpoch }, told);
    expect(actual).toBeAllclose(rates, { relative: 1e-12 });
  });
});

describe('a schedule by the step', () => {
  it('begins at the learning rate and falls towards its minimum, as a cosine', () => {
    const rates = ratesOf({ type: 'cosine', minimum: 0.1 }, 0.5, { steps: 4, stepsPerEpoch: 3 });
    const middle = Math.SQRT1_2 * 0.2;
    expect(rates).toBeAllclose([0.5, 0.3 + middle, 0.3, 0.3 - middle], { relative: 1e-15 });
  });

  it('is at its height until the middle of the run, as flat-cosine', () => {
    const rates = ratesOf({ type: 'flat-cosine' }, 0.5, { steps: 8, stepsPerEpoch: 3 });
    const slope = Math.SQRT1_2 / 4;
    expect(rates.slice(0, 5)).toEqual(Array(5).fill(0.5));
    expect(rates.slice(5)).toBeAllclose([0.25 + slope, 0.25, 0.25 - slope], { relative: 1e-15 });
  });

  it('rises and falls in cycles that double, as coslog', () => {
    // Of 15 steps the four cycles take 1, 2, 4 and 8: the middle of the second is step 2.
    const rates = ratesOf({ type: 'coslog', cycles: 4 }, 0.5, { steps: 15, stepsPerEpoch: 15 });
    for (const start of [0, 1, 3, 7]) expect(rates[start]).toBeCloseTo(0, 14);
    // log₂(1 + 2) is no half: the height lies before step 2.
    expect([rates[2]]).toBeAllclose([0.25 * (1 - Math.cos(2 * Math.PI * Math.log2(3)))], { relative: 1e-12 });
  });

  it('has its peak where the rise ends, and at the first step where there is no rise', () => {
    expect(ratesOf(oneCycle(0.5), 0.5, { steps: 8, stepsPerEpoch: 8 })[3]).toBe(0.5);
    // PyTorch divides by zero here: the rise ends at step 0.25·4 − 1 = 0.
    const rates = ratesOf(oneCycle(0.25), 0.5, { steps: 4, stepsPerEpoch: 4 });
    expect(rates[0]).toBe(0.5);
    expect(rates[3]).toBe(0.5 / 25 / 1e4);
  });

  it('has its peak at the only step of a run, where all of the run is the rise', () => {
    expect(ratesOf(oneCycle(1), 0.5, { steps: 1, stepsPerEpoch: 1 })).toEqual([0.5]);
    expect(ratesOf(oneCycle(1), 0.5, { steps: 3, stepsPerEpoch: 1 })).toBeAllclose([0.02, 0.26, 0.5], {
      relative: 1e-15,
    });
    const warm = warmUp({ steps: 1, from: 0.5 }, oneCycle(1));
    expect(ratesOf(warm, 0.5, { steps: 1, stepsPerEpoch: 1 })).toEqual([0.25]);
  });

  it('has a rate from 0 to the learning rate in every short run, wherever its peak or warm-up ends', () => {
    const plain: PlainScheduleConfig[] = [
      { type: 'constant' },
      { type: 'exponential', gamma: 0.5 },
      { type: 'step', gamma: 0.5, every: 1 },
      { type: 'cosine', minimum: 0 },
      { type: 'cosine', minimum: 0.1 },
      { type: 'flat-cosine' },
      plateau(),
      ...[0, Number.MIN_VALUE, 1e-17, 0.3, 1 / 3, 0.5, 2 / 3, 1 - 2 ** -53, 1].map(oneCycle),
    ];
    for (const steps of [1, 2, 3, 4]) {
      for (const stepsPerEpoch of [1, 2, 5]) {
        const warm = [1, 2, 3, 4, 5].flatMap((length) =>
          [0, 0.5].flatMap((from) => plain.map((next) => warmUp({ steps: length, from }, next))),
        );
        const coslog = [1, 4, 32].map((cycles): PlainScheduleConfig => ({ type: 'coslog', cycles }));
        for (const schedule of [...plain, ...coslog, ...warm]) {
          const wrong = ratesOf(schedule, 0.1, { steps, stepsPerEpoch }).filter(
            (rate) => !(rate >= 0 && rate <= 0.1 * (1 + 1e-12)),
          );
          expect(wrong, JSON.stringify({ schedule, steps, stepsPerEpoch })).toEqual([]);
        }
      }
    }
  });

  it('is never NaN, negative or above the learning rate, however long the run is', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const plain = fc.oneof(
      share.map((minimum): PlainScheduleConfig => ({ type: 'cosine', minimum: minimum * 0.1 })),
      share.map(oneCycle),
      fc.constant<PlainScheduleConfig>({ type: 'exponential', gamma: 0.9 }),
      fc.constant<PlainScheduleConfig>({ type: 'flat-cosine' }),
      fc.constant(plateau()),
    );
    const config = fc.oneof(
      plain,
      fc.integer({ min: 1, max: 32 }).map((cycles): PlainScheduleConfig => ({ type: 'coslog', cycles })),
      fc
        .tuple(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.99, noNaN: true }), plain)
        .map(([steps, from, next]) => warmUp({ steps, from }, next)),
    );
    const length = fc.record({
      steps: fc.integer({ min: 1, max: 40 }),
      stepsPerEpoch: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(config, length, (schedule, run) => {
        const wrong = ratesOf(schedule, 0.1, run).filter((rate) => !(rate >= 0 && rate <= 0.1 * (1 + 1e-12)));
        expect(wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a warm-up', () => {
  const length = { steps: 12, stepsPerEpoch: 3 };

  it('rises from 0 in a straight line, step by step', () => {
    const rates = ratesOf(warmUp({ steps: 4, from: 0 }, { type: 'constant' }), 0.8, length);
    expect(rates.slice(0, 6)).toBeAllclose([0, 0.2, 0.4, 0.6, 0.8, 0.8], { relative: 1e-15 });
  });

  it('lasts as long in epochs as in their steps', () => {
    const next: PlainScheduleConfig = { type: 'cosine', minimum: 0 };
    expect(ratesOf(warmUp({ epochs: 2, from: 0.1 }, next), 0.8, length)).toEqual(
      ratesOf(warmUp({ steps: 6, from: 0.1 }, next), 0.8, length),
    );
  });

  it('counts the epochs of the next schedule from the one in which it ends', () => {
    const next: PlainScheduleConfig = { type: 'exponential', gamma: 0.5 };
    const ratesAfter = (steps: number) => ratesOf(warmUp({ steps, from: 0 }, next), 0.8, length).slice(steps);
    expect(ratesAfter(3)).toEqual([0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2]);
    expect(ratesAfter(4)).toEqual([0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2]);
  });

  it('leads up to the rate that the next schedule begins with', () => {
    const rates = ratesOf(warmUp({ steps: 4, from: 0.5 }, oneCycle(0.5)), 0.8, length);
    const first = 0.8 / 25;
    expect(rates.slice(0, 5)).toBeAllclose(
      [0.5, 0.625, 0.75, 0.875, 1].map((share) => share * first),
      { relative: 1e-12 },
    );
    expect(rates[7]).toBe(0.8);
  });

  it('may be longer than the run', () => {
    const rates = ratesOf(warmUp({ epochs: 100, from: 0 }, { type: 'cosine', minimum: 0 }), 0.9, length);
    expect(rates).toBeAllclose(
      Array.from({ length: 12 }, (_, step) => (0.9 * step) / 300),
      { relative: 1e-14 },
    );
  });

  it('has a plateau wait for no epoch that lies within it', () => {
    const config = warmUp({ steps: 7, from: 0.5 }, plateau({ patience: 0 }));
    const run = { steps: 15, stepsPerEpoch: 3 };
    // Told of the third epoch, in which the warm-up ends, and of those after it.
    const rates = ratesOf(config, 0.8, run, [5, 6, 7, 7, 6].map(lossOf));
    expect(rates.slice(7)).toEqual([0.8, 0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4]);
  });
});

describe('reduce on plateau', () => {
  it('fails on metrics without the one that it monitors', () => {
    const schedule = createSchedule(plateau(), 0.1, { steps: 10, stepsPerEpoch: 1 });
    expect(() => schedule.epochDone(new Map([['train_loss', 1]]))).toThrow(
      'no metric validation_loss among train_loss',
    );
  });
});

describe('the state of a schedule', () => {
  const length = { steps: 60, stepsPerEpoch: 3 };
  const losses = [3, 2, Number.NaN, 2.5, 1 / 3, 0.4, Number.POSITIVE_INFINITY, 0.35, 0.3, 0.3, 0.3, 0.3];
  const configs: [name: string, config: ScheduleConfig][] = [
    ['constant', { type: 'constant' }],
    ['exponential', { type: 'exponential', gamma: 0.9 }],
    ['step', { type: 'step', gamma: 0.9, every: 2 }],
    ['cosine', { type: 'cosine', minimum: 0 }],
    ['one-cycle', oneCycle(0.3)],
    ['plateau', plateau({ gamma: 1 / 3 })],
    ['plateau that never sees a number', plateau({ monitor: 'train_loss' })],
    ['warm-up, then cosine', warmUp({ steps: 7, from: 0 }, { type: 'cosine', minimum: 0 })],
    ['warm-up, then plateau', warmUp({ steps: 7, from: 0 }, plateau({ gamma: 1 / 3 }))],
  ];
  const tell = (schedule: Schedule, value: number) =>
    schedule.epochDone(
      new Map([
        ['validation_loss', value],
        ['train_loss', Number.NaN],
      ]),
    );

  it.each(configs)('of %s goes through JSON, after any epoch, without the loss of a bit', (_, config) => {
    for (let cut = 0; cut <= losses.length; cut++) {
      const uninterrupted = createSchedule(config, 0.1, length);
      for (const loss of losses.slice(0, cut)) tell(uninterrupted, loss);
      const saved = JSON.stringify(uninterrupted.state());
      const resumed = createSchedule(config, 0.1, length);
      resumed.restore(JSON.parse(saved));
      expect(JSON.stringify(resumed.state())).toBe(saved);
      for (let epoch = cut; epoch < losses.length; epoch++) {
        for (const schedule of [uninterrupted, resumed]) tell(schedule, losses[epoch]);
        const step = 3 * (epoch + 1);
        expect(resumed.learningRate(step, epoch + 1)).toBe(uninterrupted.learningRate(step, epoch + 1));
      }
      expect(resumed.state()).toEqual(uninterrupted.state());
    }
  });

  it('is a copy: later epochs leave it as it was', () => {
    const schedule = createSchedule(plateau(), 0.1, length);
    tell(schedule, 2);
    const state = schedule.state();
    tell(schedule, 1);
    expect(state).toEqual({ learningRate: 0.1, best: 2, waited: 0 });
  });

  const plateauFields = 'an object with learningRate, best, waited';
  const good = { learningRate: 0.1, best: null, waited: 0 };
  it.each<[config: ScheduleConfig, state: unknown, message: string]>([
    [
      { type: 'cosine', minimum: 0 },
      good,
      'the schedule cosine: found {"learningRate":0.1,"best":null,"waited…, expected null',
    ],
    [{ type: 'constant' }, undefined, 'the schedule constant: found undefined, expected null'],
    [plateau(), null, `the schedule reduce-on-plateau: found null, expected ${plateauFields}`],
    [plateau(), [], `the schedule reduce-on-plateau: found [], expected ${plateauFields}`],
    [
      plateau(),
      {},
      'the schedule reduce-on-plateau: learningRate: found undefined, expected a finite number',
    ],
    [
      plateau(),
      { ...good, learningRate: '1' },
      'the schedule reduce-on-plateau: learningRate: found "1", expected a finite number',
    ],
    [
      plateau(),
      { ...good, best: Number.NaN },
      'the schedule reduce-on-plateau: best: found NaN, expected a finite number or null',
    ],
    [
      plateau(),
      { ...good, waited: 0.5 },
      'the schedule reduce-on-plateau: waited: found 0.5, expected a whole number of at least 0',
    ],
    [
      plateau(),
      Object.create(good),
      'the schedule reduce-on-plateau: learningRate: found undefined, expected a finite number',
    ],
    [
      warmUp({ steps: 1, from: 0 }, plateau()),
      good,
      'the schedule warm-up: epochs: found undefined, expected a whole number of at least 0',
    ],
    [
      warmUp({ steps: 1, from: 0 }, plateau()),
      { epochs: 1 },
      'the schedule warm-up: next: found undefined, expected anything',
    ],
    [
      warmUp({ steps: 1, from: 0 }, plateau()),
      { epochs: 1, next: null },
      `the schedule reduce-on-plateau: found null, expected ${plateauFields}`,
    ],
  ])('of %j is not %j', (config, state, message) => {
    const schedule = createSchedule(config, 0.1, length);
    const before = schedule.state();
    const restore = () => schedule.restore(state);
    expect(restore).toThrow(MlpError);
    expect(restore).toThrow(
      expect.objectContaining({ exitCode: ExitCode.data, message: `saved state of ${message}` }),
    );
    expect(schedule.state()).toEqual(before);
  });
});
