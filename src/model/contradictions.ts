/** What can't be true of a model at once: entries of its metadata that contradict each other. */
import { partWidth } from '../data/encoding/derivedEncoding.js';
import { levelColumns, matrixWidth } from '../data/encoding/encoding.js';
import { Levels } from '../data/levels.js';
import { fusedLoss, LOSSES, lossesFor } from '../network/loss.js';
import { networkShape } from '../network/shape.js';
import { wholeNumber } from '../spec/fields.js';
import type { Path } from '../spec/messages.js';
import { counted, quote } from '../text.js';
import type { ModelContent } from './model.js';

type Contradiction = [path: Path, problem: string, hint?: string];

/** Contradictions between entries. Each check may rely on those before it. */
export function* contradictions(model: ModelContent): Generator<Contradiction> {
  const { network, task, loss, header, features, targets, classes, targetStandardization, predictionRanges } =
    model;
  yield* columnProblems(
    [
      ...features.map(({ column }, i) => ({ column, path: ['features', i, 'column'] })),
      ...targets.map((column, i) => ({ column, path: ['targets', i] })),
    ],
    header,
  );
  for (const [i, feature] of features.entries()) {
    if (feature.kind === 'numeric' && feature.range && feature.range[0] > feature.range[1]) {
      yield [['features', i, 'range'], 'found a least number above the greatest'];
    }
    if (feature.kind === 'numeric' && feature.levels?.some((level, j, all) => j > 0 && level <= all[j - 1])) {
      yield [['features', i, 'levels'], 'found numbers that do not rise'];
    }
    if (feature.kind === 'date') {
      const width = feature.parts.reduce((sum, part) => sum + partWidth(part), 0);
      const { length } = feature.inputs;
      if (length !== width) {
        yield [['features', i, 'inputs'], `found ${length}, expected ${width}, as the parts have`];
      }
    }
    if (feature.kind !== 'category') continue;
    yield* orderProblems(feature.levels, ['features', i, 'levels']);
    const { fill, levels, signs, numbered, scaled, transforms } = feature;
    if (signs && levels.length !== 2) {
      yield [['features', i, 'signs'], `found signs for ${counted(levels.length, 'level')}, expected 2`];
    }
    const columns = levelColumns(feature).length;
    if (transforms && transforms.length !== columns) {
      yield [['features', i, 'transforms'], `found ${transforms.length}, expected ${columns}`];
    }
    const apart = scaled?.apart.map(({ level }) => level) ?? [];
    if (apart.some((level, j) => level >= levels.length || (j > 0 && level <= apart[j - 1]))) {
      yield [['features', i, 'scaled', 'apart'], 'found levels that do not rise, or are not there'];
    }
    if (scaled && !numbered) yield [['features', i, 'scaled'], 'found it without "numbered"'];
    if (fill !== undefined && !levels.includes(fill)) {
      yield [['features', i, 'fill'], `found ${quote(fill)}, expected one of the levels`];
    }
  }
  const width = matrixWidth(features);
  if (width !== network.input) {
    yield [['network', 'input'], `found ${network.input}, expected ${width}, the width of the features`];
  }
  yield* taskProblems(model);
  // Of two classes, the config may have chosen the positive one.
  if (classes && (classes.length > 2 || classes[0] === classes[1]))
    yield* orderProblems(classes, ['classes']);

  if (!lossesFor(task).includes(loss)) {
    yield [['loss'], `found ${quote(loss)} for a ${task} task, expected ${lossesFor(task).join(' or ')}`];
  }
  const fused = fusedLoss(network.layers);
  if (fused !== undefined && fused !== loss) {
    yield [['loss'], `found ${quote(loss)}, expected ${fused}, to which the network's last layer belongs`];
  }
  const { outputs } = networkShape(network, network.input);
  yield* lossProblems(model);
  const expected = LOSSES[loss].outputs(targets.length, classes?.length ?? 0, model.lossParameters);
  if (outputs !== expected) {
    yield [
      ['network', 'layers'],
      `found an output width of ${outputs}, expected ${expected} for this ${task} task`,
    ];
  }
  for (const key of ['mean', 'scale'] as const) {
    const count = targetStandardization?.[key].length ?? targets.length;
    if (count === targets.length) continue;
    yield [
      ['targetStandardization', key],
      `found ${count} numbers, expected ${targets.length}, one for each target`,
    ];
  }
  if (predictionRanges && predictionRanges.length !== targets.length) {
    const count = counted(predictionRanges.length, 'range');
    yield [['predictionRanges'], `found ${count}, expected ${targets.length}, one for each target`];
  }
  for (const [j, [least, greatest]] of predictionRanges?.entries() ?? []) {
    if (least > greatest) yield [['predictionRanges', j], 'found a least number above the greatest'];
  }
}

/** No column is used twice. Without a header, columns are named by their numbers. */
function* columnProblems(
  columns: readonly { column: string; path: Path }[],
  header: boolean,
): Generator<Contradiction> {
  const seen = new Set<string>();
  for (const { column, path } of columns) {
    if (seen.has(column)) yield [path, `found ${quote(column)} a second time, expected each column once`];
    seen.add(column);
    if (!header && !isColumnNumber(column)) {
      yield [path, `found ${quote(column)} without a header, expected a column's number from 0`];
    }
  }
}

function isColumnNumber(column: string): boolean {
  return String(Number(column)) === column && wholeNumber(0).safeParse(Number(column)).success;
}

/**
 * Levels are known by their position, so they must be in their only order: text by code unit,
 * numbers rising.
 */
function* orderProblems(levels: readonly string[], path: Path): Generator<Contradiction> {
  const { names } = Levels.of([...new Set(levels)]);
  const i = levels.findIndex((level, i) => level !== names[i]);
  if (i >= 0) yield [[...path, i], `found ${quote(levels[i])}, expected different ones in rising order`];
}

function* taskProblems(model: ModelContent): Generator<Contradiction> {
  const { task, targets, classes } = model;
  yield* labelProblems(model);
  if (task === 'regression' || task === 'multilabel') {
    const what = task === 'regression' ? 'a regression' : 'a multilabel task';
    if (classes) yield [['classes'], `found ${classes.length} classes in ${what}, expected none`];
  } else {
    if (!classes) yield [['classes'], `missing; expected the classes of a ${task} task`];
    else if (task === 'binary' && classes.length !== 2) {
      yield [['classes'], `found ${classes.length} classes in a binary task, expected 2`];
    }
    if (targets.length > 1) {
      yield [['targets'], `found ${targets.length} targets of a ${task} task, expected 1`];
    }
  }
  for (const key of ['targetTransform', 'targetStandardization', 'predictionRanges'] as const) {
    if (model[key] && task !== 'regression') yield [[key], `found one in a ${task} task, expected none`];
  }
}

function* lossProblems({ loss, lossParameters = {}, targets }: ModelContent): Generator<Contradiction> {
  const needs = { huber: 'delta', quantile: 'quantiles' } as const;
  const needed = loss === 'huber' || loss === 'quantile' ? needs[loss] : undefined;
  for (const key of ['delta', 'quantiles'] as const) {
    const isGiven = lossParameters[key] !== undefined;
    if (isGiven === (key === needed)) continue;
    yield [
      ['lossParameters', key],
      isGiven ? `found one of the loss ${loss}, expected none` : `missing; the loss is ${loss}`,
    ];
  }
  const { quantiles = [] } = lossParameters;
  const at = quantiles.findIndex((quantile, i) => i > 0 && quantile <= quantiles[i - 1]);
  if (at >= 0)
    yield [['lossParameters', 'quantiles', at], `found ${quantiles[at]}, expected quantiles that rise`];
  if (loss === 'quantile' && targets.length > 1) {
    yield [['targets'], `found ${targets.length} targets of quantiles, expected 1`];
  }
}

function* labelProblems({ task, targets, labelValues }: ModelContent): Generator<Contradiction> {
  if (task !== 'multilabel') {
    if (labelValues) yield [['labelValues'], `found values of labels in a ${task} task, expected none`];
    return;
  }
  if (labelValues?.length !== targets.length) {
    const problem = labelValues ? `found ${counted(labelValues.length, 'pair')}` : 'missing';
    yield [['labelValues'], `${problem}, expected ${targets.length}, one for each target`];
  }
  for (const [j, [no, yes]] of (labelValues ?? []).entries()) {
    if (no === yes) yield [['labelValues', j, 1], `found ${quote(yes)} twice, expected two values`];
  }
}
