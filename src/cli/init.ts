/** mlp init: a train config for a CSV, with a reason for every key. */
import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { profileTable } from '../data/profile/profile.js';
import { likelyTarget, type Suggestion, suggestConfig } from '../data/suggest/suggestConfig.js';
import { ExitCode, MlpError } from '../errors.js';
import { requireFree, requireOther } from '../files/outputFile.js';
import type { Preset } from '../spec/words.js';
import { listed, quote } from '../text.js';
import { schemaPath, shellWord, writeDocument } from './initOutput.js';
import { openAs, readAnyWay, STANDARD_STREAM, type TableOptions } from './reading.js';

export interface InitOptions extends TableOptions {
  /** Write a sweep for a train config instead. */
  readonly sweep?: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly preset: Preset;
}

export async function run(paths: readonly string[], options: InitOptions): Promise<void> {
  if (options.sweep) {
    // It reads data as training does: modules that take long to load.
    const { writeSweep } = await import('./initSweep.js');
    await writeSweep(paths, options);
    return;
  }
  if (options.target === undefined) await refuseWithoutTarget(paths, options);
  const output = options.output ?? defaultOutput(paths[0]);
  const isFile = output !== STANDARD_STREAM;
  if (isFile) {
    for (const path of paths) if (path !== STANDARD_STREAM) requireOther(path, output);
    requireFree(output, options.force === true);
  }

  const proposal = await proposeFor(paths, isFile ? dirname(resolve(output)) : process.cwd(), options);
  const { config, reasons, warnings } = proposal;
  const input = paths.includes(STANDARD_STREAM) ? ' < data.csv' : '';
  writeDocument(
    { config },
    { output, reasons, warnings, next: (file) => `mlp train ${file}${input}` },
    options,
  );
}

async function proposeFor(
  paths: readonly string[],
  folder: string,
  options: InitOptions,
): Promise<Suggestion> {
  const { profile, badRows, excluded } = await profileOf(paths, options);
  const train = paths.map((path) =>
    path === STANDARD_STREAM ? path : relative(folder, resolve(path)).split(sep).join('/'),
  );
  const schema = schemaPath(folder);
  return suggestConfig(profile, {
    train: train.length === 1 ? train[0] : train,
    excluded,
    ...(schema !== undefined && { schema }),
    ...(badRows && { badRows }),
    preset: options.preset,
  });
}

/** Without the table: the config is written when its cells are no longer needed. */
async function profileOf(paths: readonly string[], options: InitOptions) {
  const { table, format, target, notes, ...others } = await readAnyWay(paths, options);
  return { profile: profileTable(table, format, target, notes), ...others };
}

/** mlp never guesses the target: the error lists the columns and suggests one. */
async function refuseWithoutTarget(paths: readonly string[], options: InitOptions): Promise<never> {
  const source = await openAs(paths, options);
  try {
    const { names, header, path: name } = source;
    const expected = header
      ? `one of ${listed(names.map(quote), 10)}`
      : `a column number from 0 to ${names.length - 1}`;
    throw new MlpError(
      ExitCode.usage,
      `--target: missing, expected the column of ${name} to predict: ${expected}`,
      `--target ${shellWord(likelyTarget(names))} is likely`,
    );
  } finally {
    source.close();
  }
}

/** `iris.json` for `data/iris.csv.gz`, in the current folder. */
function defaultOutput(path: string): string {
  if (path === STANDARD_STREAM) return 'config.json';
  const name = basename(path).replace(/\.gz$/i, '');
  return `${basename(name, extname(name)).replaceAll(/[-_.]*\*[-_.]*/g, '') || 'config'}.json`;
}
