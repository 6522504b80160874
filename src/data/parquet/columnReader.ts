/** Reads the columns of a Parquet file, each for itself: any thread may read any of them. */
import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { ExitCode, MlpError } from '../../errors.js';
import { listed, printable, quote } from '../../text.js';
import { uniqueNames } from '../csv/detect.js';
import { MissingRule, type MissingValues, quotedTexts } from '../missingValues.js';
import { type FileBytes, readAt } from '../source/fileBytes.js';
import {
  type Column,
  type ColumnKind,
  columnLabel,
  MOST_COLUMNS,
  MOST_ROWS,
  tooManyColumns,
} from '../table.js';
import { type CellType, cellTypeOf } from './cellTypes.js';
import { Damage, lookUp } from './codes.js';
import { type BadCells, type BuilderContext, type ColumnBuilder, columnBuilder } from './columns.js';
import { type Leaf, type Page, PageReader, type Values } from './pages.js';

const MAGIC = 'PAR1';
const FOOTER = 8;
const DAMAGED = 'the file is damaged or cut short: copy or download it again';

interface ParquetColumn extends Leaf {
  readonly name: string;
  /** Among the column chunks of a row group. */
  readonly chunk: number;
  readonly type: CellType;
  /** Whether pandas stored it as categories. */
  readonly isCategory: boolean;
}

/** All errors are MlpErrors: ExitCode.data for damage, io if the file can't be read. */
export class ColumnReader {
  readonly #file: FileBytes;
  readonly metadata: FileMetaData;
  readonly #columns: readonly ParquetColumn[];
  readonly names: readonly string[];
  readonly notes: readonly string[];
  readonly rows: number;
  /** [row groups] The rows of each. */
  readonly groups: readonly number[];

  /** @param metadata what another reader found; otherwise the footer is read */
  constructor(file: FileBytes, metadata = readFooter(file)) {
    this.#file = file;
    this.metadata = metadata;
    const { columns, notes } = this.#attempt('the footer', () => columnsOf(file.name, this.metadata));
    this.#columns = columns;
    this.names = columns.map(({ name }) => name);
    this.notes = notes;
    this.rows = this.#attempt('the footer', () => countRows(this.metadata));
    this.groups = this.metadata.row_groups.map(({ num_rows: rows }) => Number(rows));
  }

  /** A column. `bad` takes cells that are no numbers. */
  read(i: number, kind: ColumnKind, missingValues: MissingValues, bad?: BadCells): Column {
    const { builder } = this.builderOf(i, kind, missingValues, { first: 0, rows: this.rows, bad });
    for (const group of this.groups.keys()) {
      this.attempt(group, i, () => {
        const pages = this.pagesOf(group, i);
        for (let page = pages.next(); page !== undefined; page = pages.next()) builder.add(page);
      });
    }
    return builder.finish();
  }

  /** The builder of a column whose row 0 is that row of the file. Of a later one, the context is changed. */
  builderOf(
    i: number,
    kind: ColumnKind,
    missingValues: MissingValues,
    start: Pick<BuilderContext, 'rows' | 'bad'> & { readonly first: number },
  ): { readonly builder: ColumnBuilder; readonly context: BuilderContext & { first: number } } {
    const { name, type, isCategory } = this.#columns[i];
    const context = {
      ...start,
      type,
      name,
      rule: MissingRule.of(missingValues, name),
      quoted: quotedTexts(missingValues, name),
      location: (row: number) => this.locationOf(i, context.first + row),
    };
    return { context, builder: this.#attempt('the table', () => columnBuilder(kind, isCategory, context)) };
  }

  /** The pages of a column in a row group. Call within `attempt`. */
  pagesOf(group: number, i: number): PageReader {
    const { meta, start, length } = this.#chunkAt(group, i);
    const read = (at: number, count: number) => this.#bytes(start + at, count);
    return new PageReader(read, length, this.#columns[i], meta, this.groups[group]);
  }

  /** `data.parquet:7: column "petal"` */
  locationOf(i: number, row: number): string {
    return `${this.#file.name}:${row + 1}: ${columnLabel(true, this.names[i])}`;
  }

  /** The first cells of a column of a row group, as text. */
  firstCells(group: number, i: number, rows: number): string[] {
    return this.attempt(group, i, () => {
      const pages = this.pagesOf(group, i);
      const cells: string[] = [];
      for (let page = pages.next(); page !== undefined; page = pages.next()) {
        cells.push(...pageTexts(page, this.#columns[i].type, rows - cells.length));
        if (cells.length === rows) break;
      }
      return cells;
    });
  }

  #chunkAt(group: number, i: number): { meta: ColumnMetaData; start: number; length: number } {
    const { chunk, element } = this.#columns[i];
    const { meta_data: meta, file_path: other } = this.metadata.row_groups[group].columns[chunk] ?? {};
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

  /** The bytes of all columns that are not skipped. */
  bytesOf(kinds: readonly ColumnKind[]): number {
    let bytes = 0;
    for (const { columns } of this.metadata.row_groups) {
      for (const [i, { chunk }] of this.#columns.entries()) {
        if (kinds[i] !== 'skipped') bytes += Number(columns[chunk]?.meta_data?.total_compressed_size ?? 0n);
      }
    }
    return bytes;
  }

  /** Runs what may find damage in a column of a row group, which becomes an error of the file. */
  attempt<Result>(group: number, i: number, run: () => Result): Result {
    const label = columnLabel(true, this.#columns[i].name);
    return this.#attempt(this.groups.length > 1 ? `row group ${group}: ${label}` : label, run);
  }

  #attempt<Result>(place: string, run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      throw damaged(this.#file.name, place, error);
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

function readFooter(file: FileBytes): FileMetaData {
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
  if (found.length > MOST_COLUMNS) throw tooManyColumns(path);
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
