/** Small sound inputs of every kind, which the fuzzers damage, and models trained on them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectPath = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const NAMES = ['age', 'city', 'day', 'member', 'size', 'weight', 'kind', 'price', 'hot', 'wet'];
const CITIES = ['Bern', 'Lyon', 'Oslo', 'Ålesund, north', 'St. "Gallen"'];

/** Rows with a number, categories, a date, yes and no, gaps, and targets for each task. */
export function rowsOf(count) {
  return Array.from({ length: count }, (_, i) => [
    20 + ((i * 17) % 50),
    CITIES[(i * 7) % 5],
    `2024-0${1 + (i % 9)}-${10 + ((i * 3) % 18)}`,
    i % 3 ? 'yes' : 'no',
    i % 11 === 10 ? '' : ((i * 29) % 97) / 10 - 4,
    1 + (i % 3),
    ['low', 'middle', 'high'][(i * 7) % 3],
    (((i * 17) % 50) * 3 + ((i * 29) % 97)) / 4,
    i % 2 ? 'yes' : 'no',
    i % 5 ? 'yes' : 'no',
  ]);
}

export function csvOf(rows) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return `${[NAMES, ...rows].map((row) => row.map(cell).join()).join('\n')}\n`;
}

export function jsonLinesOf(rows) {
  const value = (cell) => (cell === '' ? null : cell);
  const lines = rows.map((row) =>
    JSON.stringify(Object.fromEntries(row.map((cell, i) => [NAMES[i], value(cell)]))),
  );
  return `${lines.join('\n')}\n`;
}

/** The columns that are targets, or weights, leave the features. */
const FEATURES = { features: ['age', 'city', 'day', 'member', 'size'], missing: 'mean' };
const TRAINING = { epochs: 2, batchSize: 16 };

/** Configs of each task, by name, with many keys. */
export const CONFIGS = {
  classes: {
    network: {
      layers: [
        6,
        'batch-norm',
        'tanh',
        { type: 'residual', layers: [6, 'relu'] },
        { type: 'dropout', rate: 0.1 },
        3,
      ],
    },
    data: { train: 'data.csv', target: 'kind', ...FEATURES, validation: 0.2, test: 0.1 },
    training: {
      ...TRAINING,
      optimizer: { type: 'adam', learningRate: 0.01 },
      keep: 'best',
      keepTies: 'last',
      labelSmoothing: 0.1,
      refit: true,
      earlyStopping: { patience: 5 },
    },
  },
  binary: {
    network: { layers: [4, 'relu', 'layer-norm', 1] },
    data: { train: 'data.csv', target: 'hot', ...FEATURES, weights: { column: 'weight' }, badRows: 'skip' },
    training: {
      ...TRAINING,
      schedule: { type: 'cosine' },
      optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0.9 },
      clipNorm: 1,
    },
    dtype: 'float64',
  },
  regression: {
    network: { layers: [4, 'gelu', 1] },
    data: { train: 'data.csv', target: 'price', ...FEATURES, standardizeTarget: true },
    training: { ...TRAINING, optimizer: { type: 'rmsprop', learningRate: 0.01 } },
  },
  calibrated: {
    network: { layers: [4, 'relu', 1] },
    data: { train: 'data.csv', target: 'wet', ...FEATURES, validation: 0.3 },
    training: TRAINING,
  },
  labels: {
    network: { layers: [4, 'tanh', 2] },
    data: { train: 'data.csv', task: 'multilabel', target: ['hot', 'wet'], ...FEATURES },
    training: TRAINING,
  },
};

export const ROWS = rowsOf(60);
export const CSV = csvOf(ROWS);

/**
 * The config `name` of `CONFIGS`, trained in a folder of its own below `folder`: `data.csv`, `config.json`
 * and the run `r`. Trained only once for a folder.
 */
export async function trainSample(folder, processes, name) {
  const config = CONFIGS[name];
  const sample = join(folder, name);
  if (!existsSync(sample)) {
    mkdirSync(sample, { recursive: true });
    writeFileSync(join(sample, 'data.csv'), CSV);
    writeFileSync(
      join(sample, 'config.json'),
      JSON.stringify({ ...config, threads: 1, deterministic: true }, undefined, 1),
    );
    await requireDone(processes, ['train', 'config.json', '--run', 'r', '--json'], sample);
    if (name === 'calibrated') await requireDone(processes, ['calibrate', 'r'], sample);
  }
  return { name, config, folder: sample, model: readFileSync(join(sample, 'r/model.safetensors')) };
}

export async function trainSamples(folder, processes) {
  const samples = [];
  for (const name of Object.keys(CONFIGS)) samples.push(await trainSample(folder, processes, name));
  return samples;
}

/** A function of a name that is only once called for each. */
export function once(make) {
  const made = new Map();
  return async (name) => {
    if (!made.has(name)) made.set(name, await make(name));
    return made.get(name);
  };
}

export async function requireDone(processes, args, folder) {
  const { code, stderr, faults } = await processes.run(args, folder);
  if (code !== 0 || faults.length > 0)
    throw new Error(`mlp ${args.join(' ')} in ${folder}: ${code} ${faults} ${stderr}`);
}

/** The bytes of a model of many columns. */
export async function wideModel(folder, processes) {
  const wide = join(folder, 'wide');
  mkdirSync(wide);
  writeFileSync(join(wide, 'data.csv'), wideCsv());
  const config = { network: { layers: [1] }, data: { train: 'data.csv', target: 'y' }, threads: 1 };
  writeFileSync(join(wide, 'config.json'), JSON.stringify({ ...config, training: { epochs: 1 } }));
  await requireDone(processes, ['train', 'config.json', '--run', 'r', '--no-report'], wide);
  return readFileSync(join(wide, 'r/model.safetensors'));
}

/** So many that the model is below `MOST_BYTES`. */
const WIDE = 8000;

function wideCsv() {
  const row = (i) => [...Array.from({ length: WIDE }, (_, k) => (i * 7 + k * 3) % 11), i % 2];
  const names = [...Array.from({ length: WIDE }, (_, k) => `x${k}`), 'y'];
  return `${[names, ...[1, 2, 3, 4, 5, 6].map(row)].map((cells) => cells.join()).join('\n')}\n`;
}
