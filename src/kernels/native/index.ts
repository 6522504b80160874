/**
 * The kernels of the `native` backend: products by machine code that TypeScript writes, the rest by
 * wasm without relaxed SIMD. An element of a product is one chain of fused multiply-adds in the order of k, so
 * every instruction set and number of threads gives the same bits (reference/fused.ts).
 */
import type { Kernels } from '../kernels.js';
import { alone } from '../share.js';
import { type WasmOptions, wasmKernels } from '../wasm/index.js';
import { type NativeSet, openNative } from './find.js';
import { PRODUCT_SCRATCH_BYTES, product } from './product.js';

/** The least m·n·k that goes to machine code; below, a call costs more than it saves. */
export const LEAST_NATIVE_PRODUCT = 1024;

/** The bytes that a team needs for its products. */
export function nativeScratchBytes(threads: number): number {
  return threads * PRODUCT_SCRATCH_BYTES;
}

/** @param scratch address of nativeScratchBytes(share.size) bytes in the memory, aligned to 64 */
export function nativeKernels(
  options: WasmOptions,
  set: NativeSet,
  scratch: number,
  leastProduct = LEAST_NATIVE_PRODUCT,
): Kernels {
  const { memory, dtype, share = alone } = options;
  const wasm = wasmKernels({ ...options, relaxed: false });
  const { program, run, addressOf } = openNative(set, dtype);
  /** Address of the memory in the process; a shared memory stays in its place. */
  const base = addressOf(new Uint8Array(memory.buffer));
  const own = scratch + share.rank * PRODUCT_SCRATCH_BYTES;
  const native = product(program, (jobs) => run(base, base + jobs), dtype, memory.buffer, own, share);
  return {
    ...wasm,
    backend: 'native',
    gemm(form, m, n, k, a, b, beta, c) {
      // By the whole size: the number of threads does not matter.
      if (m * n * k < leastProduct) wasm.gemm(form, m, n, k, a, b, beta, c);
      else native.gemm(form, m, n, k, a, b, beta, c);
    },
  };
}
