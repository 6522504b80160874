/** mlp report: a page of a run, of several, of a study, of a cross-validation or of a graph. */
import { basename, join, resolve } from 'node:path';
import { type RunRows, reasonOf, runResults, THOROUGH } from '../analysis/run.js';
import { foldsResults, runsResults, studyResults } from '../analysis/several.js';
import { writePage, writer } from '../analysis/writeReport.js';
import { ExitCode, MlpError } from '../errors.js';
import { requireFree, writeNewFile } from '../files/outputFile.js';
import { RUN_FILES, STUDY_JOURNAL, statOf } from '../files/runFiles.js';
import { checkGraph } from '../gradcheck/check.js';
import { readGraph } from '../gradcheck/graphFile.js';
import type { Model } from '../model/load.js';
import { foldsPage } from '../report/html/foldsPage.js';
import { runPage } from '../report/html/runPage.js';
import { runsPage } from '../report/html/runsPage.js';
import { studyPage } from '../report/html/studyPage.js';
import { readJson } from '../spec/json.js';
import { loadTrainConfig } from '../spec/loadConfig.js';
import { counted, listed, printable } from '../text.js';
import { CROSS_VALIDATION_FILES } from '../training/crossvalidation/directory.js';
import { findRuns, type ListedRun } from '../training/run/list.js';
import { dataOutside } from '../training/run/outside.js';
import { readOwnRows } from '../training/run/ownRows.js';
import { graphReport } from './gradcheckReport.js';
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
  const kind = paths.length > 1 ? 'runs' : kindOf(paths[0]);
  if ((kind === 'runs' || kind === 'graph') && output === undefined) {
    throw new MlpError(
      ExitCode.usage,
      `found ${kind === 'runs' ? 'several runs' : 'a file'} without -o, expected the file to write`,
      kind === 'runs' ? 'mlp report <run> <run> -o report.html' : 'mlp report <graph.json> -o report.html',
    );
  }
  const page = await pageOf(kind, paths, options);
  if (output !== undefined) writeNewFile(output, page, force);
  const file = output ?? (await writePage(paths[0], page));
  print(options.json ? toJson({ report: file }, 2) : printable(file));
}

type Kind = 'run' | 'runs' | 'study' | 'cross-validation' | 'graph';

/** @throws MlpError ExitCode.noInput if there is nothing to report */
function kindOf(path: string): Kind {
  if (statOf(path)?.isFile()) return 'graph';
  const has = (name: string) => statOf(join(path, name)) !== undefined;
  if (has(STUDY_JOURNAL)) return 'study';
  if (has(CROSS_VALIDATION_FILES.report)) return 'cross-validation';
  if (has(RUN_FILES.config)) return 'run';
  const isDirectory = statOf(path)?.isDirectory() === true;
  if (isDirectory && findRuns([path]).runs.length > 0) return 'runs';
  const found = isDirectory ? 'a directory without a run' : 'no such directory';
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: found ${found}, expected the directory of a run, a study or a cross-validation`,
    'name a directory that mlp train, sweep or crossvalidate has printed',
  );
}

async function pageOf(kind: Kind, paths: readonly string[], options: CommonOptions): Promise<string> {
  const [path] = paths;
  switch (kind) {
    case 'run':
      return runReport(path, options);
    case 'graph': {
      const { value, text } = readJson(path);
      const graph = readGraph(value, path, text);
      const { check, derivation } = checkGraph(graph, path);
      return graphReport(graph, check, derivation);
    }
    case 'study':
      return studyPage(studyResults(path), writer());
    case 'cross-validation':
      return foldsPage(foldsResults(path), writer());
    case 'runs': {
      const { runs, others } = findRuns(paths);
      requireReadable(runs, path);
      return runsPage(
        runsResults(
          listed(
            paths.map((one) => basename(resolve(one))),
            3,
          ),
          runs,
          others,
        ),
        writer(),
      );
    }
  }
}

function requireReadable(runs: readonly ListedRun[], path: string): void {
  if (runs.some(({ status }) => status !== 'unreadable')) return;
  throw new MlpError(
    ExitCode.data,
    `${printable(path)}: found ${counted(runs.length, 'run')}, none of which can be read, expected one that can`,
    'mlp runs says why',
  );
}

async function runReport(path: string, options: CommonOptions): Promise<string> {
  const model = statOf(join(path, RUN_FILES.model)) ? (openModel(path) as Model) : undefined;
  const rows = await rowsOf(path, model, options);
  if ('missing' in rows) warn(rows.missing);
  return runPage(await runResults(path, model, rows, THOROUGH), writer());
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
