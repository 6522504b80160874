/**
 * Reads Parquet: columns with types, a row group after the other. Strings are text, whatever they
 * look like; nulls are missing values; dates and times are ISO 8601.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { ExitCode, MlpError } from '../../errors.js';
import { listed, printable, quote } from '../../text.js';
import { areRowNames, uniqueNames } from '../csv/detect.js';
import { MOST_ROWS } from '../csv/readTable.js';
import { DEFAULT_MISSING, MissingRule, type MissingValues, quotedTexts } from '../missingValues.js';
import { readAt } from '../source/fileBytes.js';
import type { OpenFile } from '../source/source.js';
import { type ColumnKind, columnLabel, inChunks, type Table, type TextColumn } from '../table.js';
import type { ChunkOptions, ReadProgress, ReadRows, TableSource } from '../tableSource.js';
import { type CellType, cellTypeOf } from './cellTypes.js';
import { Damage, lookUp } from './codes.js';
import { type ColumnBuilder, columnBuilder } from './columns.js';
import { type Leaf, type Page, readPages, type Values } from './pages.js';

const SAMPLE_ROWS = 200;
/** Bytes of a column chunk that usually hold the first rows. */
const FIRST_BYTES = 2 ** 21;
const MAGIC = 'PAR1';
const FOOTER = 8;
const DAMAGED = 'the file is damaged or cut short: copy or download it again';
/** The index of a data frame without a name, as pandas stores it. */
const INDEX_LEVEL = /^__index_level_\d+__$/;

interface ParquetColumn extends Leaf {
  readonly name: string;
  /** Among the column chunks of a row group. */
  readonly chunk: number;
  readonly type: CellType;
  /** Whether pandas stored it as categories. */
  readonly isCategory: boolean;
}

/**
 * Reads the footer and the first rows.
 * @throws MlpError ExitCode.data if the file is damaged or has no column of cells; io if it can't be
 *   read
 */
export function openParquet(file: OpenFile, mayBeEmpty = false): TableSource {
  return new ParquetFile(file, mayBeEmpty);
}

class ParquetFile implements TableSource {
  readonly path: string;
  readonly namesLocation: string;
  readonly header = true;
  readonly names: readonly string[];
  readonly rowNames: readonly number[];
  readonly sample: readonly (readonly string[])[];
  readonly description = 'in Parquet';
  readonly notes: readonly string[];
  readonly #file: OpenFile;
  readonly #metadata: FileMetaData;
  readonly #columns: readonly ParquetColumn[];
  readonly #rows: number;

  constructor(file: OpenFile, mayBeEmpty: boolean) {
    this.#file = file;
    this.path = file.name;
    this.namesLocation = file.name;
    this.#metadata = readFooter(file);
    const { columns, notes } = this.#attempt('the footer', () => columnsOf(file.name, this.#metadata));
    this.#columns = columns;
    this.names = columns.map(({ name }) => name);
    this.notes = notes;
    this.#rows = this.#attempt('the footer', () => countRows(this.#metadata));
    if (this.#rows === 0 && !mayBeEmpty) {
      throw new MlpError(ExitCode.data, `${this.path}: found no row, expected rows`);
    }
    this.sample = this.#readSample();
    this.rowNames = columns.flatMap(({ name }, i) =>
      INDEX_LEVEL.test(name) && areRowNames(this.sample.map((cells) => cells[i])) ? [i] : [],
    );
  }

  async read(
    kinds: readonly ColumnKind[],
    progress?: ReadProgress,
    missingValues: MissingValues = DEFAULT_MISSING,
  ): Promise<Table> {
    const builders = this.#builders(kinds, missingValues, this.#rows, 0);
    let done = 0;
    const total = this.#bytesOf(kinds);
    for (const group of this.#metadata.row_groups.keys()) {
      for (const [i, builder] of builders.entries()) {
        if (builder === undefined) continue;
        done += this.#readChunk(group, i, builder);
        progress?.(done, total);
        await setImmediate();
      }
    }
    this.#file.requireUnchanged();
    return this.#table(builders, this.#rows, 0);
  }

  async *chunks(
    kinds: readonly ColumnKind[],
    capacity: number,
    { missingValues, kept = kinds.map((_, i) => i), progress }: ChunkOptions,
  ): AsyncGenerator<ReadRows, void, undefined> {
    const total = this.#bytesOf(kinds);
    let done = 0;
    let first = 0;
    for (const [group, { num_rows: count }] of this.#metadata.row_groups.entries()) {
      const rows = Number(count);
      const builders = this.#builders(kinds, missingValues, rows, first);
      for (const [i, builder] of builders.entries()) {
        if (builder === undefined) continue;
        done += this.#readChunk(group, i, builder);
        await setImmediate();
      }
      const texts = kept.map((i) => this.#readText(group, i, rows));
      let row = 0;
      for (const { table } of inChunks(this.#table(builders, rows, first), capacity)) {
        const cells = Array.from({ length: table.rows }, () => this.names.map(() => ''));
        texts.forEach(({ levels, codes }, k) => {
          for (let r = 0; r < table.rows; r++) cells[r][kept[k]] = levels[codes[row + r]] ?? '';
        });
        row += table.rows;
        yield { table, cells };
      }
      first += rows;
      progress?.(done, total);
    }
    this.#file.requireUnchanged();
  }

  close(): void {
    this.#file.close();
  }

  #table(builders: readonly (ColumnBuilder | undefined)[], rows: number, first: number): Table {
    const lines = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) lines[row] = first + row + 1;
    const { path, header, names } = this;
    return { path, header, names, rows, columns: builders.map((builder) => builder?.finish()), lines };
  }

  #builders(
    kinds: readonly ColumnKind[],
    missingValues: MissingValues,
    rows: number,
    first: number,
  ): (ColumnBuilder | undefined)[] {
    return this.#attempt('the table', () =>
      this.#columns.map(({ name, type, isCategory }, i) => {
        if (kinds[i] === 'skipped') return undefined;
        return columnBuilder(kinds[i], isCategory, {
          type,
          name,
          rows,
          rule: MissingRule.of(missingValues, name),
          quoted: quotedTexts(missingValues, name),
          location: (row) => `${this.path}:${first + row + 1}: ${columnLabel(true, name)}`,
        });
      }),
    );
  }

  /** The cells of a column of a row group as they are, for a copy. */
  #readText(group: number, i: number, rows: number): TextColumn {
    const { name, type } = this.#columns[i];
    const location = () => `${this.path}: ${columnLabel(true, name)}`;
    const context = { type, name, rows, rule: new MissingRule([], []), quoted: new Set<string>(), location };
    const builder = columnBuilder('text', false, context);
    this.#readChunk(group, i, builder);
    return builder.finish() as TextColumn;
  }

  /** Adds a column of a row group to its builder, and returns how many bytes it has. */
  #readChunk(group: number, i: number, builder: ColumnBuilder): number {
    return this.#attempt(this.#placeOf(group, i), () => {
      const { meta, start, length } = this.#chunkAt(group, i);
      const rows = Number(this.#metadata.row_groups[group].num_rows);
      for (const page of readPages(this.#bytes(start, length), this.#columns[i], meta, rows))
        builder.add(page);
      return length;
    });
  }

  #readSample(): string[][] {
    const sample: string[][] = [];
    for (const [group, { num_rows: count }] of this.#metadata.row_groups.entries()) {
      const rows = Math.min(Number(count), SAMPLE_ROWS - sample.length);
      if (rows === 0) continue;
      const columns = this.#columns.map((_, i) => this.#firstCells(group, i, rows));
      for (let row = 0; row < rows; row++) sample.push(columns.map((cells) => cells[row]));
    }
    return sample;
  }

  /** The first cells of a column of a row group, as text. */
  #firstCells(group: number, i: number, rows: number): string[] {
    return this.#attempt(this.#placeOf(group, i), () => {
      const { meta, start, length } = this.#chunkAt(group, i);
      const all = Number(this.#metadata.row_groups[group].num_rows);
      const read = (bytes: number) => {
        const cells: string[] = [];
        for (const page of readPages(this.#bytes(start, bytes), this.#columns[i], meta, all)) {
          cells.push(...pageTexts(page, this.#columns[i].type, rows - cells.length));
          if (cells.length === rows) break;
        }
        return cells;
      };
      if (length <= FIRST_BYTES) return read(length);
      try {
        return read(FIRST_BYTES);
      } catch {
        return read(length);
      }
    });
  }

  #chunkAt(group: number, i: number): { meta: ColumnMetaData; start: number; length: number } {
    const { chunk, element } = this.#columns[i];
    const { meta_data: meta, file_path: other } = this.#metadata.row_groups[group].columns[chunk] ?? {};
    if (meta === undefined) throw new Damage('found a column without metadata: is it encrypted?');
    if (other !== undefined) throw new Damage(`found a column in another file, ${printable(other)}`);
    if (meta.type !== element.type) throw new Damage(`found the type ${meta.type}, expected ${element.type}`);
    const dictionary = Number(meta.dictionary_page_offset ?? 0n);
    const data = Number(meta.data_page_offset);
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const length = Number(meta.total_compressed_size);
    if (!(start >= MAGIC.length && length >= 0 && start + length <= this.#file.size - FOOTER)) {
      throw new Damage(`found a column at byte ${start} of ${length} bytes, expected it within the file`);
    }
    return { meta, start, length };
  }

  #bytes(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    readAt(this.#file, bytes, 0, length, start);
    return bytes;
  }

  #bytesOf(kinds: readonly ColumnKind[]): number {
    let bytes = 0;
    for (const { columns } of this.#metadata.row_groups) {
      for (const [i, { chunk }] of this.#columns.entries()) {
        if (kinds[i] !== 'skipped') bytes += Number(columns[chunk]?.meta_data?.total_compressed_size ?? 0n);
      }
    }
    return bytes;
  }

  #placeOf(group: number, i: number): string {
    const label = columnLabel(true, this.#columns[i].name);
    return this.#metadata.row_groups.length > 1 ? `row group ${group}: ${label}` : label;
  }

  /** Runs what may find damage, which becomes an error of the file. */
  #attempt<Result>(place: string, run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      throw damaged(this.path, place, error);
    }
  }
}

/** The cells of the first rows of a page. */
function pageTexts({ present, values, codes, rows }: Page, type: CellType, limit: number): string[] {
  const entryOf = codes && new Int32Array(Math.min(codes.count, limit));
  if (entryOf) lookUp({ ...codes, count: entryOf.length }, Int32Array.from(values.keys()), entryOf);
  let next = 0;
  const entries = Array.from({ length: Math.min(rows, limit) }, (_, row) => {
    if (present?.[row] === 0) return undefined;
    return entryOf ? entryOf[next++] : next++;
  });
  const texts = type.texts(
    picked(
      values,
      entries.filter((entry) => entry !== undefined),
    ),
  );
  next = 0;
  return entries.map((entry) => (entry === undefined ? '' : texts[next++]));
}

/** These of the values. */
function picked(values: Values, entries: readonly number[]): Values {
  if (Array.isArray(values)) return entries.map((entry) => values[entry]);
  const result = new (values.constructor as new (length: number) => Values)(entries.length);
  entries.forEach((entry, i) => {
    result[i] = values[entry];
  });
  return result;
}

function damaged(path: string, place: string, error: unknown): MlpError {
  if (error instanceof MlpError) return error;
  const message = printable(error instanceof Error ? error.message : String(error));
  const found = message.startsWith('found') ? message : `found damage: ${message}`;
  return new MlpError(ExitCode.data, `${path}: ${place}: ${found}`, DAMAGED, { cause: error });
}

function readFooter(file: OpenFile): FileMetaData {
  const tail = Buffer.alloc(Math.min(FOOTER, file.size));
  readAt(file, tail, 0, tail.length, file.size - tail.length);
  const magic = tail.toString('latin1', FOOTER - MAGIC.length);
  if (magic === 'PARE') {
    throw new MlpError(
      ExitCode.data,
      `${file.name}: found an encrypted Parquet file, expected a readable one`,
    );
  }
  const length = tail.length === FOOTER ? tail.readUInt32LE(0) : 0;
  if (magic !== MAGIC || length + FOOTER + MAGIC.length > file.size) {
    throw new MlpError(
      ExitCode.data,
      `${file.name}: found a Parquet file without a footer at its end, expected a whole one`,
      DAMAGED,
    );
  }
  try {
    const footer = new Uint8Array(length + FOOTER);
    readAt(file, footer, 0, footer.length, file.size - footer.length);
    return parquetMetadata(footer, { geoparquet: false });
  } catch (error) {
    throw damaged(file.name, 'the footer', error);
  }
}

/** The columns that hold cells, and a note about the others. */
function columnsOf(
  path: string,
  metadata: FileMetaData,
): { readonly columns: readonly ParquetColumn[]; readonly notes: readonly string[] } {
  const categories = pandasCategories(metadata);
  const nested: string[] = [];
  const binary: string[] = [];
  let chunk = 0;
  const found = parquetSchema(metadata).children.flatMap((node) => {
    const { element } = node;
    const first = chunk;
    chunk += leavesOf(node);
    if (node.children.length > 0 || element.repetition_type === 'REPEATED') {
      nested.push(element.name);
      return [];
    }
    const type = cellTypeOf(element);
    if (type === undefined) {
      binary.push(element.name);
      return [];
    }
    const isOptional = element.repetition_type !== 'REQUIRED';
    return [{ element, isOptional, chunk: first, type, isCategory: categories.has(element.name) }];
  });
  if (found.length === 0) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found no column of numbers, text or dates, expected at least one`,
      nested.length > 0 ? 'give each value of a nested column a column of its own' : undefined,
    );
  }
  const { names, nameless, repeated } = uniqueNames(found.map(({ element }) => element.name));
  const renamed = [...nameless, ...repeated].map((i) => quote(names[i]));
  const leftOut = (what: string, columns: readonly string[]) =>
    columns.length === 0 ? [] : [`${path}: ${what}, and left out: ${listed(columns.map(quote))}`];
  return {
    columns: found.map((column, i) => ({ ...column, name: names[i] })),
    notes: [
      ...leftOut(nested.length === 1 ? 'a column is nested' : 'columns are nested', nested),
      ...leftOut(binary.length === 1 ? 'a column is no cells' : 'columns are no cells', binary),
      ...(renamed.length === 0
        ? []
        : [`${path}: names that are missing or repeated: called ${listed(renamed)}`]),
    ],
  };
}

function leavesOf({ children }: SchemaTree): number {
  return children.length === 0 ? 1 : children.reduce((sum, child) => sum + leavesOf(child), 0);
}

/** The names of the columns that pandas stored as categories, if it wrote the file. */
function pandasCategories({ key_value_metadata: metadata = [] }: FileMetaData): Set<string> {
  try {
    const { columns } = JSON.parse(metadata.find(({ key }) => key === 'pandas')?.value ?? '{}');
    const categories = columns.filter(
      (column: { pandas_type?: unknown }) => column.pandas_type === 'categorical',
    );
    return new Set(
      categories.map((column: { field_name?: unknown; name?: unknown }) => column.field_name ?? column.name),
    );
  } catch {
    return new Set();
  }
}

/** The rows of all groups, which must be those of the file. */
function countRows({ row_groups: groups, num_rows: rows }: FileMetaData): number {
  const sum = groups.reduce((all, group) => {
    if (!(group.num_rows >= 0n)) throw new Damage('found a row group with a negative number of rows');
    return all + group.num_rows;
  }, 0n);
  if (sum !== rows) throw new Damage(`found ${sum} rows in its row groups, expected ${rows}`);
  if (sum > MOST_ROWS) throw new Damage(`found more than ${MOST_ROWS} rows`);
  return Number(sum);
}
