/**
 * One block of memory for all tensors of a run. Sizes are known from the spec before anything is allocated:
 * plan first (`ArenaPlan`, numbers alone), then allocate once (`Arena`).
 *
 * The memory is a shared WebAssembly.Memory, so that plain loops see typed arrays, WASM kernels addresses, a BLAS
 * pointers and threads the same bytes.
 */
import type { DType, FloatArray, IntVector, Tensor } from './kernels.js';

/** Every tensor starts on a cache line. */
export const ALIGNMENT = 64;
const PAGE = 65_536;
/** What 32-bit addresses of WebAssembly reach. */
export const ARENA_LIMIT = 4 * 1024 ** 3;

export function bytesPerElement(dtype: DType): 4 | 8 {
  return dtype === 'float32' ? 4 : 8;
}

/** The bytes that a tensor of so many elements takes in an arena, padding included. Exact up to 2^53. */
export function alignedBytes(elements: number, elementBytes: number): number {
  return Math.ceil((elements * elementBytes) / ALIGNMENT) * ALIGNMENT;
}

export class Arena {
  readonly memory: WebAssembly.Memory;
  #next: number;

  /**
   * @param dtype of every tensor
   * @param bytes what will be taken in all, at most ARENA_LIMIT; throws RangeError where the system has no such memory
   * @param reserved bytes at the start that stay untouched (for the static data of a WASM module)
   */
  constructor(
    readonly dtype: DType,
    bytes: number,
    reserved = 0,
  ) {
    // Padding on either side of the taken part: a SIMD kernel may read past a tail, never past the memory.
    const pages = Math.ceil((reserved + bytes + 2 * ALIGNMENT) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#next = Math.ceil((reserved + 1) / ALIGNMENT) * ALIGNMENT;
  }

  /** A tensor of zeros, aligned to 64 bytes. */
  tensor(rows: number, columns: number): Tensor {
    const address = this.#take(rows * columns, bytesPerElement(this.dtype));
    return viewTensor(this.memory, this.dtype, address, rows, columns);
  }

  /** A vector of int32 zeros, aligned to 64 bytes. */
  ints(length: number): IntVector {
    const address = this.#take(length, 4);
    return { data: new Int32Array(this.memory.buffer, address, length), address };
  }

  #take(elements: number, elementBytes: number): number {
    const address = this.#next;
    this.#next += alignedBytes(elements, elementBytes);
    if (this.#next > this.memory.buffer.byteLength) {
      throw new RangeError(`arena of ${this.memory.buffer.byteLength} bytes exhausted: ${this.#next} needed`);
    }
    return address;
  }
}

/** The tensor that lies at an address of a memory. */
export function viewTensor(
  memory: WebAssembly.Memory,
  dtype: DType,
  address: number,
  rows: number,
  columns: number,
): Tensor {
  const { buffer } = memory;
  const length = rows * columns;
  const data =
    dtype === 'float32'
      ? new Float32Array(buffer, address, length)
      : new Float64Array(buffer, address, length);
  return { data, rows, columns, address };
}

/** A part of a tensor's memory seen as a matrix of its own: `rows`×`columns` elements from element `start`. */
export function slice(tensor: Tensor, start: number, rows: number, columns: number): Tensor {
  const data: FloatArray = tensor.data.subarray(start, start + rows * columns);
  return { data, rows, columns, address: tensor.address + start * tensor.data.BYTES_PER_ELEMENT };
}
