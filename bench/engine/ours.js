/**
 * This project's engine as a contender: node bench/engine/ours.js <auto|native|blas|wasm|relaxed> <threads|auto>.
 * `wasm` is the build without relaxed SIMD, `relaxed` the one with it.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { argv } from 'node:process';
import { createFeatureMatrix, MatrixRows } from '../../dist/data/featureMatrix.js';
import { explainSearch, findBlas, thisMachine } from '../../dist/kernels/blas/find.js';
import { findNative } from '../../dist/kernels/native/find.js';
import { detectFeatures } from '../../dist/kernels/wasm/loader.js';
import { formatPath } from '../../dist/spec/messages.js';
import { trainSchema } from '../../dist/spec/trainConfig.js';
import { chooseBackend, chooseThreads } from '../../dist/training/engine/backend.js';
import { Team } from '../../dist/training/engine/team.js';
import { planTraining } from '../../dist/training/plan.js';
import { readData, serve, unavailable } from '../peers/serve.js';
import { startProducts } from './productTeam.js';

const [, , kind, threadCount] = argv;
const threads = threadCount === 'auto' ? 'auto' : Number(threadCount);

/** Steps that a team takes at one command; it makes room for so many losses. */
const MOST_STEPS = 2 ** 20;

/** A train config, every default filled in. */
function configOf({ sizes, batch, optimizer, learningRate, dtype, data }) {
  const layers = sizes.slice(1).flatMap((units) => [{ type: 'linear', units }, { type: 'relu' }]);
  return trainSchema.parse({
    network: { layers: layers.slice(0, -1) },
    data: { train: data.features, target: 0 },
    training: { steps: MOST_STEPS, batchSize: batch, optimizer: { type: optimizer, learningRate } },
    seed: 0,
    dtype,
    backend: kind === 'relaxed' ? 'wasm' : kind,
    threads,
    deterministic: kind === 'wasm',
  });
}

function datasetOf(task) {
  const { rows, features, labels } = readData(task.data);
  const [inputs] = task.sizes;
  const outputs = task.sizes.at(-1);
  const matrix = createFeatureMatrix(task.dtype, rows, inputs);
  matrix.parts[0].features.data.set(features);
  return {
    matrix,
    task: outputs === 1 ? 'binary' : 'multiclass',
    featureNames: Array.from({ length: inputs }, (_, column) => String(column)),
    encodings: [],
    targetNames: ['class'],
    classes: Array.from({ length: Math.max(2, outputs) }, (_, label) => String(label)),
    train: { rows, features: new MatrixRows(matrix, 0, rows), labels },
    description: '',
    warnings: [],
  };
}

async function prepareTraining(task) {
  const config = configOf(task);
  const dataset = datasetOf(task);
  const plan = planTraining({ config, where: formatPath }, dataset);
  const choice = chooseBackend(config, plan, thisMachine());
  const run = { config, choice, threads: chooseThreads(threads, choice, plan, availableParallelism()) };
  // A command of as many steps as we like, where the command line gives one an epoch.
  const team = await Team.start({ ...run, plan: { ...plan, stepsPerEpoch: MOST_STEPS } }, dataset);
  return async (count) => {
    const losses = new Float64Array(Math.min(count, MOST_STEPS));
    const { done, brokenLoss } = await team.train(losses, losses.slice().fill(task.learningRate));
    if (brokenLoss !== undefined) throw new Error(`the loss became ${brokenLoss}`);
    return { steps: done, loss: losses[done - 1] };
  };
}

async function prepareProducts(task) {
  const choices = {
    native: { backend: 'native', relaxed: false, set: native.sets[0] },
    blas: { backend: 'blas', relaxed: true, library: blas?.libraries[0].path },
  };
  const choice = choices[kind] ?? { backend: 'wasm', relaxed: kind === 'relaxed' };
  const run = await startProducts({ choice, threads }, task);
  return async (count) => {
    await run(count);
    return { steps: count };
  };
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const features = detectFeatures();
const blas = kind === 'blas' || kind === 'auto' ? findBlas(thisMachine()) : undefined;
const native = findNative(thisMachine());
const versions = { mlp: version };
if (blas?.libraries.length > 0) {
  const [library] = blas.libraries;
  versions[library.vendor] = library.version ?? 'unknown';
}

if (kind === 'blas' && blas.libraries.length === 0) {
  unavailable(explainSearch(blas));
} else if (kind === 'native' && native.sets.length === 0) {
  unavailable(native.reason);
} else if (kind === 'relaxed' && !features.relaxedSimd) {
  unavailable(`Node ${process.version} has no relaxed SIMD`);
} else {
  await serve(versions, (task) => (task.kind === 'train' ? prepareTraining(task) : prepareProducts(task)));
}
