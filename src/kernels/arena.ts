/**
 * One block of memory for all tensors of a run. The code that takes tensors runs twice: against an
 * `ArenaPlan`, which only counts, then against an `Arena` of that size. The memory is a shared
 * WebAssembly.Memory: JavaScript, WASM, a BLAS and all threads see the same bytes.
 */
import { totalmem } from 'node:os';
import { ExitCode, MlpError } from '../errors.js';
import { formatBytes } from '../text.js';
import type { DType, FloatArray, IntVector, Tensor } from './kernels.js';

/** Every tensor starts on a cache line. */
const ALIGNMENT = 64;
const PAGE = 65_536;

/** The bytes that 32-bit addresses of WebAssembly reach, minus padding and static data. */
export const ARENA_LIMIT = 4 * 1024 ** 3 - 2 * PAGE;
const MOST_PAGES = 65_536;

/** The bytes that a process may have: those of the machine, or of the container it runs in. */
export function memoryLimit(): number {
  // Without a limit it is 0, or larger than any memory.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

/**
 * @param inArena those of the bytes that have to lie in the arena
 * @throws MlpError ExitCode.config if a run that needs so many bytes can't have them
 */
export function requireMemory(bytes: number, hint: string, inArena = bytes): void {
  const limit = memoryLimit();
  if (bytes > limit) throw outOfMemory(bytes, `this machine has ${formatBytes(limit)}`, hint);
  if (inArena <= ARENA_LIMIT) return;
  throw outOfMemory(inArena, `the limit of one run is ${formatBytes(ARENA_LIMIT)}`, hint);
}

export function outOfMemory(bytes: number, limit: string, hint: string): MlpError {
  return new MlpError(
    ExitCode.config,
    `this network and its data need ${formatBytes(bytes)} of memory: ${limit}`,
    hint,
  );
}

/** Hands out zeroed tensors, each aligned to 64 bytes. */
export interface Allocator {
  tensor(rows: number, columns: number): Tensor;
  ints(length: number): IntVector;
  /** The address of this many bytes, aligned to 64, for anything but a tensor. */
  block(bytes: number): number;
}

/** Counts the bytes that an arena would need. Its tensors have shapes but no data. */
export class ArenaPlan implements Allocator {
  #bytes = 0;

  constructor(readonly dtype: DType) {}

  /** All bytes, with padding. Exact up to 2^53; beyond that, still the right order of magnitude. */
  get bytes(): number {
    return this.#bytes;
  }

  tensor(rows: number, columns: number): Tensor {
    this.#bytes += alignedBytes(rows * columns, bytesPerElement(this.dtype));
    return { data: floatsOf(this.dtype, 0), rows, columns, address: 0 };
  }

  ints(length: number): IntVector {
    this.#bytes += alignedBytes(length, Int32Array.BYTES_PER_ELEMENT);
    return { data: new Int32Array(0), address: 0 };
  }

  block(bytes: number): number {
    this.#bytes += alignedBytes(bytes, 1);
    return 0;
  }
}

/** Bytes at the start of the memory, reserved for the static data of a WASM module. */
export const RESERVED_BYTES = 1024;

/** @throws RangeError if the size is above ARENA_LIMIT or the system lacks that much */
export function createMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pagesFor(bytes), maximum: MOST_PAGES, shared: true });
}

/** The bytes of a memory from `start` on and before `end`, both aligned to 64. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

/** @throws RangeError if the memory can't reach to `end`; else views stay valid */
export function growMemory(memory: WebAssembly.Memory, end: number): void {
  const missing = pagesTo(end) - memory.buffer.byteLength / PAGE;
  if (missing > 0) memory.grow(missing);
}

function pagesFor(bytes: number): number {
  return pagesTo(RESERVED_BYTES + bytes);
}

function pagesTo(end: number): number {
  // Padding at the end: a SIMD kernel may read past a tail, never past the memory.
  return Math.ceil((end + 2 * ALIGNMENT) / PAGE);
}

/** Hands out the tensors of a memory: the same calls give the same tensors in every thread. */
export class Arena implements Allocator {
  #next: number;
  readonly #end: number;

  /** @param region which must be zero; by default the whole memory */
  constructor(
    readonly dtype: DType,
    readonly memory: WebAssembly.Memory,
    { start, end }: Region = { start: RESERVED_BYTES, end: memory.buffer.byteLength },
  ) {
    this.#next = start;
    this.#end = end;
  }

  static ofSize(dtype: DType, bytes: number): Arena {
    return new Arena(dtype, createMemory(bytes));
  }

  tensor(rows: number, columns: number): Tensor {
    const length = rows * columns;
    const address = this.#take(length, bytesPerElement(this.dtype));
    const { buffer } = this.memory;
    const data =
      this.dtype === 'float32'
        ? new Float32Array(buffer, address, length)
        : new Float64Array(buffer, address, length);
    return { data, rows, columns, address };
  }

  ints(length: number): IntVector {
    const address = this.#take(length, Int32Array.BYTES_PER_ELEMENT);
    return { data: new Int32Array(this.memory.buffer, address, length), address };
  }

  block(bytes: number): number {
    return this.#take(bytes, 1);
  }

  #take(elements: number, elementBytes: number): number {
    const address = this.#next;
    this.#next += alignedBytes(elements, elementBytes);
    if (this.#next > this.#end) {
      throw new RangeError(`arena that ends at ${this.#end} when ${this.#next} bytes are needed`);
    }
    return address;
  }
}

/** A part of a tensor's memory as a matrix: rows×columns elements from element `start`. */
export function slice(tensor: Tensor, start: number, rows: number, columns: number): Tensor {
  const data: FloatArray = tensor.data.subarray(start, start + rows * columns);
  return { data, rows, columns, address: tensor.address + start * tensor.data.BYTES_PER_ELEMENT };
}

export function bytesPerElement(dtype: DType): 4 | 8 {
  return dtype === 'float32' ? 4 : 8;
}

function alignedBytes(elements: number, elementBytes: number): number {
  return Math.ceil((elements * elementBytes) / ALIGNMENT) * ALIGNMENT;
}

/** An array of zeros outside of any arena. */
export function floatsOf(dtype: DType, length: number): FloatArray {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}
