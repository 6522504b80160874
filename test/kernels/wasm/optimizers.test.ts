/** What the optimisers' steps say of the parameters: whether each is finite, wherever it lies, and in every rank alike. */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/kernels/arena.js';
import type { DType, FloatArray, Kernels, Tensor } from '../../../src/kernels/kernels.js';
import { referenceKernels } from '../../../src/kernels/reference/index.js';
import { wasmKernels } from '../../../src/kernels/wasm/index.js';
import { detectFeatures, scratchBytes } from '../../../src/kernels/wasm/loader.js';
import { STEPS, takeStep, VARIANTS } from '../steps.js';

const MOST = 41;
/** Blocks of less than a vector, of whole pairs of vectors, and with every tail; by three ranks, some with nothing. */
const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17, 32, 33, 35, MOST];

type Tensors = Record<'p' | 'g' | 's' | 'm' | 'v', Tensor>;
type Step = (k: Kernels, count: number, tensors: Tensors) => boolean;

const stepOf =
  (name: string): Step =>
  (k, count, { p, g, s, m, v }) =>
    takeStep(k, STEPS[name], count, p, g, [s, m, v]);

interface Setup {
  readonly name: string;
  readonly dtype: DType;
  /** Runs a step in all ranks: what each answers. */
  readonly run: (step: Step, count: number) => boolean[];
  readonly tensors: Tensors;
}

/** Tensors in a memory that is full of NaN, so that what lies behind a block would show. */
function tensorsIn(arena: Arena): Tensors {
  const tensor = () => arena.tensor(1, MOST + 7);
  return { p: tensor(), g: tensor(), s: tensor(), m: tensor(), v: tensor() };
}

function reference(dtype: DType): Setup {
  const kernels = referenceKernels(dtype);
  const tensors = tensorsIn(Arena.ofSize(dtype, 4096));
  return {
    name: `reference, ${dtype}`,
    dtype,
    tensors,
    run: (step, count) => [step(kernels, count, tensors)],
  };
}

/** Ranks without threads: where one meets the others, the next begins, so that all have met when the first goes on. */
function wasm(dtype: DType, relaxed: boolean, size: number): Setup {
  const arena = Arena.ofSize(dtype, scratchBytes(size) + 4096);
  const scratch = arena.block(scratchBytes(size));
  const tensors = tensorsIn(arena);
  let next: (rank: number) => void = () => {};
  const ranks = Array.from({ length: size }, (_, rank) => {
    const share = { rank, size, sync: () => next(rank + 1) };
    return wasmKernels({ dtype, memory: arena.memory, scratch, relaxed, share });
  });
  const run = (step: Step, count: number) => {
    const answers: boolean[] = [];
    next = (rank) => {
      if (rank < size) answers[rank] = step(ranks[rank], count, tensors);
    };
    next(0);
    return answers;
  };
  return { name: `wasm, ${dtype}, relaxed ${relaxed}, ${size} ranks`, dtype, tensors, run };
}

const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];
const SETUPS = (['float32', 'float64'] as const).flatMap((dtype) => [
  reference(dtype),
  ...BUILDS.flatMap((relaxed) => [1, 2, 3].map((size) => wasm(dtype, relaxed, size))),
]);

describe.each(SETUPS)('$name', ({ dtype, tensors, run }) => {
  const { p, g, s, m, v } = tensors;

  /** Sound tensors of `count` elements, NaN behind them. */
  function reset(count: number, value = 0.5) {
    const fill = (data: FloatArray, x: number) => data.fill(x, 0, count).fill(NaN, count);
    fill(p.data, value);
    fill(g.data, 0.25);
    for (const { data } of [s, m, v]) fill(data, 0.125);
  }

  it.each(Object.keys(STEPS))('%s finds NaN and ±Infinity at every place of a block', (name) => {
    const step = stepOf(name);
    for (const count of COUNTS) {
      reset(count);
      expect(new Set(run(step, count)), `${count} elements`).toEqual(new Set([true]));
      for (let at = 0; at < count; at++) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          reset(count);
          p.data[at] = bad;
          const answers = run(step, count);
          if (answers.includes(true)) expect.fail(`${bad} at ${at} of ${count}: ${answers}`);
        }
      }
    }
  });

  it.each(Object.keys(VARIANTS))('%s finds what its own update made of a bad gradient', (name) => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      reset(MOST);
      g.data[MOST - 1] = bad;
      expect(new Set(run(stepOf(name), MOST)), String(bad)).toEqual(new Set([false]));
    }
  });

  it('takes parameters for finite whose sum is not', () => {
    const largest = dtype === 'float32' ? 3.4028234663852886e38 : Number.MAX_VALUE;
    reset(MOST, largest);
    g.data.fill(0);
    expect(new Set(run(stepOf('sgd'), MOST))).toEqual(new Set([true]));
    p.data[MOST - 1] = -Infinity;
    expect(new Set(run(stepOf('sgd'), MOST))).toEqual(new Set([false]));
  });

  it('has nothing to object to where there is nothing', () => {
    reset(0);
    expect(new Set(run(stepOf('adam'), 0))).toEqual(new Set([true]));
  });
});
