/**
 * Rows for a model, in chunks: read, encoded, passed forward. A file may be larger than memory;
 * rows may also be given in memory.
 */
import type { Dialect } from '../data/csv/dialect.js';
import { readingNotes } from '../data/csv/readingNotes.js';
import { pointedClasses, pointWarning } from '../data/dataset/classTargets.js';
import { givenTargets } from '../data/dataset/givenEncodings.js';
import {
  encodeTargets,
  rowsWithTarget,
  type TargetEncoding,
  type TargetValues,
} from '../data/dataset/targets.js';
import { targetDomain } from '../data/dataset/targetUnits.js';
import type { UnknownLevel } from '../data/encoding/categoryEncoding.js';
import { writeFeatures } from '../data/encoding/features.js';
import { matrixIn } from '../data/featureMatrix.js';
import { firstRows, type LocatedColumn } from '../data/locatedColumn.js';
import { type MemoryData, memoryTable } from '../data/memory.js';
import { OLD_MISSING } from '../data/missingValues.js';
import type { TableRequest } from '../data/openTable.js';
import { type BadRow, RejectedRows, reasonOf } from '../data/rejectedRows.js';
import {
  type ColumnKind,
  cellLocation,
  columnLabel,
  type PassedOver,
  rowsBut,
  selectRows,
  type Table,
} from '../data/table.js';
import type { ReadRows, TableSource } from '../data/tableSource.js';
import { ExitCode, MlpError, withoutStack } from '../errors.js';
import { counted } from '../text.js';
import { columnKinds, findColumns, type NamedTable } from './columns.js';
import type { Logits, NetworkInputs, Predicted } from './inference.js';
import type { ReadingModel } from './load.js';
import type { PredictorPool } from './pool/predictorPool.js';
import { StrangeValues } from './ranges.js';
import { UnknownLevels, unknownClassWarning } from './unknowns.js';
import { incompleteRows, unusableRows } from './unusable.js';

export interface ModelRowsOptions {
  /** Whether every row must have its targets, which are then read. */
  readonly targets: boolean;
  /**
   * What becomes of rows that can't be read: the first is an error; they are left out; or they are
   * part of the chunks without a prediction, as are rows whose output can't be computed.
   */
  readonly badRows?: 'error' | 'skip' | 'blank';
  /** Called after each chunk of the file. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** Consecutive rows. */
export interface RowChunk {
  readonly rows: number;
  /**
   * [rows, outputs] All are finite.
   */
  readonly logits: Logits;
  /**
   * [rows] The cells of all columns as text, in the order of the file. Empty for rows in memory.
   */
  readonly cells: readonly (readonly string[])[];
  /**
   * [rows] The line of the file, from 1, on which each row begins; its number, from 0, for rows in
   * memory.
   */
  readonly lines: Uint32Array;
  /** By index into `cells`, why a row has no prediction: it is not one of the `rows`. */
  readonly blank: ReadonlyMap<number, string>;
  /** If they were asked for: the number of each row's class, or its values in their own units. */
  readonly targets?: TargetValues;
}

/** Rows that have been read, of which some may turn out to have no prediction. */
interface EncodedRows {
  /** The others. */
  table: Table;
  /** [rows of the table] Their indices among the cells. */
  indices: Int32Array;
  readonly cells: RowChunk['cells'];
  readonly blank: Map<number, string>;
  /** By network. */
  unknown: readonly (readonly UnknownLevel[])[];
}

/** Where rows come from. */
interface Origin extends NamedTable {
  /** How the file was read so far, if not as it is usual. */
  notes(): readonly string[];
  /** Reads the rows in tables of `capacity` rows, and the last of fewer; none is empty. */
  read(
    kinds: readonly ColumnKind[],
    capacity: number,
    options: { readonly kept?: readonly number[] | undefined; readonly threads: number },
  ): AsyncGenerator<ReadRows, void, undefined>;
}

/** How to open a file of rows for the model: it has a header if the training file had one. */
export function requestFor(
  model: ReadingModel,
  {
    delimiter,
    comment = model.comment,
    encoding,
    skipLines,
    skipRows,
  }: Pick<TableRequest, 'comment' | 'encoding' | 'skipLines' | 'skipRows'> & { readonly delimiter?: string },
  mayBeEmpty = false,
): TableRequest {
  const { reading } = model;
  return {
    ...reading,
    delimiter: delimiter ?? reading?.delimiter ?? 'auto',
    ...(skipLines !== undefined && { skipLines }),
    ...(skipRows !== undefined && { skipRows }),
    header: model.header,
    mayBeEmpty,
    ...(comment !== undefined && { comment }),
    ...(encoding !== undefined && { encoding }),
    ...(model.encoding !== undefined && { fallback: model.encoding }),
    ...(model.numbers !== undefined && { known: model.numbers }),
    missingValues: model.missingValues ?? OLD_MISSING,
    categories: model.features.flatMap(({ kind, column }) => {
      if (kind === 'numeric') return [];
      return model.header ? column : Number(column);
    }),
  };
}

/**
 * Finds the model's columns in an open file. The caller closes it.
 * @throws MlpError ExitCode.data if a column is missing
 */
export function modelRowsOf(
  file: TableSource,
  model: ReadingModel,
  { targets, badRows = 'error', progress }: ModelRowsOptions,
): FileModelRows {
  const { path, header, names, csv } = file;
  const rejected = badRows === 'error' ? undefined : new RejectedRows(path, false);
  let passed: PassedOver = { spaces: false, emptyLines: 0 };
  const origin: Origin = {
    path,
    header,
    names,
    isFile: true,
    notes: () => [...file.notes, ...(csv ? readingNotes(path, forModel(csv.dialect, model), passed) : [])],
    read: (kinds, capacity, { kept, threads }) =>
      file.chunks(kinds, capacity, {
        threads,
        ...(kept && { kept }),
        missingValues: model.missingValues ?? OLD_MISSING,
        onEnd: (found) => {
          passed = found;
        },
        ...(rejected && { rejected }),
        ...(progress && { progress }),
      }),
  };
  const rows = new ModelRows(model, origin, targets, rejected, badRows === 'blank');
  return Object.assign(rows, { file });
}

/**
 * Finds the model's columns in rows or a matrix in memory, by name.
 * @throws MlpError ExitCode.data if a column is missing, or as `memoryTable`
 */
export function modelRowsInMemory(data: MemoryData, model: ReadingModel, wantsTargets: boolean): ModelRows {
  const source = memoryTable(data, 'data', model.targets[0]);
  const { path, names } = source;
  const read = (kinds: readonly ColumnKind[], capacity: number) =>
    source.chunks(kinds, capacity, { missingValues: model.missingValues ?? OLD_MISSING });
  return new ModelRows(
    model,
    { path, header: true, names, isFile: false, notes: () => [], read },
    wantsTargets,
  );
}

/** The rows of a file, with all that its start tells. */
export type FileModelRows = ModelRows & { readonly file: TableSource };

export class ModelRows {
  /**
   * Names of the columns that are neither features nor targets; numbers from 0 without a header.
   */
  readonly ignored: readonly string[];
  /** Numbers of the target columns, from 0; undefined unless all are there. */
  readonly targetColumns: readonly number[] | undefined;
  readonly #model: ReadingModel;
  readonly #origin: Origin;
  readonly #wantsTargets: boolean;
  readonly #features: readonly number[];
  readonly #kinds: readonly ColumnKind[];
  readonly #unknown = new UnknownLevels();
  readonly #strange: StrangeValues;
  /** By class, the rows of classes that the model does not know. */
  readonly #unknownClasses = new Map<string, number>();
  /** Classes that end with a point, unlike those of the model. */
  readonly #pointed = new Set<string>();
  readonly #rejected: RejectedRows | undefined;
  readonly #blanks: boolean;
  /** Feature columns whose missing cells leave the row out, as in training. */
  readonly #droppable: readonly number[];
  #withoutTarget = 0;
  #incomplete = 0;
  #rows = 0;

  /** @param blanks whether rows whose output can't be computed are rejected; otherwise the first is an error */
  constructor(
    model: ReadingModel,
    origin: Origin,
    wantsTargets: boolean,
    rejected?: RejectedRows,
    blanks = false,
  ) {
    const { features, targets, others } = findColumns(model, origin, wantsTargets);
    this.ignored = others.map((i) => origin.names[i]);
    this.targetColumns = targets;
    this.#model = model;
    this.#origin = origin;
    this.#wantsTargets = wantsTargets;
    this.#features = features;
    this.#rejected = rejected;
    this.#blanks = blanks;
    const { dropsMissing = [] } = model;
    // A prediction in memory has no place for such a row.
    this.#droppable =
      origin.isFile || wantsTargets
        ? features.filter((_, j) => dropsMissing.includes(model.features[j].column))
        : [];
    this.#strange = new StrangeValues(model);
    this.#kinds = columnKinds(model, origin.names, features, wantsTargets ? targets : undefined);
  }

  /** The rows so far that can't be read, or have no output; undefined if the first is an error. */
  get rejected(): RejectedRows | undefined {
    return this.#rejected;
  }

  /** How many rows have been handed out, with those that have no prediction. */
  get rows(): number {
    return this.#rows;
  }

  /** Sentences for the user about the rows read so far. */
  warnings(): string[] {
    const { path, header } = this.#origin;
    const warnings = [
      ...this.#origin.notes(),
      ...this.#unknown.warnings(path),
      ...this.#strange.warnings(path, header),
    ];
    warnings.push(
      ...(this.#rejected?.warnings(
        this.#wantsTargets ? undefined : ['has no prediction', 'have no prediction'],
      ) ?? []),
    );
    const incomplete = this.#incomplete;
    if (incomplete > 0) {
      const [are, have] = incomplete === 1 ? ['is', 'has'] : ['are', 'have'];
      const what = this.#wantsTargets ? `${are} left out` : `${have} no prediction`;
      warnings.push(
        `${path}: ${counted(incomplete, 'row')} with a missing cell ${what}: training left such rows out (data.missing)`,
      );
    }
    const left = this.#withoutTarget;
    if (left > 0) {
      warnings.push(
        `${path}: ${counted(left, 'row')} without a target ${left === 1 ? 'is' : 'are'} left out, as in training`,
      );
    }
    return [
      ...warnings,
      ...pointWarning(path, [...this.#pointed]),
      ...unknownClassWarning(path, this.#unknownClasses),
    ];
  }

  /**
   * All rows in their order, as many at a time as the pool takes; the last chunk may have fewer. What
   * the pool predicts belongs to the chunk that was handed out last. A file is read on only when the
   * next chunk is asked for, but for a few chunks that are passed at the same time. `kept` are the
   * columns whose cells are wanted; all if left out.
   *
   * @throws MlpError ExitCode.data with the location of the first bad cell, or of a row whose
   * output is not finite, after the rows before it; io if a file can't be read or changes
   */
  async *chunks(pool: PredictorPool, kept?: readonly number[]): AsyncGenerator<RowChunk, void, undefined> {
    const read = this.#origin.read(this.#kinds, pool.capacity, { kept, threads: pool.wantedThreads });
    for await (const { encoded, logits: first, predictor } of pool.inOrder(read, (rows, { parts }) =>
      this.#encode(rows, parts),
    )) {
      let logits = first;
      for (;;) {
        const infinite = this.#infiniteRows(predictor, logits, encoded.table);
        if (infinite.size === 0) break;
        if (!this.#blanks) throw infinite.values().next().value?.error;
        this.#leave(encoded, infinite, this.#rejected);
        this.#write(encoded, predictor.parts);
        logits = await predictor.forward(encoded.table.rows);
      }
      const { table, cells, blank, unknown } = encoded;
      const { rows, lines } = table;
      this.#rows += rows + blank.size;
      if (rows === 0 && this.#wantsTargets) continue;
      this.#unknown.add(union(unknown));
      this.#strange.add(table, this.#features);
      const targets = this.#wantsTargets && { targets: this.#targets(table) };
      yield { rows, logits, cells, lines, blank, ...targets };
    }
  }

  /** Writes rows to the inputs of networks, but for those that can't be. */
  #encode({ table, cells, bad = new Map() }: ReadRows, parts: readonly NetworkInputs[]) {
    const blank = new Map<number, string>();
    for (const [index, row] of bad) blank.set(index, reasonOf(row, table.path, row.line));
    const encoded: EncodedRows = {
      table,
      cells,
      blank,
      indices: rowsBut(table.rows + bad.size, bad),
      unknown: [],
    };
    // The columns of a wide table take as long as its rows.
    if (table.rows > 0) {
      const incomplete = withoutStack(() => incompleteRows(encoded.table, this.#droppable));
      this.#incomplete += incomplete.size;
      this.#leave(encoded, incomplete);
      if (this.#blanks) {
        for (const part of parts) {
          const columns = this.#columnsOf(part);
          const unusable = withoutStack(() =>
            unusableRows(encoded.table, columns, part.features, part.dtype),
          );
          this.#leave(encoded, unusable, this.#rejected);
        }
      }
      this.#write(encoded, parts);
    }
    return { rows: encoded.table.rows, encoded };
  }

  /** Leaves rows of the table without a prediction. */
  #leave(encoded: EncodedRows, rows: ReadonlyMap<number, BadRow>, rejected?: RejectedRows): void {
    if (rows.size === 0) return;
    const { table, indices, blank } = encoded;
    for (const [row, found] of rows) {
      rejected?.add(found, table.lines[row], '');
      blank.set(indices[row], reasonOf(found, table.path, table.lines[row]));
    }
    const kept = rowsBut(table.rows, rows);
    encoded.indices = kept.map((row) => indices[row]);
    encoded.table = selectRows(table, kept);
  }

  #write(encoded: EncodedRows, parts: readonly NetworkInputs[]): void {
    const { table } = encoded;
    const places = firstRows(table.rows);
    encoded.unknown = parts.map(
      (part) => writeFeatures(table, this.#columnsOf(part), part.features, places, matrixIn(part.x)).unknown,
    );
  }

  /** The table's columns for the inputs of a network. */
  #columnsOf({ columns }: NetworkInputs): number[] {
    return columns.map((j) => this.#features[j]);
  }

  #targets(table: Table): TargetValues {
    const { path, header, names } = table;
    const { dropsRows } = this.#model;
    const columns = (this.targetColumns ?? []).map((index): LocatedColumn => {
      const column = table.columns[index];
      if (column === undefined) throw new TypeError(`column ${index} of ${path} was not read`);
      return {
        name: names[index],
        column,
        path,
        label: columnLabel(header, names[index]),
        location: (row) => cellLocation(table, index, row),
      };
    });
    const domain = targetDomain(this.#model);
    const encoding: TargetEncoding = {
      ...givenTargets(this.#model),
      ...(dropsRows && { dropsRows }),
      ...(domain && { domain }),
    };
    const targets = encodeTargets(columns, encoding, Number.MAX_VALUE, this.#unknownClasses);
    if (encoding.classes)
      for (const text of pointedClasses(columns[0], encoding.classes)) this.#pointed.add(text);
    this.#withoutTarget += table.rows - rowsWithTarget(targets).length;
    return targets;
  }

  /** Rows whose output is not finite. */
  #infiniteRows(inference: Predicted, logits: Logits, table: Table): Map<number, BadRow> {
    const { rows, path, lines, locations } = table;
    const numbers = this.#model.task === 'regression' ? inference.predictions(rows) : logits.data;
    const found = new Map<number, BadRow>();
    for (let i = 0; i < rows * inference.outputs; i++) {
      if (Number.isFinite(numbers[i])) continue;
      const row = Math.floor(i / inference.outputs);
      if (found.has(row)) continue;
      const location = locations ? `${locations[0][0]}${lines[row]}]` : `${path}:${lines[row]}`;
      const error = new MlpError(
        ExitCode.data,
        `${location}: found a row whose output is ${numbers[i]}, expected a finite one`,
        'one of its values may be far outside the range of the training rows',
      );
      found.set(row, { kind: 'with an output that is not finite', error });
    }
    return found;
  }
}

/** Columns that the model does not use may have any name, or none. */
function forModel(dialect: Dialect, { features, targets }: ReadingModel): Dialect {
  const used = new Set([...features.map(({ column }) => column), ...targets]);
  const isUsed = (index: number) => {
    const name = dialect.names[index];
    return used.has(name) || used.has(name.replace(/\.\d+$/, ''));
  };
  return { ...dialect, nameless: dialect.nameless.filter(isUsed), repeated: dialect.repeated.filter(isUsed) };
}

/** The levels that any network does not know; all see the same rows. */
function union(found: readonly (readonly UnknownLevel[])[]): readonly UnknownLevel[] {
  if (found.length < 2) return found[0] ?? [];
  const levels = found
    .flat()
    .map((unknown) => [JSON.stringify([unknown.column, unknown.level]), unknown] as const);
  return [...new Map(levels).values()];
}
