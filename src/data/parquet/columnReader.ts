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
import { type BadCells, columnBuilder } from './columns.js';
import { type Leaf, type Page, readPages, type Values } from './pages.js';

/** Bytes of a column chunk that usually hold the first rows. */
const FIRST_BYTES = 2 ** 21;
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

interface ReadOptions {
  readonly group?: number;
  readonly bad?: BadCells | undefined;
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

  /** A column, or its rows in one row group. `bad` takes cells that are no numbers, by rows from 0. */
  read(i: number, kind: ColumnKind, missingValues: MissingValues, { group, bad }: ReadOptions = {}): Column {
    const { name, type, isCategory } = this.#columns[i];
    const groups = group === undefined ? [...this.groups.keys()] : [group];
    const first = this.groups.slice(0, groups[0]).reduce((sum, rows) => sum + rows, 0);
    const builder = this.#attempt('the table', () =>
      columnBuilder(kind, isCategory, {
        type,
        name,
        rows: groups.reduce((sum, own) => sum + this.groups[own], 0),
        rule: MissingRule.of(missingValues, name),
        quoted: quotedTexts(missingValues, name),
        location: (row) => this.locationOf(i, first + row),
        bad,
      }),
    );
    for (const own of groups) {
      this.#attempt(this.#placeOf(own, i), () => {
        const { meta, start, length } = this.#chunkAt(own, i);
        const bytes = this.#bytes(start, length);
        for (const page of readPages(bytes, this.#columns[i], meta, this.groups[own])) builder.add(page);
      });
    }
    return builder.finish();
  }

  /** `data.parquet:7: column "petal"` */
  locationOf(i: number, row: number): string {
    return `${this.#file.name}:${row + 1}: ${columnLabel(true, this.names[i])}`;
  }

  /** The first cells of a column of a row group, as text. */
  firstCells(group: number, i: number, rows: number): string[] {
    return this.#attempt(this.#placeOf(group, i), () => {
      const { meta, start, length } = this.#chunkAt(group, i);
      const all = this.groups[group];
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

  #placeOf(group: number, i: number): string {
    const label = columnLabel(true, this.#columns[i].name);
    return this.metadata.row_groups.length > 1 ? `row group ${group}: ${label}` : label;
  }

  /** Runs what may find damage, which becomes an error of the file. */
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
