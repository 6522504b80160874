import { describe, expect, it } from 'vitest';
import { columnsWithSetting, settingOf, weightColumn } from '../../src/spec/columnSettings.js';

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
