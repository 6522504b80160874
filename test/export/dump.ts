/** Writes models in each format with rows and expected predictions, for test/fixtures/export/run.py. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFeatures } from '../../src/data/encoding/features.js';
import { matrixIn } from '../../src/data/featureMatrix.js';
import { firstRows } from '../../src/data/locatedColumn.js';
import { differences } from '../../src/export/check.js';
import { computeProgram, type Exported } from '../../src/export/format.js';
import { FORMATS } from '../../src/export/formats.js';
import type { Row } from '../../src/export/js/cells.js';
import { inputTensors } from '../../src/export/onnx/onnx.js';
import { madeUpRows } from '../../src/export/rows.js';
import type { DType } from '../../src/kernels/kernels.js';
import type { Ensemble } from '../../src/model/ensemble.js';
import type { Predictor } from '../../src/model/inference.js';
import type { Model } from '../../src/model/load.js';
import { PredictorPool } from '../../src/model/pool/predictorPool.js';
import { requestOf } from './models.js';

export function textOf({ files }: Exported): string {
  return Array.from(files[0].parts, String).join('');
}

/** Writes one model into `folder`. */
export async function dump(
  folder: string,
  name: string,
  dtype: DType,
  model: Model | Ensemble,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { program } = requestOf(model, '');
  const table = madeUpRows(model, 100);
  let rows: readonly Row[] = [];
  await differences(model, program, [table], (own) => {
    rows = own.rows;
    return computeProgram(program)(own);
  });
  const pool = PredictorPool.create(model);
  const fill = (rows: number, { parts }: Predictor) => {
    for (const { columns, features, x } of parts)
      writeFeatures(table, columns, features, firstRows(rows), matrixIn(x));
    return { rows };
  };
  const expected: number[] = [];
  for await (const { rows } of pool.inOrder([100], fill)) expected.push(...pool.predictions(rows));
  const inputs = Array.from(inputTensors(rows, program, 'columns'), ([column, { type, data }]) => {
    const cells = [...data].map((cell) => (Number.isNaN(cell) ? null : cell));
    return [column, { type, cells }];
  });
  const columns = program.columns.map((column) => ({ name: column.name, kind: column.kind }));
  const document = {
    name,
    dtype,
    columns,
    rows,
    inputs: Object.fromEntries(inputs),
    expected,
    isClassifier: model.task !== 'regression',
  };
  writeFileSync(join(folder, 'case.json'), JSON.stringify(document));
  for (const [format, { endings, write }] of Object.entries(FORMATS)) {
    mkdirSync(join(folder, format), { recursive: true });
    for (const { ending, parts } of write(requestOf(model, endings[0])).files) {
      writeFileSync(
        join(folder, format, `model${ending}`),
        Buffer.concat(Array.from(parts, (part) => Buffer.from(part))),
      );
    }
  }
}
