/** crossvalidation.json: what was asked for, and the scores of each fold and of all. */
import type { EvaluationReport } from '../../model/scorer.js';
import type { CrossValidationRequest } from './folds.js';

/** A finished fold. Nothing here depends on the time that it took. */
export interface FoldReport {
  /** Its run directory, inside of that of the cross-validation. */
  readonly run: string;
  readonly repeat: number;
  readonly fold: number;
  readonly seed: number;
  readonly status: string;
  readonly epochs: number;
  /** The epoch whose weights are the model. */
  readonly keptEpoch: number;
  readonly rows: number;
  readonly metrics: Scores;
  readonly weightsSha256: string;
}

/** By name; null where a score is undefined. */
export type Scores = Readonly<Record<string, number | null>>;

export interface Average {
  readonly mean: number;
  /** The sample deviation, with the number of folds less 1; null for a single fold. */
  readonly deviation: number | null;
  /** How many folds have this score. */
  readonly folds: number;
}

export interface CrossValidationReport {
  readonly version: string;
  readonly status: 'finished' | 'interrupted';
  readonly request: CrossValidationRequest;
  /** Of the folds, and of the weights of the first repeat. */
  readonly seed: number;
  /** What all runs have read. */
  readonly data?: readonly { readonly key: string; readonly sha256: string | undefined }[];
  /** Over all finished folds. */
  readonly metrics: Readonly<Record<string, Average>>;
  readonly runs: readonly FoldReport[];
}

/** The metrics of an evaluation, and for classes and labels the mean of their F1. */
export function scoresOf({ metrics, averages }: EvaluationReport): Scores {
  return { ...metrics, ...(averages && { macroF1: averages.macro.f1 }) };
}

/** Each score over the folds that have it. */
export function averagesOf(folds: readonly Scores[]): Record<string, Average> {
  const names = new Set(folds.flatMap((scores) => Object.keys(scores)));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const values = folds.map((scores) => scores[name]).filter((value) => typeof value === 'number');
      return values.length === 0 ? [] : [[name, averageOf(values)]];
    }),
  );
}

function averageOf(values: readonly number[]): Average {
  const { length: folds } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / folds;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: folds > 1 ? Math.sqrt(squares / (folds - 1)) : null, folds };
}
