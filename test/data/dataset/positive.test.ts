import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();

function load(targets: readonly (string | number)[], options: Partial<DataConfig>) {
  folder.write('train.csv', ['x,y', ...targets.map((target, row) => `${row},${target}`)].join('\n'));
  return loadDataset(configOf({ train: 'train.csv', target: 'y', ...options }), folder.path, inConfig);
}

describe('data.positive', () => {
  it('puts the positive class second', async () => {
    const { classes, task, train } = await load(['fraud', 'ok', 'ok'], { positive: 'fraud' });
    expect({ classes, task, labels: [...(train.labels ?? [])] }).toEqual({
      classes: ['ok', 'fraud'],
      task: 'binary',
      labels: [1, 0, 0],
    });
  });

  it('changes nothing for the class that is the second anyway', async () => {
    expect((await load(['fraud', 'ok'], { positive: 'ok' })).classes).toEqual(['fraud', 'ok']);
  });

  it('takes a number, as the file spells it', async () => {
    const { classes, train } = await load([1, 0, 1], { positive: 0 });
    expect(classes).toEqual(['1', '0']);
    expect(train.labels).toEqual(Int32Array.of(0, 1, 0));
  });

  it('goes with weights by class', async () => {
    const { train } = await load(['a', 'b', 'b'], { positive: 'a', weights: { a: 5, b: 2 } });
    expect(train.weights).toEqual(Float64Array.of(5, 2, 2));
  });

  it('is chosen after rare classes are set aside', async () => {
    const { classes } = await load(['a', 'a', 'b', 'c', 'c'], {
      positive: 'a',
      rareClasses: { fewerThan: 2, as: 'drop' },
    });
    expect(classes).toEqual(['c', 'a']);
  });

  it.each<[string, (string | number)[], string | number, string, string | undefined]>([
    [
      'no class',
      ['fraud', 'ok'],
      'fruad',
      'found "fruad", which is no class of column "y" in FILE, expected one of fraud, ok',
      'did you mean "fraud"?',
    ],
    [
      'three classes',
      ['a', 'b', 'c'],
      'b',
      'found "b" for the 3 classes of column "y" in FILE, expected two classes',
      'only one of two classes is the positive one: remove the key, or check data.task',
    ],
    [
      'a quantity',
      [1.5, 2.5, 3.25],
      1,
      'found "1" for a quantity of column "y" in FILE, expected two classes',
      'only one of two classes is the positive one: remove the key, or check data.task',
    ],
  ])('is an error for %s', async (_, targets, positive, message, hint) => {
    const error = await rejection(load(targets, { positive }));
    expect(error.exitCode).toBe(ExitCode.config);
    expect(error.message.replace(`${folder.path}/train.csv`, 'FILE')).toBe(
      `c.json: data.positive: ${message}`,
    );
    expect(error.hint).toBe(hint);
  });
});
