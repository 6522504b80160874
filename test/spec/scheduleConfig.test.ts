import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { expandConfig } from '../../src/spec/loadConfig.js';
import { checkSchema } from '../../src/spec/messages.js';
import { keyHomes, trainSchema } from '../../src/spec/trainConfig.js';
import { MONITORED_METRICS } from '../../src/spec/words.js';
import { errorOf } from './support.js';

/** The schedule as it is in the checked config. */
function check(schedule: unknown, learningRate = 0.1) {
  const training = { optimizer: { type: 'sgd', learningRate }, schedule };
  const config = { network: { layers: [1] }, data: { train: 'a.csv', target: 'y' }, training };
  return checkSchema(trainSchema, expandConfig(config), (path) => ({ file: 'c.json', path }), keyHomes)
    .training.schedule;
}

const warmUp = (fields: object, next: unknown) => ({ type: 'warm-up', ...fields, after: next });

const plain = 'constant, exponential, step, cosine, flat-cosine, one-cycle, coslog, reduce-on-plateau';
const plateauKeys = 'type, gamma, patience, minDelta, minimum, monitor';

describe('a schedule', () => {
  it.each([
    { type: 'constant' },
    { type: 'exponential', gamma: 1 },
    { type: 'step', gamma: 0.5, every: 10 },
    { type: 'cosine', minimum: 0.1 },
    { type: 'flat-cosine' },
    { type: 'coslog', cycles: 1 },
    { type: 'one-cycle', pctStart: 0, divFactor: 1, finalDivFactor: 1 },
    { type: 'one-cycle', pctStart: 1, divFactor: 10, finalDivFactor: 100 },
    {
      type: 'reduce-on-plateau',
      gamma: 0.5,
      patience: 0,
      minDelta: 0,
      minimum: 0.1,
      monitor: 'train_accuracy',
    },
    warmUp({ steps: 100, from: 0.5 }, { type: 'cosine', minimum: 0 }),
  ])('may be %j', (schedule) => {
    expect(check(schedule)).toEqual(schedule);
  });

  it.each([
    [{ type: 'cosine' }, { type: 'cosine', minimum: 0 }],
    [{ type: 'coslog' }, { type: 'coslog', cycles: 4 }],
    [{ type: 'one-cycle' }, { type: 'one-cycle', pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4 }],
    [
      { type: 'reduce-on-plateau' },
      {
        type: 'reduce-on-plateau',
        gamma: 0.1,
        patience: 10,
        minDelta: 1e-4,
        minimum: 0,
        monitor: 'validation_loss',
      },
    ],
    [{ type: 'warm-up', epochs: 5 }, warmUp({ epochs: 5, from: 0 }, { type: 'constant' })],
    [warmUp({ steps: 5 }, { type: 'cosine' }), warmUp({ steps: 5, from: 0 }, { type: 'cosine', minimum: 0 })],
  ])('%j has the defaults that go with it', (schedule, expected) => {
    expect(check(schedule)).toEqual(expected);
    expect(check(expected)).toEqual(expected);
  });

  it.each<[schedule: unknown, message: string, hint?: string]>([
    ['cosine', ': found "cosine", expected an object such as {"type": "exponential", "gamma": 0.95}'],
    [{ gamma: 0.5 }, `.type: missing; expected one of ${plain}, warm-up`],
    [
      { type: 'cosin' },
      `.type: unknown schedule "cosin"; expected one of ${plain}, warm-up`,
      'did you mean "cosine"?',
    ],
    [
      { type: 'warmup', epochs: 5 },
      `.type: unknown schedule "warmup"; expected one of ${plain}, warm-up`,
      'did you mean "warm-up"?',
    ],
    [{ type: 'exponential' }, '.gamma: missing; expected a number above 0 and of at most 1'],
    [{ type: 'exponential', gamma: 1.5 }, '.gamma: found 1.5, expected a number above 0 and of at most 1'],
    [{ type: 'step', gamma: 0.5, every: 0 }, '.every: found 0, expected a whole number of at least 1'],
    [{ type: 'cosine', minimum: -1 }, '.minimum: found -1, expected a number of at least 0'],
    [
      { type: 'cosine', minimum: 0.2 },
      ".minimum: found 0.2, expected at most the optimizer's learning rate, 0.1",
    ],
    [
      { type: 'cosine', gamma: 0.5 },
      ': unknown key "gamma"; expected one of type, minimum',
      '"gamma" belongs to another type of schedule',
    ],
    [{ type: 'coslog', cycles: 33 }, '.cycles: found 33, expected a whole number from 1 to 32'],
    [
      warmUp({ epochs: 1 }, { type: 'coslog' }),
      '.after.type: found coslog, expected a schedule that starts above 0: a warm-up rises to its start',
      'leave the warm-up out: coslog rises from 0 by itself',
    ],
    [{ type: 'one-cycle', pctStart: 1.1 }, '.pctStart: found 1.1, expected a number from 0 to 1'],
    [{ type: 'one-cycle', divFactor: 0.5 }, '.divFactor: found 0.5, expected a number of at least 1'],
    [
      { type: 'one-cycle', finalDivFactor: '100' },
      '.finalDivFactor: found "100", expected a number of at least 1',
      'write a number without quotes: 100',
    ],
    [{ type: 'reduce-on-plateau', gamma: 1 }, '.gamma: found 1, expected a number above 0 and below 1'],
    [{ type: 'reduce-on-plateau', gamma: 0 }, '.gamma: found 0, expected a number above 0 and below 1'],
    [
      { type: 'reduce-on-plateau', patience: 1.5 },
      '.patience: found 1.5, expected a whole number of at least 0',
    ],
    [{ type: 'reduce-on-plateau', minDelta: -1 }, '.minDelta: found -1, expected a number of at least 0'],
    [
      { type: 'reduce-on-plateau', minimum: 0.11 },
      ".minimum: found 0.11, expected at most the optimizer's learning rate, 0.1",
    ],
    [
      { type: 'reduce-on-plateau', monitor: 'loss' },
      `.monitor: unknown monitor "loss"; expected one of ${MONITORED_METRICS.join(', ')}`,
      'did you mean "train_loss"?',
    ],
    [
      { type: 'reduce-on-plateau', patiense: 3 },
      `: unknown key "patiense"; expected one of ${plateauKeys}`,
      'did you mean "patience"?',
    ],
    [
      { type: 'warm-up' },
      ': found neither "epochs" nor "steps", expected one of them',
      'say how long the learning rate rises, for example "epochs": 5',
    ],
    [
      { type: 'warm-up', epochs: 1, steps: 1 },
      ': found both "epochs" and "steps", expected one of them',
      'say how long the learning rate rises, for example "epochs": 5',
    ],
    [{ type: 'warm-up', epochs: 0 }, '.epochs: found 0, expected a whole number of at least 1'],
    [{ type: 'warm-up', epochs: 1, from: 1 }, '.from: found 1, expected a number of at least 0 and below 1'],
    [
      warmUp({ epochs: 1 }, 'cosine'),
      '.after: found "cosine", expected an object such as {"type": "exponential", "gamma": 0.95}',
    ],
    [
      warmUp({ epochs: 1 }, { type: 'expontial' }),
      `.after.type: unknown schedule "expontial"; expected one of ${plain}`,
      'did you mean "exponential"?',
    ],
    [
      warmUp({ epochs: 1 }, { type: 'warm-up', epochs: 1 }),
      `.after.type: found "warm-up", expected another schedule (${plain}): after a warm-up the learning rate is at its full height`,
    ],
    [
      warmUp({ epochs: 1 }, { type: 'cosine', minimum: 1 }),
      ".after.minimum: found 1, expected at most the optimizer's learning rate, 0.1",
    ],
  ])('may not be %j', (schedule, message, hint) => {
    expect(errorOf(() => check(schedule))).toEqual({
      exitCode: ExitCode.config,
      message: `c.json: training.schedule${message}`,
      hint,
    });
  });
});
