/** Held-out rows that several runs have in common: predicted by each, compared, and scored. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { foldsOf } from '../../data/dataset/dataset.js';
import type { LoadOptions } from '../../data/dataset/loadDataset.js';
import { toNetwork } from '../../data/dataset/targetUnits.js';
import { ExitCode, MlpError } from '../../errors.js';
import type { ThresholdGoal } from '../../evaluation/thresholds.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import { MeanPredictions, type MemberPredictions, memberPredictions } from '../../model/ensembleInference.js';
import { predictRows } from '../../model/evaluatedRows.js';
import type { Thresholds } from '../../model/inference.js';
import type { Model, ReadingModel } from '../../model/load.js';
import { type PoolOptions, PredictorPool } from '../../model/pool/predictorPool.js';
import { ownTargets } from '../../model/predictions.js';
import { createScorer, type Scored } from '../../model/scorer.js';
import { loadTrainConfig } from '../../spec/loadConfig.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { printable, showIfAny } from '../../text.js';
import { dataOutside } from '../run/outside.js';
import { readOwnRows } from '../run/ownRows.js';
import { dataDifference } from '../run/provenance.js';
import { type RunSummary, readSummary } from '../run/summary.js';

/** The hint of an error about the rows of an ensemble's runs. */
export const NAME_DATA = 'name the data to score: mlp evaluate <ensemble> <data.csv>';

export type HeldOutName = 'validation' | 'test';

/** A run and its model. */
export interface Source {
  readonly run: string;
  readonly model: Model;
}

/** The held-out rows of a run as its model predicts them. */
export interface HeldOut extends Source, MemberPredictions {
  readonly config: TrainConfig;
  readonly summary: RunSummary;
  readonly rows: number;
  /** [rows, targets] The number of the class, 0 or 1 for each label, or values in their own unit. */
  readonly truth: Float64Array;
  /** [rows] What a row counts in the loss; 1 if missing. */
  readonly weights?: Float64Array | undefined;
}

export interface ReadingListener {
  readonly progress: NonNullable<LoadOptions['progress']>;
  note(sentence: string): void;
  warn(sentence: string): void;
}

/**
 * @returns for each of the names that the run has rows of
 * @throws MlpError ExitCode.noInput if the run, its config or its data no longer exist; data if they
 * changed after the training
 */
export async function predictHeldOut(
  { run, model }: Source,
  names: readonly HeldOutName[],
  listener: ReadingListener,
  options: PoolOptions = { threads: 'auto' },
): Promise<ReadonlyMap<HeldOutName, HeldOut>> {
  const path = join(run, RUN_FILES.config);
  if (!statOf(path)) {
    throw new MlpError(
      ExitCode.noInput,
      `${printable(path)}: no such file: it says which rows the run held out`,
      NAME_DATA,
    );
  }
  const loaded = loadTrainConfig(path);
  for (const sentence of dataOutside(loaded)) listener.note(sentence);
  const { dataset } = await readOwnRows(run, model, loaded, listener);
  for (const rows of dataset.rejected ?? []) rows.close();
  const summary = readSummary(run);
  return PredictorPool.use(model, options, async (pool) => {
    const found = new Map<HeldOutName, HeldOut>();
    for (const name of names) {
      const split = dataset[name];
      if (!split) continue;
      const { rows, features, labels, targets, weights } = split;
      const predicted = await predictRows(model, pool, { rows, features, folds: foldsOf(dataset, name) });
      const { numbers, no } = memberPredictions(predicted, rows, predicted.logits, model);
      const values = (labels ?? targets) as ArrayLike<number>;
      const isRegression = model.task === 'regression';
      const truth = isRegression
        ? ownTargets(values, model.targets.length, model)
        : Float64Array.from(values);
      found.set(name, { run, model, config: loaded.config, summary, rows, numbers, no, truth, weights });
    }
    return found;
  });
}

/** The keys of `data` that decide which rows are held out. */
const SPLITTING = ['validation', 'test', 'rareClasses', 'weights', 'badRows'] as const;

/** How a run holds out other rows than another; undefined if they are the same. */
export function rowsDifference(found: HeldOut, expected: HeldOut): string | undefined {
  const data = dataDifference(found.summary.data, expected.summary.data);
  if (data) return `${data.what}: found ${data.found}, expected ${data.expected}`;
  const differs = (key: string, own: unknown, other: unknown) =>
    isDeepStrictEqual(own, other) ? [] : [`${key}: found ${showIfAny(own)}, expected ${showIfAny(other)}`];
  const [setting] = [
    ...differs('seed', found.config.seed, expected.config.seed),
    ...SPLITTING.flatMap((key) =>
      differs(`data.${key}`, plain(found.config.data[key]), plain(expected.config.data[key])),
    ),
  ];
  if (setting) return setting;
  const { truth } = expected;
  if (found.truth.length !== truth.length) {
    return `found ${found.truth.length} targets, expected ${truth.length}`;
  }
  const at = found.truth.findIndex((value, i) => !isClose(value, truth[i]));
  return at < 0 ? undefined : `found ${found.truth[at]} as target ${at + 1}, expected ${truth[at]}`;
}

/** A table of its own is known by its hash. */
function plain(value: unknown): unknown {
  return typeof value === 'string' ? 'a file' : value;
}

/** Targets in their own unit went through another scale in each run. */
const ROUNDING = 1e-9;

function isClose(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
}

export interface ScoredHeldOut {
  readonly rows: number;
  readonly weighted: boolean;
  readonly result: Scored;
}

/** Scores the average of predictions for the same rows, as `mlp evaluate` does; `model` says in which units. */
export function scoreHeldOut(
  model: ReadingModel,
  members: readonly HeldOut[],
  memberWeights: readonly number[],
  { thresholds, goal }: { thresholds?: Thresholds | undefined; goal?: ThresholdGoal | undefined } = {},
): ScoredHeldOut {
  const [{ rows, truth, numbers, weights }] = members;
  const mean = new MeanPredictions(model, rows, numbers.length / rows);
  const scorer = createScorer(model, mean, thresholds, goal);
  const width = truth.length / rows;
  const isRegression = model.task === 'regression';
  const values = isRegression ? truth.map((value, at) => toNetwork(value, at % width, model)) : truth;
  const logits = mean.of(members, memberWeights);
  scorer.add(rows, logits, model.classes ? Int32Array.from(values) : values);
  return { rows, weighted: weights !== undefined, result: scorer.result(weights) };
}
