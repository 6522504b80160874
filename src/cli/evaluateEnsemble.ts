/** mlp evaluate of an ensemble without a data file: scores held-out rows that its runs have in common. */
import { join, resolve } from 'node:path';
import type { SplitName } from '../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../errors.js';
import { ENSEMBLE_FILE, type LoadedEnsemble } from '../model/ensembleFile.js';
import { listed, printable } from '../text.js';
import {
  type HeldOut,
  type HeldOutName,
  NAME_DATA,
  predictHeldOut,
  rowsDifference,
  scoreHeldOut,
} from '../training/ensemble/heldOut.js';
import { fileOf } from './evaluateRun.js';
import type { Evaluated } from './evaluateText.js';
import { openModel } from './modelReading.js';
import { type CommonOptions, type PassOptions, poolOptions } from './options.js';
import { note, warn } from './output.js';
import { noteOnce, withReadingProgress } from './reading.js';
import { type DecisionOptions, decisionOf } from './threshold.js';

/** The first that all runs have in common is scored, unless --split names another. */
const SPLITS = ['test', 'validation'] as const satisfies readonly SplitName[];

/**
 * @throws MlpError ExitCode.noInput if a run or its data no longer exist; data if they changed, or the
 * runs hold out different rows; usage for training rows
 */
export async function evaluateEnsemble(
  path: string,
  options: CommonOptions & DecisionOptions & PassOptions & { readonly split?: SplitName },
): Promise<Evaluated> {
  const model = openModel(path) as LoadedEnsemble;
  const decision = decisionOf(model, options);
  const { split } = options;
  if (split === 'train') {
    throw new MlpError(
      ExitCode.usage,
      `--split: found train for an ensemble, expected ${listed(SPLITS.map(String))}`,
      NAME_DATA,
    );
  }
  const names = split === undefined ? SPLITS : [split];
  const { members } = model.content;
  const runs = members.map(({ run }) => resolve(path, run));
  note(`${printable(join(path, ENSEMBLE_FILE))} names its runs: reading ${listed(runs.map(printable))}`);
  const warnings: string[] = [];
  const pool = poolOptions(options);
  const listener = { note: noteOnce(), warn: (sentence: string) => void warnings.push(sentence) };
  const read = await withReadingProgress(options, async (progress) => {
    const found: ReadonlyMap<HeldOutName, HeldOut>[] = [];
    for (const [i, run] of runs.entries()) {
      const source = { run, model: model.members[i].model };
      found.push(await predictHeldOut(source, names, { ...listener, progress }, pool));
    }
    return found;
  });
  for (const warning of warnings) warn(warning);
  const { name, rows } = commonRows(read, names);
  const weights = model.members.map(({ weight }) => weight);
  const scored = scoreHeldOut(model, rows, weights, decision);
  const [{ run, config }] = rows;
  const data = { path: fileOf(config, name, run), rows: scored.rows };
  return { model, data, split: name, warnings, weighted: scored.weighted, result: scored.result };
}

/** @throws MlpError ExitCode.data if the runs have no held-out rows in common */
function commonRows(
  read: readonly ReadonlyMap<HeldOutName, HeldOut>[],
  names: readonly HeldOutName[],
): { readonly name: HeldOutName; readonly rows: readonly HeldOut[] } {
  let problem = '';
  for (const name of names) {
    const rows = read.flatMap((splits) => splits.get(name) ?? []);
    if (rows.length < read.length) {
      problem ||= `found no ${name} rows in ${read.length - rows.length} of ${read.length} runs`;
      continue;
    }
    const different = rows.find((other) => rowsDifference(other, rows[0]) !== undefined);
    if (!different) return { name, rows };
    problem = `${printable(different.run)}: ${rowsDifference(different, rows[0])} as in ${printable(rows[0].run)}`;
  }
  throw new MlpError(
    ExitCode.data,
    `${problem}: the runs have no held-out rows in common, expected the same ${listed(names.map(String))} rows`,
    NAME_DATA,
  );
}
