/** Several files of the same columns as one table. Columns are matched by name, in any order. */
import { ExitCode, MlpError } from '../errors.js';
import { listed, quote } from '../text.js';
import { type ColumnStore, onlyColumn, type StoredTable, storeOf } from './columnStore.js';
import {
  type Column,
  type ColumnKind,
  columnLabel,
  inChunks,
  joined,
  type MixedColumn,
  MOST_SPELLINGS,
  type NumericColumn,
  type OddCells,
  type Table,
  type TextColumn,
  type WrittenNumbers,
} from './table.js';
import type { TableSource } from './tableSource.js';

type ReadOptions = Parameters<TableSource['read']> extends [unknown, ...infer Rest] ? Rest : never;

/**
 * Opens files as one table; the others have a header if the first has one.
 * @throws MlpError as `open` and `joinTables` do
 */
export async function openJoined(
  paths: readonly string[],
  open: (path: string, header: 'auto' | boolean | undefined) => Promise<TableSource>,
): Promise<TableSource> {
  const [path, ...others] = paths;
  const first = await open(path, undefined);
  const tables = [first];
  try {
    for (const other of others) tables.push(await open(other, first.header));
    return others.length === 0 ? first : joinTables(tables);
  } catch (error) {
    for (const table of tables) table.close();
    throw error;
  }
}

/**
 * The rows of all files, one after the other. The first file gives the names and the kinds.
 * @throws MlpError ExitCode.data for files without a header that have different numbers of columns
 */
export function joinTables(tables: readonly TableSource[]): TableSource {
  const [first, ...others] = tables;
  const { csv, ...rest } = first;
  const { names, header } = first;
  const known = new Set([...names, '']);
  const notes = others.flatMap((other) => {
    if (header) {
      const extra = other.names.filter((name) => !known.has(name));
      if (extra.length === 0) return [];
      return [`${other.path}: ${first.path} has no column ${listed(extra.map(quote), 5)}: it is ignored`];
    }
    if (other.names.length === names.length) return [];
    throw new MlpError(
      ExitCode.data,
      `${other.namesLocation}: found ${other.names.length} columns, expected ${names.length} as in ${first.path}`,
    );
  });
  const path = `${first.path} and ${others.length === 1 ? '1 more file' : `${others.length} more files`}`;
  const read: TableSource['read'] = async (kinds, ...options) => {
    const parts: Table[] = [];
    for (const table of tables) parts.push(await readPart(table, first, kinds, options));
    // A mixture in one file is text in all.
    const mixed = new Set(parts.flatMap(({ mixed = [] }) => mixed.map(({ index }) => index)));
    const asText = kinds.map((kind, i) => (mixed.has(i) ? 'text' : kind));
    for (const [i, { columns }] of parts.entries()) {
      if ([...mixed].every((index) => columns[index]?.kind === 'text')) continue;
      parts[i] = await readPart(tables[i], first, asText, options);
    }
    return concatenate(path, parts, names);
  };
  const store: TableSource['store'] = async (kinds, inMemory, ...options) => {
    const parts: JoinedPart[] = [];
    for (const table of tables) {
      const { places, wanted } = placesIn(table, first, kinds);
      const own = new Set(places.filter((_, i) => inMemory.has(i)));
      const stored = await (table as Required<TableSource>).store(wanted, own, ...options);
      parts.push({ ...stored, columns: places });
    }
    return joinStored(path, parts, names);
  };
  return {
    ...rest,
    path,
    ...(tables.every((table) => table.store) && {
      store,
      mostRows: tables.reduce((sum, { mostRows = 0 }) => sum + mostRows, 0),
      isColumnar: tables.every(({ isColumnar }) => isColumnar === true),
    }),
    get notes() {
      return [...tables.flatMap((table) => table.notes), ...notes];
    },
    ...(csv && { firstFile: csv }),
    rejected: tables.flatMap(({ rejected = [] }) => rejected),
    read,
    async *chunks(kinds, capacity, { missingValues, progress }) {
      yield* inChunks(await read(kinds, progress, missingValues), capacity);
    },
    close: () => {
      for (const table of tables) table.close();
    },
  };
}

/** Where the columns of the first file are in another one, −1 for none, and the kinds of all of that. */
function placesIn(
  table: TableSource,
  { names, path }: TableSource,
  kinds: readonly ColumnKind[],
): { readonly places: readonly number[]; readonly wanted: readonly ColumnKind[] } {
  const own = new Map(table.names.map((name, i) => [name, i] as const).reverse());
  const places = names.map((name) => own.get(name) ?? -1);
  const missing = places.findIndex((place, i) => place < 0 && kinds[i] !== 'skipped');
  if (missing >= 0) {
    throw new MlpError(
      ExitCode.data,
      `${table.namesLocation}: found no column ${quote(names[missing])}, expected all that ${path} has`,
      'add it, or name it in data.exclude',
    );
  }
  const wanted = table.names.map((): ColumnKind => 'skipped');
  places.forEach((place, i) => {
    if (place >= 0) wanted[place] = kinds[i];
  });
  return { places, wanted };
}

/** The rows of a file, with the columns of the first in its order. */
async function readPart(
  table: TableSource,
  first: TableSource,
  kinds: readonly ColumnKind[],
  options: ReadOptions,
): Promise<Table> {
  const { places, wanted } = placesIn(table, first, kinds);
  const whole = await table.read(wanted, ...options);
  const indexOf = new Map(places.map((place, i) => [place, i] as const).reverse());
  const placed = <Found extends { index: number }>(found: readonly Found[] = []): Found[] =>
    found.flatMap((column) => {
      const index = indexOf.get(column.index);
      return index === undefined ? [] : [{ ...column, index }];
    });
  const columns = places.map((place) => (place < 0 ? undefined : whole.columns[place]));
  return { ...whole, columns, odd: placed(whole.odd), mixed: placed(whole.mixed) };
}

/** The rows of tables with the same columns, one table after the other. */
export function concatenate(path: string, parts: readonly Table[], names: readonly string[]): Table {
  const [first] = parts;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const lines = new Uint32Array(rows);
  const files: { path: string; before: number }[] = [];
  let row = 0;
  let before = 0;
  for (const part of parts) {
    files.push({ path: part.path, before });
    for (const line of part.lines) lines[row++] = before + line;
    before = Math.max(before, lines[row - 1] ?? 0);
  }
  const columns = names.map((name, i) =>
    joinColumn(
      parts.map((part) => part.columns[i]),
      (part) => `${parts[part].path}: ${columnLabel(first.header, name)}`,
    ),
  );
  const odd = joinOdd(parts);
  const mixed = joinMixed(parts);
  const notes = parts.flatMap((part) => part.notes ?? []);
  return {
    ...first,
    path,
    rows,
    columns,
    lines,
    files,
    ...(odd.length > 0 && { odd }),
    ...(mixed.length > 0 && { mixed }),
    ...(notes.length > 0 && { notes }),
  };
}

interface JoinedPart extends StoredTable {
  /** [columns of the whole] The number of the column in this part; −1 for none. */
  readonly columns: readonly number[];
}

/** The rows of stored tables, one table after the other. */
export function joinStored(
  path: string,
  parts: readonly JoinedPart[],
  names: readonly string[],
): StoredTable {
  const whole = concatenate(
    path,
    parts.map(({ table, columns }) => ({
      ...table,
      columns: columns.map((column) => (column < 0 ? undefined : table.columns[column])),
    })),
    names,
  );
  if (parts.every(({ store }) => 'table' in store)) return { table: whole, store: storeOf(whole) };
  const column = (index: number) => {
    const own = parts.map(({ store, columns }) => store.column(columns[index]));
    const present = own.findIndex(
      ({ kind, missing }, part) => kind === 'numeric' || missing < parts[part].table.rows,
    );
    const missing = own.reduce((sum, { missing }) => sum + missing, 0);
    return { kind: own[Math.max(present, 0)].kind, missing };
  };
  const store: ColumnStore = {
    column,
    async each(indices, take) {
      const tableOf = onlyColumn(whole);
      for (const index of indices) {
        const found: (Column | undefined)[] = [];
        for (const { store, columns } of parts) {
          await store.each([columns[index]], (table, own) => {
            found.push(table.columns[own]);
          });
        }
        const location = (part: number) =>
          `${parts[part].table.path}: ${columnLabel(whole.header, names[index])}`;
        take(tableOf(index, joinColumn(found, location) as Column), index);
      }
    },
    async *parts(indices) {
      for (const { store, columns } of parts) {
        const own = indices.map((index) => columns[index]);
        for await (const table of store.parts(own)) {
          const placed: (Column | undefined)[] = names.map(() => undefined);
          indices.forEach((index, j) => {
            const found = table.columns[own[j]];
            const isEmpty = found?.kind === 'text' && column(index).kind === 'numeric';
            placed[index] = isEmpty ? joinNumbers([found]) : found;
          });
          yield { ...table, names, columns: placed };
        }
      }
    },
    close: () => {
      for (const { store } of parts) store.close();
    },
  };
  return { table: whole, store };
}

function joinOdd(parts: readonly Table[]): OddCells[] {
  const joined = new Map<number, OddCells>();
  let before = 0;
  for (const { odd = [], rows } of parts) {
    for (const own of odd) {
      const known = joined.get(own.index);
      const first = known ?? { ...own, row: before + own.row };
      const texts = own.texts && [...new Set([...(known?.texts ?? []), ...own.texts])];
      joined.set(own.index, { ...first, cells: own.cells + (known?.cells ?? 0), ...(texts && { texts }) });
    }
    before += rows;
  }
  return [...joined.values()];
}

function joinMixed(parts: readonly Table[]): MixedColumn[] {
  const joined = new Map<number, MixedColumn>();
  for (const own of parts.flatMap(({ mixed = [] }) => mixed)) {
    const gaps = new Set([...(joined.get(own.index)?.gaps ?? []), ...own.gaps]);
    joined.set(own.index, { index: own.index, gaps: [...gaps] });
  }
  return [...joined.values()];
}

function joinColumn(
  parts: readonly (Column | undefined)[],
  location: (part: number) => string,
): Column | undefined {
  const columns = parts.filter((part) => part !== undefined);
  if (columns.length < parts.length) return undefined;
  const present = columns.findIndex((column) => column.kind === 'numeric' || column.levels.length > 0);
  const kind = columns[Math.max(present, 0)].kind;
  const other = columns.findIndex(
    (column) => column.kind !== kind && (column.kind === 'numeric' || column.levels.length > 0),
  );
  if (other >= 0) {
    const [found, expected] = kind === 'numeric' ? ['text', 'numbers'] : ['numbers', 'text'];
    throw new MlpError(
      ExitCode.data,
      `${location(other)}: found ${found}, expected ${expected} as in ${location(present).split(': ')[0]}`,
      'name the column in data.categories to read it as text everywhere, or in data.exclude',
    );
  }
  return kind === 'text' ? joinTexts(columns as TextColumn[]) : joinNumbers(columns);
}

function joinTexts(columns: readonly TextColumn[]): TextColumn {
  const codeOf = new Map<string, number>();
  const codes = columns.map((column) => {
    const own = column.levels.map((level) => {
      const code = codeOf.get(level) ?? codeOf.size;
      codeOf.set(level, code);
      return code;
    });
    return column.codes.map((code) => (code < 0 ? code : own[code]));
  });
  return {
    kind: 'text',
    levels: [...codeOf.keys()],
    codes: joined(Int32Array, codes),
    missing: missingOf(columns),
  };
}

/** A column without a value in one of the files is text there, without levels. */
function joinNumbers(columns: readonly Column[]): NumericColumn {
  const values = columns.map((column) =>
    column.kind === 'numeric' ? column.values : new Float64Array(column.codes.length).fill(Number.NaN),
  );
  const numeric = columns.filter((column) => column.kind === 'numeric');
  const missing = missingOf(columns);
  const numbers: NumericColumn = { kind: 'numeric', values: joined(Float64Array, values), missing };
  if (numeric.every(({ written }) => written === undefined)) return numbers;
  return { ...numbers, written: joinWritten(columns) };
}

function joinWritten(columns: readonly Column[]): WrittenNumbers {
  const parts: TextColumn[] = [];
  for (const column of columns) {
    const part = column.kind === 'text' ? column : (column.written ?? plainIntegers(column));
    if (part === 'many') return part;
    parts.push(part);
  }
  const joined = joinTexts(parts);
  return joined.levels.length > MOST_SPELLINGS ? 'many' : joined;
}

function plainIntegers({ values, missing }: NumericColumn): TextColumn {
  const levels = [...new Set(values)].filter((value) => !Number.isNaN(value));
  const codeOf = new Map(levels.map((value, code) => [value, code]));
  const codes = new Int32Array(values.length).map((_, row) => codeOf.get(values[row]) ?? -1);
  return { kind: 'text', levels: levels.map(String), codes, missing };
}

function missingOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { missing }) => sum + missing, 0);
}
