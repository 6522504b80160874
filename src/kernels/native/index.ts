/**
 * The kernels of the `native` backend: products, some activations, factors, dropout and Adam by machine code that
 * TypeScript writes, the rest by wasm without relaxed SIMD. An element of a product is one chain of fused multiply-adds in the order
 * of k, so every instruction set and number of threads gives the same bits (reference/fused.ts).
 */
import type { Kernels, ProductKernels } from '../kernels.js';
import { alone } from '../share.js';
import { type WasmOptions, wasmKernels, withLargeProducts } from '../wasm/index.js';
import { wideElementwise } from './elementwise.js';
import { findNative, type NativeCode, type NativeSet, openNative } from './find.js';
import { PRODUCT_SCRATCH_BYTES, product } from './product.js';

/** The least m·n·k that goes to machine code; below, a call costs more than it saves. */
export const LEAST_NATIVE_PRODUCT = 1024;

/** The bytes that a team needs for its products. */
export function nativeScratchBytes(threads: number): number {
  return threads * PRODUCT_SCRATCH_BYTES;
}

/**
 * @param scratch address of nativeScratchBytes(share.size) bytes in the memory, aligned to 64
 * @param how.bfloat16 whether the set can be told to round inputs
 */
export function nativeKernels(
  options: WasmOptions,
  set: NativeSet,
  scratch: number,
  {
    leastProduct = LEAST_NATIVE_PRODUCT,
    bfloat16 = false,
  }: { readonly leastProduct?: number; readonly bfloat16?: boolean } = {},
): Kernels {
  const { dtype, memory, share = alone } = options;
  const wasm = wasmKernels({ ...options, relaxed: false });
  const code = openNative(set, dtype);
  const native = nativeProduct(options, code, scratch);
  const mixed =
    bfloat16 && mixedProduct(native, nativeProduct(options, openNative(set, dtype, 'bfloat16'), scratch));
  const kernels = {
    ...withLargeProducts(wasm, 'native', mixed || native, leastProduct),
    ...(mixed && { roundInputs: mixed.roundInputs }),
  };
  if (set === 'neon' || dtype !== 'float32') return kernels;
  // What products pack, they need no longer when they are done.
  const own = scratch + share.rank * PRODUCT_SCRATCH_BYTES;
  const base = code.addressOf(new Uint8Array(memory.buffer));
  return { ...kernels, ...wideElementwise(wasm, set, memory.buffer, base, own, share) };
}

/** The least m·n·k, and the least m and n, of a product that is rounded: below, packing costs more than it saves. */
const LEAST_ROUNDED_PRODUCT = 2 ** 15;
const LEAST_ROUNDED_SIDE = 16;

/** Products with inputs of bfloat16, while it is told so, and where that is faster. */
function mixedProduct(exact: ProductKernels, rounded: ProductKernels) {
  let rounds = false;
  const product: Pick<Kernels, 'gemm' | 'roundInputs'> = {
    gemm(form, m, n, k, a, b, beta, c) {
      const pays = Math.min(m, n) >= LEAST_ROUNDED_SIDE && m * n * k >= LEAST_ROUNDED_PRODUCT;
      const { gemm } = rounds && pays ? rounded : exact;
      gemm(form, m, n, k, a, b, beta, c);
    },
    roundInputs(value) {
      rounds = value;
    },
  };
  return product;
}

/** In multiply-adds, some 35 ms of the wasm kernels: code with their bits is written after as much. */
export const WORK_BEFORE_CODE = 5e8;

/** Products of at least so many multiply-adds are several times as fast in machine code. */
const LEAST_WASM_PRODUCT = 2 ** 15;

/**
 * The wasm kernels without relaxed SIMD, with their bits: machine code that sums as they do multiplies
 * larger matrices, where the machine allows it. Writing it takes some 30 ms, so it waits until so many
 * multiply-adds are done as the wasm kernels do in this time.
 * @param scratch address of nativeScratchBytes(share.size) bytes in the memory, aligned to 64
 */
export function exactKernels(options: WasmOptions, scratch: number, waits: number): Kernels {
  const wasm = wasmKernels({ ...options, relaxed: false });
  let native: ProductKernels | undefined;
  let done = 0;
  const open = (): ProductKernels => {
    const { sets } = findNative({ arch: process.arch, env: process.env });
    const [set] = sets;
    return set ? nativeProduct(options, openNative(set, options.dtype, 'wasm'), scratch) : wasm;
  };
  return {
    ...wasm,
    gemm(form, m, n, k, a, b, beta, c) {
      const work = m * n * k;
      // The wasm kernels sum a product with a vector in another order.
      if (m > 1 && n > 1 && work >= LEAST_WASM_PRODUCT && (native || done >= waits)) {
        native ??= open();
        native.gemm(form, m, n, k, a, b, beta, c);
        return;
      }
      done += work;
      wasm.gemm(form, m, n, k, a, b, beta, c);
    },
  };
}

function nativeProduct(
  { memory, dtype, share = alone }: WasmOptions,
  { program, run, addressOf }: NativeCode,
  scratch: number,
): ProductKernels {
  /** Address of the memory in the process; a shared memory stays in its place. */
  const base = addressOf(new Uint8Array(memory.buffer));
  const own = scratch + share.rank * PRODUCT_SCRATCH_BYTES;
  return product(program, (jobs) => run(base, base + jobs), dtype, memory.buffer, own, share);
}
