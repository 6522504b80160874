/** Compares what an export computes with the predictions of the model itself. */
import { writeFeatures } from '../data/encoding/features.js';
import { matrixIn } from '../data/featureMatrix.js';
import { firstRows } from '../data/locatedColumn.js';
import { numericColumn, selectRows, type Table, textColumn } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import type { FloatArray } from '../kernels/kernels.js';
import type { Ensemble } from '../model/ensemble.js';
import type { Predictor } from '../model/inference.js';
import type { Model } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import type { Row } from './js/cells.js';
import type { Predicted } from './js/runtime.js';
import type { Program } from './program.js';

/** Rows as an export takes them. */
export interface CheckRows {
  /** Cells by column: numbers, or text; null where one is missing. */
  readonly rows: readonly Row[];
  /** [rows, inputs] The inputs of the network of the first part. */
  readonly inputs: FloatArray;
}

/** What an export computes of rows. */
export type Computation = (rows: CheckRows) => readonly Predicted[] | Promise<readonly Predicted[]>;

export interface Differences {
  readonly rows: number;
  /** Of probabilities, or of predictions in the unit of the target. */
  readonly largest: number;
  /** The largest, divided by the size of the largest prediction of its target; of probabilities the same. */
  readonly relative: number;
  /** Rows, or labels, that are decided in another way. */
  readonly decidedOtherwise: number;
}

/**
 * @param tables with the features of the model as their columns
 * @param compute the export
 */
export async function differences(
  model: Model | Ensemble,
  program: Program,
  tables: readonly Table[],
  compute: Computation,
): Promise<Differences> {
  const pool = PredictorPool.create(model);
  const { width } = pool;
  const largest = new Float64Array(width);
  const sizes = new Float64Array(width);
  let rows = 0;
  let decidedOtherwise = 0;
  const chunks = tables.flatMap((table) => chunksOf(table, pool.capacity));
  for await (const { table, x } of pool.inOrder(chunks, writeInputs)) {
    const all = pool.predictions(table.rows);
    // A row without a finite prediction is an error of mlp predict.
    const kept = firstRows(table.rows).filter((row) =>
      all.subarray(row * width, (row + 1) * width).every(Number.isFinite),
    );
    if (kept.length === 0) continue;
    const expected = select(all, kept, width);
    const isClassifier = model.task !== 'regression';
    const every = isClassifier ? pool.labels(table.rows) : new Int32Array();
    const decisions = every.length / table.rows;
    const labels = select(every, kept, decisions);
    const request = {
      rows: rowsOf(selectRows(table, kept), program),
      inputs: select(x, kept, x.length / table.rows),
    };
    const found = await computed(request, compute);
    for (const [row, { numbers, decided }] of found.entries()) {
      const own = expected.subarray(row * width, (row + 1) * width);
      rows++;
      own.forEach((value, j) => {
        const difference = Math.abs(numbers[j] - value);
        // NaN is no difference that may be overlooked.
        if (!(difference <= largest[j]))
          largest[j] = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
        sizes[j] = Math.max(sizes[j], Math.abs(value));
      });
      const isOther = decided.some((label, j) => label !== labels[row * decisions + j]);
      if (isOther) decidedOtherwise++;
    }
  }
  const relative = largest.map((difference, j) =>
    model.task === 'regression' ? difference / sizes[j] || 0 : difference,
  );
  return { rows, largest: Math.max(...largest), relative: Math.max(...relative), decidedOtherwise };
}

/** Some rows [rows, width] of numbers. */
function select<Numbers extends FloatArray | Int32Array>(
  all: Numbers,
  rows: Int32Array,
  width: number,
): Numbers {
  const selected = all.slice(0, rows.length * width) as Numbers;
  rows.forEach((row, i) => {
    selected.set(all.subarray(row * width, (row + 1) * width), i * width);
  });
  return selected;
}

/** @throws MlpError ExitCode.checkFailed if the export fails on a row that the model predicts */
async function computed(rows: CheckRows, compute: Computation): Promise<readonly Predicted[]> {
  try {
    return await compute(rows);
  } catch (cause) {
    if (cause instanceof MlpError || !(cause instanceof Error)) throw cause;
    throw new MlpError(
      ExitCode.checkFailed,
      `the export fails on a row that the model predicts: ${cause.message}`,
      CHECK_HINT,
      { cause },
    );
  }
}

/** The hint of a check that has failed. */
export const CHECK_HINT =
  'nothing was written; if the weights of the network are not extreme, this is a bug in mlp: report it with the model';

function chunksOf(table: Table, capacity: number): Table[] {
  return Array.from({ length: Math.ceil(table.rows / capacity) }, (_, i) => {
    const rows = Math.min(capacity, table.rows - i * capacity);
    return selectRows(
      table,
      firstRows(rows).map((row) => row + i * capacity),
    );
  });
}

/** Returns the inputs of the first network. */
function writeInputs(table: Table, { parts }: Predictor) {
  const { rows } = table;
  const places = firstRows(rows);
  for (const { columns, features, x } of parts) {
    writeFeatures(table, columns, features, places, matrixIn(x));
  }
  const [{ x }] = parts;
  return { rows, table, x: x.data.slice(0, rows * x.columns) };
}

function rowsOf(table: Table, { columns }: Program): Row[] {
  const cells = columns.map(({ name, kind }) => {
    const index = table.names.indexOf(name);
    if (kind === 'number' && table.columns[index]?.kind === 'numeric') {
      const { values } = numericColumn(table, index);
      return (row: number) => (Number.isNaN(values[row]) ? null : values[row]);
    }
    const { codes, levels } = textColumn(table, index);
    return (row: number) => (codes[row] < 0 ? null : levels[codes[row]]);
  });
  return Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries(columns.map(({ name }, j) => [name, cells[j](row)])),
  );
}
