import { createHash } from 'node:crypto';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { type Computation, differences } from '../../src/export/check.js';
import { describeModel } from '../../src/export/describe.js';
import type { ExportRequest } from '../../src/export/format.js';
import { inputTensors, onnx, predictedOf } from '../../src/export/onnx/onnx.js';
import { madeUpRows } from '../../src/export/rows.js';
import type { Ensemble } from '../../src/model/ensemble.js';
import type { Model } from '../../src/model/load.js';
import { BINARY, REGRESSION } from '../model/models.js';
import { CONTENTS, ensembleFor, modelOf, requestOf } from './models.js';

ort.env.wasm.numThreads = 1;

function bytesOf(model: Model | Ensemble, more: Partial<ExportRequest> = {}): Buffer {
  const [{ parts }] = onnx.write(requestOf(model, '.onnx', more)).files;
  return Buffer.concat(Array.from(parts, (part) => Buffer.from(part)));
}

/** Runs the file by onnxruntime. */
function runtime(model: Model | Ensemble): Computation {
  const program = describeModel(model);
  const session = ort.InferenceSession.create(bytesOf(model));
  return async ({ rows }) => {
    const feeds = Array.from(inputTensors(rows, program, 'columns'), ([name, { type, dims, data }]) => {
      const own =
        type === 'string'
          ? new ort.Tensor(type, data as string[], dims)
          : new ort.Tensor('float64', data as Float64Array, dims);
      return [name, own] as const;
    });
    const results = await (await session).run(Object.fromEntries(feeds));
    const outputs = Object.entries(results).map(
      ([name, { data }]) => [name, { data: data as Float32Array }] as const,
    );
    return predictedOf(new Map(outputs), rows.length, program);
  };
}

describe('an ONNX file', () => {
  describe.each(['float32', 'float64'] as const)('of a %s model', (dtype) => {
    // The epsilon of a normalisation is a float32 there; onnxruntime has no Erf of doubles.
    const most = (name: string) => (dtype === 'float32' ? 4e-6 : name.includes('gelu') ? 1e-6 : 1e-11);

    // Encodings are doubles in both.
    const contents =
      dtype === 'float32' ? CONTENTS : CONTENTS.filter(([name]) => /^(?:layer|target|members):/.test(name));

    it.each(contents)('predicts as the model does, %s', async (name, content) => {
      const model = modelOf(content, dtype);
      const program = describeModel(model);
      const rows = [madeUpRows(model, 100)];
      const byRuntime = await differences(model, program, rows, runtime(model));
      expect(byRuntime.rows).toBe(100);
      expect(byRuntime.relative).toBeLessThan(most(name));
      expect(byRuntime.decidedOtherwise).toBe(0);
      // Our own loops over the bytes of the file, by which `mlp export` checks it.
      const byLoops = await differences(model, program, rows, onnx.write(requestOf(model, '.onnx')).compute);
      expect(byLoops.relative).toBeLessThan(most(name));
      expect(byLoops.decidedOtherwise).toBe(0);
    });
  });

  it.each(['classes', 'labels', 'numbers', 'quantiles'] as const)(
    'averages the members of an ensemble of %s',
    async (target) => {
      const ensemble = ensembleFor('float32', target);
      const program = describeModel(ensemble);
      const found = await differences(ensemble, program, [madeUpRows(ensemble, 100)], runtime(ensemble));
      expect(found.rows).toBe(100);
      expect(found.relative).toBeLessThan(4e-6);
      expect(found.decidedOtherwise).toBe(0);
      expect(() => bytesOf(ensemble, { raw: true })).toThrow(
        '--raw: found an ensemble of 3 models, expected one model',
      );
    },
  );

  it('has one input for each column, and outputs as skl2onnx names them', async () => {
    const session = await ort.InferenceSession.create(bytesOf(modelOf(BINARY)));
    expect(session.inputNames).toEqual(['age', 'city', 'size']);
    expect(session.outputNames).toEqual(['label', 'probabilities']);
    const regression = await ort.InferenceSession.create(bytesOf(modelOf(REGRESSION)));
    expect(regression.outputNames).toEqual(['prediction']);
  });

  it('takes texts that mean a missing cell as missing, and unknown levels as none', async () => {
    const model = modelOf(contentNamed('encoding: category, filled'));
    const session = await ort.InferenceSession.create(bytesOf(model));
    const cities = ['Lyon', '', 'null', 'NA', 'Bern', 'Rome', 'lyon'];
    const { probabilities } = await session.run({ city: new ort.Tensor('string', cities, [7, 1]) });
    const rows = Array.from({ length: 7 }, (_, i) =>
      [...(probabilities.data as Float32Array)].slice(3 * i, 3 * i + 3),
    );
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[2]).toEqual(rows[0]);
    // It is a level of this model.
    expect(rows[3]).not.toEqual(rows[0]);
    expect(rows[6]).toEqual(rows[5]);
    expect(new Set(rows.map(String)).size).toBe(4);
  });

  it('takes all columns as a matrix, or encoded rows', async () => {
    const model = modelOf({
      ...REGRESSION,
      features: REGRESSION.features.filter(({ kind }) => kind === 'numeric'),
      network: { ...REGRESSION.network, input: 3 },
    });
    const program = describeModel(model);
    for (const more of [{ inputs: 'matrix' }, { raw: true }] as const) {
      const { compute } = onnx.write(requestOf(model, '.onnx', more));
      const { relative } = await differences(model, program, [madeUpRows(model, 50)], compute);
      expect(relative).toBeLessThan(1e-6);
    }
    for (const content of [BINARY, contentNamed('target: multilabel'), contentNamed('target: quantile')]) {
      const own = modelOf(content);
      const { compute } = onnx.write(requestOf(own, '.onnx', { raw: true }));
      const { largest } = await differences(own, describeModel(own), [madeUpRows(own, 50)], compute);
      expect(largest).toBeLessThan(1e-5);
    }
    const matrix = await ort.InferenceSession.create(bytesOf(model, { inputs: 'matrix' }));
    const features = new ort.Tensor('float64', Float64Array.of(Number.NaN, 1, 30, 2), [2, 2]);
    const { prediction } = await matrix.run({ features });
    const columns = await ort.InferenceSession.create(bytesOf(model));
    const [age, size] = [
      [Number.NaN, 30],
      [1, 2],
    ].map((column) => new ort.Tensor('float64', Float64Array.from(column), [2, 1]));
    expect((await columns.run({ age, size })).prediction.data).toEqual(prediction.data);
    const raw = await ort.InferenceSession.create(bytesOf(model, { raw: true }));
    expect([raw.inputNames, raw.outputNames]).toEqual([['x'], ['prediction']]);
  });

  it('takes more than 100 columns of numbers as a matrix', async () => {
    const features = Array.from(
      { length: 101 },
      (_, j) => ({ kind: 'numeric', column: `p${j}`, shift: j, scale: 2 }) as const,
    );
    const model = modelOf({ ...REGRESSION, features, network: { ...REGRESSION.network, input: 101 } });
    const session = await ort.InferenceSession.create(bytesOf(model));
    expect(session.inputNames).toEqual(['features']);
    const fewer = modelOf({
      ...REGRESSION,
      features: features.slice(1),
      network: { ...REGRESSION.network, input: 100 },
    });
    expect((await ort.InferenceSession.create(bytesOf(fewer))).inputNames).toHaveLength(100);
  });

  it('refuses a matrix with text', () => {
    expect(() => bytesOf(modelOf(BINARY), { inputs: 'matrix' })).toThrow(
      '--to onnx: --inputs matrix: found the column "city" of text, expected numbers alone',
    );
  });

  it('is the same for the same model', () => {
    const hash = () =>
      createHash('sha256')
        .update(bytesOf(modelOf(BINARY)))
        .digest('hex');
    expect(hash()).toBe(hash());
  });
});

function contentNamed(name: string) {
  return CONTENTS.find(([own]) => own === name)?.[1] as (typeof CONTENTS)[number][1];
}
