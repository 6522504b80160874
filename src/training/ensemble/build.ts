/** Makes one model of several: all of them, or those that predict held-out rows best together. */
import { relative, resolve, sep } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { requireFree } from '../../files/atomic.js';
import { type Ensemble, ensembleOf } from '../../model/ensemble.js';
import { writeEnsemble } from '../../model/ensembleFile.js';
import type { ReadingModel } from '../../model/load.js';
import { type EvaluationReport, reportOf } from '../../model/scorer.js';
import type { EnsembleMethod, EnsembleMetric } from '../../spec/words.js';
import { printable } from '../../text.js';
import { version } from '../../version.js';
import { isBetter } from '../monitor.js';
import { linksOf } from '../run/outside.js';
import { findCandidates } from './candidates.js';
import { chooseGreedily } from './greedy.js';
import {
  type HeldOut,
  predictHeldOut,
  type ReadingListener,
  rowsDifference,
  type Source,
  scoreHeldOut,
} from './heldOut.js';
import { type Score, scoreBy } from './score.js';

export interface EnsembleRequest {
  /** To create. */
  readonly directory: string;
  /** By default greedy for studies, and all of others. */
  readonly method?: EnsembleMethod | undefined;
  readonly metric?: EnsembleMetric | undefined;
  /** How many are chosen greedily, with replacement. */
  readonly rounds?: number | undefined;
}

export interface ChosenMember {
  readonly run: string;
  readonly weight: number;
  /** By the metric, on the validation rows; missing without rows in common. */
  readonly score?: number;
}

export interface BuiltEnsemble {
  readonly directory: string;
  readonly method: EnsembleMethod;
  readonly metric: EnsembleMetric;
  readonly candidates: number;
  /** Trials without a model. */
  readonly skipped: readonly string[];
  readonly members: readonly ChosenMember[];
  /** On the validation rows that all candidates have in common; missing without. */
  readonly validation?: {
    readonly rows: number;
    readonly best: Scores & { readonly run: string };
    readonly ensemble: Scores;
  };
}

/** A metric is null where it is not defined, as R² of a single row. */
interface Scores {
  readonly metrics: EvaluationReport['metrics'];
}

export const DEFAULT_ROUNDS = 50;

/**
 * Makes an ensemble of the runs in some directories.
 * @throws MlpError ExitCode.cantCreate if the directory is taken; noInput, data, usage for runs that
 * are none, damaged, unlike each other, or lack what the method needs
 */
export async function buildEnsemble(
  paths: readonly string[],
  request: EnsembleRequest,
  listener: ReadingListener,
): Promise<BuiltEnsemble> {
  const { directory, metric = 'validation_loss', rounds = DEFAULT_ROUNDS } = request;
  // Before the data are read.
  requireFree(directory, OTHERWISE);
  const { sources, kinds, skipped } = findCandidates(paths);
  for (const { run } of sources) for (const sentence of linksOf(run)) listener.note(sentence);
  const all = ensembleOf(
    directory,
    sources.map(({ model }) => ({ model, weight: 1 })),
  );
  requireMetric(metric, all);
  const method = request.method ?? (kinds.has('study') ? 'greedy' : 'all');
  // Each fold has its own rows, which the others were trained on.
  const hasOwnRows = kinds.has('cross-validation') && method === 'all';
  const held = hasOwnRows ? undefined : await readAll(sources, method, listener);
  const score = held && scoreBy(metric, all, held[0]);
  const scores = score && held.map(({ numbers }) => score(numbers));
  const weights =
    held && score && method === 'greedy' ? chooseWeights(held, score, metric, rounds) : sources.map(() => 1);
  const scoreOf = (i: number) => {
    const value = scores?.[i];
    return value !== undefined && Number.isFinite(value) ? { score: value } : {};
  };
  const chosen = sources
    .map(({ run, model }, i) => ({ run, model, weight: weights[i], ...scoreOf(i) }))
    .filter(({ weight }) => weight > 0);
  const built: BuiltEnsemble = {
    directory,
    method,
    metric,
    candidates: sources.length,
    skipped,
    members: chosen.map(({ model: _, ...member }) => member),
    ...(held && scores && { validation: compare(all, held, weights, bestOf(scores, metric)) }),
  };
  await writeEnsemble(directory, {
    version: version(),
    method,
    ...(method === 'greedy' && { metric }),
    members: chosen.map((member) => ({ ...member, run: fromDirectory(directory, member.run) })),
  });
  return built;
}

const OTHERWISE = 'name another directory with -o';

/**
 * The validation rows of all runs; undefined if they have none in common, and need none.
 * @throws MlpError ExitCode.data if they do need them
 */
async function readAll(
  sources: readonly Source[],
  method: EnsembleMethod,
  listener: ReadingListener,
): Promise<HeldOut[] | undefined> {
  const held: HeldOut[] = [];
  for (const source of sources) {
    const rows = (await predictHeldOut(source, ['validation'], listener)).get('validation');
    const problem = rows
      ? held.length > 0
        ? rowsDifference(rows, held[0])
        : undefined
      : 'found no validation rows, expected some: a refit has trained on them';
    if (rows && problem === undefined) {
      held.push(rows);
      continue;
    }
    const than = held.length > 0 ? ` as in ${printable(held[0].run)}` : '';
    const message = `${printable(source.run)}: ${problem}${than}`;
    if (method === 'all') {
      listener.note(`${message}: without validation rows in common, there is no score of the ensemble`);
      return undefined;
    }
    throw new MlpError(
      ExitCode.data,
      message,
      'a greedy choice needs the same validation rows for all runs; --method all takes every run',
    );
  }
  return held;
}

/** @throws MlpError ExitCode.usage for a metric that the task does not have */
function requireMetric(metric: EnsembleMetric, { task }: ReadingModel): void {
  const own = task === 'regression' ? 'validation_rmse' : 'validation_accuracy';
  if (metric === 'validation_loss' || metric === own) return;
  throw new MlpError(
    ExitCode.usage,
    `--metric: found ${metric} in a ${task} task, expected validation_loss or ${own}`,
  );
}

function chooseWeights(
  held: readonly HeldOut[],
  score: Score,
  metric: EnsembleMetric,
  rounds: number,
): readonly number[] {
  const numbers = held.map((rows) => rows.numbers);
  const isOf = (value: number, best: number | null, minDelta: number) =>
    isBetter(metric, value, best, minDelta);
  const choice = chooseGreedily(numbers, score, isOf, rounds);
  if (choice) return choice.counts;
  throw new MlpError(
    ExitCode.data,
    `found no run with a finite ${metric} on the validation rows, expected one`,
    'another --metric may have one',
  );
}

/** The number of the best score; the first of equal ones. */
function bestOf(scores: readonly number[], metric: EnsembleMetric): number {
  let best = 0;
  scores.forEach((score, i) => {
    const before = Number.isFinite(scores[best]) ? scores[best] : null;
    if (isBetter(metric, score, before, 0)) best = i;
  });
  return best;
}

/** The best single run beside the ensemble. */
function compare(
  all: Ensemble,
  held: readonly HeldOut[],
  weights: readonly number[],
  best: number,
): NonNullable<BuiltEnsemble['validation']> {
  const metricsOf = (own: readonly number[]) => {
    const members = held.filter((_, i) => own[i] > 0);
    const counted = own.filter((weight) => weight > 0);
    return reportOf(all, scoreHeldOut(all, members, counted)).metrics;
  };
  return {
    rows: held[0].rows,
    best: { run: held[best].run, metrics: metricsOf(held.map((_, i) => (i === best ? 1 : 0))) },
    ensemble: { metrics: metricsOf(weights) },
  };
}

function fromDirectory(directory: string, run: string): string {
  return (relative(resolve(directory), resolve(run)) || '.').split(sep).join('/');
}
