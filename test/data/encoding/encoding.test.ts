import { describe, expect, it } from 'vitest';
import {
  encodingWidth,
  type FeatureEncoding,
  matrixColumns,
  matrixWidth,
  takesMissing,
} from '../../../src/data/encoding/encoding.js';

const age: FeatureEncoding = { kind: 'numeric', column: 'age', shift: 40, scale: 12 };
const filledAge: FeatureEncoding = { ...age, fill: 41, indicator: true };
const city: FeatureEncoding = { kind: 'category', column: 'city', levels: ['Lima', 'Paris'] };
const gappyCity: FeatureEncoding = { ...city, indicator: true };

describe('matrixColumns', () => {
  it('names a column for a number, one for each level, and one for what is missing', () => {
    expect(matrixColumns([filledAge, city, gappyCity, age])).toEqual([
      'age',
      'age missing',
      'city=Lima',
      'city=Paris',
      'city=Lima',
      'city=Paris',
      'city missing',
      'age',
    ]);
  });

  it('names as many columns as there are', () => {
    for (const encodings of [[], [age], [filledAge], [city], [gappyCity], [age, gappyCity, filledAge]]) {
      expect(matrixWidth(encodings)).toBe(matrixColumns(encodings).length);
    }
    expect([age, filledAge, city, gappyCity].map(encodingWidth)).toEqual([1, 2, 2, 3]);
  });
});

describe('takesMissing', () => {
  it('says whether there is a fill or an indicator', () => {
    const filledCity: FeatureEncoding = { ...city, fill: 'Lima' };
    expect([age, city].map(takesMissing)).toEqual([false, false]);
    expect([filledAge, gappyCity, filledCity, { ...age, fill: 0 }].map(takesMissing)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});
