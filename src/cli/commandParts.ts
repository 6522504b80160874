/** What the definitions of commands share: how one is defined, its arguments and its options. */
import { type Command, Option } from 'commander';
import {
  backendName,
  byteCount,
  collect,
  commentStart,
  count,
  delimiter,
  encoding,
  threadCount,
  threshold,
} from './options.js';

export const CSV = 'a CSV, JSON Lines or Parquet file, plain or gzipped; - reads standard input';
export const TABLES = `${CSV}; several files, or a pattern such as 'part-*.csv', are one table`;
export const RUN = 'a run directory';
export const MODEL = 'a run directory, a model file or an ensemble';

export type Example = readonly [command: string, does: string];

// Options that several commands share.
export const DELIMITER = new Option(
  '--delimiter <character>',
  'the character between cells: , ; | tab or whitespace (default: detected)',
).argParser(delimiter);
export const ENCODING = new Option(
  '--encoding <name>',
  'the encoding of the text, such as windows-1252 (default: detected)',
).argParser(encoding);
export const COMMENT = new Option(
  '--comment <character>',
  'skip lines that start with this character',
).argParser(commentStart);
export const SKIP_LINES = new Option(
  '--skip-lines <n>',
  'lines above the table that are not part of it',
).argParser(count);
export const SKIP_ROWS = new Option(
  '--skip-rows <n>',
  'rows below the header that are not data, such as units',
).argParser(count);
export const HEADER = new Option('--header', 'the first line holds the column names (default: detected)');
export const NO_HEADER = new Option('--no-header', 'the first line is already data');
export const TARGET = new Option(
  '--target <column>',
  'the column to predict: its name, or its number from 0 if there is no header',
);
export const EXCLUDE = new Option(
  '--exclude <columns>',
  'columns to leave out: names separated by commas, * for any text; may be repeated',
).argParser(collect);
/** How a CSV is written. */
export const NOTATION = [DELIMITER, COMMENT, ENCODING, SKIP_LINES, SKIP_ROWS];
export const THREADS = new Option('--threads <n>', 'number of threads, or auto').argParser(threadCount);
/** What changes a config. */
export const OVERRIDES = [
  new Option('--set <key=value>', 'override a key of the config; may be repeated').argParser(collect),
  new Option('--backend <name>', 'compute with auto, reference, wasm, blas or native').argParser(backendName),
  THREADS,
  new Option('--deterministic', 'use only kernels that give the same bits on every machine'),
];
/** What a table without a config is read by. */
export const TABLE = [TARGET, EXCLUDE, ...NOTATION, HEADER, NO_HEADER];
export const THRESHOLD = new Option(
  '--threshold <p>',
  'with two classes: predict the second from this probability on (default: the likelier class); with labels: yes, for all, or by name: rain=0.3,wind=0.6',
).argParser(threshold);
export const MAX_UNPACKED = new Option(
  '--max-unpacked <size>',
  'the most that a gzip, a Parquet file or a pipe may hold, such as 20GB (default: of a file 100 times its size, of a pipe 4GB)',
).argParser(byteCount);
export const FORCE = new Option('--force', 'overwrite an existing file');

/** A new command of the program; undefined if it is not the one that is wanted, which saves its options. */
export type Define = (
  name: string,
  summary: string,
  description: string,
  ...examples: readonly Example[]
) => Command | undefined;

export function definer(program: Command, wanted?: string): Define {
  return (name, summary, description, ...examples) =>
    wanted === undefined || wanted === name
      ? program.command(name).summary(summary).description(description).addHelpText('after', helpOf(examples))
      : undefined;
}

function helpOf(lines: readonly Example[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, does]) => `  ${command.padEnd(width)}  # ${does}`).join('\n')}`;
}

export function addOptions(options: readonly Option[], command: Command | undefined): Command | undefined {
  for (const option of options) command?.addOption(option);
  return command;
}

/** Loads a command's module only when the command runs, so that a small one starts fast. */
export function lazy(load: () => Promise<{ run(...args: never[]): Promise<void> }>) {
  return async (...args: unknown[]) => {
    const { maxUnpacked } = (args.at(-1) as Command).opts();
    if (maxUnpacked !== undefined) {
      const { setMaxUnpacked } = await import('../data/source/unpack.js');
      setMaxUnpacked(maxUnpacked);
    }
    await (await load()).run(...(args as never[]));
  };
}
