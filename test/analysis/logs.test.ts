import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEpochs, readLayers, readSteps } from '../../src/analysis/logs.js';
import { folderOf } from '../support/cli.js';

const ALL = 2 ** 30;

describe('steps.csv', () => {
  const stepsOf = (count: number) =>
    [
      'step,epoch,learning_rate,loss',
      ...Array.from({ length: count }, (_, i) => `${i + 1},1,0.5,${i}`),
      '',
    ].join('\n');

  it('is read whole', () => {
    const run = folderOf({ 'steps.csv': stepsOf(3) });
    expect(readSteps(run, ALL)).toEqual({
      step: Float64Array.of(1, 2, 3),
      learningRate: Float64Array.of(0.5, 0.5, 0.5),
      loss: Float64Array.of(0, 1, 2),
      isSample: false,
    });
  });

  it('is sampled in whole lines from its start to its end if it is long', () => {
    const run = folderOf({ 'steps.csv': stepsOf(400_000) });
    const found = readSteps(run, 2 ** 20);
    expect(found?.isSample).toBe(true);
    const { step = [], loss = [] } = found ?? {};
    expect(step[0]).toBe(1);
    expect(step.at(-1)).toBe(400_000);
    expect(Array.from(step)).toEqual(Array.from(step).sort((a, b) => a - b));
    // A line that was cut would have another loss.
    expect(Array.from(loss, (value, i) => value + 1 - step[i]).every((difference) => difference === 0)).toBe(
      true,
    );
  });

  it('is nothing if it is missing, has no step, or is no table', () => {
    expect(readSteps(folderOf({}), ALL)).toBeUndefined();
    expect(readSteps(folderOf({ 'steps.csv': stepsOf(0) }), ALL)).toBeUndefined();
    expect(readSteps(folderOf({ 'steps.csv': 'no\ntable\nat all\n' }), ALL)).toBeUndefined();
  });

  it('keeps losses that are NaN', () => {
    const run = folderOf({ 'steps.csv': 'step,epoch,learning_rate,loss\n1,1,0.1,NaN\n2,1,0.1,2\n' });
    expect(readSteps(run, ALL)?.loss).toEqual(Float64Array.of(Number.NaN, 2));
  });
});

describe('epochs.csv', () => {
  it('is read by columns; an empty cell is NaN', () => {
    const run = folderOf({ 'epochs.csv': 'epoch,train_loss,train_r2\n1,0.5,\n2,0.25,0.75\n' });
    expect(readEpochs(run)).toEqual(
      new Map([
        ['epoch', Float64Array.of(1, 2)],
        ['train_loss', Float64Array.of(0.5, 0.25)],
        ['train_r2', Float64Array.of(Number.NaN, 0.75)],
      ]),
    );
    expect(readEpochs(join(run, 'none'))).toEqual(new Map());
  });
});

describe('layers.csv', () => {
  it('is read by layers; an empty cell is NaN', () => {
    const header = 'epoch,layer,gradient_norm,output_mean,output_deviation,output_zeros';
    const run = folderOf({
      'layers.csv': `${header}\n1,layers.0,0.5,,,\n1,layers.1,,3,2,0.25\n2,layers.0,0.25,,,\n`,
    });
    const none = Float64Array.of(Number.NaN, Number.NaN);
    expect(readLayers(run)).toEqual([
      {
        name: 'layers.0',
        epoch: Float64Array.of(1, 2),
        gradientNorm: Float64Array.of(0.5, 0.25),
        deviation: none,
        zeros: none,
      },
      {
        name: 'layers.1',
        epoch: Float64Array.of(1),
        gradientNorm: Float64Array.of(Number.NaN),
        deviation: Float64Array.of(2),
        zeros: Float64Array.of(0.25),
      },
    ]);
    expect(readLayers(folderOf({}))).toEqual([]);
  });
});
