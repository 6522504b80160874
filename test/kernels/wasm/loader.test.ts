import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../../src/errors.js';
import { Arena, RESERVED_BYTES } from '../../../src/kernels/arena.js';
import { wasmKernels } from '../../../src/kernels/wasm/index.js';
import {
  detectFeatures,
  loadKernels,
  PRODUCT_SCRATCH_BYTES,
  scratchBytes,
} from '../../../src/kernels/wasm/loader.js';

const { relaxedSimd } = detectFeatures();

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(['float32', 'float64'] as const)('the module for %s', (dtype) => {
  const arena = Arena.ofSize(dtype, scratchBytes(1));

  it('keeps its constants in what the arena reserves', () => {
    const { constantsEnd } = loadKernels(dtype, false, arena.memory) as unknown as Record<
      string,
      { value: number }
    >;
    expect(constantsEnd.value).toBeLessThanOrEqual(RESERVED_BYTES);
  });

  it('has the constants of all modules, so that runs of any kind may share a memory', () => {
    loadKernels('float32', false, arena.memory);
    const before = new Uint8Array(arena.memory.buffer, 0, RESERVED_BYTES).slice();
    loadKernels(dtype, relaxedSimd, arena.memory);
    expect(new Uint8Array(arena.memory.buffer, 0, RESERVED_BYTES).slice()).toEqual(before);
  });

  it('needs no more scratch than is said', () => {
    expect(loadKernels(dtype, false, arena.memory).productScratchBytes()).toBeLessThanOrEqual(
      PRODUCT_SCRATCH_BYTES,
    );
  });

  it('says what is missing on an engine without SIMD', () => {
    const error = thrownBy(() =>
      wasmKernels({
        dtype,
        memory: arena.memory,
        scratch: 2048,
        relaxed: true,
        features: { simd: false, relaxedSimd: false },
      }),
    );
    expect(error).toBeInstanceOf(MlpError);
    expect((error as MlpError).exitCode).toBe(ExitCode.unavailable);
    expect((error as MlpError).message).toMatch(/without WebAssembly SIMD/);
  });

  it('does without relaxed SIMD where the engine has none', () => {
    const features = { simd: true, relaxedSimd: false };
    const options = { dtype, memory: arena.memory, scratch: 2048, relaxed: true, features };
    expect(wasmKernels(options).relaxed).toBe(false);
  });

  it.skipIf(!relaxedSimd)('takes relaxed SIMD where it may and the engine has it', () => {
    const options = { dtype, memory: arena.memory, scratch: 2048 };
    expect(wasmKernels({ ...options, relaxed: true }).relaxed).toBe(true);
    expect(wasmKernels({ ...options, relaxed: false }).relaxed).toBe(false);
  });

  it('works at addresses above 2 GiB', () => {
    const high = Arena.ofSize(dtype, 2 ** 31 + 2 ** 24);
    const low = high.tensor(1, 2 ** 31 / (dtype === 'float32' ? 4 : 8));
    const [a, b, c] = [0, 1, 2].map(() => high.tensor(8, 8));
    expect(c.address).toBeGreaterThan(2 ** 31);
    a.data.fill(2);
    b.data.fill(3);
    const kernels = wasmKernels({ dtype, memory: high.memory, scratch: low.address, relaxed: false });
    kernels.gemm('NT', 8, 8, 8, a, b, 0, c);
    expect(Array.from(c.data)).toEqual(new Array(64).fill(48));
    kernels.biasActivation({ type: 'tanh', parameter: 0 }, 8, c, b, c);
    expect(Array.from(c.data)).toEqual(new Array(64).fill(1));
    expect(kernels.sum(64, c)).toBe(64);
  });
});
