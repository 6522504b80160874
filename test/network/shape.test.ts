import { describe, expect, it } from 'vitest';
import { parameterLayout, statisticsLayout } from '../../src/network/parameters.js';
import { largestProduct, networkShape } from '../../src/network/shape.js';
import { specOf } from '../support/networks.js';

describe('networkShape', () => {
  it('counts the 557,057 parameters of 30→1024→512→1', () => {
    const shape = networkShape(specOf({ input: 30, layers: [1024, 'relu', 512, 'relu', 1] }), 30);
    expect(shape.weights + shape.biases).toBe(557_057n);
    expect(shape.weights).toBe(30n * 1024n + 1024n * 512n + 512n);
    expect(shape.biases).toBe(1024n + 512n + 1n);
    expect(shape.layers.map(({ outputs }) => outputs)).toEqual([1024, 1024, 512, 512, 1]);
  });

  it('names the layers of a residual block by their path, and counts them once', () => {
    const spec = specOf({
      layers: [8, { type: 'residual', layers: [8, 'relu', { type: 'linear', units: 8, bias: false }] }, 2],
    });
    const shape = networkShape(spec, 3);
    const block = shape.layers[1];
    expect(block.layers?.map(({ name }) => name)).toEqual([
      'layers.1.layers.0',
      'layers.1.layers.1',
      'layers.1.layers.2',
    ]);
    expect([block.weights, block.biases]).toEqual([128n, 8n]);
    expect(shape.weights).toBe(3n * 8n + 128n + 16n);
    expect(shape.biases).toBe(8n + 8n + 2n);
  });

  it('counts scale and shift of a normalisation as weights and biases', () => {
    const shape = networkShape(
      specOf({ layers: [8, 'batch-norm', { type: 'residual', layers: ['layer-norm'] }] }),
      3,
    );
    const [, norm, block] = shape.layers;
    expect([norm.name, norm.type, norm.inputs, norm.outputs]).toEqual(['layers.1', 'batch-norm', 8, 8]);
    expect([norm.weights, norm.biases, block.weights, block.biases]).toEqual([8n, 8n, 8n, 8n]);
    expect([shape.weights, shape.biases]).toEqual([24n + 16n, 8n + 16n]);
  });

  it('counts the factors of a scale as weights', () => {
    const shape = networkShape(specOf({ layers: ['scale', 8, 'scale'] }), 3);
    expect(shape.layers.map(({ weights, biases }) => [weights, biases])).toEqual([
      [3n, 0n],
      [24n, 8n],
      [8n, 0n],
    ]);
    expect([shape.weights, shape.biases]).toEqual([35n, 8n]);
  });

  it('counts the slopes of parametric activations as weights', () => {
    const parametric = { type: 'mish', parametric: true };
    const shape = networkShape(specOf({ layers: [parametric, 8, parametric, 'mish'] }), 3);
    expect(shape.layers.map(({ weights, biases }) => [weights, biases])).toEqual([
      [3n, 0n],
      [24n, 8n],
      [8n, 0n],
      [0n, 0n],
    ]);
  });

  it('is exact past 2^53', () => {
    const wide = Number.MAX_SAFE_INTEGER;
    const shape = networkShape(specOf({ layers: [wide, wide] }), wide);
    expect(shape.weights).toBe(2n * BigInt(wide) ** 2n);
    expect(shape.biases).toBe(2n * BigInt(wide));
  });
});

describe('parameterLayout', () => {
  it('puts all weights before all biases, and names them in the order of the layers', () => {
    const { shapes, weights, total } = parameterLayout(specOf({ layers: [4, 'relu', 3] }), 2);
    expect(shapes.map(({ name, start, rows, columns }) => [name, start, rows, columns])).toEqual([
      ['layers.0.weight', 0, 2, 4],
      ['layers.0.bias', 20, 1, 4],
      ['layers.2.weight', 8, 4, 3],
      ['layers.2.bias', 24, 1, 3],
    ]);
    expect([weights, total]).toEqual([20, 27]);
  });

  it('puts scales and shifts behind the weights of linear layers, where L1 and L2 do not reach', () => {
    const spec = specOf({
      layers: [
        'batch-norm',
        4,
        'scale',
        { type: 'residual', layers: ['layer-norm', { type: 'linear', units: 4, bias: false }] },
      ],
    });
    const { shapes, weights, total } = parameterLayout(spec, 2);
    expect(shapes.map(({ name, kind, start, rows, columns }) => [name, kind, start, rows, columns])).toEqual([
      ['layers.0.weight', 'scale', 24, 1, 2],
      ['layers.0.bias', 'bias', 26, 1, 2],
      ['layers.1.weight', 'weight', 0, 2, 4],
      ['layers.1.bias', 'bias', 28, 1, 4],
      ['layers.2.scale', 'scale', 32, 1, 4],
      ['layers.3.layers.0.weight', 'scale', 36, 1, 4],
      ['layers.3.layers.0.bias', 'bias', 40, 1, 4],
      ['layers.3.layers.1.weight', 'weight', 8, 4, 4],
    ]);
    expect([weights, total]).toEqual([24, 44]);
  });
});

describe('parameterLayout of slopes', () => {
  it('puts them behind everything else', () => {
    const parametric = { type: 'selu', parametric: true };
    const { shapes, weights, total } = parameterLayout(specOf({ layers: [parametric, 4, parametric, 3] }), 2);
    expect(shapes.map(({ name, kind, start, columns }) => [name, kind, start, columns])).toEqual([
      ['layers.0.slope', 'slope', 27, 2],
      ['layers.1.weight', 'weight', 0, 4],
      ['layers.1.bias', 'bias', 20, 4],
      ['layers.2.slope', 'slope', 29, 4],
      ['layers.3.weight', 'weight', 8, 3],
      ['layers.3.bias', 'bias', 24, 3],
    ]);
    expect([weights, total]).toEqual([20, 33]);
  });
});

describe('statisticsLayout', () => {
  it('has a running mean and variance for each batch-norm, in the order of the layers', () => {
    const spec = specOf({
      layers: [4, 'batch-norm', { type: 'residual', layers: ['batch-norm', 'layer-norm'] }, 3],
    });
    const { shapes, total } = statisticsLayout(spec, 2);
    expect(shapes.map(({ name, columns, start, initial }) => [name, columns, start, initial])).toEqual([
      ['layers.1.running_mean', 4, 0, 0],
      ['layers.1.running_var', 4, 4, 1],
      ['layers.2.layers.0.running_mean', 4, 8, 0],
      ['layers.2.layers.0.running_var', 4, 12, 1],
    ]);
    expect(total).toBe(16);
  });
});

describe('largestProduct', () => {
  it('is that of a linear layer, in a residual or not, whatever is normalised', () => {
    const residual = { type: 'residual', layers: [10, 'batch-norm', 5] };
    expect(largestProduct(specOf({ layers: [5, residual, 2] }), 3, 32)).toBe(32 * 50);
    expect(largestProduct(specOf({ layers: ['batch-norm'] }), 3, 32)).toBe(0);
  });
});
