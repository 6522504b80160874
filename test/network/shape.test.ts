import { describe, expect, it } from 'vitest';
import { parameterLayout } from '../../src/network/parameters.js';
import { networkShape } from '../../src/network/shape.js';
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

  it('is exact past 2^53', () => {
    const wide = Number.MAX_SAFE_INTEGER;
    const shape = networkShape(specOf({ layers: [wide, wide] }), wide);
    expect(shape.weights).toBe(2n * BigInt(wide) ** 2n);
    expect(shape.biases).toBe(2n * BigInt(wide));
  });
});

describe('parameterLayout', () => {
  it('puts all weights before all biases, and names them in the order of the layers', () => {
    const { shapes, weights, total } = parameterLayout(specOf({ layers: [4, 'relu', 3] }).layers, 2);
    expect(shapes.map(({ name, start, rows, columns }) => [name, start, rows, columns])).toEqual([
      ['layers.0.weight', 0, 2, 4],
      ['layers.0.bias', 20, 1, 4],
      ['layers.2.weight', 8, 4, 3],
      ['layers.2.bias', 24, 1, 3],
    ]);
    expect([weights, total]).toEqual([20, 27]);
  });
});
