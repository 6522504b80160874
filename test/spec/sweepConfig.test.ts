import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatJson } from '../../src/spec/json.js';
import { checkSweep, loadSweep, sweepJsonSchema } from '../../src/spec/sweepConfig.js';
import { projectPath } from '../support/fixtures.js';
import { errorOf, folderWith } from './support.js';

const check = (value: unknown) => checkSweep(value, 's.json').sweep;
const ofSetting = (setting: unknown) => ({ space: { 'training.l2': setting } });

describe('a sweep file', () => {
  it('has a default for all but the space', () => {
    const space = { 'training.l2': { choice: [0, { log: [1e-6, 1e-2] }] } };
    expect(check({ space })).toEqual({
      method: 'tpe',
      metric: 'validation_loss',
      seed: 0,
      pending: 4,
      space,
    });
    expect(check({ space, stop: { type: 'halving' } }).stop).toEqual({
      type: 'halving',
      factor: 3,
      minEpochs: 1,
    });
  });

  it.each([
    { log: [1e-6, 1e-2] },
    { log: [1, 2], steps: 5 },
    { int: [-3, 3] },
    { int: [16, 256], log: true },
    { int: [64, 512], step: 64 },
    { float: [0, 0.5] },
    { float: [0, 1], step: 1 },
    { choice: [[64, 'relu', 1], { type: 'adam' }, null, 'x', true, 1, '1'] },
    { choice: [{ value: { log: [1, 2] } }, { choice: [1, { int: [3, 4] }] }, { value: { value: 1 } }] },
  ])('takes the setting %j', (setting) => {
    expect(check(ofSetting(setting)).space).toEqual({ 'training.l2': setting });
  });

  it.each([
    [
      [0, 1],
      ': found [0,1], expected an object such as {"log": [0.0001, 0.1]} or {"choice": ["relu", "tanh"]}',
    ],
    [{}, ': found {}, expected an object such as {"log": [0.0001, 0.1]} or {"choice": ["relu", "tanh"]}'],
    [{ values: [1] }, ': unknown key "values"; expected one of choice, int, float, log'],
    [{ log: [1, 2], lg: 1 }, ': unknown key "lg"; expected one of log, steps'],
    [{ log: [0, 1] }, '.log[0]: found 0, expected a number above 0'],
    [{ log: [-1, 1] }, '.log[0]: found -1, expected a number above 0'],
    [{ log: [1, 1] }, '.log: found the empty range [1, 1], expected the lower number first'],
    [{ log: [1] }, '.log: found [1], expected two numbers above 0, such as [0.0001, 0.1]'],
    [{ log: true }, '.log: found true, expected two numbers above 0, such as [0.0001, 0.1]'],
    [{ int: [1, 1.5] }, '.int[1]: found 1.5, expected a whole number'],
    [{ int: [4, 3] }, '.int: found the empty range [4, 3], expected the lower number first'],
    [{ int: [0, 3], log: true }, '.int[0]: found 0 with "log": true, expected at least 1'],
    [{ int: [1, 9], log: true, step: 2 }, '.step: found 2 with "log": true, expected none'],
    [{ int: [1, 9], step: 9 }, '.step: found 9, expected at most 8, the width of the range'],
    [{ float: [0, 'a'] }, '.float[1]: found "a", expected a number'],
    [
      { float: [-1e308, 1e308] },
      '.float: found a range wider than 1.7976931348623157e+308, expected a narrower one',
    ],
    [{ float: [0, 1], step: 0.5, steps: 3 }, '.steps: found 3 with "step": 0.5, expected one of the two'],
    [{ choice: 3 }, '.choice: found 3, expected a list of values'],
    [{ choice: [] }, '.choice: found [], expected at least one value'],
    [
      { choice: [1, { a: 1, b: 2 }, { b: 2, a: 1 }] },
      '.choice[2]: found {"b":2,"a":1} a second time, expected it once',
    ],
    [{ choice: [1, { value: 1 }] }, '.choice[1]: found {"value":1} a second time, expected it once'],
    [
      { choice: [0, { log: [2, 1] }] },
      '.choice[1].log: found the empty range [2, 1], expected the lower number first',
    ],
  ])('refuses the setting %j', (setting, message) => {
    expect(errorOf(() => check(ofSetting(setting)))).toMatchObject({
      exitCode: 78,
      message: `s.json: space["training.l2"]${message}`,
    });
  });

  it.each([
    [{}, ': found no setting, expected at least one'],
    [[], ': found [], expected an object of settings, such as {"training.l2": {"log": [1e-6, 0.01]}}'],
    [
      { 'a..b': { int: [1, 2] } },
      '["a..b"]: found no path of a setting, expected one as for --set, such as training.epochs or network.layers[0].units',
    ],
    [
      { a: { choice: [1] }, 'a.b': { int: [1, 2] } },
      '["a.b"]: overlaps with "a", expected separate settings',
    ],
    [
      { 'a[1]': { int: [1, 2] }, 'a[01]': { int: [1, 2] } },
      '["a[1]"]: overlaps with "a[01]", expected separate settings',
    ],
  ])('refuses the space %j', (space, message) => {
    expect(errorOf(() => check({ space })).message).toBe(`s.json: space${message}`);
  });

  it('asks for the steps of a real range in a grid, in a nested one too', () => {
    const space = {
      a: { choice: [0, { log: [1, 2] }] },
      b: { int: [1, 3] },
      c: { float: [0, 1], step: 0.5 },
    };
    const missing = 'missing; expected how many values of this range a grid takes';
    expect(errorOf(() => check({ method: 'grid', space })).message).toBe(
      `s.json: space.a.choice[1].steps: ${missing}`,
    );
    const int = { d: { int: [1, 9], log: true } };
    expect(errorOf(() => check({ method: 'grid', space: int })).message).toBe(
      `s.json: space.d.steps: ${missing}`,
    );
    space.a.choice[1] = { log: [1, 2], steps: 3 } as never;
    expect(check({ method: 'grid', space }).method).toBe('grid');
  });

  it('has a line in the manual for each key', () => {
    const manual = readFileSync(projectPath('docs/tuning.md'), 'utf8');
    const { $schema: _, ...keys } = sweepJsonSchema().properties ?? {};
    expect(Object.keys(keys).filter((key) => !manual.includes(`| \`${key}\` |`))).toEqual([]);
  });

  it('suggests what is meant, and gives line and column', () => {
    const space = { 'training.l2': { log: [1, 2] } };
    const folder = folderWith({
      'a.json': formatJson({ space, minEpochs: 3 }),
      'b.json': formatJson({ space: { 'training.l2': { loguniform: [1, 2] } } }),
    });
    expect(errorOf(() => loadSweep(`${folder}/a.json`))).toEqual({
      exitCode: 78,
      message: `${folder}/a.json:3:3: unknown key "minEpochs"; expected one of $schema, base, method, trials, metric, seed, pending, space, stop`,
      hint: 'did you mean "stop.minEpochs"?',
    });
    expect(errorOf(() => loadSweep(`${folder}/b.json`))).toEqual({
      exitCode: 78,
      message: `${folder}/b.json:2:31: space["training.l2"]: unknown key "loguniform"; expected one of choice, int, float, log`,
      hint: 'did you mean "log"?',
    });
  });
});
