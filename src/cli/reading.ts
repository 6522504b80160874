/** How commands read a table: whole, for `inspect` and `init`; and the progress of reading. */

import { suggestNotation } from '../data/csv/notation.js';
import type { LoadOptions } from '../data/dataset/loadDataset.js';
import { openJoined } from '../data/joinedTable.js';
import { countCsvs, formatOf, openTable, readWhole } from '../data/openTable.js';
import type { RejectedRows } from '../data/rejectedRows.js';
import { filesOf } from '../data/source/source.js';
import type { Table } from '../data/table.js';
import type { TableFormat, TableSource } from '../data/tableSource.js';
import { ExitCode, MlpError } from '../errors.js';
import type { ReadingProgress } from '../report/terminalProgress.js';
import type { DataConfig } from '../spec/dataConfig.js';
import { suggest } from '../spec/messages.js';
import { DELIMITERS, isPattern, namesColumn } from '../spec/words.js';
import { counted, listed, printable, quote } from '../text.js';
import type { CommonOptions, SeparatorOptions } from './options.js';
import { note } from './output.js';
import { displayOf, isAnimated } from './terminal.js';

/** The path that stands for standard input or output. */
export const STANDARD_STREAM = '-';

export interface TableOptions extends CommonOptions, SeparatorOptions {
  readonly target?: string;
  readonly header?: boolean;
  /** Names of columns or patterns, several separated by commas. */
  readonly exclude?: readonly string[];
  /** Whether a column of numbers may hold other cells; otherwise the first is an error. */
  readonly keepsOddCells?: boolean;
  /** Whether rows that can't be read are left out of other files than CSVs; otherwise the first is an error. */
  readonly skipsButCsv?: boolean;
}

/** How a table is written that can't be detected: keys of `data`. */
type Way = Pick<DataConfig, 'quote' | 'escape' | 'skipLines' | 'skipRows' | 'numbers'> &
  Partial<Pick<DataConfig, 'badRows'>>;

const SKIPPING: Way = { badRows: 'skip' };

export interface ReadTable {
  readonly table: Table;
  readonly format: TableFormat;
  /** How it is written: `separated by commas, with a header`. */
  readonly description: string;
  /** How the file was read, if not as it is usual: sentences for the user. */
  readonly notes: readonly string[];
  /** The number of the target column in the table, if one is asked for. */
  readonly target?: number;
  /** Rows that were left out because they can't be read; undefined unless that was asked for. */
  readonly rejected?: number;
  /** Why the first of them can't be read. */
  readonly firstRejected?: string;
  /** The columns of the file that are not in the table, by name, and the numbers of the others. */
  readonly excluded: readonly string[];
  readonly indices: readonly number[];
}

export interface TableReadAnyWay extends ReadTable {
  /** Only if rows are left out. */
  readonly badRows?: 'skip';
}

/**
 * @throws MlpError ExitCode.noInput, io, noPermission; data for damage; usage for no such target
 */
export async function readTable(paths: readonly string[], options: TableOptions & Way): Promise<ReadTable> {
  requireSeparators(options);
  return withReadingProgress(options, async (progress) => {
    const source = await openAs(paths, options, progress);
    const told = (done: number, total: number | undefined) => progress(source.path, done, total);
    try {
      const target = options.target === undefined ? undefined : findTarget(options.target, source);
      const excluded = findExcluded(options.exclude ?? [], source, target);
      const table = await readWhole(source, { target, progress: told });
      const { notes, description, rejected } = source;
      const read = {
        table,
        format: formatOf(source),
        description,
        notes,
        excluded,
        ...(rejected && rejectedOf(rejected)),
      };
      return without(read, target);
    } finally {
      for (const rejected of source.rejected ?? []) rejected.close();
      source.close();
    }
  });
}

function rejectedOf(files: readonly RejectedRows[]): Pick<ReadTable, 'rejected' | 'firstRejected'> {
  const rows = files.reduce((sum, { rows }) => sum + rows, 0);
  const first = files.find(({ first }) => first)?.first?.message;
  return rows === 0 ? {} : { rejected: rows, ...(first !== undefined && { firstRejected: first }) };
}

/** More lines above a table are not searched for its header. */
const MOST_LINES = 20;
/** The largest share of rows that may be left out. */
const MOST_REJECTED = 0.1;

/**
 * In the order in which they are tried. Without the target's name, nothing tells a header from a row. Other
 * files than CSVs were already read without their bad rows.
 */
async function waysFor(paths: readonly string[], options: TableOptions): Promise<Way[]> {
  const files = filesOf(paths, '');
  const csvs = await countCsvs(files);
  if (csvs < files.length) return csvs > 0 ? [SKIPPING] : [];
  const lines = isName(options.target) ? Array.from({ length: MOST_LINES }, (_, i) => i + 1) : [];
  const ways: Way[] = [
    { quote: "'", escape: '\\' },
    { quote: "'" },
    { escape: '\\' },
    ...lines.flatMap((skipLines) => [{ skipLines }, { skipLines, skipRows: 1 }]),
    { skipRows: 1 },
    ...(await notationWay(paths, options)),
    SKIPPING,
  ];
  return ways.filter((way) => Object.keys(way).every((key) => !(key in options)));
}

/** The notations that the cells suggest which are no plain decimals, if there are any. */
async function notationWay(paths: readonly string[], options: TableOptions): Promise<Way[]> {
  const read = await readTable(paths, { ...options, keepsOddCells: true }).catch(unlessMlpError);
  const { odd = [], names = [] } = read?.table ?? {};
  const found = odd.flatMap(({ index, texts = [] }) => {
    const notation = suggestNotation(texts);
    return notation ? [[names[index], notation] as const] : [];
  });
  return found.length > 0 ? [{ numbers: Object.fromEntries(found) }] : [];
}

/**
 * Reads a table as `readTable` does. If that fails, the keys of `data` are tried that read a file of
 * another notation, and a note says which key helped.
 * @throws MlpError as `readTable`, if none helps
 */
export async function readAnyWay(paths: readonly string[], options: TableOptions): Promise<TableReadAnyWay> {
  // Standard input can't be read again.
  if (paths.includes(STANDARD_STREAM)) return readTable(paths, { ...options, keepsOddCells: true });
  const sound = await readSound(paths, options);
  if (typeof sound !== 'string') return sound;
  for (const way of await waysFor(paths, options)) {
    const read = await readTable(paths, { ...options, ...way }).catch(unlessMlpError);
    if (read && hasFewRejected(read)) return readBy(way, read, sound);
  }
  return await readTable(paths, { ...options, keepsOddCells: true });
}

/**
 * The table, or what is wrong with it. Bad rows are all that may be wrong with other files than CSVs: if
 * they are few, they are left out at once, since a wide table takes its memory each time it is read.
 */
async function readSound(paths: readonly string[], options: TableOptions): Promise<TableReadAnyWay | string> {
  const read = await readTable(paths, { ...options, skipsButCsv: true }).catch(messageOfData);
  if (typeof read === 'string' || read.firstRejected === undefined) return read;
  return hasFewRejected(read) ? readBy(SKIPPING, read, read.firstRejected) : read.firstRejected;
}

function hasFewRejected({ rejected = 0, table }: ReadTable): boolean {
  return rejected <= MOST_REJECTED * table.rows;
}

/** The table with a note of what was wrong with it, and the keys that helped. */
function readBy(way: Way, read: ReadTable, wrong: string): TableReadAnyWay {
  const keys = Object.entries(way).map(([key, value]) => `data.${key} ${JSON.stringify(value)}`);
  const rows = read.rejected === undefined ? '' : `, which leaves out ${counted(read.rejected, 'row')}`;
  const note = `${wrong}: read with ${keys.join(' and ')}${rows}`;
  return { ...read, notes: [note, ...read.notes], ...(way.badRows && { badRows: 'skip' }) };
}

/** What is wrong with the data. The error is not kept: its stack would hold the table that it comes from. */
function messageOfData(error: unknown): string {
  if (!(error instanceof MlpError) || error.exitCode !== ExitCode.data) throw error;
  return error.message;
}

function unlessMlpError(error: unknown): undefined {
  if (!(error instanceof MlpError)) throw error;
}

/** @throws MlpError ExitCode.usage for a name that no column has, or the target's */
function findExcluded(
  wanted: readonly string[],
  { names, path }: TableSource,
  target: number | undefined,
): string[] {
  // A name may contain commas itself.
  const asked = wanted.flatMap((text) => (names.includes(text) ? [text] : text.split(',')));
  for (const text of asked) {
    const found = names.filter((name) => namesColumn(text, name));
    const isTarget = target !== undefined && found.includes(names[target]) && !isPattern(text);
    if (found.length > 0 && !isTarget) continue;
    throw new MlpError(
      ExitCode.usage,
      isTarget
        ? `--exclude: found the target ${quote(text)}, expected other columns`
        : `--exclude: found no column ${quote(text)} in ${path}, expected some of ${listed(names.map(quote), 10)}`,
      isTarget ? undefined : suggest(text, names),
    );
  }
  return names.filter((name, i) => i !== target && asked.some((text) => namesColumn(text, name)));
}

/** The table without its excluded columns. */
function without(read: Omit<ReadTable, 'indices' | 'target'>, target: number | undefined): ReadTable {
  const { table, format, excluded } = read;
  if (excluded.length === 0) {
    return { ...read, indices: [...table.names.keys()], ...(target !== undefined && { target }) };
  }
  const isExcluded = new Set(excluded);
  const indices = table.names.flatMap((name, i) => (isExcluded.has(name) ? [] : [i]));
  const places = new Map(indices.map((index, place) => [index, place]));
  const place = (index: number) => places.get(index) ?? -1;
  const isKept = (index: number) => places.has(index);
  const placed = <Found extends { index: number }>(found: readonly Found[]): Found[] =>
    found.filter(({ index }) => isKept(index)).map((column) => ({ ...column, index: place(column.index) }));
  const { odd, mixed, locations } = table;
  const { rowNames, notations } = format;
  return {
    ...read,
    table: {
      ...table,
      names: indices.map((index) => table.names[index]),
      columns: indices.map((index) => table.columns[index]),
      ...(odd && { odd: placed(odd) }),
      ...(mixed && { mixed: placed(mixed) }),
      ...(locations && { locations: indices.map((index) => locations[index]) }),
    },
    format: {
      ...format,
      ...(rowNames && { rowNames: rowNames.filter(isKept).map(place) }),
      ...(notations && {
        notations: new Map(
          [...notations].filter(([i]) => isKept(i)).map(([i, notation]) => [place(i), notation]),
        ),
      }),
    },
    indices,
    ...(target !== undefined && { target: place(target) }),
  };
}

/**
 * Opens files and patterns as one table, as the options say; numbers in a usual notation are
 * suggested.
 */
export function openAs(
  paths: readonly string[],
  options: TableOptions & Way,
  progress?: LoadOptions['progress'],
): Promise<TableSource> {
  const { target, delimiter = 'auto', header, comment, encoding, badRows, skipsButCsv, ...rest } = options;
  const { quote, escape: escapeCharacter, skipLines, skipRows, numbers, keepsOddCells = false } = rest;
  const request = {
    delimiter,
    header: header ?? (isName(target) || ('auto' as const)),
    ...(comment !== undefined && { comment }),
    ...(encoding !== undefined && { encoding }),
    ...(skipLines !== undefined && { skipLines }),
    ...(skipRows !== undefined && { skipRows }),
    ...(numbers !== undefined && { numbers }),
    ...(quote !== undefined && { quote }),
    ...(escapeCharacter !== undefined && { escape: escapeCharacter }),
    skipsBadRows: badRows === 'skip' || (skipsButCsv === true && ('but-csv' as const)),
    suggest: true,
    keepsOddCells,
  };
  return openJoined(filesOf(paths, ''), (path, first = request.header) =>
    openTable(
      path,
      { ...request, header: first },
      progress && ((done, total) => progress(path, done, total)),
    ),
  );
}

/** A target given by name implies a header; digits alone may be a name or a number. */
function isName(target: string | undefined): boolean {
  return target !== undefined && !/^\d+$/.test(target);
}

/** The target's column number: found by name if there is a header, else by number. */
function findTarget(target: string, { header, names, path }: TableSource): number {
  if (!header) {
    if (!isName(target) && Number(target) < names.length) return Number(target);
    throw new MlpError(
      ExitCode.usage,
      `--target: found ${quote(target)}, expected a column number from 0 to ${names.length - 1} in ${path}`,
      isName(target)
        ? 'the file has no header, so its columns have no names'
        : 'with --header, the first line holds the column names',
    );
  }
  const index = names.indexOf(target);
  if (index >= 0) return index;
  throw new MlpError(
    ExitCode.usage,
    `--target: found no column ${quote(target)} in ${path}, expected one of ${listed(names.map(quote), 10)}`,
    (namesSeveral(target, names)
      ? 'name one of them here; for several, write the config by hand: "target": ["a", "b"], and "task": "multilabel" if they say yes or no'
      : suggest(target, names)) ??
      (isName(target)
        ? undefined
        : 'a file with a header needs a name; --no-header treats its first line as data'),
  );
}

function namesSeveral(target: string, names: readonly string[]): boolean {
  return target.includes(',') && target.split(',').every((name) => names.includes(name.trim()));
}

/** @throws MlpError ExitCode.usage if one character could be both the comment and the delimiter */
export function requireSeparators({ comment, delimiter }: SeparatorOptions): void {
  if (comment === undefined || !(DELIMITERS as readonly string[]).includes(comment)) return;
  if (delimiter !== undefined && delimiter !== comment) return;
  throw new MlpError(
    ExitCode.usage,
    delimiter === comment
      ? `--comment: found "${comment}", the delimiter, expected another character`
      : `--comment: found "${comment}", which may also be the delimiter, expected --delimiter with it`,
  );
}

/** Faster reads are over before anyone wonders. */
const PATIENCE_MILLISECONDS = 1000;

/** Calls `read` with a callback that draws a progress bar, on a terminal and after a second. */
export async function withReadingProgress<Result>(
  options: CommonOptions,
  read: (progress: NonNullable<LoadOptions['progress']>) => Promise<Result>,
): Promise<Result> {
  const bar = new ReadingBar(options);
  try {
    return await read(bar.progress);
  } finally {
    bar.finish();
  }
}

/** Prints a note about data once, though many runs read them. */
export function noteOnce(): (sentence: string) => void {
  const told = new Set<string>();
  return (sentence) => {
    const [, data = sentence] = /(: reading .*)$/s.exec(sentence) ?? [];
    if (!told.has(data)) note(sentence);
    told.add(data);
  };
}

/** A progress bar on a terminal, if reading takes a while. */
export class ReadingBar {
  readonly #start = performance.now();
  readonly #color: boolean;
  readonly #animated: boolean;
  /** Loaded when first needed: cli-progress takes some 30 ms. */
  #bar: ReadingProgress | undefined;
  #loading = false;
  #finished = false;

  constructor({ color, json }: CommonOptions) {
    this.#color = color;
    this.#animated = !json && isAnimated(process.stderr);
    // The bar hides the cursor.
    process.once('exit', this.finish);
  }

  readonly progress = (file: string, done: number, total: number | undefined): void => {
    if (!this.#animated || performance.now() - this.#start < PATIENCE_MILLISECONDS) return;
    this.#bar?.update({ file: printable(file), done, total });
    if (this.#loading) return;
    this.#loading = true;
    void this.#load();
  };

  readonly finish = (): void => {
    process.off('exit', this.finish);
    this.#finished = true;
    this.#bar?.finish();
  };

  async #load(): Promise<void> {
    const { ReadingProgress } = await import('../report/terminalProgress.js');
    const display = await displayOf(process.stderr, this.#color);
    if (!this.#finished) this.#bar = new ReadingProgress(process.stderr, display);
  }
}
