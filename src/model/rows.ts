/** The rows of a CSV for a model, a chunk at a time: read, encoded, passed forward. The file may be larger than memory. */

import { type Dialect, detectDialect } from '../data/csv/dialect.js';
import { TableBuilder } from '../data/csv/readTable.js';
import { readRecordChunks } from '../data/csv/records.js';
import { encodeTargets, type TargetEncoding, type TargetValues } from '../data/dataset/targets.js';
import { writeFeatures } from '../data/encoding/write.js';
import { Levels } from '../data/levels.js';
import { firstRows, type LocatedColumn } from '../data/locatedColumn.js';
import type { Matrix } from '../data/numeric/matrix.js';
import type { Source } from '../data/source/source.js';
import { type ColumnKind, cellLocation, columnLabel, type Table } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import type { Tensor } from '../kernels/kernels.js';
import { findColumns, type ModelColumns } from './columns.js';
import type { Inference } from './inference.js';
import type { Model } from './load.js';
import { UnknownLevels } from './unknownLevels.js';

export interface ModelRowsOptions {
  /** Whether every row has to have its targets, which are then read. */
  readonly targets: boolean;
  /** As detected if left out. */
  readonly delimiter?: string;
  readonly comment?: string;
  /** Told after each piece of the file. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** Rows that follow each other in the file. */
export interface RowChunk {
  readonly rows: number;
  /** [capacity, outputs] The first `rows` rows are theirs, and finite. Overwritten by the next chunk. */
  readonly logits: Tensor;
  /** [rows] The cells of all columns, as text, in the order of the file. */
  readonly cells: readonly (readonly string[])[];
  /** [rows] The line of the file, from 1, on which each row begins. */
  readonly lines: Uint32Array;
  /** Where they were asked for: the number of each row's class, or its values in their own units. */
  readonly targets?: TargetValues;
}

/** Rows as they were read. */
interface ReadRows {
  readonly table: Table;
  readonly cells: readonly (readonly string[])[];
}

/**
 * Reads the beginning of a CSV and finds the model's columns in it. It has a header where the training file had one. The caller closes the source.
 * An MlpError: 65 where a column is missing, or as by `readBeginning`; 74 where the file can't be read.
 */
export async function openModelRows(
  source: Source,
  model: Model,
  options: ModelRowsOptions,
): Promise<ModelRows> {
  const { delimiter = 'auto', comment, targets } = options;
  const dialect = await detectDialect(source, {
    delimiter,
    header: model.header,
    ...(comment !== undefined && { comment }),
  });
  return new ModelRows(source, model, options, dialect, findColumns(model, dialect, source.name, targets));
}

export class ModelRows {
  /** Names of the columns that are neither features nor targets; numbers from 0 without a header. */
  readonly ignored: readonly string[];
  /** Numbers of the target columns in this file, from 0; undefined unless all are there. */
  readonly targetColumns: readonly number[] | undefined;
  readonly #kinds: readonly ColumnKind[];
  readonly #unknown = new UnknownLevels();
  #rows = 0;

  constructor(
    private readonly source: Source,
    private readonly model: Model,
    private readonly options: ModelRowsOptions,
    /** The dialect of the file, and the names of all its columns. */
    readonly dialect: Dialect,
    private readonly columns: ModelColumns,
  ) {
    this.ignored = columns.others.map((i) => dialect.names[i]);
    this.targetColumns = columns.targets;
    this.#kinds = columnKinds(model, dialect, columns, options.targets);
  }

  /** Rows that have been handed out. */
  get rows(): number {
    return this.#rows;
  }

  /** What the user should know of the rows read so far, in sentences. */
  warnings(): string[] {
    return this.#unknown.warnings(this.source.name);
  }

  /**
   * All rows in the order of the file, as many at a time as the inference takes; the last chunk may have fewer. Each is passed
   * forward before it is handed out, so that the inference's predictions are its own. The file is read on only when the next chunk is asked for.
   * An MlpError: 65 with line and column of the first cell that can't be taken, and with the line of a row whose output is not finite,
   * after the rows before it; 74 where the file can't be read or changes.
   */
  async *chunks(inference: Inference): AsyncGenerator<RowChunk, void, undefined> {
    const matrix: Matrix = {
      buffer: inference.x.data.buffer as SharedArrayBuffer,
      byteOffset: inference.x.data.byteOffset,
      dtype: this.model.dtype,
      columns: inference.inputs,
    };
    const place = firstRows(inference.capacity);
    for await (const { table, cells } of this.#read(inference.capacity)) {
      const { rows, lines } = table;
      const { unknown } = writeFeatures(
        table,
        this.columns.features,
        this.model.features,
        place.subarray(0, rows),
        matrix,
      );
      this.#unknown.add(unknown);
      const targets = this.options.targets && { targets: this.#targets(table) };
      const logits = inference.forward(rows);
      this.#requireFinite(inference, logits, lines);
      this.#rows += rows;
      yield { rows, logits, cells, lines, ...targets };
    }
  }

  /** The rows in tables of `capacity` rows and the last of fewer, none of them empty. */
  async *#read(capacity: number): AsyncGenerator<ReadRows, void, undefined> {
    const { source, dialect, options } = this;
    const { progress } = options;
    const start = () => ({
      builder: new TableBuilder(source.name, dialect, this.#kinds, capacity),
      cells: [] as (readonly string[])[],
    });
    let next = start();
    // Those of one piece of the file.
    let read: ReadRows[] = [];
    const finish = () => {
      const { builder, cells } = next;
      if (builder.rows > 0) read.push({ table: builder.finish(), cells });
      next = start();
    };
    const onRecord = (cells: readonly string[], line: number) => {
      next.builder.add(cells, line);
      next.cells.push(cells);
      if (next.builder.rows === capacity) finish();
    };
    let failure: { error: unknown } | undefined;
    try {
      for await (const _ of readRecordChunks(source, dialect, {
        onRecord,
        ...(progress && { progress }),
      })) {
        yield* read;
        read = [];
      }
    } catch (error) {
      failure = { error };
    }
    // The rows before the one that failed are sound, or have an earlier fault.
    finish();
    yield* read;
    if (failure) throw failure.error;
    source.requireUnchanged();
  }

  #targets(table: Table): TargetValues {
    const { path, header, names } = table;
    const { classes, task } = this.model;
    const locatedColumns = (this.columns.targets ?? []).map((index): LocatedColumn => {
      const column = table.columns[index];
      if (column === undefined) throw new TypeError(`column ${index} of ${path} was not read`);
      return {
        column,
        path,
        label: columnLabel(header, names[index]),
        location: (row) => cellLocation(table, index, row),
      };
    });
    const targetEncoding: TargetEncoding = { task, ...(classes && { classes: Levels.of(classes) }) };
    return encodeTargets(locatedColumns, targetEncoding, Number.MAX_VALUE);
  }

  #requireFinite(inference: Inference, logits: Tensor, lines: Uint32Array): void {
    const rows = lines.length;
    const numbers = this.model.classes ? logits.data : inference.predictions(rows);
    for (let i = 0; i < rows * inference.outputs; i++) {
      if (Number.isFinite(numbers[i])) continue;
      throw new MlpError(
        ExitCode.data,
        `${this.source.name}:${lines[Math.floor(i / inference.outputs)]}: found a row whose output is ${numbers[i]}, expected a finite one`,
        'a value of it may be far from all that the model was trained on',
      );
    }
  }
}

/** A feature is what it was in training; classes are text, whatever they look like. */
function columnKinds(
  { features, classes }: Model,
  { names }: Dialect,
  columns: ModelColumns,
  wantsTargets: boolean,
): ColumnKind[] {
  const kinds = new Array<ColumnKind>(names.length).fill('skipped');
  columns.features.forEach((index, j) => {
    kinds[index] = features[j].kind === 'numeric' ? 'numeric' : 'text';
  });
  if (wantsTargets) {
    for (const index of columns.targets ?? []) kinds[index] = classes ? 'text' : 'numeric';
  }
  return kinds;
}
