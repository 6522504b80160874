/** Models, and the rows of files for them, as the commands take both. */
import { openTable } from '../data/openTable.js';
import { SKIPS_BAD_ROWS } from '../data/rejectedRows.js';
import { MlpError } from '../errors.js';
import {
  ensembleFiles,
  isEnsemble,
  type LoadedEnsemble,
  openModel as openQuietly,
} from '../model/ensembleFile.js';
import type { Model } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import { type FileModelRows, type ModelRowsOptions, modelRowsOf, requestFor } from '../model/rows.js';
import { listed, printable, quote } from '../text.js';
import { linksOf } from '../training/run/outside.js';
import { type CommonOptions, type PassOptions, poolOptions, type SeparatorOptions } from './options.js';
import { note } from './output.js';
import { withReadingProgress } from './reading.js';

/** Loads a model or an ensemble, and prints its notes, and links in its directory. */
export function openModel(path: string): Model | LoadedEnsemble {
  const links = isEnsemble(path) ? linksOf(path, ensembleFiles(path)) : linksOf(path);
  for (const sentence of links) note(sentence);
  const model = openQuietly(path);
  for (const sentence of model.notes ?? []) note(printable(sentence));
  return model;
}

export interface ModelRowsRequest extends CommonOptions, SeparatorOptions, PassOptions {
  readonly model: Model | LoadedEnsemble;
  readonly path: string;
  readonly targets: boolean;
  readonly badRows?: ModelRowsOptions['badRows'];
}

/**
 * Opens the rows of a file for a model, and a pool that predicts them; closes both after `use`.
 * @throws MlpError as `openTable`, `modelRowsOf` and `PredictorPool.create` do
 */
export async function withModelRows<Result>(
  { model, path, targets, badRows, ...options }: ModelRowsRequest,
  use: (rows: FileModelRows, pool: PredictorPool) => Promise<Result>,
): Promise<Result> {
  return withReadingProgress(options, async (report) => {
    const progress = (done: number, total?: number) => report(path, done, total);
    const skipsBadRows = badRows !== undefined && badRows !== 'error';
    const request = { ...requestFor(model, options, !targets), skipsBadRows };
    const file = await openTable(path, request, progress);
    try {
      const bad = badRows !== undefined && { badRows };
      const rows = modelRowsOf(file, model, { targets, ...bad, progress });
      return await PredictorPool.use(model, poolOptions(options), (pool) => use(rows, pool));
    } catch (error) {
      const instead = targets
        ? '--bad-rows skip leaves such rows out'
        : '--bad-rows blank leaves their predictions empty';
      if (!(error instanceof MlpError)) throw error;
      const hint = error.hint?.replace(SKIPS_BAD_ROWS, instead);
      throw new MlpError(error.exitCode, error.message, hint, { cause: error });
    } finally {
      file.close();
    }
  });
}

/** The note about columns of a CSV that the model does not use. */
export function ignoredColumns(names: readonly string[]): string {
  const columns = names.length === 1 ? 'a column' : 'columns';
  return `ignoring ${columns} that the model does not use: ${listed(names.map(quote), 10)}`;
}
