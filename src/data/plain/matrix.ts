/** Where features go. */
import type { DType } from '../../kernels/kernels.js';

/** A row-major matrix in memory that threads share. */
export interface Matrix {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly dtype: DType;
  readonly columns: number;
}

/** A matrix in an arena: WebAssembly can work on it where it is. */
export interface ArenaMatrix extends Matrix {
  /** The memory whose buffer it is. */
  readonly memory: WebAssembly.Memory;
}
