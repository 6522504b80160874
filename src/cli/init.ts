/** mlp init: a train config for a CSV, with a reason for every key. */
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { profileTable } from '../data/profile/profile.js';
import { likelyTarget, type Suggestion, suggestConfig } from '../data/suggest/suggestConfig.js';
import { ExitCode, MlpError } from '../errors.js';
import { requireFree, requireOther, writeNewFile } from '../files/outputFile.js';
import { formatJson } from '../spec/json.js';
import type { Preset } from '../spec/words.js';
import { listed, printable, quote } from '../text.js';
import { note, print, toJson, warn } from './output.js';
import { openAs, readAnyWay, STANDARD_STREAM, type TableOptions } from './reading.js';

export interface InitOptions extends TableOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly preset: Preset;
}

export async function run(paths: readonly string[], options: InitOptions): Promise<void> {
  if (options.target === undefined) await refuseWithoutTarget(paths, options);
  const output = options.output ?? defaultOutput(paths[0]);
  const force = options.force === true;
  const isFile = output !== STANDARD_STREAM;
  if (isFile) {
    for (const path of paths) if (path !== STANDARD_STREAM) requireOther(path, output);
    requireFree(output, force);
  }

  const proposal = await proposeFor(paths, isFile ? dirname(resolve(output)) : process.cwd(), options);
  const { config, reasons, warnings } = proposal;
  const text = `${formatJson(config)}\n`;
  if (isFile) writeNewFile(output, text, force);
  for (const warning of warnings) warn(warning);
  if (options.json) {
    print(toJson({ path: isFile ? output : null, config, reasons }, 2));
    return;
  }
  for (const { key, text } of reasons) note(printable(`${key}: ${text}`));
  if (isFile) {
    print(printable(`wrote ${output}`));
    print(
      printable(
        `next: mlp train ${shellWord(output)}${paths.includes(STANDARD_STREAM) ? ' < data.csv' : ''}`,
      ),
    );
  } else {
    print(text.trimEnd());
  }
}

async function proposeFor(
  paths: readonly string[],
  folder: string,
  options: InitOptions,
): Promise<Suggestion> {
  const { table, format, target, notes, badRows, excluded } = await readAnyWay(paths, options);
  const train = paths.map((path) =>
    path === STANDARD_STREAM ? path : relative(folder, resolve(path)).split(sep).join('/'),
  );
  const schema = schemaPath(folder, fileURLToPath(new URL('../..', import.meta.url)));
  return suggestConfig(profileTable(table, format, target, notes), {
    train: train.length === 1 ? train[0] : train,
    excluded,
    ...(schema !== undefined && { schema }),
    ...(badRows && { badRows }),
    preset: options.preset,
  });
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

function shellWord(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `"${text}"`;
}

const SCHEMA = ['schema', 'config.schema.json'];

/**
 * The path from a config's folder to the schema in mlp's folder, with slashes; undefined unless
 * both move together (in mlp's folder, or in the project whose node_modules holds mlp).
 */
export function schemaPath(folder: string, packageFolder: string): string | undefined {
  const installed = packageFolder.indexOf(`${sep}node_modules${sep}`);
  const home = installed < 0 ? packageFolder : packageFolder.slice(0, installed) || sep;
  const inside = relative(home, folder);
  if (isAbsolute(inside) || inside.split(sep)[0] === '..') return undefined;
  const path = relative(folder, join(packageFolder, ...SCHEMA))
    .split(sep)
    .join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
