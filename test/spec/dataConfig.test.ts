import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { columnsWithSetting, settingOf, weightColumn } from '../../src/spec/dataConfig.js';
import { parseJson } from '../../src/spec/json.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { checkSchema } from '../../src/spec/messages.js';
import { trainSchema } from '../../src/spec/trainConfig.js';
import { MISSING_POLICIES } from '../../src/spec/words.js';
import { errorOf, folderWith } from './support.js';

const needed = { train: 'a.csv', target: 'y' };

const network = { layers: [{ type: 'linear', units: 1 }] };

const check = (part: object) =>
  checkSchema(trainSchema, { network, data: { ...needed, ...part } }, (path) => ({ file: 'c.json', path }))
    .data;

/** `name` as an own key, where an assignment would set the prototype. */
const keyed = <Value>(name: string, value: Value) => Object.fromEntries([[name, value]]);

describe('the data of a train config', () => {
  it('have a default for all but the file, the target, comments and weights', () => {
    expect(check({})).toEqual({
      ...needed,
      task: 'auto',
      exclude: [],
      delimiter: 'auto',
      header: 'auto',
      categories: [],
      missing: 'error',
      standardize: true,
      standardizeTarget: 'auto',
      validation: 0.2,
      test: 0,
    });
  });

  it.each([
    { train: '-' },
    { target: 4 },
    { target: ['y'] },
    { target: ['y', 'z', 0], task: 'regression' },
    { task: 'binary' },
    { exclude: ['id', 0] },
    { delimiter: ',' },
    { delimiter: '\t', comment: '#' },
    { delimiter: ',', comment: ';' },
    { header: false },
    { header: true },
    { comment: '%' },
    { categories: ['postcode', 3] },
    ...MISSING_POLICIES.map((missing) => ({ missing })),
    { missing: {} },
    { missing: { age: 'mean', '': 'median', '0': 'indicator' } },
    { standardize: false },
    { standardize: 'minmax' },
    { standardize: { age: 'minmax', income: false, height: true } },
    { test: { fold: 5, of: 5, repeat: 1000, seed: 2 ** 32 - 1, group: 'patient' } },
    { test: { fold: 1, of: 2, repeat: 1, ordered: true, by: 0 } },
    { validation: { fold: 2, of: 3, repeat: 2, stratify: 'quantiles' }, test: 'b.csv' },
    { validation: 0 },
    { validation: '../data/test.csv', test: 0.5 },
    { validation: { column: 'split', value: 'dev' }, test: { column: 2, value: 1 } },
    { weights: 'balanced' },
    { weights: { yes: 2.5, no: 0 } },
    { weights: {} },
    { weights: { column: 'w' } },
    { weights: { column: 3 } },
    { weights: { column: 3, row: 1 } },
  ])('take %j as it is', (part) => {
    expect(check(part)).toEqual({ ...check({}), ...part });
  });

  it('mark the rows of a column by "validation" and "test" unless another value is said', () => {
    expect(check({ validation: { column: 'split' }, test: { column: 'split' } })).toMatchObject({
      validation: { column: 'split', value: 'validation' },
      test: { column: 'split', value: 'test' },
    });
  });

  it.each<[part: object, message: string, hint?: string]>([
    [{ train: '' }, 'data.train: found "", expected the path of a CSV file, or an array of paths'],
    [{ target: -1 }, 'data.target: found -1, expected a whole number of at least 0'],
    [
      { target: null },
      "data.target: found null, expected a column's name, its number from 0, or an array of these",
    ],
    [{ target: [] }, 'data.target: found [], expected at least one column'],
    [{ target: ['y', true] }, "data.target[1]: found true, expected a column's name, or its number from 0"],
    [{ target: ['y', 0, 'y'] }, 'data.target[2]: found "y" a second time, expected each column once'],
    [
      { target: ['y', 'z'], task: 'binary' },
      'data.task: found "binary" with 2 targets, expected "multilabel" or "regression"',
      'a classification has one target',
    ],
    [
      { target: ['y', 'z'], task: 'multilabel', weights: 'balanced' },
      'data.weights: found weights by class in a multilabel task, expected {"column": …}',
      'a multilabel task has no classes: name a column with the weight of each row',
    ],
    [
      { task: 'multilabel', rareClasses: { fewerThan: 3, as: 'drop' } },
      'data.rareClasses: found rare classes in a multilabel task, which has none',
    ],
    [
      { task: 'multiclass', positive: 'a' },
      'data.positive: found "a" in a multiclass task, expected a binary or multilabel one',
      'only one of two classes is the positive one: remove the key, or check data.task',
    ],
    [{ positive: true }, 'data.positive: found true, expected one of the two classes, such as "yes" or 1'],
    [{ test: { fold: 6, of: 5 } }, 'data.test.fold: found 6 of 5 folds, expected a whole number from 1 to 5'],
    [{ test: { fold: 1, of: 1 } }, 'data.test.of: found 1, expected a whole number of at least 2'],
    [{ test: { fold: 1, of: 5, by: 'day' } }, 'data.test.by: found "by" without "ordered": true'],
    [
      { test: { fold: 1, of: 5, ordered: true, repeat: 2 } },
      'data.test.repeat: found 2 with "ordered": true, expected 1: the order allows for a single division',
    ],
    [
      { test: { fold: 1, of: 5, group: 'patient', stratify: false } },
      'data.test.stratify: found "stratify" together with "group", expected one of them',
    ],
    [{ exclude: 'id' }, 'data.exclude: found "id", expected an array of columns'],
    [{ exclude: [true] }, "data.exclude[0]: found true, expected a column's name, or its number from 0"],
    [
      { categories: ['a', ''] },
      `data.categories[1]: found "", expected a column's name, or its number from 0`,
    ],
    [{ delimiter: 'x' }, 'data.delimiter: found "x", expected "auto", ",", ";", "\\t", "|" or "whitespace"'],
    [
      { delimiter: null },
      'data.delimiter: found null, expected "auto", ",", ";", "\\t", "|" or "whitespace"',
    ],
    [{ delimiter: '\\t' }, 'data.delimiter: found "\\\\t", expected "\\t", which is how JSON writes a tab'],
    [{ delimiter: 'Tab' }, 'data.delimiter: found "Tab", expected "\\t", which is how JSON writes a tab'],
    [{ delimiter: 'semicolon' }, 'data.delimiter: found "semicolon", expected ";"'],
    [{ header: 'yes' }, 'data.header: found "yes", expected "auto", true or false'],
    ...['', '##', '"', '5', 'a', ' ', '\n', '\r', '-', '.', '?', '§', '\t', null].map(
      (comment): [object, string] => [
        { comment },
        `data.comment: found ${JSON.stringify(comment)}, expected one character such as "#" that no cell begins with`,
      ],
    ),
    [{ comment: ';', delimiter: ';' }, 'data.comment: found the delimiter ";", expected another character'],
    [
      { comment: '|' },
      'data.comment: found "|", which may also be the delimiter, expected the delimiter to be given',
      'also set "delimiter", for example to ","',
    ],
    [
      { missing: 'meen' },
      'data.missing: unknown policy "meen"; expected one of error, mean, median, most-frequent, indicator, drop-row',
      'did you mean "mean"?',
    ],
    [
      { missing: { age: 'mean', height: 'mostfrequent' } },
      'data.missing.height: unknown policy "mostfrequent"; expected one of error, mean, median, most-frequent, indicator, drop-row',
      'did you mean "most-frequent"?',
    ],
    [
      { missing: true },
      'data.missing: found true, expected a policy such as "mean", or an object of policies by column',
    ],
    [
      { missing: ['mean'] },
      'data.missing: found ["mean"], expected a policy such as "mean", or an object of policies by column',
    ],
    [
      { missing: { a: 1, b: null } },
      'data.missing.a: found 1, expected one of error, mean, median, most-frequent, indicator, drop-row (and 1 more problem)',
    ],
    [
      { standardize: 'min-max' },
      'data.standardize: found "min-max", expected true, false, "minmax", "robust", or an object of these by column',
    ],
    [
      { standardize: { 'a b': 'no' } },
      'data.standardize["a b"]: found "no", expected true, false, "minmax" or "robust"',
    ],
    ...(['validation', 'test'] as const).flatMap((key): [object, string, string?][] => [
      ...[1, -0.1, '', true].map((found): [object, string] => [
        { [key]: found },
        `data.${key}: found ${JSON.stringify(found)}, expected a fraction of at least 0 and below 1, the path of a CSV file, or an object such as {"column": "split"}, {"last": 0.2} or {"share": 0.2, "group": "patient"}`,
      ]),
      [
        { [key]: { colum: 'split' } },
        `data.${key}: unknown key "colum"; expected one of column, value (and 1 more problem)`,
        'did you mean "column"?',
      ],
      [
        { [key]: { value: 'x' } },
        `data.${key}.column: missing; expected a column's name, or its number from 0`,
      ],
      [
        { [key]: { column: 'split', value: true } },
        `data.${key}.value: found true, expected the text or the number in the cells of these rows`,
      ],
    ]),
    [
      { weights: 'balance' },
      'data.weights: found "balance", expected "balanced", an object of weights by class, or {"column": …}',
    ],
    [
      { weights: [1, 2] },
      'data.weights: found [1,2], expected "balanced", an object of weights by class, or {"column": …}',
    ],
    [{ weights: { yes: -1 } }, 'data.weights.yes: found -1, expected a number of at least 0'],
    [
      { weights: { yes: '2' } },
      'data.weights.yes: found "2", expected a number of at least 0',
      'write a number without quotes: 2',
    ],
    [
      { weights: { column: '' } },
      'data.weights.column: found "", expected a column\'s name, or its number from 0',
    ],
    [{ weights: { column: 'w', other: 1 } }, 'data.weights: unknown key "other"; expected one of column'],
    ...([['y', 'z'], 'y'] as const).map((target): [object, string, string] => [
      { target, task: target === 'y' ? 'regression' : 'auto', weights: 'balanced' },
      'data.weights: found weights by class in a regression, expected {"column": …}',
      'a regression has no classes: name a column with the weight of each row',
    ]),
    [
      { train: '-', test: '-' },
      'data.test: found "-", which data.train already reads, expected standard input only once',
    ],
  ])('refuse %j', (part, message, hint) => {
    expect(errorOf(() => check(part))).toEqual({
      exitCode: ExitCode.config,
      message: `c.json: ${message}`,
      hint,
    });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a\u001bb'])(
    'take %j as the name of a column or class like any other',
    (name) => {
      const text = JSON.stringify({
        missing: keyed(name, 'mean'),
        standardize: keyed(name, 'minmax'),
        weights: keyed(name, 2),
      });
      const { missing, standardize, weights } = check(parseJson(text, 'c.json') as object);
      expect(JSON.stringify({ missing, standardize, weights })).toBe(text);
      expect(settingOf(missing, name, 'error')).toBe('mean');
      expect(settingOf(standardize, name, true)).toBe('minmax');
      expect(Object.getPrototypeOf(missing)).toBe(Object.prototype);
    },
  );

  it.each(['__proto__', 'constructor'])('judge what is set for %j like the rest', (name) => {
    expect(errorOf(() => check({ missing: keyed(name, { polluted: true }) })).message).toBe(
      `c.json: data.missing.${name}: found {"polluted":true}, expected one of ${MISSING_POLICIES.join(', ')}`,
    );
    expect(errorOf(() => check(keyed(name, 1))).message).toMatch(`c.json: data: unknown key "${name}"; `);
  });

  it('come out of a second check as they went in, whatever the columns are called', () => {
    const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'column', '0'), fc.string());
    const settings = <Setting extends string | boolean>(...all: Setting[]) =>
      fc.oneof(
        fc.constantFrom(...all),
        fc.array(fc.tuple(name, fc.constantFrom(...all))).map(Object.fromEntries),
      );
    const part = fc.record({
      missing: settings(...MISSING_POLICIES),
      standardize: settings<boolean | 'minmax'>(true, false, 'minmax'),
      weights: fc
        .array(fc.tuple(name, fc.float({ min: 0, noNaN: true, noDefaultInfinity: true })))
        .map(Object.fromEntries),
    });
    fc.assert(
      fc.property(part, (written) => {
        const text = JSON.stringify(written);
        const { missing, standardize, weights } = check(parseJson(text, 'c.json') as object);
        expect(JSON.stringify({ missing, standardize, weights })).toBe(text);
      }),
    );
  });
});

describe('--set of the data', () => {
  const set = (data: object, ...overrides: string[]) => {
    const folder = folderWith({ 'c.json': { network: { layers: [1] }, data: { ...needed, ...data } } });
    return loadTrainConfig(`${folder}/c.json`, overrides).config.data;
  };

  it.each<[text: string, part: object]>([
    ['data.train=-', { train: '-' }],
    ['data.target=["y","z"]', { target: ['y', 'z'] }],
    ['data.missing=mean', { missing: 'mean' }],
    ['data.missing.age=mean', { missing: { age: 'mean' } }],
    ['data.missing.__proto__=mean', { missing: keyed('__proto__', 'mean') }],
    ['data.missing={"a b":"mean"}', { missing: { 'a b': 'mean' } }],
    ['data.delimiter=;', { delimiter: ';' }],
    ['data.delimiter=,', { delimiter: ',' }],
    ['data.delimiter=|', { delimiter: '|' }],
    ['data.delimiter=\t', { delimiter: '\t' }],
    ['data.delimiter="\\t"', { delimiter: '\t' }],
    ['data.header=false', { header: false }],
    ['data.header=auto', { header: 'auto' }],
    ['data.comment=#', { comment: '#' }],
    ['data.standardize=minmax', { standardize: 'minmax' }],
    ['data.validation.column=split', { validation: { column: 'split', value: 'validation' } }],
    ['data.test=0.25', { test: 0.25 }],
    ['data.weights=balanced', { weights: 'balanced' }],
    ['data.weights.yes=3', { weights: { yes: 3 } }],
  ])('%s', (text, part) => {
    expect(set({}, text)).toEqual({ ...set({}), ...part });
  });

  it('reaches one column of several, and refuses one where the setting is for all', () => {
    expect(set({ missing: { a: 'mean', b: 'median' } }, 'data.missing.b=error').missing).toEqual({
      a: 'mean',
      b: 'error',
    });
    expect(errorOf(() => set({ missing: 'mean' }, 'data.missing.b=error'))).toMatchObject({
      exitCode: ExitCode.usage,
      message: '--set data.missing.b=error: data.missing is "mean", expected an object',
    });
  });

  it('says how a tab is written to one who writes its escape', () => {
    expect(errorOf(() => set({}, 'data.delimiter=\\t')).message).toBe(
      '--set: data.delimiter: found "\\\\t", expected "\\t", which is how JSON writes a tab',
    );
  });
});

describe('settingOf', () => {
  it('is the same for all columns where the setting is one', () => {
    expect(settingOf('mean', 'age', 'error')).toBe('mean');
    expect(settingOf<boolean | 'minmax'>(false, 'age', true)).toBe(false);
    expect(columnsWithSetting('mean')).toEqual([]);
  });

  it("is a column's own where it has one, else that of the others", () => {
    const settings = { age: 'mean', height: 'median' };
    expect(settingOf(settings, 'height', 'error')).toBe('median');
    expect(settingOf(settings, 'weight', 'error')).toBe('error');
    expect(columnsWithSetting(settings)).toEqual(['age', 'height']);
  });

  it.each(['__proto__', 'constructor', 'toString'])('finds nothing inherited for a column %s', (name) => {
    expect(settingOf({ age: 'mean' }, name, 'error')).toBe('error');
  });
});

describe('weightColumn', () => {
  it('is the column of an object whose only key is "column"', () => {
    expect(weightColumn({ column: 'w' })).toBe('w');
    expect(weightColumn({ column: 0 })).toBe(0);
  });

  it('is none of weights that go by class', () => {
    expect(weightColumn('balanced')).toBeUndefined();
    expect(weightColumn({ yes: 2 })).toBeUndefined();
    expect(weightColumn({ column: 2, row: 1 })).toBeUndefined();
    expect(weightColumn({})).toBeUndefined();
  });
});
