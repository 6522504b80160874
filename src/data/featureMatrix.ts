/** The features of a dataset as one matrix, at the place in memory where a run has them. */
import { ExitCode, MlpError } from '../errors.js';
import { ARENA_LIMIT, Arena, ArenaPlan } from '../kernels/arena.js';
import type { DType, Tensor } from '../kernels/kernels.js';
import { formatBytes } from '../text.js';

export interface FeatureMatrix {
  /** Begins with the features; what is behind them means nothing. A run makes it larger and puts its own tensors there. */
  readonly memory: WebAssembly.Memory;
  /** [rows, columns] */
  readonly features: Tensor;
}

/**
 * A matrix of zeros.
 * @throws MlpError (78) where it is larger than a run's memory can be
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
        `${plan.bytes > ARENA_LIMIT ? `the limit of one run is ${formatBytes(ARENA_LIMIT)}` : 'the system has not that much to give'}`,
      'use fewer rows, name columns in data.exclude, or set "dtype": "float32"',
    );
  }
}
