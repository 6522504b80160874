import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FeatureEncoding, NumericEncoding } from '../../src/data/encoding/encoding.js';
import { openTable } from '../../src/data/openTable.js';
import { loadModel, type Model } from '../../src/model/load.js';
import { PredictorPool } from '../../src/model/pool/predictorPool.js';
import { StrangeValues } from '../../src/model/ranges.js';
import { modelRowsOf, requestFor } from '../../src/model/rows.js';
import { Folder } from '../data/files.js';
import { projectPath } from '../support/fixtures.js';
import { modelOf, networkOf, REGRESSION } from './models.js';

const folder = new Folder();

/** Reads a text as the rows of a model: its inputs, its predictions and what is said. */
async function read(model: Model, text: string) {
  const file = await openTable(folder.write('rows.csv', text), requestFor(model, {}));
  try {
    const rows = modelRowsOf(file, model, { targets: false });
    const pool = PredictorPool.create(model, { capacity: 2 });
    const inputs: number[] = [];
    const predictions: number[] = [];
    for await (const chunk of rows.chunks(pool)) {
      const [{ x }] = pool.parts;
      inputs.push(...x.data.subarray(0, chunk.rows * x.columns));
      predictions.push(...pool.predictions(chunk.rows));
    }
    const warnings = rows.warnings().map((text) => text.replaceAll(`${folder.path}/`, ''));
    return { inputs, predictions, warnings };
  } finally {
    await file.close();
  }
}

function modelWith(features: readonly FeatureEncoding[], input: number): Model {
  return modelOf({ ...REGRESSION, network: networkOf([2], input), features });
}

const numeric = (column: string, least: number, greatest: number): FeatureEncoding => ({
  kind: 'numeric',
  column,
  shift: 0,
  scale: 1,
  range: [least, greatest],
});

describe('numbers far outside the training range', () => {
  const ofTwo = () => modelWith([numeric('a', 0, 10), numeric('b', -1, 1)], 2);

  it('lie beyond it by more than its width, and are reported once a column', async () => {
    const { warnings } = await read(ofTwo(), 'a,b\n20,3\n-10,-3\n5,0\n20.5,0\n-11,0\n1e6,3.1\n');
    expect(warnings).toEqual([
      'rows.csv: column "a": 3 rows hold numbers far outside the range of the training rows, 0 to 10, such as 20.5',
      'rows.csv: column "b": 1 row holds a number far outside the range of the training rows, -1 to 1: 3.1',
    ]);
  });

  it('may be dates', async () => {
    // 2024-01-01 is day 19723, and the range is 100 days wide.
    const elapsed = { ...numeric('when elapsed', 19723, 19823), shift: 19723, scale: 100 };
    const month = ['when month sine', 'when month cosine'].map((name) => numeric(name, 0, 0.1));
    const dates: FeatureEncoding = {
      kind: 'date',
      column: 'when',
      order: 'ymd',
      parts: ['month', 'elapsed'],
      inputs: [...month, elapsed] as NumericEncoding[],
    };
    const text = 'when\n2024-07-01\n2024-08-01\n2023-09-23\n2023-09-22\n';
    const model = modelWith([dates], 3);
    const { inputs, warnings } = await read(model, text);
    const warning =
      'column "when": 2 rows hold dates far outside the range of the training rows, 2024-01-01 to 2024-04-10, such as 2024-08-01';
    expect(warnings).toEqual([`rows.csv: ${warning}`]);
    const strange = new StrangeValues(model);
    strange.addScaled(inputs);
    expect(strange.warnings('a.csv', true)).toEqual([`a.csv: ${warning}`]);
  });

  it('are found in scaled rows, too', () => {
    const features: FeatureEncoding[] = [
      { kind: 'category', column: 'city', levels: ['Bern', 'Lyon'] },
      { kind: 'constant', column: 'site', value: 5 },
      { kind: 'numeric', column: 'a', shift: 5, scale: 2, range: [0, 10] },
    ];
    const strange = new StrangeValues({ features });
    strange.addScaled(Float32Array.of(1, 0, 0, 0, 1, 10, 0, 1, 0.5));
    expect(strange.warnings('rows.csv', true)).toEqual([
      'rows.csv: column "a": 1 row holds a number far outside the range of the training rows, 0 to 10: 25',
    ]);
  });

  it('are named for ten columns, and the others are listed', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `c${i}`);
    const many = modelWith(
      names.map((name) => numeric(name, 0, 1)),
      12,
    );
    const { warnings } = await read(many, `${names}\n${names.map(() => 9)}\n`);
    expect(warnings).toHaveLength(11);
    expect(warnings[10]).toBe(
      'rows.csv: column "c10", column "c11" hold values that the training rows had nothing like, too',
    );
  });
});

describe('a column of a single value in training', () => {
  const features: readonly FeatureEncoding[] = [
    numeric('a', 0, 10),
    { kind: 'constant', column: 'site', value: 5 },
    { kind: 'constant', column: 'unit', value: 'kg' },
    numeric('pixel', 0, 0),
  ];

  it('moves no prediction, and its change is reported', async () => {
    const model = modelWith(features, 2);
    const expected = await read(model, 'a,site,unit,pixel\n1,5,kg,0\n2,5.0,kg,0\n');
    expect(expected.warnings).toEqual([]);
    const { warnings, ...others } = await read(model, 'a,site,unit,pixel\n1,1e5,kg,0\n2,high,lb,-7\n');
    expect(others.predictions).toEqual(expected.predictions);
    expect(others.inputs.map(Math.abs)).toEqual(expected.inputs);
    expect(warnings).toEqual([
      'rows.csv: column "site": 2 rows hold another value than 5, the only one of the training rows, so the network ignores the column, such as "1e5"',
      'rows.csv: column "unit": 1 row holds another value than "kg", the only one of the training rows, so the network ignores the column: "lb"',
      'rows.csv: column "pixel": 1 row holds another value than 0, the only one of the training rows, so the network ignores the column: -7',
    ]);
  });

  it('may have gaps, or not be there at all', async () => {
    const model = modelWith(features, 2);
    const { predictions, warnings } = await read(model, 'pixel,a,site\n0,1,\n0,2,NA\n');
    expect(predictions).toEqual((await read(model, 'a,site,unit,pixel\n1,5,kg,0\n2,5,kg,0\n')).predictions);
    expect(warnings).toEqual([]);
  });

  it('keeps the notation of its training file', async () => {
    const numbers = { site: { decimal: ',' as const } };
    const commas = { ...modelWith(features, 2), numbers };
    const { warnings } = await read(commas, 'a;site;unit;pixel\n1;5,0;kg;0\n2;5,1;kg;0\n');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('"site": 1 row holds another value than 5');
  });

  it('marks its gaps if the training rows had some', async () => {
    const gaps = modelWith(
      [numeric('a', 0, 10), { kind: 'constant', column: 'site', value: 5, indicator: true }],
      2,
    );
    expect((await read(gaps, 'a,site\n1,5\n2,\n3,6\n')).inputs).toEqual([1, 0, 2, 1, 3, 0]);
  });
});

describe('a model of an earlier version', () => {
  const fixture = (name: string) => projectPath(`test/fixtures/earlierVersions/${name}`);

  it('predicts as it did, to the last digit', async () => {
    const model = loadModel(fixture('model.safetensors'));
    const { predictions, warnings } = await read(model, readFileSync(fixture('houses.csv'), 'utf8'));
    expect(predictions.map(Math.fround)).toEqual(
      readFileSync(fixture('predictions.csv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map(Number)
        .map(Math.fround),
    );
    expect(warnings).toEqual([]);
  });
});
