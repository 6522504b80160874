/** Models that together have every layer, encoding and output, with weights drawn at random. */
import { join } from 'node:path';
import { type FeatureEncoding, matrixWidth } from '../../src/data/encoding/encoding.js';
import { DEFAULT_MISSING } from '../../src/data/missingValues.js';
import { describeModel } from '../../src/export/describe.js';
import type { ExportRequest } from '../../src/export/format.js';
import { ACTIVATION_TYPES, ACTIVATIONS, type ActivationFormula } from '../../src/kernels/activations.js';
import type { DType } from '../../src/kernels/kernels.js';
import { type Ensemble, ensembleOf } from '../../src/model/ensemble.js';
import { loadModel, type Model, networkTensors } from '../../src/model/load.js';
import type { ModelContent } from '../../src/model/model.js';
import type { NamedTensor } from '../../src/model/safetensors/encode.js';
import { RandomState } from '../../src/random/randomState.js';
import { modelBytes, networkOf } from '../model/models.js';
import { folderWith } from '../spec/support.js';

const MARKS = { shift: 0, scale: 0.5, clip: 3 };

/** Every kind of encoding, with all that it may have. */
const ENCODINGS: Readonly<Record<string, readonly FeatureEncoding[]>> = {
  numeric: [{ kind: 'numeric', column: 'age', shift: 40, scale: 10, range: [20, 80] }],
  'numeric, filled and marked': [
    { kind: 'numeric', column: 'age', shift: 40, scale: 10, fill: 41, indicator: true, range: [20, 80] },
  ],
  'numeric, robust': [
    { kind: 'numeric', column: 'age', shift: 40, scale: 10, clip: 3, fill: 40, indicator: MARKS },
    { kind: 'numeric', column: 'plain', shift: 1, scale: 3 },
  ],
  'numeric, of a single value': [
    { kind: 'numeric', column: 'x', shift: 0, scale: 1, range: [0, 0] },
    { kind: 'numeric', column: 'y', shift: 1, scale: 2 },
  ],
  'numeric, with levels': [
    {
      kind: 'numeric',
      column: 'gain',
      shift: 0,
      scale: 9,
      clip: 3,
      fill: 0,
      levels: [0, 5, 99.5],
      indicator: true,
    },
  ],
  category: [{ kind: 'category', column: 'city', levels: ['Bern', 'Lyon', 'Oslo'] }],
  'category, filled': [
    { kind: 'category', column: 'city', levels: ['Bern', 'Lyon', 'NA', 'a "b", c'], fill: 'Lyon' },
  ],
  'category, robust and marked': [
    {
      kind: 'category',
      column: 'city',
      levels: ['Bern', 'Lyon', 'Oslo'],
      indicator: MARKS,
      transforms: [
        { shift: 0, scale: 1, clip: 3 },
        { shift: 0.5, scale: 0.5, clip: 3 },
        { shift: 0, scale: 1, clip: 3 },
      ],
    },
  ],
  'category, of two levels': [
    {
      kind: 'category',
      column: 'sex',
      levels: ['f', 'm'],
      fill: 'm',
      signs: true,
      transforms: [{ shift: 1, scale: 2, clip: 3 }],
    },
  ],
  boolean: [{ kind: 'boolean', column: 'on', fill: 1 }],
  'boolean, robust and marked': [
    {
      kind: 'boolean',
      column: 'on',
      fill: 0.5,
      indicator: MARKS,
      transform: { shift: 0, scale: 1, clip: 3 },
    },
  ],
  ...Object.fromEntries(
    (['ymd', 'dmy', 'mdy', 'time'] as const).map((order) => [`date, ${order}`, [dateOf(order)]]),
  ),
  constant: [
    { kind: 'constant', column: 'c', value: 3, indicator: true },
    { kind: 'constant', column: 'd', value: 'same', indicator: MARKS },
    { kind: 'constant', column: 'unused', value: 'same' },
    { kind: 'numeric', column: 'x', shift: 0, scale: 1 },
  ],
};

function dateOf(order: 'ymd' | 'dmy' | 'mdy' | 'time'): FeatureEncoding {
  const parts = ['year', 'month', 'day', 'weekday', 'hour', 'elapsed'] as const;
  const input = (column: string, shift = 0, scale = 1) =>
    ({ kind: 'numeric', column, shift, scale, fill: 0.25 }) as const;
  return {
    kind: 'date',
    column: 'when',
    order,
    parts,
    inputs: [
      input('year', 2000, 20),
      ...['month', 'day', 'weekday', 'hour'].flatMap((part) => [
        input(`${part} sine`),
        input(`${part} cosine`),
      ]),
      { ...input('elapsed', 10_000, 9000), clip: 3 },
    ],
    indicator: true,
  };
}

/** Names of columns that may be taken for something else. */
const ODD_NAMES = [
  'x',
  'prediction',
  'layers.0.weight',
  'fill',
  'int',
  'a b',
  'a.b',
  '1st',
  'row',
  'm',
  '"""',
  '*/',
  "it's",
];

const NUMBERS: readonly FeatureEncoding[] = [
  { kind: 'numeric', column: 'a', shift: 1, scale: 2, clip: 3, fill: 1, range: [-3, 6] },
  { kind: 'numeric', column: 'b', shift: -2, scale: 0.5, clip: 3 },
  { kind: 'category', column: 'city', levels: ['Bern', 'Lyon', 'Oslo'] },
];
const NUMBERED: readonly FeatureEncoding[] = [
  { kind: 'category', column: 'town', levels: ['a', 'b', 'c', 'd'], numbered: true, takesMissing: true },
  { kind: 'numeric', column: 'a', shift: 1, scale: 2, clip: 3, fill: 1, levels: [0, 1, 7] },
  { kind: 'category', column: 'city', levels: ['Bern', 'Lyon', 'Oslo'] },
];
const numeric = (kind: string, more = {}) => ({ type: 'numeric-embedding', kind, columns: [0, 1], ...more });
const LEVELS = { type: 'embedding', size: 3, columns: [0, 2], levels: [4, 3] };

/** Layers between the inputs and the last linear layer. */
const LAYERS: Readonly<Record<string, readonly unknown[]>> = {
  ...Object.fromEntries(
    ACTIVATION_TYPES.flatMap((type) => {
      const formula: ActivationFormula = ACTIVATIONS[type];
      const own = formula.parameter ? { [formula.parameter]: 0.3 } : {};
      return [
        [type, [6, { type, ...own }]],
        [`${type}, parametric`, [6, { type, ...own, parametric: true }]],
      ];
    }),
  ),
  'linear without a bias': [{ type: 'linear', units: 6, bias: false }, 'tanh'],
  'linear, ntk': [{ type: 'linear', units: 6, parametrization: 'ntk' }, 'tanh'],
  'batch-norm': [6, 'batch-norm', 'relu'],
  'layer-norm': [6, 'layer-norm', 'relu'],
  scale: ['scale', 6, 'relu'],
  dropout: [6, 'relu', 'dropout'],
  residual: [
    6,
    'relu',
    { type: 'residual', layers: [6, 'relu', { type: 'residual', layers: [6] }, 'layer-norm'] },
  ],
  'numeric-embedding, pbld': [numeric('pbld', { size: 4, frequencies: 5 }), 6, 'relu'],
  'numeric-embedding, periodic': [numeric('periodic', { size: 3, frequencies: 5 }), 6, 'relu'],
  'numeric-embedding, periodic without relu': [
    numeric('periodic', { size: 3, frequencies: 5, activation: 'none' }),
    6,
    'relu',
  ],
  'numeric-embedding, piecewise-linear': [numeric('piecewise-linear', { size: 3, bins: 5 }), 6, 'relu'],
};

const MANY = [numeric('pbld', { size: 3, frequencies: 4 }), 'scale', 6, { type: 'mish', parametric: true }];
const MEMBERS: Readonly<Record<string, unknown>> = {
  'several networks': 3,
  'batch-ensemble': { count: 3, kind: 'batch-ensemble' },
  'several batch-ensembles': { count: 2, kind: 'batch-ensemble', networks: 2 },
};

type Target = Pick<ModelContent, 'task' | 'loss' | 'targets'> &
  Partial<ModelContent> & { readonly outputs: number };
const CLASSES: Target = {
  task: 'multiclass',
  loss: 'softmax-cross-entropy',
  targets: ['kind'],
  classes: ['a', 'b', 'it\'s "c"'],
  outputs: 3,
};
const NUMBER: Target = { task: 'regression', loss: 'mean-squared-error', targets: ['price'], outputs: 1 };
const STANDARD = { targetStandardization: { mean: [10], scale: [4] } };

const TARGETS: Readonly<Record<string, Target>> = {
  multiclass: CLASSES,
  'multiclass, calibrated': { ...CLASSES, temperature: 1.7 },
  binary: { ...CLASSES, task: 'binary', loss: 'binary-cross-entropy', classes: ['no', 'yes'], outputs: 1 },
  'binary, of two outputs': { ...CLASSES, task: 'binary', classes: ['no', 'yes'], outputs: 2 },
  multilabel: {
    task: 'multilabel',
    loss: 'binary-cross-entropy',
    targets: ['rain', 'wind'],
    labelValues: [
      ['no', 'yes'],
      ['0', '1'],
    ],
    outputs: 2,
  },
  regression: { ...NUMBER, ...STANDARD },
  'regression of two targets': {
    ...NUMBER,
    targets: ['u', 'v'],
    targetStandardization: { mean: [10, -1], scale: [4, 0.5] },
    predictionRanges: [
      [8, 12],
      [-1.2, -0.8],
    ],
    outputs: 2,
  },
  huber: { ...NUMBER, loss: 'huber', lossParameters: { delta: 1 } },
  'mean-absolute-error': { ...NUMBER, ...STANDARD, loss: 'mean-absolute-error', predictionRanges: [[9, 11]] },
  quantile: {
    ...NUMBER,
    ...STANDARD,
    loss: 'quantile',
    lossParameters: { quantiles: [0.05, 0.5, 0.95] },
    predictionRanges: [[6, 14]],
    outputs: 3,
  },
  poisson: { ...NUMBER, loss: 'poisson', predictionRanges: [[0, 3]] },
  'log of the target': {
    ...NUMBER,
    ...STANDARD,
    targetTransform: 'log',
    targetStandardization: { mean: [2], scale: [0.5] },
  },
  'log1p of the target': { ...NUMBER, targetTransform: 'log1p', predictionRanges: [[-0.5, 2]] },
};

function contentOf(
  features: readonly FeatureEncoding[],
  layers: readonly unknown[],
  { outputs, ...target }: Target = CLASSES,
  members?: unknown,
): ModelContent {
  const network = networkOf([...layers, outputs], matrixWidth(features));
  return {
    network: { ...network, ...(members !== undefined && { members: members as number }) },
    header: true,
    features,
    missingValues: DEFAULT_MISSING,
    ...target,
  };
}

const named = <Value>(
  what: string,
  values: Readonly<Record<string, Value>>,
  of: (value: Value) => ModelContent,
) => Object.entries(values).map(([name, value]): [string, ModelContent] => [`${what}: ${name}`, of(value)]);

export const CONTENTS: readonly (readonly [name: string, content: ModelContent])[] = [
  ...named('encoding', ENCODINGS, (features) => contentOf(features, [5, 'tanh'])),
  [
    'names: as those of outputs, weights and words of languages',
    contentOf(
      [
        ...ODD_NAMES.map((column) => ({ kind: 'numeric', column, shift: 0, scale: 2 }) as const),
        { kind: 'category', column: 'label', levels: ['a?b', "c'd", 'é'] },
      ],
      [5, 'tanh'],
      { ...CLASSES, targets: ['probabilities'], classes: ['"""', '*/', '</script>'] },
    ),
  ],
  ['encoding: numbers of levels', contentOf(NUMBERED, [LEVELS, 5, 'tanh'])],
  ...named('layer', LAYERS, (layers) => contentOf(NUMBERS, layers)),
  [
    'layer: embedding behind another',
    contentOf(NUMBERED, [LEVELS, { ...numeric('pbld'), columns: [6] }, 5, 'relu']),
  ],
  ['layer: final softmax', contentOf(NUMBERS, [5, 'relu', 3, 'softmax'].slice(0, 2))],
  ...named('members', MEMBERS, (members) => contentOf(NUMBERS, MANY, CLASSES, members)),
  [
    'members: batch-ensemble in a residual',
    contentOf(
      NUMBERS,
      ['dropout', 6, { type: 'residual', layers: [6, 'relu'] }, 'layer-norm'],
      CLASSES,
      MEMBERS['batch-ensemble'],
    ),
  ],
  ...named('members and target', TARGETS, (target) => contentOf(NUMBERS, [4, 'tanh'], target, 2)),
  ...named('target', TARGETS, (target) => contentOf(NUMBERS, [4, 'tanh'], target)),
];

/** Weights drawn at random, with variances above 0, and edges that rise. */
export function randomTensors(content: ModelContent, dtype: DType): NamedTensor[] {
  const random = new RandomState(7);
  return networkTensors(content).map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const numbers = Float64Array.from({ length }, () => 0.7 * random.randn());
    if (name.endsWith('.running_var')) numbers.set(numbers.map((x) => 0.2 + x * x));
    if (name.endsWith('.edges')) {
      // Two numbers of five bins; the last bins of the second have no width.
      numbers.subarray(0, 6).sort();
      numbers.subarray(6, 9).sort();
      numbers.fill(numbers[8], 9);
    }
    return { name, shape, data: dtype === 'float32' ? Float32Array.from(numbers) : numbers };
  });
}

export function modelOf(content: ModelContent, dtype: DType = 'float32'): Model {
  const bytes = modelBytes(content, randomTensors(content, dtype));
  return loadModel(join(folderWith({ 'model.safetensors': bytes }), 'model.safetensors'));
}

/** What a format is asked for, of a model of one of the contents. */
export function requestOf(
  model: Model | Ensemble,
  ending: string,
  more: Partial<ExportRequest> = {},
): ExportRequest {
  return {
    program: describeModel(model),
    networks: 'members' in model ? model.members.map(({ model: { network } }) => network) : [model.network],
    csv: model,
    title: 'a model',
    facts: [['task', model.task]],
    name: 'model',
    ending,
    ...more,
  };
}

/** Members whose encodings, networks, weights in the mean and columns differ. */
export function ensembleFor(dtype: DType, target: 'classes' | 'labels' | 'numbers' | 'quantiles'): Ensemble {
  const own = {
    classes: TARGETS.multiclass,
    labels: TARGETS.multilabel,
    numbers: TARGETS['log of the target'],
    quantiles: TARGETS.quantile,
  };
  const others = { ...own, numbers: TARGETS['log1p of the target'] };
  const members = [
    { content: contentOf(NUMBERS, [4, 'tanh'], own[target]), weight: 2 },
    {
      content: contentOf(
        NUMBERED.slice(1),
        [{ ...LEVELS, columns: [1], levels: [3] }, 5, 'gelu'],
        others[target],
      ),
      weight: 1,
    },
    { content: contentOf(NUMBERS, MANY, own[target], MEMBERS['batch-ensemble']), weight: 1 },
  ];
  return ensembleOf(
    'ensemble',
    members.map(({ content, weight }) => ({ model: modelOf(content, dtype), weight })),
  );
}
