import { describe, expect, it } from 'vitest';
import { formatLocation, formatPath, nearest, oneOf, suggest, wordsOf } from '../../src/spec/messages.js';
import { printable, quote, showValue } from '../../src/text.js';

describe('formatPath', () => {
  it('writes keys with dots, indices and odd keys in brackets', () => {
    expect(formatPath(['network', 'layers', 1, 'type'])).toBe('network.layers[1].type');
    expect(formatPath(['data', 'a b', '$schema'])).toBe('data["a b"].$schema');
    expect(formatPath([])).toBe('');
  });
});

describe('formatLocation', () => {
  it('names the file alone for the whole document', () => {
    expect(formatLocation({ file: 'a.json', path: [] })).toBe('a.json');
    expect(formatLocation({ file: 'a.json', path: ['seed'] })).toBe('a.json: seed');
    expect(formatLocation({ file: 'a.json', path: [], text: ' 5' })).toBe('a.json:1:2');
  });

  it('gives the line and column of a value, or of a key in it, in a file with a text', () => {
    const text = '{\n  "data": { "train": 5 }\n}';
    expect(formatLocation({ file: 'a.json', path: ['data', 'train'], text })).toBe('a.json:2:22: data.train');
    expect(formatLocation({ file: 'a.json', path: ['data'], text }, 'train')).toBe('a.json:2:13: data');
    expect(formatLocation({ file: 'a.json', path: ['seed'], text })).toBe('a.json:1:1: seed');
  });
});

describe('quote and showValue', () => {
  it('clip after 40 characters, and never inside a surrogate pair', () => {
    expect(quote('a'.repeat(40))).toBe(`"${'a'.repeat(40)}"`);
    expect(quote('a'.repeat(41))).toBe(`"${'a'.repeat(39)}…"`);
    expect(quote(`${'a'.repeat(38)}😀😀`)).toBe(`"${'a'.repeat(38)}…"`);
    expect(showValue(Array(100).fill(1))).toBe(`[${'1,'.repeat(19)}…`);
  });

  it('show values as JSON writes them', () => {
    expect([null, true, 2.5, '10', {}, ['a']].map(showValue)).toEqual([
      'null',
      'true',
      '2.5',
      '"10"',
      '{}',
      '["a"]',
    ]);
  });

  it.each([
    ['an escape sequence', '\u001b[31m', '\\u001b[31m'],
    ['a C1 control', '\u009b31m', '\\u009b31m'],
    ['a direction override', 'a\u202eb', 'a\\u202eb'],
    ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
    ['a no-break space', 'a\u00a0b', 'a\\u00a0b'],
    ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
  ])('write %s out', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(quote(text)).toBe(`"${shown}"`);
    expect(showValue([text])).toBe(`["${shown}"]`);
  });

  it('leave letters of any language and emoji as they are', () => {
    expect(printable('größe 体重 😀')).toBe('größe 体重 😀');
  });
});

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
