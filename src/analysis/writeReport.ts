/** Writes pages into the directories that they tell of. */
import { join } from 'node:path';
import { writeFileAtomically } from '../files/atomic.js';
import { RUN_FILES } from '../files/runFiles.js';
import { runPage } from '../report/html/runPage.js';
import { modelOf, type TrainedRun } from '../training/stages.js';
import { version } from '../version.js';
import { QUICK, runResults } from './run.js';

/** Which program writes a page. */
export function writer(): string {
  return `written by mlp ${version()}`;
}

/**
 * The page of a run at the end of its training, from what is in memory: it takes less than 0.3 s.
 * @throws MlpError ExitCode.cantCreate, noPermission or io if it can't be written
 */
export async function writeTrainedReport(trained: TrainedRun): Promise<void> {
  const { directory, dataset } = trained;
  if (directory === undefined) return;
  const results = await runResults(directory, modelOf(trained, directory), { dataset }, QUICK);
  await writePage(directory, runPage(results, writer()));
}

/**
 * Writes or replaces the page in a directory.
 * @returns its path
 * @throws MlpError as `writeTrainedReport`
 */
export async function writePage(directory: string, page: string): Promise<string> {
  const path = join(directory, RUN_FILES.report);
  await writeFileAtomically(path, [page]);
  return path;
}
