import { describe, expect, it } from 'vitest';
import type { ColumnProfile, Level, TableProfile, TargetProfile } from '../../../src/data/profile/profile.js';
import {
  likelyTarget,
  type SuggestedConfig,
  type Suggestion,
  suggestConfig,
} from '../../../src/data/suggest/suggestConfig.js';

type Column = Partial<Omit<ColumnProfile, 'index'>> & { name: string };

/** A column of measurements, with other figures on top. */
function column(index: number, changes: Column): ColumnProfile {
  const isText = changes.cells === 'text';
  return {
    index,
    kind: isText ? 'category' : 'numeric',
    cells: 'numeric',
    missing: 0,
    distinct: 90,
    ...(!isText && { range: { min: -3, max: 3 }, mean: 0, deviation: 1 }),
    ...changes,
  };
}

const measurements = (count: number, changes: Partial<Column> = {}): Column[] =>
  Array.from({ length: count }, (_, i) => ({ name: `x${i}`, ...changes }));

const classes = (...rows: number[]): Level[] => rows.map((count, i) => ({ name: `c${i}`, rows: count }));

interface TableOptions {
  rows?: number;
  target?: Partial<Column>;
  classes?: Level[];
  dialect?: Partial<TableProfile['dialect']>;
  warnings?: TableProfile['warnings'];
  likePrices?: boolean;
  codes?: string[];
}

/** A table of these features and a target `y` behind them: of classes where there are some, else a quantity. */
function table(features: readonly Column[], options: TableOptions = {}): TableProfile {
  const { rows = 100, warnings = [] } = options;
  const header = options.dialect?.header ?? true;
  const text = options.classes && { cells: 'text' as const, distinct: options.classes.length };
  const columns = [...features, { name: 'y', ...text, ...options.target }].map((changes, index) =>
    column(index, header ? changes : { ...changes, name: String(index) }),
  );
  const { name, index } = columns[features.length];
  const target: TargetProfile = options.classes
    ? { name, index, task: options.classes.length === 2 ? 'binary' : 'multiclass', classes: options.classes }
    : { name, index, task: 'regression', ...(options.likePrices && { likePrices: true }) };
  const codes = options.codes && { codes: options.codes };
  return {
    path: 'data.csv',
    rows,
    dialect: { delimiter: ',', header: true, ...options.dialect },
    columns,
    duplicateRows: 0,
    target: { ...target, ...codes },
    warnings,
  };
}

/** A suggestion without a preset, which has a network and its training. */
interface PlainSuggestion extends Suggestion {
  readonly config: SuggestedConfig & {
    readonly network: Required<Pick<NonNullable<SuggestedConfig['network']>, 'layers'>>;
    readonly training: NonNullable<SuggestedConfig['training']>;
  };
}

function suggestionFor(features: readonly Column[], options?: TableOptions): PlainSuggestion {
  return suggestConfig(table(features, options), { train: 'data.csv', preset: 'plain' }) as PlainSuggestion;
}

const dataOf = (features: readonly Column[], options?: TableOptions) =>
  suggestionFor(features, options).config.data;
const layersOf = (features: readonly Column[], options?: TableOptions) =>
  suggestionFor(features, options).config.network.layers;
const textOf = ({ reasons }: Suggestion, wanted: string) => reasons.find(({ key }) => key === wanted)?.text;

describe('the layers', () => {
  it.each([
    ['regression', undefined, 1],
    ['two classes', classes(50, 50), 1],
    ['three classes', classes(40, 30, 30), 3],
  ])('end as wide as the task asks for: %s', (_, levels, width) => {
    expect(layersOf(measurements(4), levels && { classes: levels }).at(-1)).toBe(width);
  });

  it('are as wide as inputs and outputs together, rounded up to a power of two', () => {
    // 30 + 1 → 32, and 30·32 + 32 + 32 + 1 = 1025 parameters
    const wide = suggestionFor(measurements(30), { rows: 569 });
    expect(wide.config.network.layers).toEqual([32, 'relu', 1]);
    expect(textOf(wide, 'network.layers')).toBe(
      '32, relu, 1, since it is wide enough for 30 inputs and 1 output, and 1,025 parameters are within 10 for each of the 569 rows',
    );
    expect(layersOf(measurements(4), { classes: classes(50, 50, 50), rows: 150 })).toEqual([16, 'relu', 3]);
  });

  it('are narrower where the rows are few', () => {
    // 100·64 + 64 + 64 + 1 > 10·500; 32 units: 3265
    expect(layersOf(measurements(100), { rows: 500 })).toEqual([32, 'relu', 1]);
    const least = suggestionFor(measurements(100), { rows: 20 });
    expect(least.config.network.layers).toEqual([8, 'relu', 1]);
    expect(textOf(least, 'network.layers')).toContain(
      '817 parameters are more than 10 for each of the 20 rows',
    );
  });

  it('are two from 10,000 rows on', () => {
    expect(layersOf(measurements(4), { rows: 9999 })).toEqual([16, 'relu', 1]);
    expect(layersOf(measurements(4), { rows: 10_000 })).toEqual([64, 'relu', 32, 'relu', 1]);
    // 784·256 + 256 + 256·128 + 128 + 128·10 + 10 = 235,146
    const pictures = measurements(784);
    const ten = classes(...new Array(10).fill(6000));
    expect(layersOf(pictures, { rows: 60_000, classes: ten })).toEqual([256, 'relu', 128, 'relu', 10]);
  });

  it('count an input for each level of a category', () => {
    const columns = [...measurements(10), { name: 'city', cells: 'text' as const, distinct: 7 }];
    expect(layersOf(columns, { rows: 1000 })).toEqual([32, 'relu', 1]);
  });
});

describe('the training', () => {
  it.each([
    [12, 9],
    [150, 16],
    [1797, 32],
    [60_000, 128],
    [1_000_000, 256],
  ])('of %i rows takes batches of %i', (rows, batchSize) => {
    expect(suggestionFor(measurements(4), { rows }).config.training.batchSize).toBe(batchSize);
  });

  it('is long enough for 1000 steps', () => {
    // 455 training rows in batches of 16: 29 steps
    const { config, reasons } = suggestionFor(measurements(30), { rows: 569 });
    expect(config.training.epochs).toBe(50);
    expect(reasons).toContainEqual({
      key: 'training.epochs',
      text: '50, since with 29 steps each that is 1,450 steps',
    });
    expect(suggestionFor(measurements(4), { rows: 30 }).config.training.epochs).toBe(200);
    expect(suggestionFor(measurements(4), { rows: 10 ** 6 }).config.training.epochs).toBe(10);
  });

  it('ends with a twentieth of the learning rate', () => {
    for (const rows of [30, 569, 5000, 10 ** 6]) {
      const { epochs, schedule } = suggestionFor(measurements(4), { rows }).config.training;
      const gamma = schedule?.type === 'exponential' ? schedule.gamma : 1;
      expect(gamma ** epochs).toBeGreaterThan(0.045);
      expect(gamma ** epochs).toBeLessThan(0.055);
    }
  });

  it('holds small data back by L2, quantities more than classes', () => {
    // 2 / 80 and 30 / 80, to one digit
    expect(suggestionFor(measurements(4), { classes: classes(50, 50) }).config.training.l2).toBe(0.03);
    expect(suggestionFor(measurements(4)).config.training.l2).toBe(0.4);
    expect(suggestionFor(measurements(4), { rows: 10_000 }).config.training).not.toHaveProperty('l2');
  });
});

describe('the features', () => {
  it('are no identifiers, constants, empty columns and rare texts, and each is said', () => {
    const unfit: Column[] = [
      { name: 'id', kind: 'identifier' },
      { name: 'unit', kind: 'constant', distinct: 1 },
      { name: 'note', missing: 51 },
      { name: 'ticket', cells: 'text', distinct: 40 },
      { name: 'user_id', kind: 'integer', distinct: 60 },
      { name: 'Unit 2', kind: 'constant', distinct: 0, missing: 100 },
    ];
    const found = suggestionFor([...measurements(2), ...unfit]);
    expect(found.config.data.exclude).toEqual(unfit.map(({ name }) => name));
    expect(textOf(found, 'data.exclude')).toBe(
      '"id", since it identifies the row instead of describing it; ' +
        '"unit", "Unit 2", since each holds a single value; ' +
        '"note", since it is empty in more than half of the rows; ' +
        '"ticket", since it holds texts that occur less than 5 times on average; ' +
        '"user_id", since it holds more than 50 different ids, whose order means nothing',
    );
  });

  it('are, with the preset, codes of many values that repeat', () => {
    const columns: Column[] = [
      { name: 'user_id', kind: 'integer', distinct: 60 },
      { name: 'zipcode', kind: 'integer', distinct: 51 },
      { name: 'order_id', kind: 'integer', distinct: 80 },
    ];
    const many = suggestConfig(table([...measurements(1), ...columns], { rows: 300 }), { train: 'data.csv' });
    expect(many.config.data.categories).toEqual(['user_id', 'zipcode']);
    expect(many.config.data.exclude).toEqual(['order_id']);
    expect(textOf(many, 'data.categories')).toBe(
      '"user_id", "zipcode", since their names say that their numbers are codes, whose order means nothing',
    );
    const plain = suggestionFor([...measurements(1), ...columns], { rows: 300 }).config.data;
    expect(plain.categories).toBeUndefined();
    expect(plain.exclude).toEqual(['user_id', 'order_id']);
  });

  it('are, with the preset, numbers that the target says are codes, but never pixels', () => {
    const columns: Column[] = [
      { name: 'school', kind: 'integer', distinct: 60 },
      { name: 'zipcode', kind: 'integer', distinct: 51 },
      { name: 'rare', kind: 'integer', distinct: 80 },
    ];
    const options = { rows: 300, codes: columns.map(({ name }) => name) };
    const all = [...measurements(1), ...columns];
    const found = suggestConfig(table(all, options), { train: 'data.csv' });
    expect(found.config.data.categories).toEqual(['school', 'zipcode']);
    expect(textOf(found, 'data.categories')).toBe(
      '"zipcode", since its name says that its numbers are codes, whose order means nothing; ' +
        '"school", since the target jumps from one of its numbers to the next, as with codes',
    );
    expect(dataOf(all, options).categories).toBeUndefined();
    const range = { min: 0, max: 255 };
    const pixels = measurements(16, { kind: 'integer', distinct: 40, range });
    const picture = table(pixels, { rows: 300, codes: ['x3'] });
    expect(suggestConfig(picture, { train: 'data.csv' }).config.data.categories).toBeUndefined();
  });

  it('are, with the preset, columns that are mostly empty, even with a single value: the gaps may tell something', () => {
    const columns: Column[] = [
      { name: 'pool', missing: 90 },
      { name: 'alley', cells: 'text', distinct: 2, missing: 90 },
      { name: 'flag', kind: 'constant', distinct: 1, missing: 60 },
      { name: 'note', missing: 91 },
    ];
    const found = suggestConfig(table(columns), { train: 'data.csv' });
    expect(found.config.data.exclude).toEqual(['note']);
    expect(textOf(found, 'data.exclude')).toBe('"note", since it is empty but for a few rows');
    expect(found.config.data.missing).toEqual({ pool: 'indicator', alley: 'indicator', flag: 'indicator' });
  });

  it('are no constants with hardly a gap', () => {
    expect(dataOf([...measurements(2), { name: 'flag', kind: 'constant', missing: 9 }]).exclude).toEqual([
      'flag',
    ]);
  });

  const tickets = { numbers: 70, words: 30, example: 'PC 17609' };

  it('are mixtures of numbers and text as categories, unless they hardly repeat', () => {
    const found = suggestionFor([
      ...measurements(2),
      { name: 'size', cells: 'text', distinct: 9, mixture: { ...tickets, example: 'XL' } },
      { name: 'ticket', cells: 'text', distinct: 21, mixture: tickets },
      { name: 'plate', cells: 'text', kind: 'identifier', distinct: 100, mixture: tickets },
    ]);
    expect(found.config.data).toMatchObject({ categories: ['size'], exclude: ['ticket', 'plate'] });
    expect(textOf(found, 'data.categories')).toBe(
      '"size", since it holds 70 numbers and 30 other cells, such as "XL"',
    );
    expect(textOf(found, 'data.exclude')).toBe(
      '"ticket", "plate", since each mixes numbers and texts such as "PC 17609", which hardly repeat',
    );
  });

  it('are numbers beside a word for a missing value, which an indicator marks', () => {
    const mixture = { numbers: 98, words: 2, example: 'n.b.', missingValues: ['n.b.', 'NA'] };
    const found = suggestionFor([...measurements(2), { name: 'score', missing: 2, mixture }]);
    expect(found.config.data).toMatchObject({
      missingValues: { score: ['n.b.', 'NA'] },
      missing: { score: 'indicator' },
    });
    expect(textOf(found, 'data.missingValues')).toBe(
      '"score" holds 98 numbers and 2 other cells, such as "n.b.", which stand for missing values',
    );
  });

  it('are excluded by number where there is no header', () => {
    const data = dataOf([{ name: 'id', kind: 'identifier' }, ...measurements(2)], {
      dialect: { header: false },
    });
    expect(data).toMatchObject({ target: 3, exclude: [0], header: false });
  });

  it('are numbers that identify the rows, where nothing else is left', () => {
    const columns: Column[] = [
      { name: 'time', kind: 'identifier' },
      { name: 'name', kind: 'identifier', cells: 'text' },
    ];
    expect(dataOf(columns).exclude).toEqual(['name']);
  });

  it('must be at least one', () => {
    expect(() => suggestionFor([{ name: 'unit', kind: 'constant' }])).toThrow(
      'data.csv: found no column to learn from, expected one beside the target',
    );
  });

  it('keep a text with few rows for each level where its levels are few', () => {
    expect(dataOf([{ name: 'city', cells: 'text', distinct: 10 }], { rows: 20 }).exclude).toBeUndefined();
  });

  it.each(['zip_code', 'Region', 'storeId', 'room type', 'month', 'nr', 'home county'])(
    'are categories by name: %s',
    (name) => {
      const code: Column = { name, kind: 'integer', distinct: 7, range: { min: 1, max: 7 } };
      const found = suggestionFor([code, ...measurements(9)], { rows: 1000 });
      expect(found.config.data.categories).toEqual([name]);
      expect(textOf(found, 'data.categories')).toContain('codes, whose order means nothing');
      // 7 + 9 inputs and an output
      expect(found.config.network.layers[0]).toBe(32);
    },
  );

  it.each([
    ['a name that says nothing', { name: 'rooms', distinct: 7 }],
    ['two values', { name: 'zone', distinct: 2 }],
    ['too many values', { name: 'zone', distinct: 51 }],
    ['too few rows for each', { name: 'zone', distinct: 21 }],
  ])('stay numbers: %s', (_, changes) => {
    expect(dataOf([{ kind: 'integer', ...changes }])).not.toHaveProperty('categories');
  });
});

describe('missing cells', () => {
  it('are filled where they are few, and said to be missing where they are many', () => {
    const found = suggestionFor([
      { name: 'age', missing: 4 },
      { name: 'income', missing: 5 },
      { name: 'city', cells: 'text', distinct: 3, missing: 1 },
      { name: 'height' },
    ]);
    expect(found.config.data.missing).toEqual({ income: 'indicator', age: 'median', city: 'most-frequent' });
    expect(textOf(found, 'data.missing')).toBe(
      'indicator for "income", since that a cell is missing may tell something too; ' +
        'median for "age", since few cells are missing, and outliers do not move it; ' +
        'most-frequent for "city", since few cells are missing',
    );
  });

  it('of many columns have one policy', () => {
    expect(dataOf(measurements(13, { missing: 1 })).missing).toBe('median');
    const some = [...measurements(12, { missing: 1 }), { name: 'z', missing: 30 }];
    expect(dataOf(some).missing).toBe('indicator');
  });

  it('of the target drop their rows', () => {
    const found = suggestionFor(measurements(2), { target: { missing: 40 } });
    expect(found.config.data.missing).toEqual({ y: 'drop-row' });
    // 60 rows are left, 48 of them to train on
    expect(textOf(found, 'training.batchSize')).toBe('16, since there are 48 rows to train on');
  });

  it('may be in a column of any name', () => {
    const { missing } = dataOf([{ name: '__proto__', missing: 1 }]);
    expect(JSON.stringify(missing)).toBe('{"__proto__":"median"}');
  });
});

describe('the scaling', () => {
  const pixel = (changes: Partial<Column> = {}): Column => ({
    name: 'p',
    kind: 'integer',
    range: { min: 0, max: 255 },
    ...changes,
  });
  const picture = Array.from({ length: 64 }, (_, i) => pixel({ name: `p${i}` }));

  it('is written, with the deviations that call for it', () => {
    const found = suggestionFor([
      { name: 'a', deviation: 0.002641 },
      { name: 'b', deviation: 569.4 },
    ]);
    expect(found.config.data.standardize).toBe(true);
    expect(textOf(found, 'data.standardize')).toContain('deviations range from 0.00264 to 569');
  });

  it('is minmax for bytes of pictures, whose constant pixels stay', () => {
    const edge = { range: { min: 0, max: 0 }, kind: 'constant' as const, distinct: 1 };
    const found = suggestionFor([pixel(edge), ...picture, { name: 'id', kind: 'identifier' }]);
    expect(found.config.data).toMatchObject({ standardize: 'minmax', exclude: ['id'] });
    expect(textOf(found, 'data.standardize')).toContain('all 65 features are whole numbers up to 255');
  });

  it.each([
    ['too few columns', picture.slice(0, 15)],
    ['one that is not whole', [...picture, pixel({ kind: 'numeric' })]],
    ['one below 0', [...picture, pixel({ range: { min: -1, max: 255 } })]],
    ['one above 255', [...picture, pixel({ range: { min: 0, max: 256 } })]],
    ['a missing cell', [...picture, pixel({ missing: 1 })]],
    ['no bright pixel', picture.map((column) => ({ ...column, range: { min: 0, max: 16 } }))],
    [
      'different ranges',
      picture.map((column, i) => ({ ...column, range: { min: 0, max: i < 40 ? 9 : 255 } })),
    ],
  ])('is the usual one where a picture has %s', (_, columns) => {
    expect(dataOf(columns).standardize).toBe(true);
  });

  it.each([
    [{ mean: 152, deviation: 77 }, true],
    [{ mean: 0, deviation: 0.01 }, true],
    [{ mean: 90, deviation: 1 }, true],
    [{ mean: 0.5, deviation: 1.2 }, undefined],
  ])('of a target with %j is %j', (target, expected) => {
    expect(dataOf(measurements(2), { target }).standardizeTarget).toBe(expected);
  });

  it('leaves classes as they are, numbers though they may be', () => {
    const target = { cells: 'numeric' as const, mean: 500, deviation: 300 };
    expect(dataOf(measurements(2), { target, classes: classes(50, 50) })).not.toHaveProperty(
      'standardizeTarget',
    );
  });
});

describe('the logarithm of a target', () => {
  const transformOf = (options: TableOptions, preset: 'tabular' | 'plain' = 'tabular') =>
    suggestConfig(table(measurements(2), options), { train: 'data.csv', preset }).config.data.targetTransform;

  it('is taken of prices, with the preset and few rows', () => {
    expect(transformOf({ likePrices: true })).toBe('log');
    expect(transformOf({})).toBeUndefined();
    expect(transformOf({ likePrices: true }, 'plain')).toBeUndefined();
    expect(transformOf({ likePrices: true, rows: 10_001 })).toBeUndefined();
  });
});

describe('the rows held out', () => {
  it('are a fifth, and a tenth of very many', () => {
    expect(dataOf(measurements(2)).validation).toBe(0.2);
    expect(dataOf(measurements(2), { rows: 100_000 }).validation).toBe(0.1);
  });

  it('are, with the preset, a fold for each member, if the rows are few and each class has one in each', () => {
    const heldOutOf = (options: TableOptions) => {
      const { config } = suggestConfig(table(measurements(2), options), {
        train: 'data.csv',
        preset: 'tabular',
      });
      return [config.network, config.data.validation];
    };
    const folded = [{ members: 5 }, undefined];
    const byDefault = [undefined, undefined];
    expect(heldOutOf({})).toEqual(folded);
    expect(heldOutOf({ rows: 10_000, classes: classes(9995, 5) })).toEqual(folded);
    expect(heldOutOf({ rows: 10_000, classes: classes(9996, 4) })).toEqual(byDefault);
    expect(heldOutOf({ rows: 10_001, classes: classes(9996, 5) })).toEqual(byDefault);
    expect(heldOutOf({ rows: 50_000 })).toEqual(folded);
    expect(heldOutOf({ rows: 50_001 })).toEqual(byDefault);
    expect(heldOutOf({ rows: 100_000 })).toEqual([undefined, 0.1]);
  });

  it('are more where each of many classes needs one', () => {
    // Ten classes of three rows: ceil(0.31·30) = 10
    const ten = classes(...new Array(10).fill(3));
    const found = suggestionFor(measurements(2), { rows: 30, classes: ten });
    expect(found.config.data.validation).toBe(0.31);
    expect(textOf(found, 'data.validation')).toBe(
      '0.31, since each of the 10 classes needs a row among those held out',
    );
    expect(found.warnings).toEqual([]);
  });

  it.each([
    ['a class has a single row', { classes: classes(99, 1) }, 'the class "c1" has a single row'],
    [
      'classes are too many',
      { rows: 21, classes: classes(...new Array(10).fill(2), 1 + 1) },
      'of 11 classes',
    ],
    ['rows are too few', { rows: 9 }, 'there are 9 rows'],
  ])('are none, with a warning, where %s', (_, options, cause) => {
    const found = suggestionFor(measurements(2), options);
    expect(found.config.data.validation).toBe(0);
    expect(found.warnings).toHaveLength(1);
    expect(found.warnings[0]).toContain(cause);
    expect(found.warnings[0]).toContain('no rows are held out');
  });

  it.each([
    [classes(50, 49, 1), { fewerThan: 5, as: 'drop' }, 1],
    [classes(50, 40, 3, 1), { fewerThan: 5, as: 'other' }, 3],
    [classes(50, 4, 4, 4, 1), { fewerThan: 4, as: 'drop' }, 4],
  ])('are a share where rare classes can be grouped: %j', (levels, rareClasses, outputs) => {
    const { config, warnings } = suggestionFor(measurements(2), { classes: levels });
    expect(config.data).toMatchObject({ rareClasses, validation: 0.2 });
    expect(config.network.layers.at(-1)).toBe(outputs);
    expect(warnings.join()).not.toContain('single row');
  });

  const split = (...names: string[]): Column => ({
    name: 'split',
    cells: 'text',
    distinct: names.length,
    frequent: names.map((name, i) => ({ name, rows: 70 - 10 * i })),
  });

  it('are those that a column marks, which is no feature', () => {
    const found = suggestionFor([...measurements(2), split('Train', 'val', 'test')], { rows: 180 });
    expect(found.config.data).toMatchObject({
      validation: { column: 'split', value: 'val' },
      test: { column: 'split', value: 'test' },
    });
    expect(found.config.data).not.toHaveProperty('exclude');
    expect(textOf(found, 'data.validation')).toBe('the 60 rows with "val", as "split" says');
    expect(textOf(found, 'training.batchSize')).toBe('16, since there are 70 rows to train on');
  });

  it('are a share of the rest where the column marks only a test', () => {
    const { validation, test } = dataOf([...measurements(2), split('train', 'test')], { rows: 130 });
    expect([validation, test]).toEqual([0.2, { column: 'split', value: 'test' }]);
  });

  it.each([
    ['a word of another kind', split('train', 'val', 'other')],
    ['no word for the training rows', split('val', 'test')],
    ['the training rows alone', split('train')],
    ['two words for one side', split('train', 'val', 'dev')],
  ])('are a share where a column has %s', (_, marking) => {
    expect(dataOf([...measurements(2), marking], { rows: 180 }).validation).toBe(0.2);
  });
});

describe('the weights', () => {
  it('are balanced where a class has more than five times the rows of another', () => {
    const found = suggestionFor(measurements(2), { classes: classes(86, 14) });
    expect(found.config.data.weights).toBe('balanced');
    expect(textOf(found, 'data.weights')).toContain('"c0" has 6 times the rows of "c1"');
    expect(dataOf(measurements(2), { classes: classes(75, 15, 10) }).weights).toBe('balanced');
    expect(dataOf(measurements(2), { classes: classes(50, 10) })).not.toHaveProperty('weights');
  });

  it('are not where a class is too rare to count for so much', () => {
    expect(dataOf(measurements(2), { classes: classes(96, 4) })).not.toHaveProperty('weights');
  });
});

it('writes what was detected where it is not the usual', () => {
  expect(dataOf(measurements(2), { dialect: { delimiter: ';', comment: '#' } })).toMatchObject({
    delimiter: ';',
    comment: '#',
  });
  expect(Object.keys(dataOf(measurements(2)))).toEqual(['train', 'target', 'standardize', 'validation']);
});

it('doubts that whole numbers are classes', () => {
  const target = { cells: 'numeric' as const };
  const levels = classes(30, 30, 40);
  expect(textOf(suggestionFor(measurements(2), { target, classes: levels }), 'data.target')).toContain(
    'set data.task to "regression"',
  );
  expect(textOf(suggestionFor(measurements(2), { classes: levels }), 'data.target')).toBe(
    '"y", with 3 classes: an output for each',
  );
});

it('hands on the warnings that the config does not answer', () => {
  const warnings = [
    { kind: 'missing', columns: ['x0'], text: 'cells are missing' },
    { kind: 'leak', columns: ['x0'], text: 'x0 gives the target away' },
    { kind: 'levels', columns: ['note'], text: 'note has many levels' },
    { kind: 'duplicates', columns: [], text: 'two rows are equal' },
    { kind: 'imbalance', columns: ['y'], text: 'c1 is rare' },
  ] as const;
  const note: Column = { name: 'note', cells: 'text', distinct: 101 };
  const found = suggestionFor([...measurements(2), note], { warnings, classes: classes(90, 10) });
  expect(found.config.data.exclude).toEqual(['note']);
  expect(found.warnings).toEqual(['x0 gives the target away', 'two rows are equal']);
});

it('refuses a target that is always the same', () => {
  const profile = table(measurements(2));
  const target = { name: 'y', index: 2, task: undefined };
  expect(() => suggestConfig({ ...profile, target }, { train: 'data.csv', preset: 'plain' })).toThrow(
    'data.csv: column "y": found a single value in all rows, expected at least two classes or values',
  );
});

describe('the likely target', () => {
  it.each([
    [['label', 'p0', 'p1'], 'label'],
    [['id', 'Diagnosis', 'radius'], 'Diagnosis'],
    [['y', 'target', 'x'], 'target'],
    [['age', 'sex', 'progression'], 'progression'],
    [['0', '1', '2'], '2'],
  ])('of %j is %j', (names, expected) => {
    expect(likelyTarget(names)).toBe(expected);
  });
});

describe('data.positive', () => {
  const suggested = (...names: string[]) =>
    suggestConfig(table(measurements(2), { classes: names.map((name) => ({ name, rows: 50 })) }), {
      train: 'data.csv',
    }).config.data.positive;

  it.each([
    [['fraud', 'ok'], 'fraud'],
    [['Yes', 'no'], 'Yes'],
    [['disease', 'healthy'], 'disease'],
    [['no', 'yes'], undefined],
    [['0', '1'], undefined],
    [['benign', 'malignant'], undefined],
    [['no', 'none'], undefined],
    [['a', 'b', 'ok'], undefined],
  ])('of %j is %j', (names, positive) => {
    expect(suggested(...names)).toBe(positive);
  });
});

describe('dates and booleans', () => {
  const dates = (changes: Partial<NonNullable<ColumnProfile['dates']>> = {}): Partial<Column> => ({
    kind: 'date',
    cells: 'text',
    dates: {
      order: 'ymd',
      range: { min: '2024-01-01', max: '2024-12-31' },
      parts: ['month', 'elapsed'],
      ...changes,
    },
  });
  const open: Column = { name: 'open', kind: 'boolean', cells: 'text', distinct: 2 };

  it('become a few inputs', () => {
    const { config, reasons } = suggestionFor([{ name: 'when', missing: 1, ...dates() }, open], {
      rows: 100,
    });
    expect(config.data).toMatchObject({
      dates: { when: ['month', 'elapsed'] },
      missing: { when: 'median' },
    });
    expect(config.data).not.toHaveProperty('exclude');
    expect(reasons.find(({ key }) => key === 'data.dates')?.text).toBe(
      '"when" holds dates from 2024-01-01 to 2024-12-31; for a forecast, set data.validation to {"last":0.2,"by":"when"}',
    );
    expect(reasons.find(({ key }) => key === 'network.layers')?.text).toContain('4 inputs');
  });

  it('are left out if they can not be read for sure', () => {
    const ambiguous = { name: 'when', ...dates({ order: 'ambiguous', parts: [] }) };
    const { config } = suggestionFor([ambiguous, { name: 'then', ...dates({ other: 'soon' }) }, open]);
    expect(config.data.exclude).toEqual(['when', 'then']);
    expect(config.data).not.toHaveProperty('dates');
  });
});
