/** Options of the commands that look at a whole CSV, and the reading of it. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Beginning } from '../data/dialect/dialect.js';
import type { Table } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import { COMMENT_START, DELIMITERS } from '../spec/train.js';

export interface SeparatorOptions {
  delimiter?: string;
  comment?: string;
}

export interface TableOptions extends SeparatorOptions {
  target?: string;
  header?: boolean;
  json?: boolean;
  color: boolean;
}

/** A CSV in memory. */
export interface ReadTable {
  readonly table: Table;
  readonly beginning: Beginning;
  /** The number of the target column, where one is asked for. */
  readonly target?: number;
}

/** What a shell makes awkward to write, beside the characters themselves. */
const TAB_NAMES = ['tab', '\\t'];

export function addTableOptions(command: Command): Command {
  command.option(
    '--target <column>',
    'the column to predict: its name, or its number from 0 without a header',
  );
  return addSeparatorOptions(command)
    .option('--header', 'the first line names the columns (default: as detected)')
    .option('--no-header', 'the first line is a row like all others');
}

/** Options of all commands that read a CSV. */
export function addSeparatorOptions(command: Command): Command {
  return command
    .option(
      '--delimiter <character>',
      'what stands between cells: , ; | or tab (default: as detected)',
      delimiter,
    )
    .option('--comment <character>', 'skip lines that begin with it', comment);
}

/**
 * Reads the CSV at `path`, `-` being standard input.
 * An MlpError where it can't be read (66, 74, 77), holds what can't be trusted (65), or lacks the target (64).
 */
export async function readTableOf(path: string, options: TableOptions): Promise<ReadTable> {
  const { availableParallelism } = await import('node:os');
  const { openSource } = await import('../data/source/source.js');
  const { readBeginning } = await import('../data/dialect/dialect.js');
  const { readWhole } = await import('../data/read.js');
  const { withReadingProgress } = await import('./reading.js');
  requireSeparators(options);
  return withReadingProgress(options, async (progress) => {
    const source = await openSource(path, (done, total) => progress(path, done, total));
    try {
      const beginning = await readBeginning(source, {
        delimiter: options.delimiter ?? 'auto',
        header: options.header ?? (isName(options.target) || 'auto'),
        ...(options.comment !== undefined && { comment: options.comment }),
      });
      const target =
        options.target === undefined ? undefined : await findTarget(options.target, beginning, source.name);
      const table = await readWhole(source, beginning, {
        threads: availableParallelism(),
        progress: (done, total) => progress(path, done, total),
      });
      return { table, beginning, ...(target !== undefined && { target }) };
    } finally {
      source.close();
    }
  });
}

/** A target given by name means that there is a header; digits alone may be a name or a number. */
function isName(target: string | undefined): boolean {
  return target !== undefined && !/^\d+$/.test(target);
}

/** The target's number. By name where there is a header, and by number where there is none. */
async function findTarget(target: string, { header, names }: Beginning, path: string): Promise<number> {
  const { quote } = await import('../text.js');
  const { oneOf, suggest } = await import('../spec/suggest.js');
  if (!header) {
    if (!isName(target) && Number(target) < names.length) return Number(target);
    throw new MlpError(
      ExitCode.usage,
      `--target: found ${quote(target)}, expected a column's number from 0 to ${names.length - 1} in ${path}`,
      isName(target) ? 'names are for files with a header' : 'with --header the first line names the columns',
    );
  }
  const index = names.indexOf(target);
  if (index >= 0) return index;
  const shown = names.slice(0, 10);
  throw new MlpError(
    ExitCode.usage,
    `--target: found no column ${quote(target)} in ${path}, expected ${oneOf(shown)}${names.length > 10 ? ', …' : ''}`,
    suggest(target, names) ??
      (isName(target)
        ? undefined
        : 'numbers are for files without a header: --no-header says that there is none'),
  );
}

function delimiter(text: string): string {
  const character = TAB_NAMES.includes(text) ? '\t' : text;
  if ((DELIMITERS as readonly string[]).includes(character)) return character;
  throw new InvalidArgumentError('expected , ; | or tab.');
}

/** As data.comment: no character that a cell may begin with. */
function comment(text: string): string {
  if (COMMENT_START.test(text)) return text;
  throw new InvalidArgumentError('expected one character such as # that no cell begins with.');
}

/** Throws an MlpError (64) where one character would be both. */
export function requireSeparators({ comment, delimiter }: SeparatorOptions): void {
  if (comment === undefined || !(DELIMITERS as readonly string[]).includes(comment)) return;
  if (delimiter !== undefined && delimiter !== comment) return;
  throw new MlpError(
    ExitCode.usage,
    delimiter === comment
      ? `--comment: found "${comment}", the delimiter, expected another character`
      : `--comment: found "${comment}", which may be the delimiter as well, expected --delimiter beside it`,
  );
}
