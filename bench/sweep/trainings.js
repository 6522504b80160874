/**
 * Compares samplers on real trainings: the best validation loss of a sweep of a small network on five
 * data sets, by seed. All samplers have the same space, number of trials and training code; ours knows
 * what `mlp sweep` lets it know by default, all results but those of the last three trials, Optuna's
 * knows every result.
 *
 *   node bench/sweep/trainings.js --data FOLDER --python PYTHON [--seeds 10] [--trials 30] [--cache FILE]
 *
 * FOLDER holds the CSVs, plain or gzipped. Results are added to the cache, one JSON a line, and nothing in
 * it is measured again.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { checkTrainConfig, parseOverride } from '../../dist/spec/loadConfig.js';
import { checkSweep } from '../../dist/spec/sweepConfig.js';
import { Space } from '../../dist/sweep/space.js';
import { ThreadPool } from '../../dist/training/engine/threadPool.js';
import { RunData } from '../../dist/training/runData.js';
import { train } from '../../dist/training/train.js';
import { median } from '../statistics.js';
import { bestValues, optunaSampler, ownSampler } from './samplers.js';

const SETS = {
  concrete: 'compressive_strength',
  contraceptive: 'method',
  chile: 'vote',
  credit: 'Status',
  churn: 'churn',
};
const EPOCHS = 8;
/** How many trials of ours run at once; Optuna's run one by one. */
const AT_ONCE = 4;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    python: { type: 'string' },
    seeds: { type: 'string', default: '10' },
    trials: { type: 'string', default: '30' },
    cache: { type: 'string', default: join(tmpdir(), 'sweep-trainings.jsonl') },
  },
});
const trials = Number(options.trials);

/** The config of `mlp init --preset plain` for a data set, in a folder with its CSV. */
function baseConfig(name, folder) {
  const plain = join(resolve(options.data), `${name}.csv`);
  const csv = existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
  writeFileSync(join(folder, `${name}.csv`), csv);
  const mlp = fileURLToPath(new URL('../../bin/mlp.js', import.meta.url));
  const path = join(folder, `${name}.json`);
  const args = ['init', `${name}.csv`, '--target', SETS[name], '--preset', 'plain', '-o', path];
  const { status, stderr } = spawnSync(process.execPath, [mlp, ...args], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const data = { ...config.data, train: join(folder, `${name}.csv`) };
  const training = { ...config.training, epochs: EPOCHS };
  return { ...config, data, training, backend: 'wasm', threads: 1 };
}

function spaceFor(config) {
  const outputs = config.network.layers.at(-1);
  const hidden = (width, activation, depth) => [
    ...Array(depth)
      .fill([width, activation, { type: 'dropout', rate: 0.1 }])
      .flat(),
    outputs,
  ];
  return {
    'training.optimizer.learningRate': { log: [1e-4, 1] },
    'training.batchSize': { int: [16, 256], log: true },
    'network.layers': {
      choice: [
        [16, 'relu', outputs],
        [64, 'relu', outputs],
        [64, 'selu', 64, 'selu', outputs],
        hidden(64, 'relu', 2),
        hidden(128, 'selu', 1),
      ],
    },
    'training.l2': { choice: [0, { log: [1e-5, 1e-1] }] },
    'training.schedule': {
      choice: [{ type: 'constant' }, { type: 'cosine' }, { type: 'one-cycle' }],
    },
    'training.optimizer.beta2': { choice: [0.9, 0.95, 0.999] },
  };
}

const known = new Map();
async function trainedLoss(config, settings) {
  const key = JSON.stringify([config.data.train, settings]);
  if (!known.has(key)) known.set(key, await lossOf(config, settings));
  return known.get(key);
}

/** As `mlp sweep` trains: on data that are read once, by threads that stay. */
async function lossOf(config, settings) {
  const overrides = settings.map(({ path, value }) => parseOverride(`${path}=${JSON.stringify(value)}`));
  const loaded = checkTrainConfig(config, config.data.train, overrides);
  try {
    const { result } = await train(loaded, { data: (await dataOf(config)).share(), pool });
    return result.validation.metrics.loss;
  } catch (error) {
    // A training that diverges fails; anything else is a mistake here.
    if (error.exitCode === 78 && error.message.includes('diverged')) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

const pool = new ThreadPool();
const read = new Map();
function dataOf(config) {
  const { train: path } = config.data;
  if (!read.has(path)) read.set(path, RunData.read(checkTrainConfig(config, path), {}));
  return read.get(path);
}

function measured() {
  if (!existsSync(options.cache)) return [];
  return readFileSync(options.cache, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const folder = mkdtempSync(join(tmpdir(), 'mlp-sweep-'));
const samplers = [
  { sampler: ownSampler('tpe'), lag: AT_ONCE },
  { sampler: optunaSampler('optuna', options.python), lag: 1 },
  { sampler: ownSampler('random'), lag: AT_ONCE },
];
try {
  const configs = Object.fromEntries(Object.keys(SETS).map((name) => [name, baseConfig(name, folder)]));
  const done = new Set(measured().map(({ set, sampler, seed }) => `${set} ${sampler} ${seed}`));
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    for (const [set, config] of Object.entries(configs)) {
      const space = Space.of(checkSweep({ space: spaceFor(config) }).sweep.space);
      for (const { sampler, lag } of samplers) {
        if (done.has(`${set} ${sampler.name} ${seed}`)) continue;
        const evaluate = (point) => trainedLoss(config, space.settingsOf(point));
        const best = await bestValues(sampler, { space, evaluate, seed, trials, lag });
        const line = JSON.stringify({
          set,
          sampler: sampler.name,
          seed,
          trials,
          best: best.at(-1),
          half: best[trials / 2],
        });
        appendFileSync(options.cache, `${line}\n`);
      }
    }
  }
} finally {
  for (const { sampler } of samplers) sampler.close();
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
}

const results = measured().filter((result) => result.trials === trials);
console.log(['data set', ...samplers.map(({ sampler }) => sampler.name)].join('\t'));
for (const set of Object.keys(SETS)) {
  const medians = samplers.map(({ sampler }) =>
    median(
      results
        .filter((result) => result.set === set && result.sampler === sampler.name)
        .map(({ best }) => best),
    ),
  );
  console.log([set, ...medians.map((loss) => loss.toPrecision(4))].join('\t'));
}
