/** The data of the workloads, as files that contenders of any language read: the same numbers for all of them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { loadDataset } from '../dist/data/dataset/loadDataset.js';

import { trainSchema } from '../dist/spec/trainConfig.js';
import { csvFile } from './csv/files.js';
import { withModel } from './predict/model.js';

const FOLDER = fileURLToPath(new URL('../data/', import.meta.url));

/** 8×8 pictures of digits as 20×20 in the middle of 28×28, as MNIST's are: 74 % of the pixels are 0, of MNIST's 81 %. */
function enlarge(features, rows) {
  const pixels = new Float64Array(rows * 784);
  for (let row = 0; row < rows; row++) {
    for (let y = 0; y < 20; y++) {
      for (let x = 0; x < 20; x++) {
        const from = row * 64 + Math.floor((y * 8) / 20) * 8 + Math.floor((x * 8) / 20);
        pixels[row * 784 + (y + 4) * 28 + x + 4] = features[from] / 16;
      }
    }
  }
  return pixels;
}

/** Rows of all three kinds of iris: the file is sorted by kind. */
const IRIS_ROWS = [0, 30, 60, 90, 120];

/** How many rows each has: whole batches, so that all steps are alike. */
const SOURCES = {
  'breast-cancer': { target: 'diagnosis', standardize: true, rows: 2048 },
  digits: { target: 'digit', standardize: false, rows: 4000, enlarge },
  iris: { target: 'species', standardize: true, rows: 5, order: IRIS_ROWS },
};

/** A task with its data on disk. `csvFolder`: that of the large CSVs. */
export async function prepareTask(task, { folder, csvFolder }) {
  if (task.kind === 'train') return { ...task, data: await writeData(task.data, folder) };
  if (task.file === undefined) return task;
  const withFile = { ...task, path: csvFile(task.file, csvFolder) };
  return task.kind === 'predict' ? withModel(withFile, folder) : withFile;
}

/**
 * Writes a data set to `folder`: features as float64 [rows, inputs] and labels as int32 [rows], both little-endian.
 * A file with fewer rows is repeated.
 */
async function writeData(name, folder) {
  const { target, standardize, rows, order, enlarge: transform } = SOURCES[name];
  const config = trainSchema.parse({
    network: { layers: [{ type: 'linear', units: 1 }] },
    data: { train: `${name}.csv`, target, validation: 0, standardize },
    dtype: 'float64',
  });
  const { train } = await loadDataset(config, FOLDER);
  const all = train.features.read(0, train.rows);
  const source = transform ? transform(all, train.rows) : all;
  const inputs = source.length / train.rows;
  const features = new Float64Array(rows * inputs);
  const labels = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = order ? order[i] : i % train.rows;
    features.set(source.subarray(row * inputs, (row + 1) * inputs), i * inputs);
    labels[i] = train.labels[row];
  }
  const files = {
    features: join(folder, `${name}.features.f64`),
    labels: join(folder, `${name}.labels.i32`),
  };
  await writeFile(files.features, features);
  await writeFile(files.labels, labels);
  return { rows, ...files };
}
