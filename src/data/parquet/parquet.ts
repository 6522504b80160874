/**
 * Reads Parquet: columns with types, by all threads, or a row group after the other. Strings are
 * text, whatever they look like; nulls are missing values; dates and times are ISO 8601.
 */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { ExitCode, MlpError } from '../../errors.js';
import { areRowNames } from '../csv/detect.js';
import { DEFAULT_MISSING, type MissingValues } from '../missingValues.js';
import type { OpenFile } from '../source/source.js';
import { requireUnpackable } from '../source/unpack.js';
import { type Column, inChunks, type Table, type TextColumn } from '../table.js';
import type { TableSource } from '../tableSource.js';
import { readColumns } from './columnPool.js';
import { ColumnReader } from './columnReader.js';

const SAMPLE_ROWS = 200;
/** The index of a data frame without a name, as pandas stores it. */
const INDEX_LEVEL = /^__index_level_\d+__$/;
/** Fewer cells take less time than another thread needs to start, with all its modules. */
const THREADED_CELLS = 2 ** 26;
/** Of a cell, and of the number of a row, in memory. */
const CELL_BYTES = 8;
/** For a copy of cells as they are. */
const NOTHING_MISSING: MissingValues = { texts: [], inNumbers: [] };

/**
 * Reads the footer and the first rows.
 * @param threadedCells the least that more than one thread reads
 * @throws MlpError ExitCode.data if the file is damaged or has no column of cells; io if it can't be
 *   read
 */
export function openParquet(file: OpenFile, mayBeEmpty = false, threadedCells = THREADED_CELLS): TableSource {
  const reader = new ColumnReader(file);
  const { names, notes, rows, groups } = reader;
  const path = file.name;
  if (rows === 0 && !mayBeEmpty) {
    throw new MlpError(ExitCode.data, `${path}: found no row, expected rows`);
  }
  // A run of equal cells takes a few bytes, however long it is.
  requireUnpackable(file, rows * (1 + names.length) * CELL_BYTES);
  const sample = readSample(reader);
  const table = (count: number, columns: readonly (Column | undefined)[], first: number): Table => {
    const lines = new Uint32Array(count);
    for (let row = 0; row < count; row++) lines[row] = first + row + 1;
    return { path, header: true, names, rows: count, columns, lines };
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

    async read(kinds, progress, missingValues = DEFAULT_MISSING, threads = availableParallelism()) {
      const wanted = kinds.filter((kind) => kind !== 'skipped').length;
      const columns = await readColumns(reader, file, {
        kinds,
        missingValues,
        threads: rows * wanted < threadedCells ? 1 : Math.min(threads, wanted),
        ...(progress && { progress }),
      });
      file.requireUnchanged();
      return table(rows, columns, 0);
    },

    async *chunks(kinds, capacity, { missingValues, kept = [...names.keys()], progress }) {
      const total = reader.bytesOf(kinds);
      let first = 0;
      for (const [group, count] of groups.entries()) {
        const columns: (Column | undefined)[] = [];
        for (const [i, kind] of kinds.entries()) {
          columns.push(kind === 'skipped' ? undefined : reader.read(i, kind, missingValues, group));
          await setImmediate();
        }
        const texts = kept.map((i) => reader.read(i, 'text', NOTHING_MISSING, group) as TextColumn);
        let row = 0;
        for (const { table: chunk } of inChunks(table(count, columns, first), capacity)) {
          const cells = Array.from({ length: chunk.rows }, () => names.map(() => ''));
          texts.forEach(({ levels, codes }, k) => {
            for (let r = 0; r < chunk.rows; r++) cells[r][kept[k]] = levels[codes[row + r]] ?? '';
          });
          row += chunk.rows;
          yield { table: chunk, cells };
        }
        first += count;
        progress?.((total * first) / rows, total);
      }
      file.requireUnchanged();
    },

    close: () => file.close(),
  };
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
