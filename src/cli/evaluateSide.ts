/** `mlp evaluate` on rows of the run itself: read and parted as they were for its training. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Dataset, Split } from '../data/dataset/dataset.js';
import type { SideName } from '../data/dataset/parts.js';
import { sourcePath } from '../data/source/source.js';
import { ExitCode, MlpError } from '../errors.js';
import type { Model } from '../model/load.js';
import type { LoadedTrainConfig } from '../spec/load.js';
import type { TrainConfig } from '../spec/train.js';
import { printable } from '../text.js';
import { createScorer, type Evaluated, type ExpectedValues } from './scoring.js';

export interface SideOptions {
  split?: SideName;
  json?: boolean;
  color: boolean;
}

/** In the order in which one is taken where none is asked for. */
const SIDES = ['test', 'validation', 'train'] as const satisfies readonly SideName[];

const NAME_DATA = 'name the data to score: mlp evaluate <run> <data.csv>';

/**
 * Scores a side of the split: the one asked for, else the test rows, else the validation rows, else the training rows.
 * An MlpError: 64 for a model file alone and for a side that the run has not, 66 where there is no run or its config or data are gone,
 * 65 where the data have changed since.
 */
export async function evaluateSide(run: string, options: SideOptions): Promise<Evaluated> {
  const { loadModel } = await import('../model/load.js');
  const { loadTrainConfig } = await import('../spec/load.js');
  const { loadDataset } = await import('../data/dataset/loadDataset.js');
  const { warn } = await import('./output.js');
  const { withReadingProgress } = await import('./reading.js');
  const model = loadModel(run);
  const path = requireConfig(run, model);
  const loaded = loadTrainConfig(path);
  const { config, directory } = loaded;
  requireFiles(config, path);
  await requireSameFiles(run, loaded);
  const dataset = await withReadingProgress(options, (progress) =>
    loadDataset(config, directory, path, { progress }),
  );
  requireSameMeaning(dataset, model, path);
  const side = chooseSide(dataset, run, options.split);
  if (side === 'train' && options.split === undefined) {
    warn(`${run} has held out no rows: these are the ones that it was trained on`);
  }
  const split = dataset[side] as Split;
  return {
    model,
    data: { path: fileOf(config, side, directory), rows: split.rows },
    side,
    weighted: split.weights !== undefined,
    result: await scoreSplit(split, model),
  };
}

async function scoreSplit(
  { rows, features, labels, targets, weights }: Split,
  model: Model,
): Promise<Evaluated['result']> {
  const { Inference } = await import('../model/inference.js');
  const inference = Inference.create(model);
  const scorer = createScorer(model, inference);
  const { capacity, inputs } = inference;
  const expected = (labels ?? targets) as ExpectedValues;
  const width = expected.length / rows;
  for (let first = 0; first < rows; first += capacity) {
    const end = Math.min(first + capacity, rows);
    inference.x.data.set(features.subarray(first * inputs, end * inputs));
    const logits = inference.forward(end - first);
    scorer.add(end - first, logits, expected.subarray(first * width, end * width));
  }
  return scorer.result(weights);
}

/** The path of the run's config. */
function requireConfig(run: string, { path: modelPath }: Model): string {
  if (!statSync(run).isDirectory()) {
    throw new MlpError(
      ExitCode.usage,
      `${modelPath}: found a model file and no data, expected a CSV to score it on`,
      'mlp evaluate <run> <data.csv>; the directory of a run alone has rows of its own',
    );
  }
  const path = join(run, 'config.json');
  if (existsSync(path)) return path;
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: no such file: without it the rows of the run are not known`,
    NAME_DATA,
  );
}

function requireFiles({ data }: TrainConfig, path: string): void {
  for (const key of ['train', 'validation', 'test'] as const) {
    if (data[key] !== '-') continue;
    throw new MlpError(
      ExitCode.noInput,
      `${printable(path)}: data.${key}: the run has read standard input, which is not there any more`,
      NAME_DATA,
    );
  }
}

/**
 * An MlpError (65) where the files are not those of the training, by their hashes in run.json: the split of others holds out other
 * rows, some that the network has learnt from among them.
 */
async function requireSameFiles(run: string, { config, directory, path }: LoadedTrainConfig): Promise<void> {
  const { fingerprintData } = await import('../data/fingerprint.js');
  const { dataDifference } = await import('../training/run/provenance.js');
  const { readSummary, SUMMARY_FILE } = await import('../training/run/summary.js');
  if (!existsSync(join(run, SUMMARY_FILE))) return;
  const found = await fingerprintData(config.data, directory);
  const difference = dataDifference(found, readSummary(run).data);
  if (difference === undefined) return;
  throw changed(path, `${difference.what}: found ${difference.found}, expected ${difference.expected}`);
}

/** An MlpError (65) where the data make other inputs than the model takes: another way to see that they have changed. */
function requireSameMeaning(dataset: Dataset, model: Model, path: string): void {
  const { encodings, classes, targetNames, targetStandardization } = dataset;
  const found = { features: encodings, classes, targets: targetNames, targetStandardization };
  const { features, classes: known, targets, targetStandardization: units } = model;
  const expected = { features, classes: known, targets, targetStandardization: units };
  // By way of JSON, as the model has come: it knows no −0 and nothing undefined.
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  if (isDeepStrictEqual(plain(found), plain(expected))) return;
  throw changed(path, `data: found other columns, classes or scales than the model ${model.path} has`);
}

function changed(path: string, problem: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${printable(path)}: ${printable(problem)}`,
    `the data have changed since the training, and so have the rows held out; ${NAME_DATA}`,
  );
}

function chooseSide(dataset: Dataset, run: string, asked: SideName | undefined): SideName {
  const there = SIDES.filter((side) => dataset[side] !== undefined);
  if (asked === undefined) return there[0];
  if (there.includes(asked)) return asked;
  throw new MlpError(
    ExitCode.usage,
    `--split: found ${asked}, but ${printable(run)} has no ${asked} rows, expected ${there.join(' or ')}`,
  );
}

/** The file that has the rows of a side. */
function fileOf({ data }: TrainConfig, side: SideName, directory: string): string {
  const own = data[side];
  return sourcePath(typeof own === 'string' ? own : data.train, directory);
}
