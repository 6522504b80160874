/**
 * An ensemble: trained models whose predictions are averaged. Each member has its own network and
 * encodings; all read the same rows in the same way, and predict the same targets.
 */
import { isDeepStrictEqual } from 'node:util';
import { ExitCode, MlpError } from '../errors.js';
import { quote, showIfAny } from '../text.js';
import type { Model, ReadingModel } from './load.js';
import type { PredictionRules } from './predictions.js';

export interface Member {
  readonly model: Model;
  /** How often it counts in the average: at least 1. */
  readonly weight: number;
}

/** The features are those of all members, each column once. */
export interface Ensemble extends ReadingModel {
  readonly members: readonly Member[];
}

/** How rows are read, and what is predicted. */
const SAME = [
  'task',
  'targets',
  'classes',
  'labelValues',
  'header',
  'encoding',
  'numbers',
  'reading',
  'comment',
  'missingValues',
  'dropsRows',
  'dropsMissing',
  'skipsBadRows',
  'rareClasses',
] as const satisfies readonly (keyof Model)[];

/**
 * @param path of the ensemble, as messages name it
 * @throws MlpError ExitCode.data with the first thing in which members differ that they must have in
 * common
 */
export function ensembleOf(path: string, members: readonly Member[]): Ensemble {
  const [{ model: first }, ...others] = members;
  for (const { model } of others) {
    for (const key of SAME) requireSame(model, first, key, model[key], first[key]);
    const quantiles = [model, first].map(({ lossParameters }) => lossParameters?.quantiles);
    requireSame(model, first, 'quantiles', quantiles[0], quantiles[1]);
  }
  const content: Partial<Record<(typeof SAME)[number], unknown>> = {};
  for (const key of SAME) if (first[key] !== undefined) content[key] = first[key];
  const areSingle = members.every(({ model }) => model.dtype === 'float32');
  return {
    ...(content as Pick<Model, (typeof SAME)[number]>),
    ...rulesOf(members),
    path,
    dtype: areSingle ? 'float32' : 'float64',
    features: featuresOf(members),
    members,
  };
}

/**
 * The units and the loss of all members, so that scores can be compared with theirs; if they differ,
 * squared errors in the targets' own units.
 */
function rulesOf(members: readonly Member[]): PredictionRules & Pick<Model, 'lossUnit'> {
  const rules = members.map(({ model }) => {
    const { loss, lossParameters, targetTransform, targetStandardization, lossUnit } = model;
    return {
      loss,
      ...(lossParameters && { lossParameters }),
      ...(targetTransform && { targetTransform }),
      ...(targetStandardization && { targetStandardization }),
      ...(lossUnit !== undefined && { lossUnit }),
    };
  });
  const [first] = rules;
  if (rules.every((other) => isDeepStrictEqual(other, first))) return first;
  const [{ model }] = members;
  if (model.classes) return { loss: 'softmax-cross-entropy' };
  if (model.labelValues) return { loss: 'binary-cross-entropy' };
  const { quantiles } = first.lossParameters ?? {};
  if (quantiles) return { loss: 'quantile', lossParameters: { quantiles } };
  return { loss: 'mean-squared-error' };
}

/** @throws MlpError ExitCode.data for a column that is a number for one member and text for another */
function featuresOf(members: readonly Member[]): Model['features'] {
  const found = new Map<string, { readonly feature: Model['features'][number]; readonly model: Model }>();
  for (const { model } of members) {
    for (const feature of model.features) {
      const known = found.get(feature.column);
      if (!known) {
        found.set(feature.column, { feature, model });
        continue;
      }
      const isNumber = feature.kind === 'numeric';
      if (isNumber === (known.feature.kind === 'numeric')) continue;
      requireSame(
        model,
        known.model,
        `the column ${quote(feature.column)}`,
        feature.kind,
        known.feature.kind,
      );
    }
  }
  return [...found.values()].map(({ feature }) => feature);
}

function requireSame(model: Model, other: Model, what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new MlpError(
    ExitCode.data,
    `${model.path}: found ${showIfAny(found)} for ${what}, expected ${showIfAny(expected)} as in ${other.path}`,
    'an ensemble takes models of the same targets and classes that read their data in the same way',
  );
}
