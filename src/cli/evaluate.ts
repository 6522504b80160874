/** mlp evaluate: scores a trained network on rows whose targets are known. */
import type { SplitName } from '../data/dataset/dataset.js';
import { rejectedCounts } from '../data/rejectedRows.js';
import { ExitCode, MlpError } from '../errors.js';
import { isEnsemble } from '../model/ensembleFile.js';
import { createScorer, expectedValues, reportOf } from '../model/scorer.js';
import { printable } from '../text.js';
import { evaluateEnsemble } from './evaluateEnsemble.js';
import { evaluateRun } from './evaluateRun.js';
import { type Evaluated, renderEvaluation } from './evaluateText.js';
import { LossFile } from './lossFile.js';
import { ignoredColumns, openModel, withModelRows } from './modelReading.js';
import type { CommonOptions, PassOptions, SeparatorOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { requireSeparators } from './reading.js';
import { displayOf } from './terminal.js';
import { type DecisionOptions, decisionOf } from './threshold.js';

export interface EvaluateOptions extends CommonOptions, SeparatorOptions, DecisionOptions, PassOptions {
  readonly split?: SplitName;
  /** Whether to measure how much the loss grows where a column is shuffled. */
  readonly importance?: boolean;
  /** A CSV to write, with the loss of each row. */
  readonly losses?: string;
  readonly force?: boolean;
  readonly badRows?: 'error' | 'skip';
}

export async function run(path: string, data: string | undefined, options: EvaluateOptions): Promise<void> {
  requireSense(path, data, options);
  const evaluated = await (data !== undefined
    ? evaluateFile(path, data, options)
    : isEnsemble(path)
      ? evaluateEnsemble(path, options)
      : evaluateRun(path, options));
  if (options.json) print(toJson(document(evaluated), 2));
  else print(renderEvaluation(evaluated, await displayOf(process.stdout, options.color)));
}

/** @throws MlpError ExitCode.usage for options that contradict each other */
function requireSense(path: string, data: string | undefined, options: EvaluateOptions): void {
  const { split, delimiter, comment, encoding, skipLines, skipRows, badRows } = options;
  requireSeparators(options);
  if (data !== undefined && split !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      `--split: found ${split} together with ${printable(data)}, expected only one of them`,
      "omit the data file to score the run's own rows",
    );
  }
  if (data !== undefined && options.importance) {
    throw new MlpError(
      ExitCode.usage,
      `--importance: found ${printable(data)} with it, expected a run alone`,
      "it shuffles columns of the run's own rows",
    );
  }
  const given = Object.entries({
    ...(isEnsemble(path) && { losses: options.losses }),
    delimiter,
    comment,
    encoding,
    'skip-lines': skipLines,
    'skip-rows': skipRows,
    'bad-rows': badRows,
  }).find(([, value]) => value !== undefined);
  if (data === undefined && given !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      `--${given[0]}: found no data file with it, expected a CSV`,
      "the run's own rows are read as its config says",
    );
  }
}

/**
 * @throws MlpError ExitCode.noInput, io, noPermission; data for damage or a row without a target
 */
export async function evaluateFile(
  modelPath: string,
  path: string,
  options: EvaluateOptions,
): Promise<Evaluated> {
  const model = openModel(modelPath);
  const { thresholds, goal } = decisionOf(model, options);
  const losses = options.losses === undefined ? undefined : new LossFile(options.losses, 'line', options);
  const badRows = options.badRows ?? (model.skipsBadRows ? 'skip' : 'error');
  try {
    return await withModelRows({ ...options, badRows, model, path, targets: true }, async (rows, pool) => {
      if (rows.ignored.length > 0 && !options.json) note(ignoredColumns(rows.ignored));
      const scorer = createScorer(model, pool, thresholds, goal);
      for await (const chunk of rows.chunks(pool, [])) {
        const expected = expectedValues(chunk.targets, model);
        scorer.add(chunk.rows, chunk.logits, expected);
        losses?.add(model, pool, chunk, expected, chunk.lines);
      }
      await losses?.close();
      const warnings = rows.warnings();
      for (const warning of warnings) warn(warning);
      const data = { path: rows.file.path, rows: scorer.rows };
      const rejected = rows.rejected?.rows ? { rejected: rejectedCounts([rows.rejected]) } : {};
      return { model, data, warnings, ...rejected, weighted: false, result: scorer.result() };
    });
  } finally {
    losses?.discard();
  }
}

/** What --json prints. */
function document({
  model,
  data,
  split,
  rejected,
  warnings,
  weighted,
  result,
  importance,
}: Evaluated): Record<string, unknown> {
  return {
    model: model.path,
    data: data.path,
    ...(split !== undefined && { split }),
    ...(rejected && { rejected }),
    ...reportOf(model, { rows: data.rows, weighted, result }),
    ...(importance && { importance }),
    ...(warnings.length > 0 && { warnings }),
  };
}
