/** The folds of a cross-validation, each as the config of an ordinary run. */
import { isDeepStrictEqual } from 'node:util';
import { ExitCode, MlpError } from '../../errors.js';
import { type ColumnRef, type DataConfig, type FoldRows, isMemberFolds } from '../../spec/dataConfig.js';
import type { LoadedTrainConfig } from '../../spec/loadConfig.js';
import type { Where } from '../../spec/messages.js';
import { planParallel } from '../parallel.js';

/** How rows are put into folds; by default classes in proportion, and other rows by chance. */
export interface FoldShape {
  /** The column whose groups stay together. */
  readonly group?: ColumnRef;
  /** Whether a fold is held out from the rows before it, by the column `by` or the order of the file. */
  readonly ordered?: true;
  readonly by?: ColumnRef;
  readonly stratify?: false | 'quantiles';
}

export interface CrossValidationRequest {
  readonly folds: number;
  readonly repeats: number;
  /** Which rows of its run a fold is. Validation rows may choose the epoch, so they flatter it. */
  readonly as: 'test' | 'validation';
  readonly shape: FoldShape;
}

export interface Fold {
  /** The name of its run directory: `fold-1`, with several repeats `repeat-1-fold-1`. */
  readonly name: string;
  /** From 1. */
  readonly fold: number;
  readonly repeat: number;
  /** Of the run; each repeat has another. */
  readonly seed: number;
  readonly loaded: LoadedTrainConfig;
}

const SEEDS = 2 ** 32;

/**
 * The folds of each repeat, one repeat after the other. The folds of all repeats are drawn from the seed
 * of the config; weights and batches of repeat r are drawn from r − 1 more.
 * @throws MlpError ExitCode.config for a config whose rows can't be divided; usage for repeats of
 *   ordered rows
 */
export function foldsOf(loaded: LoadedTrainConfig, request: CrossValidationRequest): Fold[] {
  const { folds, repeats, as, shape } = request;
  checkConfig(loaded, as);
  const { config } = loaded;
  if (shape.ordered && repeats > 1) {
    throw new MlpError(
      ExitCode.usage,
      `--repeats: found ${repeats} for ordered rows, expected 1`,
      'the order of the rows allows for a single division into folds',
    );
  }
  const { threads } = planParallel(config.threads);
  const where = isDeepStrictEqual(shape, shapeOf(config.data, as))
    ? loaded.where
    : optionsFirst(loaded.where, as);
  return Array.from({ length: repeats * folds }, (_, i) => {
    const repeat = 1 + Math.floor(i / folds);
    const fold = 1 + (i % folds);
    const rule: FoldRows = { fold, of: folds, repeat, seed: config.seed, ...shape };
    const seed = (config.seed + repeat - 1) % SEEDS;
    const data = { ...config.data, validation: validationOf(config.data, shape), [as]: rule };
    return {
      name: repeats === 1 ? `fold-${fold}` : `repeat-${repeat}-fold-${fold}`,
      fold,
      repeat,
      seed,
      // "auto" would leave the bits of a BLAS to how many runs there are at once.
      loaded: { ...loaded, where, config: { ...config, data, seed, threads } },
    };
  });
}

/** A sentence for each way in which the folds change the config's own split. */
export function splitNotes(
  { config: { data }, where }: LoadedTrainConfig,
  { as, shape }: CrossValidationRequest,
): string[] {
  const replaced = data[as];
  const isReplaced = as === 'test' && replaced !== 0 && !isFold(replaced);
  const validation = validationOf(data, shape);
  const isChanged = as === 'test' && validation !== data.validation;
  return [
    ...(isReplaced
      ? [`${where(['data', 'test'])}: the folds take the place of ${JSON.stringify(replaced)}`]
      : []),
    ...(isChanged
      ? [`${where(['data', 'validation'])}: taken as ${JSON.stringify(validation)}, like the folds`]
      : []),
  ];
}

/** Names the options that have set the keys of the folds. */
function optionsFirst(where: Where, as: CrossValidationRequest['as']): Where {
  const options: Record<string, string> = { group: '--group', by: '--order' };
  return (path, key) => {
    const [, split, rule] = path;
    const isOfFolds = split === as || split === 'validation';
    return (isOfFolds && options[String(rule)]) || where(path, key);
  };
}

function checkConfig({ config, where }: LoadedTrainConfig, as: CrossValidationRequest['as']): void {
  const { data, training } = config;
  if (data.train === '-') {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'train'])}: found standard input, expected a file: each fold reads it again`,
      'write the data to a file first',
    );
  }
  const rule = data[as];
  const isMarked = typeof rule === 'object' && 'column' in rule;
  if (typeof rule === 'string' || isMarked) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', as])}: found ${isMarked ? 'rows marked by a column' : 'a file'}, expected a fraction or 0: the folds take its place`,
      as === 'test'
        ? '--as validation keeps these test rows apart, and makes the folds validation rows; --set data.test=0 does without them'
        : `--set data.${as}=0 does without them`,
    );
  }
  if (as === 'validation' && training.refit) {
    throw new MlpError(
      ExitCode.config,
      `${where(['training', 'refit'])}: found true where the folds are validation rows, expected false: a refit would train on them`,
      '--set training.refit=false, or leave --as out',
    );
  }
}

function isFold(rule: DataConfig['validation']): rule is FoldRows {
  return typeof rule === 'object' && 'fold' in rule;
}

/** How the config splits its rows: those whose place the folds take, else the other held-out rows. */
export function shapeOf(data: DataConfig, as: CrossValidationRequest['as']): FoldShape {
  const other = as === 'test' ? 'validation' : 'test';
  return ownShape(data[as]) ?? ownShape(data[other]) ?? {};
}

function ownShape(rule: DataConfig['validation']): FoldShape | undefined {
  if (typeof rule !== 'object' || 'column' in rule) return undefined;
  if ('last' in rule) return { ordered: true, ...(rule.by !== undefined && { by: rule.by }) };
  const { group, stratify } = rule;
  if ('fold' in rule && rule.ordered) return { ordered: true, ...(rule.by !== undefined && { by: rule.by }) };
  if (group !== undefined) return { group };
  return stratify === undefined ? undefined : { stratify };
}

/** Validation rows are taken as the folds are, whole groups or the last rows, if the config says no more than how many. */
function validationOf(
  { validation }: DataConfig,
  { group, ordered, by }: FoldShape,
): DataConfig['validation'] {
  const share = isMemberFolds(validation) ? 1 / validation.folds : validation;
  if (typeof share !== 'number' || share === 0) return validation;
  if (ordered) return { last: share, ...(by !== undefined && { by }) };
  if (group === undefined) return validation;
  return isMemberFolds(validation) ? { folds: validation.folds, group } : { share, group };
}
