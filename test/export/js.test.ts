import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { differences } from '../../src/export/check.js';
import { describeModel } from '../../src/export/describe.js';
import { javascript } from '../../src/export/js/module.js';
import { madeUpRows } from '../../src/export/rows.js';
import { CONTENTS, ensembleFor, modelOf, requestOf } from './models.js';

/** The model rounds each step to its type; some of the random networks have large outputs. */
const ROUNDING = { float32: 4e-6, float64: 1e-13 };

describe('a JavaScript module', () => {
  describe.each(['float32', 'float64'] as const)('of a %s model', (dtype) => {
    it.each(CONTENTS)('predicts as the model does, %s', async (_, content) => {
      const model = modelOf(content, dtype);
      const request = requestOf(model, '.mjs');
      const { compute } = javascript.write(request);
      const found = await differences(model, request.program, [madeUpRows(model, 100)], compute);
      expect(found.rows).toBe(100);
      expect(found.relative).toBeLessThan(ROUNDING[dtype]);
      expect(found.decidedOtherwise).toBe(0);
    });
  });

  it.each(['classes', 'labels', 'numbers', 'quantiles'] as const)(
    'averages the members of an ensemble of %s',
    async (target) => {
      const ensemble = ensembleFor('float64', target);
      const request = requestOf(ensemble, '.mjs');
      expect(request.program.columns.map(({ name }) => name)).toEqual(['a', 'b', 'city']);
      const { compute } = javascript.write(request);
      const found = await differences(ensemble, request.program, [madeUpRows(ensemble, 100)], compute);
      expect(found.rows).toBe(100);
      expect(found.relative).toBeLessThan(1e-13);
      expect(found.decidedOtherwise).toBe(0);
    },
  );

  it.each(CONTENTS.filter(([name]) => /target:|names:|date, ymd/.test(name)))(
    'has types that a compiler takes, %s',
    (_, content) => {
      const model = modelOf(content);
      const { files } = javascript.write(requestOf(model, '.mjs'));
      const text = Array.from(files[1].parts, String).join('');
      const { diagnostics } = ts.transpileDeclaration(text, {
        fileName: 'model.mts',
        reportDiagnostics: true,
      });
      expect(diagnostics).toEqual([]);
      for (const { name } of describeModel(model).columns)
        expect(text).toContain(`readonly ${JSON.stringify(name)}: `);
    },
  );

  it('is refused if it predicts otherwise than the model', async () => {
    const model = modelOf(CONTENTS[0][1]);
    const request = requestOf(model, '.mjs');
    const rows = [madeUpRows(model, 10)];
    const { relative } = await differences(model, request.program, rows, ({ rows }) =>
      rows.map(() => ({ numbers: Float64Array.of(0.5, 0.5, Number.NaN), decided: [0] })),
    );
    expect(relative).toBe(Number.POSITIVE_INFINITY);
    const failing = differences(model, request.program, rows, () => {
      throw new Error('not finite');
    });
    await expect(failing).rejects.toMatchObject({
      exitCode: 1,
      message: 'the export fails on a row that the model predicts: not finite',
    });
  });
});
