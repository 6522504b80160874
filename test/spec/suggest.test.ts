import { describe, expect, it } from 'vitest';
import { nearest, oneOf, suggest, wordsOf } from '../../src/spec/suggest.js';

const layers = ['linear', 'relu', 'tanh', 'leaky-relu', 'softmax'];

describe('nearest', () => {
  it.each([
    ['rellu', 'relu'],
    ['ReLU', 'relu'],
    ['leakyRelu', 'leaky-relu'],
    ['leaky_relu', 'leaky-relu'],
    ['sofmax', 'softmax'],
    ['Linaer', 'linear'],
    ['max', 'softmax'],
  ])('takes %s for %s', (word, expected) => {
    expect(nearest(word, layers)).toBe(expected);
  });

  it.each(['convolution', '', '--', 'x', 'r'.repeat(100_000)])('knows nothing near %.12s', (word) => {
    expect(nearest(word, layers)).toBeUndefined();
  });
});

describe('suggest', () => {
  it('asks whether that was meant', () => {
    expect(suggest('rellu', layers)).toBe('did you mean "relu"?');
    expect(suggest('convolution', layers)).toBeUndefined();
  });
});

describe('oneOf and wordsOf', () => {
  it('are each other’s inverse', () => {
    expect(oneOf(layers)).toBe('one of linear, relu, tanh, leaky-relu, softmax');
    expect(wordsOf(oneOf(layers))).toEqual(layers);
    expect(wordsOf('a number above 0')).toEqual([]);
  });
});
