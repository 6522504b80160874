/** Writes the page of a run into its directory. */
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
 * At the end of a training, from what is in memory: a run of any size takes less than 0.3 s.
 * @throws MlpError ExitCode.cantCreate, noPermission or io if it can't be written
 */
export async function writeTrainedReport(trained: TrainedRun): Promise<void> {
  const { directory, dataset } = trained;
  if (directory === undefined) return;
  const results = runResults(directory, modelOf(trained, directory), { dataset }, QUICK);
  await writeFileAtomically(join(directory, RUN_FILES.report), [runPage(results, writer())]);
}
