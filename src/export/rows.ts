/** Rows that an export is checked on: those of a file, and made-up ones that ask for every encoding. */
import { type FeatureEncoding, takesMissing } from '../data/encoding/encoding.js';
import { OLD_MISSING } from '../data/missingValues.js';
import { RejectedRows } from '../data/rejectedRows.js';
import { type Column, rowsBut, selectRows, type Table } from '../data/table.js';
import type { TableSource } from '../data/tableSource.js';
import { columnKinds, findColumns } from '../model/columns.js';
import type { ReadingModel } from '../model/load.js';
import { unusableRows } from '../model/unusable.js';
import { RandomState } from '../random/randomState.js';

/** Of a file, so many chunks are read. */
const MOST_CHUNKS = 16;
const CHUNK_ROWS = 256;

/**
 * At most `most` rows of a file that the model can predict, evenly spread over its start, with the model's
 * features as their columns.
 * @throws MlpError as readers do
 */
export async function rowsOf(file: TableSource, model: ReadingModel, most: number): Promise<Table[]> {
  const { features } = findColumns(model, { ...file, isFile: true }, false);
  const kinds = columnKinds(model, file.names, features);
  const tables: Table[] = [];
  const missingValues = model.missingValues ?? OLD_MISSING;
  for await (const { table } of file.chunks(kinds, CHUNK_ROWS, {
    missingValues,
    kept: [],
    rejected: new RejectedRows(file.path, false),
  })) {
    tables.push(usable({ ...table, ...columnsFor(model, table, features) }, model));
    if (tables.length === MOST_CHUNKS) break;
  }
  const total = tables.reduce((sum, { rows }) => sum + rows, 0);
  const step = Math.ceil(total / most);
  return tables
    .map((table) =>
      selectRows(
        table,
        rowsBut(table.rows, new Map()).filter((row) => row % step === 0),
      ),
    )
    .filter(({ rows }) => rows > 0);
}

/** A column that is not there, because the network ignores it, misses all cells. */
function columnsFor(
  { features }: ReadingModel,
  { rows, columns }: Table,
  indices: readonly number[],
): Pick<Table, 'names' | 'columns'> {
  const none: Column = {
    kind: 'text',
    levels: [],
    codes: new Int32Array(rows).fill(-1),
    missing: rows,
  };
  return {
    names: features.map(({ column }) => column),
    columns: indices.map((index) => columns[index] ?? none),
  };
}

function usable(table: Table, { features, dtype }: ReadingModel): Table {
  const bad = unusableRows(
    table,
    features.map((_, j) => j),
    features,
    dtype,
  );
  return selectRows(table, rowsBut(table.rows, bad));
}

/** Rows whose cells are levels, unknown levels, missing, usual and extreme numbers, in turns. */
export function madeUpRows(model: ReadingModel, count: number): Table {
  const { features } = model;
  const random = new RandomState(0);
  const table: Table = {
    path: 'made-up rows',
    header: true,
    names: features.map(({ column }) => column),
    rows: count,
    columns: features.map((feature) => {
      const cells = cellsOf(feature);
      return columnOf(feature, random.choice(cells.length, count), cells);
    }),
    lines: Uint32Array.from({ length: count }, (_, row) => row + 1),
  };
  return usable(table, model);
}

type Cell = number | string | undefined;

function columnOf({ kind }: FeatureEncoding, chosen: Int32Array, cells: readonly Cell[]): Column {
  const own = Array.from(chosen, (i) => cells[i]);
  const missing = own.filter((cell) => cell === undefined).length;
  if (kind === 'numeric') {
    return { kind: 'numeric', values: Float64Array.from(own, (cell) => Number(cell ?? Number.NaN)), missing };
  }
  const levels = [...new Set(own.filter((cell) => cell !== undefined))].map(String);
  return {
    kind: 'text',
    levels,
    codes: Int32Array.from(own, (cell) => (cell === undefined ? -1 : levels.indexOf(String(cell)))),
    missing,
  };
}

/** Cells that a column may have. */
function cellsOf(feature: FeatureEncoding): Cell[] {
  const gaps = takesMissing(feature) ? [undefined] : [];
  switch (feature.kind) {
    case 'numeric': {
      const { shift, range, levels = [] } = feature;
      const scale = Number.isFinite(feature.scale) ? feature.scale : 1;
      const usual = [0, 0.5, -1, 2.5, -3].map((z) => shift + z * scale);
      return [...usual, ...(range ?? []), ...levels.slice(0, MOST_LEVELS), ...gaps];
    }
    case 'category':
      return [...feature.levels.slice(0, MOST_LEVELS), 'a level that no row has', ...gaps];
    case 'boolean':
      return ['yes', 'True', 'no', 'F', 'neither', ...gaps];
    case 'date':
      return [...DATES[feature.order], ...gaps];
    case 'constant':
      return [String(feature.value), 'another', ...gaps];
  }
}

const MOST_LEVELS = 100;

const DATES = {
  ymd: ['2024-02-29', '1999-12-31T23:59:59Z', '2031-07-04 06:30', '1969-01-01'],
  dmy: ['29/02/2024', '31.12.1999 23:59:59', '4 July 2031'],
  mdy: ['02/29/2024', '12/31/1999 23:59:59', 'July 4, 2031'],
  time: ['00:00', '13:45', '23:59:59'],
} as const;
