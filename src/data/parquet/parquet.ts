/**
 * Reads Parquet: columns with types, by all threads, or some rows after the others. Strings are
 * text, whatever they look like; nulls are missing values; dates and times are ISO 8601.
 */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { ExitCode, MlpError } from '../../errors.js';
import { memoryLimit } from '../../kernels/arena.js';
import { formatBytes, formatCount } from '../../text.js';
import { type ColumnStore, onlyColumn } from '../columnStore.js';
import { areRowNames } from '../csv/detect.js';
import { DEFAULT_MISSING } from '../missingValues.js';
import type { BadRow, BadRowRules } from '../rejectedRows.js';
import type { OpenFile } from '../source/source.js';
import { requireUnpackable } from '../source/unpack.js';
import {
  type Column,
  type ColumnKind,
  rowsBut,
  selectRows,
  sliceRows,
  type Table,
  type TextColumn,
} from '../table.js';
import type { TableSource } from '../tableSource.js';
import { BadRowReader, NOTHING_MISSING, oddCellsOf, rowTexts } from './badRows.js';
import { type CursorColumn, readBlocks } from './columnCursor.js';
import { readColumns } from './columnPool.js';
import { ColumnReader } from './columnReader.js';
import type { BadCells } from './columns.js';

const NO_CELLS: string[] = [];
const SAMPLE_ROWS = 200;
/** The index of a data frame without a name, as pandas stores it. */
const INDEX_LEVEL = /^__index_level_\d+__$/;
/** Fewer cells take less time than another thread needs to start, with all its modules. */
const THREADED_CELLS = 2 ** 26;
/** Of a cell, and of the number of a row, in memory. */
const CELL_BYTES = 8;
/** What a command takes for a row, evaluations most, and for a cell. It counts where a file is small. */
const ROW_BYTES = 128;
const TAKEN_BYTES = 16;
const SMALL_BYTES = 1e6;

interface ParquetRequest extends BadRowRules {
  readonly mayBeEmpty?: boolean;
  /** The least that more than one thread reads. */
  readonly threadedCells?: number;
}

/**
 * Reads the footer and the first rows.
 * @throws MlpError ExitCode.data if the file is damaged or has no column of cells; io if it can't be
 *   read
 */
export function openParquet(
  file: OpenFile,
  {
    mayBeEmpty = false,
    threadedCells = THREADED_CELLS,
    rejected,
    keepsOddCells = false,
  }: ParquetRequest = {},
): TableSource {
  const reader = new ColumnReader(file);
  const { names, notes, rows } = reader;
  const path = file.name;
  if (rows === 0 && !mayBeEmpty) {
    throw new MlpError(ExitCode.data, `${path}: found no row, expected rows`);
  }
  // A run of equal cells takes a few bytes, however long it is.
  const [ofRow, ofCell] = file.size <= SMALL_BYTES ? [ROW_BYTES, TAKEN_BYTES] : [CELL_BYTES, CELL_BYTES];
  requireUnpackable(file, rows * (ofRow + names.length * ofCell));
  const sample = readSample(reader);
  const table = (count: number, columns: readonly (Column | undefined)[], first: number): Table => {
    const lines = new Uint32Array(count);
    for (let row = 0; row < count; row++) lines[row] = first + row + 1;
    return { path, header: true, names, rows: count, columns, lines };
  };
  const readAll = (
    kinds: readonly ColumnKind[],
    request: Omit<Parameters<typeof readColumns>[2], 'kinds'>,
  ): Promise<void> => {
    const wanted = kinds.filter((kind) => kind !== 'skipped').length;
    const threads = rows * wanted < threadedCells ? 1 : Math.min(request.threads, wanted);
    return readColumns(reader, file, { ...request, kinds, threads });
  };
  /** The table without its bad rows, which are handed over. */
  const withoutBad = (whole: Table, cells: ReadonlyMap<number, BadCells>): Table => {
    const isBad = new Uint8Array(rows);
    for (const { codes } of cells.values())
      for (let row = 0; row < rows; row++) isBad[row] |= Number(codes[row] > 0);
    const sound = rowsWhere(isBad, 0);
    const texts = rowTexts(reader, rowsWhere(isBad, 1));
    for (const [row, found] of new BadRowReader(reader, cells).before(rows)) {
      if (sound.length === 0) throw found.error;
      rejected?.add(found, row + 1, texts.next().value ?? '');
    }
    file.requireUnchanged();
    return selectRows(whole, sound);
  };
  return {
    path,
    namesLocation: path,
    header: true,
    names,
    rowNames: names.flatMap((name, i) =>
      INDEX_LEVEL.test(name) && areRowNames(sample.map((cells) => cells[i])) ? [i] : [],
    ),
    sample,
    description: 'in Parquet',
    notes,
    ...(rejected && { rejected: [rejected] }),

    mostRows: rows,
    isColumnar: true,

    async read(kinds, progress, missingValues = DEFAULT_MISSING, threads = availableParallelism()) {
      requireRoom(file.name, rows, kinds);
      rejected?.clear();
      const columns: (Column | undefined)[] = kinds.map(() => undefined);
      const bad = new Map<number, BadCells>();
      await readAll(kinds, {
        missingValues,
        keepsBad: keepsOddCells || rejected !== undefined,
        threads,
        take: (index, column, found) => {
          columns[index] = column;
          if (found.texts.size > 0) bad.set(index, found);
        },
        ...(progress && { progress }),
      });
      const whole = table(rows, columns, 0);
      if (bad.size > 0 && rejected) return withoutBad(whole, bad);
      file.requireUnchanged();
      return bad.size > 0 ? { ...whole, odd: oddCellsOf(bad) } : whole;
    },

    async store(
      kinds,
      inMemory,
      progress,
      missingValues = DEFAULT_MISSING,
      threads = availableParallelism(),
    ) {
      const options = { missingValues, keepsBad: false, threads };
      const columns: (Column | undefined)[] = kinds.map(() => undefined);
      const found = new Map<number, Pick<Column, 'kind' | 'missing'>>();
      await readAll(kinds, {
        ...options,
        take: (index, column) => {
          if (inMemory.has(index)) columns[index] = column;
          found.set(index, { kind: column.kind, missing: column.missing });
        },
        ...(progress && { progress }),
      });
      const whole = table(rows, columns, 0);
      const column = (index: number) => found.get(index) as Pick<Column, 'kind' | 'missing'>;
      const store: ColumnStore = {
        column,
        async each(indices, take) {
          const tableOf = onlyColumn(whole);
          const wanted = new Set(indices);
          const settled = kinds.map((_, i) => (wanted.has(i) ? column(i).kind : 'skipped'));
          await readAll(settled, { ...options, take: (index, own) => take(tableOf(index, own), index) });
          file.requireUnchanged();
        },
        async *parts(indices) {
          const wanted = indices.map((index) => ({ index, kind: column(index).kind, missingValues }));
          for (const { first, rows: count, cells } of readBlocks(reader, wanted)) {
            const own: (Column | undefined)[] = kinds.map(() => undefined);
            indices.forEach((index, j) => {
              own[index] = cells[j].column;
            });
            yield table(count, own, first);
            await setImmediate();
          }
          file.requireUnchanged();
        },
        close: () => {},
      };
      return { table: whole, store };
    },

    async *chunks(kinds, capacity, { missingValues, kept = [...names.keys()], progress, rejected: taken }) {
      const total = reader.bytesOf(kinds);
      const read = [...kinds.keys()].filter((i) => kinds[i] !== 'skipped');
      const keepsBad = taken !== undefined;
      const wanted = [
        ...read.map((index): CursorColumn => ({ index, kind: kinds[index], missingValues, keepsBad })),
        ...kept.map((index): CursorColumn => ({ index, kind: 'text', missingValues: NOTHING_MISSING })),
      ];
      for (const { first, rows: count, cells: found } of readBlocks(reader, wanted)) {
        await setImmediate();
        const columns: (Column | undefined)[] = kinds.map(() => undefined);
        const badCells = new Map<number, BadCells>();
        read.forEach((index, j) => {
          columns[index] = found[j].column;
          if (found[j].bad.texts.size > 0) badCells.set(index, found[j].bad);
        });
        const texts = found.slice(read.length).map(({ column }) => column as TextColumn);
        const all = table(count, columns, first);
        const badRows = new BadRowReader(reader, badCells, first);
        for (let from = 0; from < count; from += capacity) {
          const rows = Math.min(capacity, count - from);
          const isWanted = texts.length > 0;
          const cells = Array.from({ length: rows }, () => (isWanted ? names.map(() => '') : NO_CELLS));
          texts.forEach(({ levels, codes }, k) => {
            for (let r = 0; r < rows; r++) cells[r][kept[k]] = levels[codes[from + r]] ?? '';
          });
          const bad = new Map<number, BadRow & { line: number }>();
          for (const [row, found] of badRows.before(from + rows)) {
            const line = first + row + 1;
            taken?.add(found, line, '');
            bad.set(row - from, { ...found, line });
          }
          const part = sliceRows(all, from, from + rows);
          yield { table: bad.size > 0 ? selectRows(part, rowsBut(rows, bad)) : part, cells, bad };
        }
        progress?.((total * (first + count)) / rows, total);
      }
      file.requireUnchanged();
    },

    close: () => file.close(),
  };
}

/** The rows, rising, that are marked as `mark`. */
function rowsWhere(marks: Uint8Array, mark: number): Int32Array {
  const rows = new Int32Array(marks.reduce((count, own) => count + Number(own === mark), 0));
  let next = 0;
  marks.forEach((own, row) => {
    if (own === mark) rows[next++] = row;
  });
  return rows;
}

function readSample(reader: ColumnReader): string[][] {
  const sample: string[][] = [];
  for (const [group, count] of reader.groups.entries()) {
    const rows = Math.min(count, SAMPLE_ROWS - sample.length);
    if (rows === 0) continue;
    const columns = reader.names.map((_, i) => reader.firstCells(group, i, rows));
    for (let row = 0; row < rows; row++) sample.push(columns.map((cells) => cells[row]));
  }
  return sample;
}

/** @throws MlpError ExitCode.config if the cells are more than the memory, before any of it is taken */
function requireRoom(name: string, rows: number, kinds: readonly ColumnKind[]): void {
  const bytesOf = (kind: ColumnKind) => (kind === 'skipped' ? 0 : kind === 'text' ? 4 : CELL_BYTES);
  const ofRow = kinds.reduce((sum, kind) => sum + bytesOf(kind), 0);
  const limit = memoryLimit();
  if (rows * ofRow <= limit) return;
  throw new MlpError(
    ExitCode.config,
    `${name}: the cells of ${formatCount(rows)} rows need ${formatBytes(rows * ofRow)} of memory: this machine has ${formatBytes(limit)}`,
    'name columns in data.exclude, or write the rows to a CSV of plain numbers, of which no cells are kept',
  );
}
