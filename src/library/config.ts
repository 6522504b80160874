/** The config of the library: the one of the command line, with its data in a file or in memory. */

import type { LoadOptions } from '../data/dataset/loadDataset.js';
import { type Cell, MATRIX_TARGET, type MatrixData, type MemoryData, type RowData } from '../data/memory.js';
import { ExitCode, MlpError } from '../errors.js';
import type { DataInput } from '../spec/dataConfig.js';
import { isObject } from '../spec/json.js';
import { checkTrainConfig, type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfigInput } from '../spec/trainConfig.js';

/** The keys of `data` that do not depend on a file. */
type DataSettings = Omit<
  DataInput,
  'train' | 'target' | 'validation' | 'test' | 'delimiter' | 'header' | 'comment' | 'encoding'
>;

/** `{ rows: [{ age: 30, city: 'Rome', income: 1200 }, …], target: 'income' }` */
export interface RowsInput extends DataSettings, RowData {
  /** The column to predict, or several for a regression or labels. */
  target: DataInput['target'];
  /** A fraction, rows that a column marks, or rows of their own. */
  validation?: Exclude<DataInput['validation'], string> | RowData;
  test?: Exclude<DataInput['test'], string> | RowData;
}

/** `{ fold: 1, of: 5 }` */
type FoldInput = Extract<DataInput['test'], { fold: number }>;

/** `data` with the training rows as a matrix: `{ x: [[0, 0], [0, 1], …], y: [0, 1, …] }`. */
export interface MatrixInput extends DataSettings, MatrixData {
  /** [rows] Numbers for a regression, else classes. */
  y: ArrayLike<Cell>;
  /** A fraction, a fold, or rows of their own. */
  validation?: number | FoldInput | Required<Pick<MatrixData, 'x' | 'y'>>;
  test?: number | FoldInput | Required<Pick<MatrixData, 'x' | 'y'>>;
}

/** A train config whose data are in memory. */
export interface MemoryConfig extends Omit<TrainConfigInput, 'data'> {
  data: RowsInput | MatrixInput;
}

/** A config or the path of one; `data` may hold rows or a matrix instead of paths. */
export type ConfigInput = string | TrainConfigInput | MemoryConfig;

/** In a config, standard input stands for data in memory: neither can be read again. */
const IN_MEMORY = '-';

/** @throws MlpError as `loadTrainConfig`, with locations such as `config: network.layers[1]` */
export function readConfig(input: ConfigInput): {
  readonly loaded: LoadedTrainConfig;
  readonly memory?: NonNullable<LoadOptions['memory']>;
} {
  if (typeof input === 'string') return { loaded: loadTrainConfig(input) };
  const data: unknown = isObject(input) ? input.data : undefined;
  if (!isObject(data) || !isTable(data)) return { loaded: checkTrainConfig(input) };

  const { rows: _rows, x: _x, y, columns: _columns, ...settings } = data;
  if ('train' in settings)
    throw configError('data', 'found both a file ("train") and data in memory, expected one of them');
  const memory: { train: MemoryData; validation?: MemoryData; test?: MemoryData } = {
    train: tableOf(data, 'data'),
  };
  for (const name of ['validation', 'test'] as const) {
    const given = settings[name];
    if (!isObject(given) || !isTable(given)) continue;
    memory[name] = tableOf(given, `data.${name}`);
    delete settings[name];
  }
  const target = y === undefined ? {} : { target: MATRIX_TARGET };
  const checked = checkTrainConfig({ ...input, data: { train: IN_MEMORY, ...target, ...settings } });
  const config = {
    ...checked.config,
    data: {
      ...checked.config.data,
      ...(memory.validation && { validation: IN_MEMORY }),
      ...(memory.test && { test: IN_MEMORY }),
    },
  };
  return { loaded: { ...checked, config }, memory };
}

function isTable(data: object): boolean {
  return 'rows' in data || 'x' in data;
}

/** The table in an object that came from anywhere. */
export function tableOf(data: Record<string, unknown>, location: string): MemoryData {
  const { rows, x, y, columns } = data;
  if (rows !== undefined && x !== undefined) {
    throw configError(location, 'found both "rows" and "x", expected one of them');
  }
  if (x === undefined) {
    if (!Array.isArray(rows))
      throw configError(`${location}.rows`, 'expected an array of objects, one for each row');
    return { rows };
  }
  if (!Array.isArray(x) && !(x instanceof Float32Array) && !(x instanceof Float64Array)) {
    throw configError(`${location}.x`, 'expected an array of arrays, a Float32Array or a Float64Array');
  }
  if (y !== undefined && !Array.isArray(y) && !ArrayBuffer.isView(y)) {
    throw configError(`${location}.y`, 'expected an array of numbers or classes');
  }
  return {
    x,
    ...(y !== undefined && { y: y as ArrayLike<Cell> }),
    ...(columns !== undefined && { columns: columns as string[] }),
  };
}

function configError(location: string, problem: string): MlpError {
  return new MlpError(ExitCode.config, `config: ${location}: ${problem}`);
}
