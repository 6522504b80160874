import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import {
  type Accumulator,
  classAccumulator,
  type Evaluation,
  labelAccumulator,
  regressionAccumulator,
} from '../../src/evaluation/metrics.js';
import type { ExtraMetric, Task, Ties } from '../../src/spec/words.js';
import { extrasAmong, Monitor, metricNames, metricsOf } from '../../src/training/monitor.js';

/** A monitor that has seen these values, and what it said to each. */
function monitorOf(metric: string, values: readonly number[], minDelta?: number, ties?: Ties) {
  const monitor = new Monitor(metric, minDelta, ties);
  const improved = values.map((value, i) => monitor.observe(i + 1, new Map([[metric, value]])));
  return { monitor, improved };
}

describe('metricsOf', () => {
  const train: Evaluation = { metrics: { loss: 0.1, accuracy: 0.9 }, confusion: [[1]] };
  const validation: Evaluation = { metrics: { loss: 0.2, accuracy: 0.8 } };

  it('names the metrics of both sides, in the order of epochs.csv', () => {
    expect([...metricsOf({ train, validation })]).toEqual([
      ['train_loss', 0.1],
      ['train_accuracy', 0.9],
      ['validation_loss', 0.2],
      ['validation_accuracy', 0.8],
    ]);
  });

  it('has those of the training rows alone without validation', () => {
    expect([...metricsOf({ train }).keys()]).toEqual(['train_loss', 'train_accuracy']);
  });

  it.each<[Task, (extras: ExtraMetric[]) => Accumulator]>([
    ['regression', (extras: ExtraMetric[]) => regressionAccumulator([1, 2], [1], { extras })],
    ['binary', (extras: ExtraMetric[]) => classAccumulator([0, 1], 1, 2, extras)],
    ['multiclass', (extras: ExtraMetric[]) => classAccumulator([0, 1, 2], 3, 3, extras)],
    ['multilabel', (extras: ExtraMetric[]) => labelAccumulator([0, 1], 1, extras)],
  ])('has the names that metricNames foretells for a %s task', (task, accumulator) => {
    const train = accumulator([]).result();
    const validation = accumulator(extrasAmong(metricNames(task, true), task)).result();
    expect([...metricsOf({ train, validation }).keys()]).toEqual(metricNames(task, true));
    expect([...metricsOf({ train }).keys()]).toEqual(metricNames(task, false));
  });
});

describe('a monitor', () => {
  it('knows nothing before the first epoch', () => {
    const { monitor } = monitorOf('train_loss', []);
    expect(monitor.state()).toEqual({ best: null, bestEpoch: 0, waited: 0 });
  });

  it.each(['train_loss', 'validation_loss', 'train_rmse', 'validation_rmse'])(
    'takes a smaller %s for better',
    (metric) => {
      const { monitor, improved } = monitorOf(metric, [3, 2, 2.5, 2, 1]);
      expect(improved).toEqual([true, true, false, false, true]);
      expect([monitor.best, monitor.bestEpoch, monitor.waited]).toEqual([1, 5, 0]);
    },
  );

  it.each(['train_accuracy', 'validation_accuracy', 'train_r2', 'validation_r2'])(
    'takes a larger %s for better',
    (metric) => {
      const { monitor, improved } = monitorOf(metric, [-2, -1, -1.5, 0.5, 0.5, 0.25]);
      expect(improved).toEqual([true, true, false, true, false, false]);
      expect([monitor.best, monitor.bestEpoch, monitor.waited]).toEqual([0.5, 4, 2]);
    },
  );

  it('keeps the first of equal epochs', () => {
    expect(monitorOf('train_accuracy', [0.5, 0.5, 0.5]).monitor.bestEpoch).toBe(1);
  });

  it('keeps the last of them if it is asked to, and no worse or undefined one', () => {
    const values = [Number.NaN, 0.5, 0.75, 0.5, 0.75, Number.NaN, 0.75, 0.5];
    const { monitor, improved } = monitorOf('train_accuracy', values, 0, 'last');
    expect(improved).toEqual([false, true, true, false, true, false, true, false]);
    expect(monitor.state()).toEqual({ best: 0.75, bestEpoch: 7, waited: 1 });
    expect(monitorOf('train_loss', [1, 2, 1, 2], 0, 'last').monitor.bestEpoch).toBe(3);
  });

  it.each([
    ['validation_loss', [1, 0.75, 0.5, 0.375], [true, false, true, false]],
    ['validation_r2', [0, 0.25, 0.5, 0.625], [true, false, true, false]],
  ])('asks of %s for more than minDelta over the best, not over the last', (metric, values, expected) => {
    const { monitor, improved } = monitorOf(metric, values, 0.25);
    expect(improved).toEqual(expected);
    expect([monitor.best, monitor.bestEpoch]).toEqual([0.5, 3]);
  });

  it('takes NaN for no improvement, first or later', () => {
    const { monitor, improved } = monitorOf('validation_loss', [Number.NaN, Number.NaN, 9, Number.NaN, 8]);
    expect(improved).toEqual([false, false, true, false, true]);
    expect(monitor.state()).toEqual({ best: 8, bestEpoch: 5, waited: 0 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'has no best epoch where all are %d',
    (value) => {
      for (const metric of ['train_loss', 'train_r2']) {
        const { monitor } = monitorOf(metric, [value, value]);
        expect(monitor.state()).toEqual({ best: null, bestEpoch: 0, waited: 2 });
      }
    },
  );

  it('fails on metrics without its own', () => {
    expect(() => new Monitor('validation_loss').observe(1, new Map([['train_loss', 1]]))).toThrow(
      'no metric validation_loss among train_loss',
    );
  });
});

describe('the state of a monitor', () => {
  const values = [Number.NaN, 3, 1 / 3, 0.4, Number.NaN, 0.3, 0.3];

  it('goes through JSON, after any epoch, without the loss of a bit', () => {
    const { monitor: uninterrupted } = monitorOf('train_loss', values, 1e-3);
    for (let cut = 0; cut <= values.length; cut++) {
      const { monitor } = monitorOf('train_loss', values.slice(0, cut), 1e-3);
      const resumed = new Monitor('train_loss', 1e-3);
      resumed.restore(JSON.parse(JSON.stringify(monitor.state())));
      expect(resumed.state()).toEqual(monitor.state());
      for (let i = cut; i < values.length; i++) resumed.observe(i + 1, new Map([['train_loss', values[i]]]));
      expect(resumed.state()).toEqual(uninterrupted.state());
    }
  });

  it('is a copy: later epochs leave it as it was', () => {
    const { monitor } = monitorOf('train_loss', [2]);
    const state = monitor.state();
    monitor.observe(2, new Map([['train_loss', 3]]));
    expect(state).toEqual({ best: 2, bestEpoch: 1, waited: 0 });
  });

  it.each<[state: unknown, message: string]>([
    [null, 'found null, expected an object with best, bestEpoch, waited'],
    ['', 'found "", expected an object with best, bestEpoch, waited'],
    [{ bestEpoch: 1, waited: 0 }, 'best: found undefined, expected a finite number or null'],
    [{ best: '1', bestEpoch: 1, waited: 0 }, 'best: found "1", expected a finite number or null'],
    [{ best: 1, bestEpoch: -1, waited: 0 }, 'bestEpoch: found -1, expected a whole number of at least 0'],
    [{ best: 1, bestEpoch: 1, waited: null }, 'waited: found null, expected a whole number of at least 0'],
  ])('is not %j', (state, message) => {
    const { monitor } = monitorOf('train_loss', [2]);
    const restore = () => monitor.restore(state);
    expect(restore).toThrow(MlpError);
    expect(restore).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.data,
        message: `saved state of the monitor of train_loss: ${message}`,
      }),
    );
    expect(monitor.state()).toEqual({ best: 2, bestEpoch: 1, waited: 0 });
  });
});
