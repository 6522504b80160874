/**
 * Halving against the whole sweep, on the same trials: node bench/sweep/halving.js <folder> [<data set>…], where the folder
 * has an index.json and tables as bench/quality takes them. A row for each: the least validation loss of both, and the
 * share of epochs that halving trained.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadTrainConfig } from '../../dist/spec/loadConfig.js';
import { checkSweep } from '../../dist/spec/sweepConfig.js';
import { bestOf, sweep } from '../../dist/sweep/sweep.js';

const SPACE = {
  'training.optimizer.learningRate': { log: [0.0003, 0.03] },
  'network.layers[0].units': { int: [16, 256], log: true },
  'training.batchSize': { int: [32, 512], log: true },
  'training.l2': { choice: [0, { log: [1e-6, 1e-2] }] },
};
const TRIALS = 36;
const EPOCHS = 27;
const STOP = { type: 'halving', factor: 3, minEpochs: 1 };

const SILENT = { warn() {}, started() {}, trialStarted() {}, epoch() {}, trialEnded() {} };

async function main([folder, ...names]) {
  if (folder === undefined) throw new Error('usage: node bench/sweep/halving.js <folder> [<data set>…]');
  const all = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  const sets = names.length > 0 ? all.filter(({ name }) => names.includes(name)) : all;
  console.log('data set        whole  epochs  halving  epochs  share  loss');
  for (const set of sets) await compare(folder, set);
}

async function compare(folder, { name, file, target, classes }) {
  const place = await mkdtemp(join(tmpdir(), 'mlp-halving-'));
  try {
    const outputs = classes === undefined ? 1 : Object.keys(classes).length;
    const config = {
      data: { train: resolve(folder, file), target, missing: 'indicator', ...(classes && { task: 'auto' }) },
      network: { layers: [64, 'relu', 64, 'relu', outputs > 2 ? outputs : 1] },
      training: { epochs: EPOCHS, optimizer: { type: 'adam' }, schedule: { type: 'cosine' } },
    };
    const path = join(place, 'config.json');
    await writeFile(path, JSON.stringify(config));
    const train = (stop) =>
      sweep(
        checkSweep({ method: 'random', trials: TRIALS, space: SPACE, ...stop }, join(place, 'sweep.json')),
        loadTrainConfig(path),
        {
          directory: join(place, stop ? 'halving' : 'whole'),
          parallel: availableParallelism(),
          listener: SILENT,
        },
      );
    const [whole, halving] = [scoreOf(await train()), scoreOf(await train({ stop: STOP }))];
    const cells = [whole.loss.toFixed(5), whole.epochs, halving.loss.toFixed(5), halving.epochs];
    const share = `${((100 * halving.epochs) / whole.epochs).toFixed(0)} %`;
    const gap = `${(100 * (halving.loss / whole.loss - 1)).toFixed(2)} %`;
    console.log([name.padEnd(12), ...cells.map((cell) => String(cell).padStart(7)), share, gap].join('  '));
  } finally {
    await rm(place, { recursive: true });
  }
}

function scoreOf(study) {
  const epochs = study.trials.reduce((sum, { results }) => sum + (results.at(-1)?.epochs ?? 0), 0);
  return { loss: bestOf(study).results.at(-1).value, epochs };
}

await main(process.argv.slice(2));
