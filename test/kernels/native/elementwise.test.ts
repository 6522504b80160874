/** Some activations, factors, dropout and Adam by machine code have the bits of the wasm kernels. */
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../../src/kernels/arena.js';
import { kernelScratch } from '../../../src/kernels/create.js';
import type { Tensor } from '../../../src/kernels/kernels.js';
import { wideElementwise } from '../../../src/kernels/native/elementwise.js';
import { findNative, openNative } from '../../../src/kernels/native/find.js';
import { PRODUCT_SCRATCH_BYTES } from '../../../src/kernels/native/product.js';
import { OPTIMIZERS } from '../../../src/kernels/optimizers.js';
import { alone } from '../../../src/kernels/share.js';
import { wasmKernels } from '../../../src/kernels/wasm/index.js';
import { RandomState } from '../../../src/random/randomState.js';

const sets = findNative({ arch: process.arch, env: {} }).sets.filter((set) => set !== 'neon');
const [ROWS, COLUMNS] = [37, 96];
const ODD = [
  0,
  -0,
  1e-40,
  -1e-40,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  30,
  -30,
  -105,
  89,
  1e30,
];

function operands() {
  const take = (arena: Arena | ArenaPlan) => ({
    tensors: Array.from({ length: 4 }, () => arena.tensor(ROWS, COLUMNS)),
    vectors: Array.from({ length: 4 }, () => arena.tensor(1, COLUMNS)),
    wasm: arena.block(kernelScratch({ backend: 'wasm', relaxed: false }, 1)),
    own: arena.block(PRODUCT_SCRATCH_BYTES),
  });
  const plan = new ArenaPlan('float32');
  take(plan);
  const arena = Arena.ofSize('float32', plan.bytes);
  return { memory: arena.memory, ...take(arena) };
}

const bitsOf = (tensors: readonly Tensor[]) =>
  tensors
    .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1'))
    .join();

describe.skipIf(sets.length === 0)('by machine code', () => {
  const { memory, tensors, vectors, wasm: scratch, own } = operands();
  const [x, y, dX, dY] = tensors;
  const [bias, slope, dBias, dSlope] = vectors;
  const wasm = wasmKernels({ dtype: 'float32', memory, scratch, relaxed: false });
  const fill = () => {
    const random = new RandomState(4);
    for (const { data } of [...tensors, ...vectors]) {
      for (let i = 0; i < data.length; i++) data[i] = 3 * random.randn();
    }
    for (const [i, value] of ODD.entries()) x.data.set([value, value], 7 * i);
    // Beside a bias of 0 they stay what they are.
    bias.data.fill(0, 0, 80);
    bias.data.set([-0, -0], 7);
  };
  /** Whether both do the same to all tensors. */
  const same = (set: (typeof sets)[number], call: (kernels: typeof wasm) => void) => {
    const { addressOf } = openNative(set, 'float32');
    const base = addressOf(new Uint8Array(memory.buffer));
    const wide = { ...wasm, ...wideElementwise(wasm, set, memory.buffer, base, own, alone) };
    const [expected, found] = [wasm, wide].map((kernels) => {
      fill();
      call(kernels);
      return bitsOf([...tensors, ...vectors]);
    });
    return found === expected;
  };

  it.each(sets.flatMap((set) => (['selu', 'mish', 'gelu'] as const).map((type) => [set, type] as const)))(
    '%s: %s',
    (set, type) => {
      const f = { type, parameter: 1 };
      expect(same(set, (k) => k.parametricActivation(f, ROWS, x, bias, slope, y))).toBe(true);
      expect(same(set, (k) => k.parametricActivation(f, ROWS, x, null, slope, y))).toBe(true);
      for (const gradient of [dBias, null]) {
        const backward = (k: typeof wasm) =>
          k.parametricActivationBackward(f, ROWS, x, slope, y, dX, gradient, dSlope);
        expect(same(set, backward)).toBe(true);
      }
    },
  );

  it.each(sets)('%s: relu', (set) => {
    const f = { type: 'relu', parameter: 0 } as const;
    for (const columns of [COLUMNS, 80, 79]) {
      const [input, output, d, dInput] = [x, y, dY, dX].map((tensor) => ({ ...tensor, columns }));
      expect(same(set, (k) => k.biasActivation(f, ROWS, input, bias, input))).toBe(true);
      expect(same(set, (k) => k.biasActivation(f, ROWS, input, bias, output))).toBe(true);
      expect(same(set, (k) => k.biasActivationBackward(f, ROWS, output, input, d, dInput, dBias))).toBe(true);
      expect(same(set, (k) => k.biasActivationBackward(f, ROWS, input, input, d, d, dBias))).toBe(true);
    }
  });

  it.each(sets)('%s: factors', (set) => {
    for (const count of [ROWS * COLUMNS, 1031, 1000]) {
      expect(same(set, (k) => k.scale(count, 0.1, x))).toBe(true);
    }
    for (const columns of [COLUMNS, 80, 79]) {
      const [input, output, d, dInput] = [x, y, dY, dX].map((tensor) => ({ ...tensor, columns }));
      for (const out of [input, output]) {
        expect(same(set, (k) => k.scaleColumns(ROWS, slope, input, out))).toBe(true);
      }
      for (const to of [d, dInput, null]) {
        expect(same(set, (k) => k.scaleColumnsBackward(ROWS, slope, input, d, to, dSlope))).toBe(true);
      }
    }
  });

  it.each(sets)('%s: Adam', (set) => {
    const config = { type: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 } as const;
    const scalars = OPTIMIZERS.adam.scalars(config as never, 0.1, 3);
    const answers: boolean[] = [];
    for (const change of [0, 1e30, 3e38, Number.NaN]) {
      for (const count of [ROWS * COLUMNS, 1031]) {
        const step = (k: typeof wasm) => {
          for (let i = 0; i < dY.data.length; i++) dY.data[i] **= 2;
          // Without the odd ones.
          x.data.fill(1, 0, 200);
          if (change !== 0) x.data.fill(change, 1000, 1031);
          answers.push(k.optimizerStep(OPTIMIZERS.adam as never, count, scalars, x, y, [dX, dY]));
        };
        expect(same(set, step)).toBe(true);
      }
    }
    expect(new Set(answers)).toEqual(new Set([true, false]));
    expect(answers.filter((_, i) => i % 2 === 0)).toEqual(answers.filter((_, i) => i % 2 === 1));
  });

  it.each(sets)('%s: dropout', (set) => {
    for (const [i, rows] of [11, 12, 13, 37].entries()) {
      const mask = {
        rate: [0, 0.15, 0.5, 1 - 2 ** -53][i],
        seed: 0xdeadbeef,
        layer: 2 ** 32 - 1,
        step: 5 * 2 ** 32 + i,
      };
      expect(same(set, (k) => k.dropout(rows, mask, { ...x, columns: 95 }, y))).toBe(true);
      expect(same(set, (k) => k.dropout(rows, mask, x, x))).toBe(true);
    }
  });
});
