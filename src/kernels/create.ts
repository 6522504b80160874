/** Makes the kernels of a backend from its name: the one place that knows all backends. */
import { ExitCode, MlpError } from '../errors.js';
import { blasKernels } from './blas/index.js';
import { isFailure, openBlas } from './blas/library.js';
import type { DType, Kernels } from './kernels.js';
import type { NativeSet } from './native/find.js';
import { exactKernels, nativeKernels, nativeScratchBytes } from './native/index.js';
import { referenceKernels } from './reference/index.js';
import { alone, type Share } from './share.js';
import { wasmKernels } from './wasm/index.js';
import { scratchBytes } from './wasm/loader.js';

/** Which kernels to use. Plain data, so that it can be sent to a thread. */
export interface KernelsChoice {
  readonly backend: 'reference' | 'wasm' | 'blas' | 'native';
  /** Whether relaxed SIMD may be used: faster, but not the same bits everywhere. */
  readonly relaxed: boolean;
  readonly library?: string;
  /** The instructions of `native`, which change no bit. */
  readonly set?: NativeSet;
  /** Of `native`: whether products may round their inputs to bfloat16 (`roundInputs`). */
  readonly bfloat16?: true;
  /**
   * Of `wasm` without relaxed SIMD: whether machine code may multiply, with the same bits, and after how
   * many multiply-adds.
   */
  readonly exact?: { readonly waits: number };
  /** The least m·n·k of a product that goes to the BLAS or machine code; by default the fastest one. */
  readonly leastProduct?: number;
}

/** Kernels for one thread that still need a memory. */
export interface KernelsRecipe {
  /** The bytes that they need beside the tensors. */
  readonly scratchBytes: number;
  /** @param scratch address of those bytes in the memory, aligned to 64 */
  create(memory: WebAssembly.Memory, scratch: number): Kernels;
}

/** The bytes that the kernels of a team need beside the tensors of the run. */
export function kernelScratch({ backend, exact }: KernelsChoice, threads: number): number {
  if (backend === 'reference') return 0;
  return scratchBytes(threads) + (backend === 'native' || exact ? nativeScratchBytes(threads) : 0);
}

/**
 * @param scratch address of kernelScratch(…) bytes in the memory, the same for all threads
 * @throws MlpError ExitCode.unavailable if the engine has no SIMD, or the library stopped working
 * @throws Error if machine code may no longer run
 */
export function createKernels(
  choice: KernelsChoice,
  dtype: DType,
  memory: WebAssembly.Memory,
  scratch: number,
  share: Share,
): Kernels {
  const options = { dtype, memory, scratch, relaxed: choice.relaxed, share };
  switch (choice.backend) {
    case 'reference':
      return referenceKernels(dtype);
    case 'wasm':
      if (!choice.exact) return wasmKernels(options);
      return exactKernels(options, scratch + scratchBytes(share.size), choice.exact.waits);
    case 'blas': {
      const library = openBlas(choice.library ?? '');
      if (!isFailure(library)) return blasKernels(options, library, choice.leastProduct);
      throw new MlpError(
        ExitCode.unavailable,
        `${library.path}: found a BLAS that no longer works: ${library.detail}`,
        'use --backend wasm',
      );
    }
    case 'native':
      return nativeKernels(options, choice.set ?? 'avx2', scratch + scratchBytes(share.size), choice);
  }
}

/** The kernels of a choice for one thread, to be created on a memory later. */
export function kernelsRecipe(choice: KernelsChoice, dtype: DType): KernelsRecipe {
  return {
    scratchBytes: kernelScratch(choice, 1),
    create: (memory, scratch) => createKernels(choice, dtype, memory, scratch, alone),
  };
}
