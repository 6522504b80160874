/** The features of all splits as one matrix, in the memory of the run. */
import { ExitCode, MlpError } from '../errors.js';
import { ARENA_LIMIT, Arena, ArenaPlan } from '../kernels/arena.js';
import type { DType, Tensor } from '../kernels/kernels.js';
import { formatBytes } from '../text.js';

export interface FeatureMatrix {
  /** Starts with the features. A run grows it and puts its own tensors behind them. */
  readonly memory: WebAssembly.Memory;
  /** [rows, columns] */
  readonly features: Tensor;
}

/** The matrix with only these columns, rising, moved together in its memory. */
export function keepColumns({ memory, features }: FeatureMatrix, kept: readonly number[]): FeatureMatrix {
  const { data, rows, columns, address } = features;
  if (kept.length === columns) return { memory, features };
  let to = 0;
  for (let first = 0; first < data.length; first += columns) {
    for (const column of kept) data[to++] = data[first + column];
  }
  return { memory, features: { data: data.subarray(0, to), rows, columns: kept.length, address } };
}

/**
 * Creates a matrix of zeros.
 * @throws MlpError ExitCode.config if it is larger than the memory of a run can be
 */
export function createFeatureMatrix(dtype: DType, rows: number, columns: number): FeatureMatrix {
  const plan = new ArenaPlan(dtype);
  plan.tensor(rows, columns);
  try {
    if (plan.bytes > ARENA_LIMIT) throw new RangeError();
    const arena = Arena.ofSize(dtype, plan.bytes);
    return { memory: arena.memory, features: arena.tensor(rows, columns) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new MlpError(
      ExitCode.config,
      `the features of ${rows} rows in ${columns} columns need ${formatBytes(plan.bytes)} of memory: ` +
        `${plan.bytes > ARENA_LIMIT ? `the limit of one run is ${formatBytes(ARENA_LIMIT)}` : 'the system does not have that much'}`,
      `use fewer rows${dtype === 'float64' ? ', "dtype": "float32"' : ''} or name columns in data.exclude`,
    );
  }
}
