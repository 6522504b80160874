/**
 * The features of all splits as one matrix, in memory of its own. What does not fit into one
 * WebAssembly.Memory lies in several, each with some of the rows.
 */
import { ExitCode, MlpError } from '../errors.js';
import { ARENA_LIMIT, Arena, ArenaPlan, bytesPerElement, floatsOf, memoryLimit } from '../kernels/arena.js';
import type { DType, FloatArray, Tensor } from '../kernels/kernels.js';
import { formatBytes } from '../text.js';

/** A matrix as what writes it needs it. */
export interface WritableMatrix {
  readonly dtype: DType;
  readonly columns: number;
  /** How many rows each part has; the last one may have fewer. */
  readonly rowsOfPart: number;
  readonly parts: readonly { readonly features: Pick<Tensor, 'data' | 'rows'> }[];
}

export interface FeatureMatrix extends WritableMatrix {
  readonly rows: number;
  readonly parts: readonly MatrixPart[];
}

/** Consecutive rows of a matrix. Plain data, so that it can be sent to a thread. */
export interface MatrixPart {
  /** Starts with the features. What reads or trains on them may grow it and write behind them. */
  readonly memory: WebAssembly.Memory;
  /** [rows of the part, columns] */
  readonly features: Tensor;
}

/** Leaves room behind the features for the threads that read a file (numeric/matrix.ts). */
const MOST_BYTES_OF_PART = ARENA_LIMIT - 2 ** 28;

const MOST_OF_MEMORY = 0.9;

/** There is no room for a matrix. */
export class MatrixTooLarge extends MlpError {}

/**
 * Creates a matrix of zeros.
 * @param bytesOfPart the most that a part may have; only tests change it
 * @throws MatrixTooLarge ExitCode.config if it is larger than the memory of the machine
 */
export function createFeatureMatrix(
  dtype: DType,
  rows: number,
  columns: number,
  bytesOfPart = MOST_BYTES_OF_PART,
): FeatureMatrix {
  const rowBytes = Math.max(1, columns) * bytesPerElement(dtype);
  const rowsOfPart = Math.max(1, Math.floor(bytesOfPart / rowBytes));
  const bytes = rows * rowBytes;
  const tooLarge = (most: string) =>
    new MatrixTooLarge(
      ExitCode.config,
      `the features of ${rows} rows in ${columns} columns need ${formatBytes(bytes)} of memory: ${most}`,
      `use fewer rows${dtype === 'float64' ? ', "dtype": "float32"' : ''} or name columns in data.exclude; data.cache keeps them in a file`,
    );
  const limit = memoryLimit();
  if (bytes > MOST_OF_MEMORY * limit) {
    throw tooLarge(`this machine has ${formatBytes(limit)}, of which they may take nine tenths`);
  }
  if (rowBytes > ARENA_LIMIT) throw tooLarge(`a row may have ${formatBytes(ARENA_LIMIT)}`);
  try {
    const parts: MatrixPart[] = [];
    for (let first = 0; first < rows || first === 0; first += rowsOfPart) {
      const count = Math.min(rowsOfPart, rows - first);
      const plan = new ArenaPlan(dtype);
      plan.tensor(count, columns);
      const arena = Arena.ofSize(dtype, plan.bytes);
      parts.push({ memory: arena.memory, features: arena.tensor(count, columns) });
    }
    return { dtype, rows, columns, rowsOfPart, parts };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooLarge('the system does not have that much');
  }
}

/** The matrix with only these columns, rising, moved together in its memory. */
export function keepColumns(matrix: FeatureMatrix, kept: readonly number[]): FeatureMatrix {
  const { columns } = matrix;
  if (kept.length === columns) return matrix;
  const parts = matrix.parts.map(({ memory, features: { data, rows, address } }): MatrixPart => {
    let to = 0;
    for (let first = 0; first < data.length; first += columns) {
      for (const column of kept) data[to++] = data[first + column];
    }
    return { memory, features: { data: data.subarray(0, to), rows, columns: kept.length, address } };
  });
  return { ...matrix, columns: kept.length, parts };
}

/** The part that has a row of the matrix, and the row's number in it. */
export function partOf({ rowsOfPart, parts }: FeatureMatrix, row: number): [MatrixPart, number] {
  const index = Math.floor(row / rowsOfPart);
  return [parts[index], row - index * rowsOfPart];
}

/** Reads elements of a column by their row. */
export function elementsOf(matrix: FeatureMatrix, column: number): (row: number) => number {
  const { parts, columns } = matrix;
  const [{ features }] = parts;
  const { data } = features;
  if (parts.length === 1) return (row) => data[row * columns + column];
  return (row) => {
    const [part, ofPart] = partOf(matrix, row);
    return part.features.data[ofPart * columns + column];
  };
}

/** A tensor as a matrix. */
export function matrixIn({ data, columns }: Pick<Tensor, 'data' | 'columns'>): WritableMatrix {
  const dtype = data instanceof Float32Array ? 'float32' : 'float64';
  const rows = data.length / columns;
  return { dtype, columns, rowsOfPart: rows, parts: [{ features: { data, rows } }] };
}

/** [n] The same places in a part of the matrix alone; −1 for a row of another part. */
export function placesIn({ rowsOfPart, parts }: WritableMatrix, part: number, place: Int32Array): Int32Array {
  if (parts.length === 1) return place;
  const first = part * rowsOfPart;
  const end = first + parts[part].features.rows;
  return place.map((row) => (row >= first && row < end ? row - first : -1));
}

/** Rows of features, encoded and scaled, wherever they lie. */
export interface FeatureRows {
  readonly rows: number;
  readonly columns: number;
  /** [count, columns] Consecutive rows: a view of them if they lie together, else a copy. */
  read(first: number, count: number): FloatArray;
}

/** Rows of a matrix. */
export class MatrixRows implements FeatureRows {
  readonly #matrix: FeatureMatrix;
  readonly #first: number;

  constructor(
    matrix: FeatureMatrix,
    first: number,
    readonly rows: number,
  ) {
    this.#matrix = matrix;
    this.#first = first;
  }

  get columns(): number {
    return this.#matrix.columns;
  }

  read(first: number, count: number): FloatArray {
    const { columns, dtype } = this.#matrix;
    const parts: FloatArray[] = [];
    for (let done = 0; done < count; ) {
      const [{ features }, row] = partOf(this.#matrix, this.#first + first + done);
      const rows = Math.min(count - done, features.rows - row);
      parts.push(features.data.subarray(row * columns, (row + rows) * columns));
      done += rows;
    }
    if (parts.length === 1) return parts[0];
    const copy = floatsOf(dtype, count * columns);
    let end = 0;
    for (const part of parts) {
      copy.set(part, end);
      end += part.length;
    }
    return copy;
  }
}

/** Rows of an array [rows, columns]. */
export function rowsIn(data: FloatArray, columns: number): FeatureRows {
  return {
    rows: data.length / columns,
    columns,
    read: (first, count) => data.subarray(first * columns, (first + count) * columns),
  };
}

/** Elements of a chunk: enough to be fast, and little memory. */
const CHUNK_ELEMENTS = 2 ** 20;

/** All rows, some at a time. */
export function* chunksOf(rows: FeatureRows): Generator<{ first: number; count: number; data: FloatArray }> {
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, rows.columns)));
  for (let first = 0; first < rows.rows; first += step) {
    const count = Math.min(step, rows.rows - first);
    yield { first, count, data: rows.read(first, count) };
  }
}
