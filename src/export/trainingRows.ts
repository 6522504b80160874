/** The training file of a run, opened to check an export of its model. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openJoined } from '../data/joinedTable.js';
import { openTable } from '../data/openTable.js';
import { filesOf, sourcePath, type UnpackProgress } from '../data/source/source.js';
import type { TableSource } from '../data/tableSource.js';
import { MlpError } from '../errors.js';
import { RUN_FILES } from '../files/runFiles.js';
import type { LoadedEnsemble } from '../model/ensembleFile.js';
import type { Model } from '../model/load.js';
import { requestFor } from '../model/rows.js';
import { loadTrainConfig } from '../spec/loadConfig.js';

/**
 * Opens the training file of the run in the directory `path`, or of the first run of an ensemble there.
 * @returns why there is none to read, as a sentence, instead of an error: an export needs no data
 */
export async function openTrainingFile(
  path: string,
  model: Model | LoadedEnsemble,
  progress?: UnpackProgress,
): Promise<TableSource | string> {
  const run = 'members' in model ? resolve(path, model.content.members[0].run) : path;
  const config = join(run, RUN_FILES.config);
  if (!existsSync(config)) return 'no run with a config lies there';
  try {
    const loaded = loadTrainConfig(config);
    const { train } = loaded.config.data;
    const given = typeof train === 'string' ? [train] : train;
    if (given.includes('-')) return 'the run read standard input';
    const request = requestFor(model, {});
    return await openJoined(filesOf(given, loaded.directory), (file, header = request.header as boolean) =>
      openTable(sourcePath(file, loaded.directory), { ...request, header, skipsBadRows: true }, progress),
    );
  } catch (error) {
    if (error instanceof MlpError) return error.message;
    throw error;
  }
}
