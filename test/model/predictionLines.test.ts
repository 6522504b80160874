import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { csvLines, jsonLines } from '../../src/model/predictionLines.js';

const FLOWERS = { classes: ['rose', 'tulip'], targets: ['kind'], dtype: 'float32' } as const;
const SIZE = { targets: ['size'], dtype: 'float32' } as const;
const SIZES = { targets: ['height', 'width'], dtype: 'float64' } as const;

const csv = { kept: [], names: ['id', 'note'], delimiter: ',', guard: true };

describe('the CSV of predictions', () => {
  it('has the class, and the probability of each', () => {
    const { head, row } = csvLines({ ...csv, model: FLOWERS });
    expect(head).toBe('prediction,probability_rose,probability_tulip\n');
    expect(row(['7', 'x'], Float64Array.of(0.25, 0.75), Int32Array.of(1))).toBe('tulip,0.25,0.75\n');
  });

  it('has the value of a target, or of each of several', () => {
    const one = csvLines({ ...csv, model: SIZE });
    expect(one.head + one.row(['7', 'x'], Float64Array.of(1.5), undefined)).toBe('prediction\n1.5\n');
    const two = csvLines({ ...csv, model: SIZES });
    expect(two.head + two.row(['7', 'x'], Float64Array.of(-1, 2e-9), undefined)).toBe(
      'prediction_height,prediction_width\n-1,2e-9\n',
    );
  });

  it('has the middle quantile, and each of them', () => {
    const model = { ...SIZE, lossParameters: { quantiles: [0.1, 0.4, 0.9] } };
    const { head, row } = csvLines({ ...csv, model });
    expect(head + row(['7', 'x'], Float64Array.of(1, 1.5, 4), undefined)).toBe(
      'prediction,quantile_0.1,quantile_0.4,quantile_0.9\n1.5,1,1.5,4\n',
    );
    const json = jsonLines({ ...csv, model });
    expect(json.row(['7', 'x'], Float64Array.of(1, 1.5, 4), undefined)).toBe(
      '{"prediction":1.5,"quantiles":{"0.1":1,"0.4":1.5,"0.9":4}}\n',
    );
    expect(json.blank([], 'no')).toBe('{"prediction":null,"reason":"no"}\n');
  });

  it('has as many digits as the network computes with', () => {
    const third = Float64Array.of(1 / 3);
    expect(csvLines({ ...csv, model: SIZE }).row([], third, undefined)).toBe('0.33333334\n');
    const exact = { targets: ['size'], dtype: 'float64' } as const;
    expect(csvLines({ ...csv, model: exact }).row([], third, undefined)).toBe('0.3333333333333333\n');
  });

  it('has the columns that are kept before its own, in the order they are asked for', () => {
    const { head, row } = csvLines({ ...csv, model: SIZE, kept: [1, 0] });
    expect(head).toBe('note,id,prediction\n');
    expect(row(['7', 'a,b'], Float64Array.of(2), undefined)).toBe('"a,b",7,2\n');
  });

  it('uses the delimiter of the data', () => {
    const { head, row } = csvLines({ ...csv, model: FLOWERS, kept: [1], delimiter: ';' });
    expect(head).toBe('note;prediction;probability_rose;probability_tulip\n');
    expect(row(['7', 'a,b;c'], Float64Array.of(1, 0), Int32Array.of(0))).toBe('"a,b;c";rose;1;0\n');
  });

  it('gives its own columns other names where the data have them already', () => {
    const names = ['prediction', 'prediction_2', 'probability_rose'];
    const { head } = csvLines({ ...csv, model: FLOWERS, names, kept: [0, 1, 2] });
    expect(head).toBe(
      'prediction,prediction_2,probability_rose,prediction_3,probability_rose_2,probability_tulip\n',
    );
  });

  it('keeps a spreadsheet from running text: cells, names and classes, but never numbers', () => {
    const model = { classes: ['-1', '=rose()'], targets: ['kind'], dtype: 'float32' } as const;
    const names = ['=a', "'=a", 'b'];
    const request = { ...csv, model, names, kept: [0, 1, 2] };
    const cells = ['-1.5', '+3e5', '@x'];
    const { head, row } = csvLines(request);
    expect(head).toBe("'=a,'=a_2,b,prediction,probability_-1,probability_=rose()\n");
    expect(row(cells, Float64Array.of(0, 1), Int32Array.of(1))).toBe("-1.5,+3e5,'@x,'=rose(),0,1\n");
    expect(row(cells, Float64Array.of(1, 0), Int32Array.of(0))).toBe("-1.5,+3e5,'@x,-1,1,0\n");
    const open = csvLines({ ...request, guard: false });
    expect(open.head).toBe("=a,'=a,b,prediction,probability_-1,probability_=rose()\n");
    expect(open.row(cells, Float64Array.of(0, 1), Int32Array.of(1))).toBe('-1.5,+3e5,@x,=rose(),0,1\n');
  });

  it('reads back whatever classes are called', () => {
    const classes = ['', '\n', '"', ',', 'ä\u202e'];
    const { head, row } = csvLines({ ...csv, model: { ...FLOWERS, classes } });
    const numbers = new Float64Array(classes.length);
    const lines = classes.map((_, label) => row([], numbers, Int32Array.of(label)));
    const [header, ...rows] = parse(head + lines.join(''));
    expect(header).toEqual(['prediction', ...classes.map((name) => `probability_${name}`)]);
    expect(rows.map(([prediction]) => prediction)).toEqual(classes);
  });
});

describe('the JSON of predictions', () => {
  const json = { kept: [], names: ['id', '__proto__', '2'] };

  it('has the class and the probabilities by its name', () => {
    const { head, row } = jsonLines({ ...json, model: FLOWERS });
    expect([head, row([], Float64Array.of(0.25, 0.75), Int32Array.of(1))]).toEqual([
      '',
      '{"prediction":"tulip","probabilities":{"rose":0.25,"tulip":0.75}}\n',
    ]);
  });

  it('has the value of a target, or of each of several', () => {
    const value = jsonLines({ ...json, model: SIZE }).row([], Float64Array.of(1e-9), undefined);
    expect(value).toBe('{"prediction":1e-9}\n');
    expect(jsonLines({ ...json, model: SIZES }).row([], Float64Array.of(1, -2.5), undefined)).toBe(
      '{"predictions":{"height":1,"width":-2.5}}\n',
    );
  });

  it('has the columns that are kept as they are, whatever they are called', () => {
    const { row } = jsonLines({ ...json, model: SIZE, kept: [2, 1, 0] });
    expect(row(['=7', 'say "hi"\n', '-1.50'], Float64Array.of(1), undefined)).toBe(
      '{"columns":{"2":"-1.50","__proto__":"say \\"hi\\"\\n","id":"=7"},"prediction":1}\n',
    );
  });
});
