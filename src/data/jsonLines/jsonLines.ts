/**
 * Reads JSON Lines: an object of cells in each line, whose names are those of the columns. A name
 * that a line lacks is a missing value. The file is read twice: only all lines tell all columns.
 */
import { ExitCode, MlpError, withoutStack } from '../../errors.js';
import { counted } from '../../text.js';
import { type ColumnFile, withColumnFile } from '../columnFile.js';
import { LONGEST_ROW } from '../csv/csvParse.js';
import { type AddRow, inTables } from '../csv/readChunks.js';
import { emptyLinesSkipped } from '../csv/readingNotes.js';
import { buildTable, type TableBuilder } from '../csv/readTable.js';
import { DEFAULT_MISSING, type MissingValues, QUOTED, quotedTexts } from '../missingValues.js';
import type { BadRowRules } from '../rejectedRows.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import {
  type ColumnKind,
  columnLabel,
  isGuessed,
  isTooSparse,
  MOST_COLUMNS,
  MOST_PER_VALUE,
  type Table,
  tooManyColumns,
} from '../table.js';
import type { ChunkOptions, ReadProgress, ReadRows, TableSource } from '../tableSource.js';
import { type CellSink, ObjectParser, type ValueKind } from './objectParser.js';

const SAMPLE_ROWS = 200;
/** Of the sample, so that a wide table takes no more memory than a narrow one. */
const MOST_SAMPLE_CELLS = 2.5e5;
/** Of a chunk of rows. */
const MOST_CHUNK_CELLS = 2e6;
const BLANK = /^[ \t\r]*$/;

/** What the cells of a column are, over all rows. */
interface Seen {
  numbers: number;
  /** But for those that mean a missing value, such as "NA". */
  texts: number;
}

/**
 * Reads all lines for their names.
 * @throws MlpError ExitCode.data for a line that is no object of cells, unless rows may be rejected, or
 *   no line at all; io if the file can't be read
 */
export async function openJsonLines(
  source: Source,
  progress?: ReadProgress,
  rules: BadRowRules = {},
): Promise<TableSource> {
  const { rejected } = rules;
  const start = await readStart(source, rejected !== undefined, progress);
  const { names, sample, rows, seen } = start;
  const path = source.name;
  const tableStart = { header: true, names, sample };
  const { emptyLines } = start;
  if (emptyLines > 0) source.notes.push(`${path}: ${emptyLinesSkipped(emptyLines)}`);

  const read = async (
    kinds: readonly ColumnKind[],
    told?: ReadProgress,
    missingValues: MissingValues = DEFAULT_MISSING,
    file?: ColumnFile,
  ): Promise<Table> => {
    // Text is text, even if all of it looks like numbers.
    const settled = kinds.map((kind, i) => (isGuessed(kind) && seen[i].numbers === 0 ? 'text' : kind));
    const started = { ...tableStart, missingValues, ...rules };
    const add = async (builder: TableBuilder) => {
      const records = new RecordReader(source, start, kinds, missingValues, {
        add: (cells, line, unread) => {
          builder.add(cells, line, unread);
          return false;
        },
        rejects: rejected !== undefined,
      });
      for await (const _ of records.read(told));
    };
    const table = await buildTable(path, started, settled, rows, add, file);
    return { ...table, notes: mixtureNotes(table, kinds, seen) };
  };

  const chunks = (
    kinds: readonly ColumnKind[],
    capacity: number,
    { missingValues, progress: told, rejected: bad, kept }: ChunkOptions,
  ): AsyncGenerator<ReadRows, void, undefined> =>
    inTables(
      path,
      { ...tableStart, missingValues, ...(bad && { rejected: bad }) },
      { kinds, capacity: Math.min(capacity, Math.ceil(MOST_CHUNK_CELLS / names.length)), kept },
      (add) =>
        new RecordReader(source, start, kinds, missingValues, {
          add: (cells, line, unread) => add(kept?.length === 0 ? cells : [...cells], line, unread),
          rejects: bad !== undefined,
        }).read(told),
    );

  return {
    path,
    namesLocation: `${path}:1`,
    header: true,
    names,
    sample,
    description: 'in JSON Lines',
    get notes() {
      return source.notes;
    },
    ...(rejected && { rejected: [rejected] }),
    mostRows: rows,
    read: (kinds, told, missingValues) => read(kinds, told, missingValues),
    store: (kinds, inMemory, told, missingValues) =>
      withColumnFile(path, kinds, inMemory, (file) => read(kinds, told, missingValues, file)),
    chunks,
    close: () => source.close(),
  };
}

async function readStart(source: Source, rejects: boolean, progress?: ReadProgress) {
  const names: string[] = [];
  const seen: Seen[] = [];
  const sample: string[][] = [];
  const columns = new Map<string, number>();
  let rows = 0;
  let values = 0;
  let emptyLines = 0;
  let cells: string[] = [];
  let isSampled = true;
  /** The columns whose counts in `seen` the line has raised. */
  const raised: Record<keyof Seen, number[]> = { numbers: [], texts: [] };
  let firstBad: MlpError | undefined;
  const isMissing = quotedTexts(DEFAULT_MISSING, '');
  const parser = new ObjectParser(source.name, {
    column(name) {
      const known = columns.get(name);
      if (known !== undefined) return known;
      if (names.length === MOST_COLUMNS) throw tooManyColumns(`${source.name}:${rows + emptyLines + 1}`);
      seen.push({ numbers: 0, texts: 0 });
      columns.set(name, names.length);
      return names.push(name) - 1;
    },
    cell(column, kind, text) {
      values++;
      const count =
        kind === 'number' ? 'numbers' : kind === 'text' && !isMissing.has(text) ? 'texts' : undefined;
      if (count !== undefined) {
        seen[column][count]++;
        if (rejects) raised[count].push(column);
      }
      if (isSampled) cells[column] = text;
    },
    // Which columns are read is not yet known.
    isSkipped: () => true,
  });
  for await (const _ of forEachLine(source, progress, (text, line) => {
    if (BLANK.test(text)) {
      emptyLines++;
      return false;
    }
    cells = [];
    raised.numbers.length = 0;
    raised.texts.length = 0;
    const known = names.length;
    try {
      if (rejects) withoutStack(() => parser.parse(text, line));
      else parser.parse(text, line);
    } catch (error) {
      if (!rejects || !(error instanceof MlpError)) throw error;
      firstBad ??= error;
      for (const column of raised.numbers) seen[column].numbers--;
      for (const column of raised.texts) seen[column].texts--;
      for (const name of names.splice(known)) columns.delete(name);
      seen.length = known;
      parser.forget();
      return false;
    }
    if (isSampled) sample.push(cells);
    rows++;
    isSampled = rows < SAMPLE_ROWS && rows * names.length < MOST_SAMPLE_CELLS;
    return false;
  }));
  source.requireUnchanged();
  if (rows === 0 && firstBad) throw firstBad;
  if (rows === 0)
    throw new MlpError(ExitCode.data, `${source.name}: found no row, expected an object a line`);
  if (names.length === 0)
    throw new MlpError(ExitCode.data, `${source.name}:1: found no names, expected columns`);
  if (isTooSparse(rows * names.length, values)) {
    throw new MlpError(
      ExitCode.data,
      `${source.name}: found ${counted(values, 'value')} in a table of ${counted(rows, 'row')} and ` +
        `${counted(names.length, 'column')}, expected one for every ${MOST_PER_VALUE} cells or more`,
      'a name that is in few lines takes a whole column: leave such names out, or make them values of one column',
    );
  }
  const shown = sample.slice(0, Math.ceil(MOST_SAMPLE_CELLS / names.length));
  const padded = shown.map((row) => names.map((_, i) => row[i] ?? ''));
  return { names, columns, parser, seen, sample: padded, rows, emptyLines };
}

/** The columns of all lines, and the parser that has found them. */
interface NamedColumns {
  readonly names: readonly string[];
  /** By name. */
  readonly columns: ReadonlyMap<string, number>;
  readonly parser: ObjectParser;
}

/** Where the cells of each line go. */
interface Destination {
  readonly add: AddRow;
  /** Whether a line that is no object of cells goes there too; otherwise it is an error. */
  readonly rejects: boolean;
}

/** Hands out the cells of each line, in the order of the names. */
class RecordReader {
  readonly #source: Source;
  readonly #destination: Destination;
  readonly #parser: ObjectParser;
  readonly #names: number;
  /** The columns of names that only this line has. */
  readonly #strange = new Map<string, number>();
  /** Of the line; each line uses them again. */
  readonly #cells: string[] = [];
  #isClear = false;

  constructor(
    source: Source,
    { names, columns, parser }: NamedColumns,
    kinds: readonly ColumnKind[],
    missingValues: MissingValues,
    destination: Destination,
  ) {
    const marked = names.map((name) => quotedTexts(missingValues, name));
    this.#source = source;
    this.#destination = destination;
    this.#names = names.length;
    const sink: CellSink = {
      column: (name) => {
        const column = columns.get(name) ?? this.#strange.get(name);
        if (column !== undefined) return column;
        if (!destination.rejects) source.requireUnchanged();
        // Only a line that can't be read has other names.
        const next = names.length + this.#strange.size;
        this.#strange.set(name, next);
        return next;
      },
      cell: (column: number, kind: ValueKind, text: string) => {
        this.#isClear = false;
        this.#cells[column] = kind === 'text' && marked[column]?.has(text) ? QUOTED + text : text;
      },
      isSkipped: (column) => kinds[column] === 'skipped',
    };
    this.#parser = new ObjectParser(source.name, sink, parser);
  }

  /** Empties the cells, unless they are: there may be 100,000, and a bad line of two bytes. */
  #clear(): void {
    if (this.#isClear) return;
    this.#cells.length = this.#names;
    this.#cells.fill('');
    this.#isClear = true;
  }

  /** Pauses after each chunk of the file, and when a table is full. */
  async *read(progress?: ReadProgress): AsyncGenerator<void, void, undefined> {
    const { add, rejects } = this.#destination;
    yield* forEachLine(this.#source, progress, (text, line) => {
      if (BLANK.test(text)) return false;
      this.#clear();
      try {
        if (rejects) withoutStack(() => this.#parser.parse(text, line));
        else this.#parser.parse(text, line);
      } catch (error) {
        if (!rejects || !(error instanceof MlpError)) throw error;
        const unread = { kind: 'that are no objects of cells', error, text: text.trim() };
        this.#parser.forget();
        this.#strange.clear();
        return add([], line, unread);
      }
      return add(this.#cells, line);
    });
    this.#source.requireUnchanged();
  }
}

/** Calls `onLine` with each line and its number, from 1; pauses after each chunk of the file, and if it returns true. */
async function* forEachLine(
  source: Source,
  progress: ReadProgress | undefined,
  onLine: (text: string, line: number) => boolean,
): AsyncGenerator<void, void, undefined> {
  /** Of a line that goes on in the next chunk. */
  let parts: string[] = [];
  let length = 0;
  let line = 1;
  for await (const chunk of readText(source, progress)) {
    const text = chunk.toString('utf8');
    let start = line === 1 && length === 0 && text.startsWith('\ufeff') ? 1 : 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const isFull = onLine(parts.join('') + text.slice(start, end), line++);
      parts = [];
      length = 0;
      start = end + 1;
      if (isFull) yield;
    }
    parts.push(text.slice(start));
    length += text.length - start;
    if (length > LONGEST_ROW) {
      throw new MlpError(
        ExitCode.data,
        `${source.name}:${line}: found a line of more than 16 MiB, expected an object of cells`,
        'each object has a line of its own',
      );
    }
    yield;
  }
  if (length > 0) onLine(parts.join(''), line);
}

/** A sentence for each column that has both numbers and texts, and is read as one of them. */
function mixtureNotes(
  { path, names, mixed = [] }: Table,
  kinds: readonly ColumnKind[],
  seen: readonly Seen[],
): string[] {
  const known = new Set(mixed.map(({ index }) => index));
  return names.flatMap((name, i) => {
    const { numbers, texts } = seen[i];
    if (!isGuessed(kinds[i]) || known.has(i) || numbers === 0 || texts === 0) return [];
    return [
      `${path}: ${columnLabel(true, name)} holds ${counted(numbers, 'number')} and ${counted(texts, 'text')} in quotes: read as what most of them are`,
    ];
  });
}
