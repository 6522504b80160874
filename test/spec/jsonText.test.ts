import { expect, it } from 'vitest';
import { formatJson } from '../../src/spec/jsonText.js';

it('gives each entry of the document a line, and what is short no more than that', () => {
  const config = {
    network: { layers: [16, 'relu', 3] },
    data: {
      train: '../data/a-folder-with-a-long-name/measurements.csv',
      target: 'species',
      exclude: [],
      missing: { age: 'median' },
      test: undefined,
    },
    seed: 0,
  };
  expect(formatJson(config)).toBe(`{
  "network": { "layers": [16, "relu", 3] },
  "data": {
    "train": "../data/a-folder-with-a-long-name/measurements.csv",
    "target": "species",
    "exclude": [],
    "missing": { "age": "median" }
  },
  "seed": 0
}`);
});

it('breaks a line that is longer than 80 columns, its comma included', () => {
  const documentOf = (length: number) => ({ key: ['x'.repeat(length), 1] });
  // `  "key": ["…", 1],` has 17 characters beside the text.
  expect(formatJson(documentOf(63)).split('\n')).toEqual(['{', `  "key": ["${'x'.repeat(63)}", 1]`, '}']);
  expect(formatJson(documentOf(64)).split('\n')).toHaveLength(6);
});

it('writes any value so that it reads the same', () => {
  const values = [
    {},
    [],
    null,
    -0.5,
    'a "quoted"\n\u2028text',
    [[], [{}], { a: { b: [1, 2, { c: null }] } }],
    JSON.parse('{"__proto__": {"constructor": "x"}, "": 1}'),
    Array.from({ length: 100 }, (_, i) => ({ [`column ${i}`]: i })),
  ];
  for (const value of values) expect(JSON.parse(formatJson(value))).toEqual(value);
});
