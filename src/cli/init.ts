/** mlp init: a train config for a CSV, and why each of its keys has its value. */
import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Proposal } from '../data/propose/propose.js';
import { addTableOptions, type TableOptions } from './tableOptions.js';

interface InitOptions extends TableOptions {
  output?: string;
  force?: boolean;
}

/** Standard input as the CSV, standard output as the config. */
const STANDARD_STREAM = '-';

export function initCommand(): Command {
  const command = new Command('init')
    .description('write a train config for a CSV file, with sensible sizes, and say why')
    .argument('<data.csv>', 'a CSV file, plain or gzipped, or - for standard input')
    .option(
      '-o, --output <config.json>',
      'the file to write, or - for standard output (default: <data>.json here)',
    )
    .option('--force', 'overwrite a file that is there');
  return addTableOptions(command).action(run);
}

async function run(path: string, options: InitOptions): Promise<void> {
  const { requireFree, requireOther, writeNewFile } = await import('./newFile.js');
  const { formatJson } = await import('../spec/jsonText.js');
  const { print, toJson, warn } = await import('./output.js');
  if (options.target === undefined) await refuseWithoutTarget(path, options);
  const output = options.output ?? defaultOutput(path);
  const force = options.force === true;
  const isFile = output !== STANDARD_STREAM;
  if (isFile) {
    if (path !== STANDARD_STREAM) requireOther(path, output);
    requireFree(output, force);
  }

  const proposal = await proposeFor(path, isFile ? dirname(resolve(output)) : process.cwd(), options);
  const text = `${formatJson(proposal.config)}\n`;
  if (isFile) writeNewFile(output, text, force);
  for (const warning of proposal.warnings) warn(warning);
  if (options.json) {
    const { config, reasons } = proposal;
    print(toJson({ path: isFile ? output : null, config, reasons }, 2));
    return;
  }
  await noteReasons(proposal);
  if (isFile) {
    const { printable } = await import('../text.js');
    print(printable(`wrote ${output}`));
    print(printable(`next: mlp train ${shellWord(output)}${path === STANDARD_STREAM ? ' < data.csv' : ''}`));
  } else {
    print(text.trimEnd());
  }
}

async function proposeFor(path: string, folder: string, options: InitOptions): Promise<Proposal> {
  const { readTableOf } = await import('./tableOptions.js');
  const { summarize } = await import('../data/summary/summary.js');
  const { propose } = await import('../data/propose/propose.js');
  const { schemaPath } = await import('./schemaPath.js');
  const { table, beginning, target } = await readTableOf(path, options);
  const schema = schemaPath(folder, fileURLToPath(new URL('../..', import.meta.url)));
  return propose(summarize(table, beginning, target), {
    train: path === STANDARD_STREAM ? path : relative(folder, resolve(path)).split(sep).join('/'),
    ...(schema !== undefined && { schema }),
  });
}

/** A target is never guessed, only proposed: the first records say which columns there are. */
async function refuseWithoutTarget(path: string, options: InitOptions): Promise<never> {
  const { openSource } = await import('../data/source/source.js');
  const { readBeginning } = await import('../data/dialect/dialect.js');
  const { likelyTarget } = await import('../data/propose/propose.js');
  const { ExitCode, MlpError } = await import('../errors.js');
  const { quote } = await import('../text.js');
  const { oneOf } = await import('../spec/suggest.js');
  const source = await openSource(path);
  try {
    const { names, header } = await readBeginning(source, {
      delimiter: options.delimiter ?? 'auto',
      header: options.header ?? 'auto',
      ...(options.comment !== undefined && { comment: options.comment }),
    });
    const likely = likelyTarget(names);
    const expected = header
      ? oneOf([...names.slice(0, 10).map((name) => quote(name)), ...(names.length > 10 ? ['…'] : [])])
      : `a column's number from 0 to ${names.length - 1}`;
    throw new MlpError(
      ExitCode.usage,
      `--target: missing, expected the column of ${source.name} to predict: ${expected}`,
      `--target ${shellWord(likely)} is likely`,
    );
  } finally {
    source.close();
  }
}

async function noteReasons({ reasons }: Proposal): Promise<void> {
  const { note } = await import('./output.js');
  const { printable } = await import('../text.js');
  for (const { key, text } of reasons) note(printable(`${key}: ${text}`));
}

/** `iris.json` for `data/iris.csv.gz`: in the current folder. */
function defaultOutput(path: string): string {
  if (path === STANDARD_STREAM) return 'config.json';
  const name = basename(path).replace(/\.gz$/i, '');
  return `${basename(name, extname(name))}.json`;
}

/** The text as one word of a command line. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `"${text}"`;
}
