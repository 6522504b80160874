/** mlp report: a page of a run, to read and to pass on. */
import { join } from 'node:path';
import { type RunRows, reasonOf, runResults, THOROUGH } from '../analysis/run.js';
import { writer } from '../analysis/writeReport.js';
import { ExitCode, MlpError } from '../errors.js';
import { writeFileAtomically } from '../files/atomic.js';
import { requireFree, writeNewFile } from '../files/outputFile.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import type { Model } from '../model/load.js';
import { runPage } from '../report/html/runPage.js';
import { loadTrainConfig } from '../spec/loadConfig.js';
import { printable } from '../text.js';
import { dataOutside } from '../training/run/outside.js';
import { readOwnRows } from '../training/run/ownRows.js';
import { openModel } from './modelReading.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { withReadingProgress } from './reading.js';

export interface ReportOptions extends CommonOptions {
  readonly output?: string;
  readonly force?: boolean;
}

export async function run(paths: readonly string[], options: ReportOptions): Promise<void> {
  const { output, force = false } = options;
  // Before anything is computed.
  if (output !== undefined) requireFree(output, force);
  const [path] = paths;
  const page = await runReport(path, options);
  const file = output ?? join(path, RUN_FILES.report);
  if (output === undefined) await writeFileAtomically(file, [page]);
  else writeNewFile(file, page, force);
  print(options.json ? toJson({ report: file }, 2) : printable(file));
}

async function runReport(path: string, options: ReportOptions): Promise<string> {
  requireRun(path);
  const model = statOf(join(path, RUN_FILES.model)) ? (openModel(path) as Model) : undefined;
  const rows = await rowsOf(path, model, options);
  if ('missing' in rows) warn(rows.missing);
  return runPage(runResults(path, model, rows, THOROUGH), writer());
}

/** The rows of a run. A page without them is better than none. */
async function rowsOf(path: string, model: Model | undefined, options: CommonOptions): Promise<RunRows> {
  if (!model) return { missing: 'the run has no model yet: the page shows its curves alone' };
  const loaded = loadTrainConfig(join(path, RUN_FILES.config));
  for (const sentence of dataOutside(loaded)) note(sentence);
  try {
    const { dataset } = await withReadingProgress(options, (progress) =>
      readOwnRows(path, model, loaded, { progress, warn }),
    );
    return { dataset };
  } catch (error) {
    return { missing: `the data of the run cannot be read, so the page lacks them: ${reasonOf(error)}` };
  }
}

/** @throws MlpError ExitCode.noInput */
function requireRun(path: string): void {
  if (statOf(join(path, RUN_FILES.config))) return;
  const found = statOf(path)
    ? `${statOf(path)?.isDirectory() ? 'a directory' : 'a file'} without a run`
    : 'no such directory';
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: found ${found}, expected the directory of a run`,
    'name a directory that mlp train has printed',
  );
}
