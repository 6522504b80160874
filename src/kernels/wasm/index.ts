/**
 * The kernels in WebAssembly SIMD, for one thread of a team. Every operation computes its slice,
 * then calls `share.sync()` once. An element takes the same instructions in any slice, so threads
 * never change a bit: the whole sizes of a product choose its path, never those of a slice.
 */
import type { DType, Kernels, ProductKernels } from '../kernels.js';
import { alone, type Share } from '../share.js';
import { activations } from './activations.js';
import { elementwise } from './elementwise.js';
import { embedding } from './embedding.js';
import { detectFeatures, loadKernels, type Partials, type WasmFeatures, wasmThread } from './loader.js';
import { losses } from './losses.js';
import { normalization } from './normalization.js';
import { optimizers } from './optimizers.js';
import { product } from './product.js';

export interface WasmOptions {
  readonly dtype: DType;
  readonly memory: WebAssembly.Memory;
  /** Address of scratchBytes(share.size) bytes in it, aligned to 64; the same for all threads. */
  readonly scratch: number;
  /** Whether to use relaxed SIMD if present: faster, but not the same bits everywhere. */
  readonly relaxed: boolean;
  /** Alone if left out. */
  readonly share?: Share;
  /** What the engine can do; detected if left out. */
  readonly features?: WasmFeatures;
}

/**
 * The same kernels, with products of at least `least` multiply-adds by `large`. The whole size counts: the
 * number of threads does not matter.
 */
export function withLargeProducts(
  kernels: Kernels,
  backend: Kernels['backend'],
  large: ProductKernels,
  least: number,
): Kernels {
  return {
    ...kernels,
    backend,
    gemm(form, m, n, k, a, b, beta, c) {
      if (m * n * k < least) kernels.gemm(form, m, n, k, a, b, beta, c);
      else large.gemm(form, m, n, k, a, b, beta, c);
    },
  };
}

export interface WasmKernels extends Kernels {
  readonly relaxed: boolean;
  /** Of this thread. */
  readonly partials: Partials;
}

/** @throws MlpError ExitCode.unavailable if the engine has no SIMD */
export function wasmKernels({
  dtype,
  memory,
  scratch,
  relaxed,
  share = alone,
  features = detectFeatures(),
}: WasmOptions): WasmKernels {
  const usesRelaxed = relaxed && features.relaxedSimd;
  const thread = wasmThread(dtype, loadKernels(dtype, usesRelaxed, memory, features), memory, scratch, share);
  return {
    backend: 'wasm',
    dtype,
    relaxed: usesRelaxed,
    partials: thread.partials,
    ...product(thread),
    ...activations(thread),
    ...elementwise(thread),
    ...embedding(thread),
    ...normalization(thread),
    ...losses(thread),
    ...optimizers(thread),
  };
}
