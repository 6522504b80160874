/** Rows of a numeric file: goes over its bytes as often as needed, and keeps no cells. */
import type { DType } from '../../kernels/kernels.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import { looksNumeric } from '../cell.js';
import { beginsWithNumbers } from '../csv/dialect.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { arePixels, type FeatureEncoding, type FeatureRequest } from '../encoding/encoding.js';
import { MajorityVote, mostAreOne } from '../encoding/numberEncoding.js';
import { elementsOf, type FeatureMatrix, keepColumns } from '../featureMatrix.js';
import type { LocatedColumn } from '../locatedColumn.js';
import { NumericFile } from '../numeric/numericFile.js';
import type { KeptKind } from '../numeric/scan.js';
import { type Transform, transformed } from '../scaling.js';
import { type Column, columnLabel } from '../table.js';
import { featureRequests, isNumericRequest, NEVER, numericEncodings } from './featureRequests.js';
import {
  areClasses,
  type Fitted,
  type Input,
  NotNumeric,
  otherColumns,
  type Placement,
  type ReadRowsOptions,
  type RowReader,
  type TakeRows,
  varying,
  windowsOf,
} from './rowReaders.js';

/** Rows whose features are all plain numbers. */
export class NumericRows implements RowReader {
  readonly #input: Input;
  readonly #file: NumericFile;
  readonly #data: DataConfig;
  readonly dropped = 0;
  readonly isNumeric = true;

  private constructor(input: Input, file: NumericFile, data: DataConfig) {
    this.#input = input;
    this.#file = file;
    this.#data = data;
  }

  /** @throws NotNumeric for any other table */
  static async scan(
    input: Input,
    { data, threads, progress, encodings }: ReadRowsOptions,
  ): Promise<NumericRows> {
    const { table, choice } = input;
    const areNumbers = encodings ? encodings.every(isPlainNumber) : isNumericRequest(input, data);
    if (
      table.csv === undefined ||
      table.csv.dialect.comment !== undefined ||
      table.csv.dialect.notations !== undefined ||
      data.missingValues !== undefined ||
      !areNumbers
    ) {
      throw new NotNumeric();
    }
    if (!choice.features.every((column) => beginsWithNumbers(table, column))) throw new NotNumeric();
    const number = data.task === 'regression' ? 'numeric' : 'label';
    const kept = new Map<number, KeptKind>();
    for (const column of otherColumns(choice)) {
      const kind = choice.targets.includes(column) ? number : 'numeric';
      kept.set(column, beginsWithNumbers(table, column) ? kind : 'text');
    }
    const { features } = choice;
    const file = await NumericFile.scan({
      ...table.csv,
      kept,
      features,
      threads,
      ...(progress && { progress }),
    });
    if (file === null) throw new NotNumeric();
    const isSure = areClasses(data.task);
    // Whether such a column holds numbers and bad rows is judged on the table.
    const isDoubtful =
      data.badRows === 'skip' && [...kept.keys()].some((column) => isMixed(file.column(column)));
    if (isDoubtful || (isSure && choice.targets.some((column) => hasManySpellings(file.column(column))))) {
      await file.close();
      throw new NotNumeric();
    }
    return new NumericRows(input, file, data);
  }

  get rows(): number {
    return this.#file.rows;
  }

  get notes(): readonly string[] {
    return this.#file.notes;
  }

  rowNumber(row: number): number {
    return row + 1;
  }

  featureKind(): 'numeric' {
    return 'numeric';
  }

  located(column: number): LocatedColumn {
    const { table } = this.#input;
    const label = columnLabel(table.header, table.names[column]);
    const location = (row: number) => `${table.path}:${this.#file.line(row)}: ${label}`;
    const name = table.names[column];
    return { name, column: this.#file.column(column), path: table.path, label, location };
  }

  async fit({ place, train }: Placement, create: (columns: number) => FeatureMatrix): Promise<Fitted> {
    const { features } = this.#input.choice;
    const matrix = create(features.length);
    const { requests, numbers } = await this.#fitted(place, train.length, matrix);
    const isMost = (j: number) => mostAreOne(train.length, elementsOf(matrix, j));
    if (mayShare(requests, numbers, isMost)) throw new NotNumeric();
    const encodings = varying(this.#input, train.length, numbers);
    const kept = features.map((_, j) => j).filter((j) => encodings[j].kind !== 'constant');
    return { encodings, matrix: keepColumns(matrix, kept) };
  }

  async measure({ place, train }: Placement, dtype: DType): Promise<readonly FeatureEncoding[]> {
    const { requests, numbers } = await this.#fitted(place, train.length);
    if (mayShare(requests, numbers, () => true)) {
      const isMost = await this.#mostAreOne(place, train.length, numbers, dtype);
      if (mayShare(requests, numbers, (j) => isMost[j])) throw new NotNumeric();
    }
    return varying(this.#input, train.length, numbers);
  }

  async #fitted(place: Int32Array, trainRows: number, matrix?: FeatureMatrix) {
    const { features } = this.#input.choice;
    const requests = featureRequests(this.#input, this.#data);
    const fitted = await this.#file.fit({
      features,
      scalings: requests.map(({ scaling }) => scaling),
      missingIsError: requests.every(({ missing }) => missing === 'error'),
      badIsError: this.#data.badRows !== 'skip',
      place,
      trainRows,
      ...(matrix && { matrix }),
    });
    if (fitted === null) throw new NotNumeric();
    return { requests, numbers: numericEncodings(this.#input, requests, fitted) };
  }

  /** Whether one number fills more than half of the training rows, for each feature as the matrix would have it. */
  async #mostAreOne(
    place: Int32Array,
    trainRows: number,
    encodings: readonly Transform[],
    dtype: DType,
  ): Promise<boolean[]> {
    const { features } = this.#input.choice;
    const round = dtype === 'float32' ? Math.fround : (value: number) => value;
    const votes = encodings.map(() => new MajorityVote());
    const each = (take: (vote: MajorityVote, value: number) => void) =>
      this.#file.readNumbers(features, (row, j, value) => {
        if (place[row] >= 0 && place[row] < trainRows)
          take(votes[j], round(transformed(value, encodings[j])));
      });
    await each((vote, value) => vote.add(value));
    await each((vote, value) => vote.count(value));
    return votes.map(({ found }) => 2 * found > trainRows);
  }

  async write(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    matrix: FeatureMatrix,
  ): Promise<void> {
    const varying = encodings.filter(({ kind }) => kind !== 'constant');
    const transforms = varying.filter((encoding) => encoding.kind === 'numeric');
    const features = this.#input.choice.features.filter((_, j) => encodings[j].kind !== 'constant');
    if (transforms.length < features.length) throw new NotNumeric();
    if (!(await this.#file.write(features, transforms, place, matrix))) throw new NotNumeric();
  }

  async writeSome(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    rows: FeatureMatrix,
    take: TakeRows,
  ): Promise<void> {
    const local = new Int32Array(new SharedArrayBuffer(place.byteLength)).fill(-1);
    for (const { from, to, places } of windowsOf(place, rows.rows, local)) {
      await this.write(encodings, local, rows);
      take(rows, places);
      local.fill(-1, from, to);
    }
  }

  async unknown(): Promise<readonly UnknownLevel[]> {
    return [];
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * Whether a column may have numbers to embed, which only the cells of a table tell.
 * @param isMost whether one number fills more than half of the training rows of a column
 */
function mayShare(
  requests: readonly FeatureRequest[],
  encodings: readonly FeatureEncoding[],
  isMost: (j: number) => boolean,
): boolean {
  if (arePixels(encodings)) return false;
  return requests.some(({ leastShared = NEVER }, j) => leastShared < NEVER && isMost(j));
}

function isMixed(column: Column): boolean {
  return column.kind === 'text' && column.levels.some(looksNumeric);
}

function hasManySpellings(column: Column): boolean {
  return column.kind === 'numeric' && column.written === 'many';
}

/** Whether the encoding takes a number alone, and gives one. */
function isPlainNumber(encoding: FeatureEncoding): boolean {
  if (encoding.indicator) return false;
  return encoding.kind === 'constant' || (encoding.kind === 'numeric' && encoding.levels === undefined);
}
