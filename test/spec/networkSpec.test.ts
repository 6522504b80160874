import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { expandNetwork } from '../../src/spec/layerSpec.js';
import { checkSchema } from '../../src/spec/messages.js';
import { networkSchema } from '../../src/spec/networkSpec.js';
import { errorOf } from './support.js';

const check = (value: unknown) =>
  checkSchema(networkSchema, expandNetwork(value), (path) => ({ file: 's.json', path }));
const checkLayer = (layer: unknown) => check({ layers: [layer] }).layers[0];

describe('a network spec', () => {
  it('may give its layers in short forms, in residuals as well', () => {
    const linear = (units: number) => ({ type: 'linear', units, bias: true, init: { type: 'he-normal' } });
    expect(check({ input: 4, layers: [8, 'relu', { type: 'residual', layers: [8, 'tanh'] }, 3] })).toEqual({
      input: 4,
      layers: [
        linear(8),
        { type: 'relu' },
        { type: 'residual', layers: [linear(8), { type: 'tanh' }] },
        linear(3),
      ],
    });
  });

  it('may do without an input, and leaves $schema behind', () => {
    expect(Object.keys(check({ $schema: 'x', layers: ['relu'] }))).toEqual(['layers']);
  });

  it.each([
    [{ type: 'leaky-relu' }, { type: 'leaky-relu', slope: 0.01 }],
    ['elu', { type: 'elu', alpha: 1 }],
    ['dropout', { type: 'dropout', rate: 0.5 }],
    [
      { type: 'dropout', rate: 0 },
      { type: 'dropout', rate: 0 },
    ],
    ['batch-norm', { type: 'batch-norm', momentum: 0.1, epsilon: 1e-5 }],
    ['layer-norm', { type: 'layer-norm', epsilon: 1e-5 }],
    [
      { type: 'batch-norm', momentum: 1, epsilon: 0.5 },
      { type: 'batch-norm', momentum: 1, epsilon: 0.5 },
    ],
    ['softmax', { type: 'softmax' }],
    ['identity', { type: 'identity' }],
    [
      { type: 'linear', units: 2, bias: false, init: { type: 'normal', std: 0.1 } },
      { type: 'linear', units: 2, bias: false, init: { type: 'normal', mean: 0, std: 0.1 } },
    ],
    [
      { type: 'linear', units: 2, init: { type: 'uniform', low: -1, high: 1 } },
      { type: 'linear', units: 2, bias: true, init: { type: 'uniform', low: -1, high: 1 } },
    ],
  ])('fills in the defaults of %j', (layer, expected) => {
    expect(checkLayer(layer)).toEqual(expected);
  });

  it.each([
    'linear',
    'relu',
    'tanh',
    'sigmoid',
    'gelu',
    'silu',
    'softplus',
    'selu',
    'mish',
    'identity',
    'leaky-relu',
    'elu',
    'dropout',
    'batch-norm',
    'layer-norm',
    'scale',
    'numeric-embedding',
    'embedding',
    'softmax',
  ])('knows the layer %s', (type) => {
    expect(checkLayer(type === 'linear' ? { type, units: 1 } : type).type).toBe(type);
  });

  it.each([
    'he-normal',
    'he-uniform',
    'glorot-normal',
    'glorot-uniform',
    'lecun-normal',
    'zeros',
    'unit-variance',
  ])('knows the initialisation %s', (type) => {
    expect(checkLayer({ type: 'linear', units: 1, init: { type } })).toMatchObject({ init: { type } });
  });

  it('has a start of the bias and a parametrisation only where they are given', () => {
    const layer = { type: 'linear', units: 2, biasInit: { type: 'he+5' }, parametrization: 'ntk' };
    expect(checkLayer(layer)).toEqual({ ...layer, bias: true, init: { type: 'he-normal' } });
    expect(Object.keys(checkLayer(2))).toEqual(['type', 'units', 'bias', 'init']);
  });

  it('fills in what each kind of numeric-embedding has', () => {
    const type = 'numeric-embedding';
    expect(checkLayer(type)).toEqual({ type, kind: 'pbld', size: 4, frequencies: 16, std: 0.1 });
    expect(checkLayer({ type, kind: 'periodic' })).toEqual({
      ...{ type, kind: 'periodic', size: 24, frequencies: 48, std: 0.01 },
      activation: 'relu',
    });
    const binned = { type, kind: 'piecewise-linear' };
    expect(checkLayer(binned)).toEqual({ ...binned, size: 16, bins: 48 });
  });

  it('takes widths up to 2^53 − 1', () => {
    expect(checkLayer(Number.MAX_SAFE_INTEGER)).toMatchObject({ units: Number.MAX_SAFE_INTEGER });
  });

  const allLayers =
    'one of linear, relu, tanh, sigmoid, gelu, silu, softplus, selu, mish, identity, leaky-relu, elu, dropout, batch-norm, layer-norm, scale, numeric-embedding, embedding, softmax, residual';

  it.each<[layer: unknown, message: string, hint?: string]>([
    ['rellu', `layers[0].type: unknown layer "rellu"; expected ${allLayers}`, 'did you mean "relu"?'],
    ['10', `layers[0].type: unknown layer "10"; expected ${allLayers}`, 'write a number without quotes: 10'],
    [{}, `layers[0].type: missing; expected ${allLayers}`],
    [{ type: 5 }, `layers[0].type: found 5, expected ${allLayers}`],
    [null, 'layers[0]: found null, expected a layer: a number of units, a name, or an object with a "type"'],
    [[8], 'layers[0]: found [8], expected a layer: a number of units, a name, or an object with a "type"'],
    [
      { type: 'numeric-embedding', kind: 'ple' },
      'layers[0].kind: unknown kind "ple"; expected one of pbld, periodic, piecewise-linear',
    ],
    [
      { type: 'numeric-embedding', kind: 'periodic', bins: 8 },
      'layers[0]: unknown key "bins"; expected one of type, kind, size, frequencies, std, activation, columns',
    ],
    [
      { type: 'numeric-embedding', kind: 'piecewise-linear', bins: 0 },
      'layers[0].bins: found 0, expected a whole number from 1 to 1024',
    ],
    [0, 'layers[0].units: found 0, expected a whole number of at least 1'],
    [-1, 'layers[0].units: found -1, expected a whole number of at least 1'],
    [2.5, 'layers[0].units: found 2.5, expected a whole number of at least 1'],
    [-1e300, 'layers[0].units: found -1e+300, expected a whole number of at least 1'],
    [2 ** 53, 'layers[0].units: found 9007199254740992, expected a whole number of at most 9007199254740991'],
    [{ type: 'linear' }, 'layers[0].units: missing; expected a whole number of at least 1'],
    ['linear', 'layers[0].units: missing; expected a whole number of at least 1'],
    [
      { type: 'linear', units: 1, bias: false, biasInit: { type: 'he+5' } },
      'layers[0].biasInit: found a biasInit without a bias, expected none',
      'leave out "biasInit", or "bias": false',
    ],
    [
      { type: 'linear', units: 1, biasInit: 'he+5' },
      'layers[0].biasInit: found "he+5", expected an object such as {"type": "he+5"}',
    ],
    [
      { type: 'linear', units: 1, biasInit: { type: 'he' } },
      'layers[0].biasInit.type: unknown biasInit "he"; expected one of zeros, he+5',
    ],
    [
      { type: 'linear', units: 1, parametrization: 'ntp' },
      'layers[0].parametrization: unknown parametrization "ntp"; expected one of standard, ntk',
    ],
    [{ type: 'linear', units: null }, 'layers[0].units: found null, expected a whole number of at least 1'],
    [
      { type: 'linear', units: '10' },
      'layers[0].units: found "10", expected a whole number of at least 1',
      'write a number without quotes: 10',
    ],
    [{ type: 'linear', units: 1, bias: 'no' }, 'layers[0].bias: found "no", expected true or false'],
    [
      { type: 'linear', unit: 1, units: 1 },
      'layers[0]: unknown key "unit"; expected one of type, units, bias, init, biasInit, parametrization, columns, levels, marks, apart',
      'did you mean "units"?',
    ],
    [{ type: 'relu', slope: 1 }, 'layers[0]: unknown key "slope"; expected one of type, parametric'],
    [{ type: 'relu', parametric: 1 }, 'layers[0].parametric: found 1, expected true or false'],
    [
      { type: 'sigmoid', parametric: true },
      'layers[0]: found a parametric sigmoid at the end, expected a plain one: the loss computes it',
      'remove "parametric", or the layer: losses take the numbers before it',
    ],
    [{ type: 'leaky-relu', slope: 0 }, 'layers[0].slope: found 0, expected a number above 0'],
    [{ type: 'dropout', rate: 1 }, 'layers[0].rate: found 1, expected a number of at least 0 and below 1'],
    [
      { type: 'dropout', rate: -0.1 },
      'layers[0].rate: found -0.1, expected a number of at least 0 and below 1',
    ],
    [
      { type: 'dropout', rate: '0.5' },
      'layers[0].rate: found "0.5", expected a number of at least 0 and below 1',
      'write a number without quotes: 0.5',
    ],
    [
      { type: 'dropout', p: 0.5 },
      'layers[0]: unknown key "p"; expected one of type, rate',
      'did you mean "rate"?',
    ],
    ['dropuot', `layers[0].type: unknown layer "dropuot"; expected ${allLayers}`, 'did you mean "dropout"?'],
    [
      { type: 'batch-norm', momentum: 0 },
      'layers[0].momentum: found 0, expected a number above 0 and of at most 1',
    ],
    [{ type: 'batch-norm', epsilon: 0 }, 'layers[0].epsilon: found 0, expected a number above 0'],
    [
      { type: 'layer-norm', momentum: 0.1 },
      'layers[0]: unknown key "momentum"; expected one of type, epsilon',
    ],
    [
      'batchnorm',
      `layers[0].type: unknown layer "batchnorm"; expected ${allLayers}`,
      'did you mean "batch-norm"?',
    ],
    [{ type: 'elu', alpha: -1 }, 'layers[0].alpha: found -1, expected a number above 0'],
    [
      { type: 'linear', units: 1, init: 'zeros' },
      'layers[0].init: found "zeros", expected an object such as {"type": "he-normal"}',
    ],
    [
      { type: 'linear', units: 1, init: { type: 'he' } },
      'layers[0].init.type: unknown init "he"; expected one of he-normal, he-uniform, glorot-normal, glorot-uniform, lecun-normal, normal, uniform, zeros, unit-variance',
    ],
    [
      { type: 'linear', units: 1, init: { type: 'normal' } },
      'layers[0].init.std: missing; expected a number above 0',
    ],
    [
      { type: 'linear', units: 1, init: { type: 'uniform', low: 0 } },
      'layers[0].init.high: missing; expected a number',
    ],
    [
      { type: 'linear', units: 1, init: { type: 'uniform', low: 1, high: 1 } },
      'layers[0].init: found low 1 and high 1, expected low below high',
    ],
    [{ type: 'residual' }, 'layers[0].layers: missing; expected an array of layers'],
    [{ type: 'residual', layers: [] }, 'layers[0].layers: found [], expected at least one layer'],
    [
      { type: 'residual', layers: [0] },
      'layers[0].layers[0].units: found 0, expected a whole number of at least 1',
    ],
  ])('refuses the layer %j', (layer, message, hint) => {
    expect(errorOf(() => checkLayer(layer))).toEqual({
      exitCode: ExitCode.config,
      message: `s.json: ${message}`,
      hint,
    });
  });

  it.each<[spec: unknown, message: string]>([
    [{ layers: [] }, 's.json: layers: found [], expected at least one layer'],
    [{ layers: 8 }, 's.json: layers: found 8, expected an array of layers'],
    [{ input: 0, layers: [1] }, 's.json: input: found 0, expected a whole number of at least 1'],
    [7, 's.json: found 7, expected an object with "layers", or the path of a spec file'],
    [{ layers: [1], members: 0 }, 's.json: members: found 0, expected a whole number from 1 to 256'],
    [
      { layers: [1], members: 'many' },
      's.json: members: found "many", expected a whole number from 1 to 256, or an object such as {"count": 32, "kind": "batch-ensemble"}',
    ],
    [
      { layers: [1], members: { count: 1, kind: 'batch-ensemble' } },
      's.json: members.count: found 1, expected a whole number from 2 to 256',
    ],
    [
      { layers: [1], members: { count: 8, kind: 'tabm' } },
      's.json: members.kind: unknown kind "tabm"; expected one of batch-ensemble',
    ],
    [
      { layers: [4, { type: 'residual', layers: [4] }], members: { count: 8, kind: 'batch-ensemble' } },
      's.json: layers[1]: found the last linear layer inside a residual in a batch ensemble, expected one at the end that each member has for itself',
    ],
    [
      { layers: ['relu'], members: { count: 8, kind: 'batch-ensemble' } },
      's.json: layers: found no linear layer in a batch ensemble, expected one at the end that each member has for itself',
    ],
    [
      { layers: [4, 'batch-norm', 4], members: { count: 8, kind: 'batch-ensemble' } },
      's.json: layers[1]: found a batch-norm in a batch ensemble, expected none behind the first linear layer: its mean and variance would be those of all members together',
    ],
    [
      { input: null, layers: [0, 'rellu'] },
      's.json: input: found null, expected a whole number of at least 1 (and 2 more problems)',
    ],
    [
      { layers: [0], input: null },
      's.json: layers[0].units: found 0, expected a whole number of at least 1 (and 1 more problem)',
    ],
    [
      { layers: [1], a: 1, b: 2 },
      's.json: unknown key "a"; expected one of $schema, input, layers, members (and 1 more problem)',
    ],
  ])('refuses %j, telling the first problem of the document', (spec, message) => {
    expect(errorOf(() => check(spec)).message).toBe(message);
  });

  it('refuses __proto__ like any unknown key', () => {
    expect(errorOf(() => check(JSON.parse('{"__proto__": {"layers": [1]}, "layers": [1]}'))).message).toBe(
      's.json: unknown key "__proto__"; expected one of $schema, input, layers, members',
    );
  });

  it('clips long values and writes control characters out', () => {
    const { message } = errorOf(() => checkLayer(`\u001b[2J${'x'.repeat(1000)}`));
    expect(message).toContain(`unknown layer "\\u001b[2J${'x'.repeat(35)}…"`);
    expect(message).not.toContain('\u001b');
  });
});
