/**
 * The elementary functions over their whole range: for float32 against float64 arithmetic, for float64 against fixtures. Errors
 * are in ulp, the spacing of the dtype at the exact value.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { erfc } from '../../../src/kernels/activations.js';
import { Arena } from '../../../src/kernels/arena.js';
import type { DType } from '../../../src/kernels/kernels.js';
import { detectFeatures, loadKernels } from '../../../src/kernels/wasm/loader.js';

const fixtures: Record<string, { x: number[]; y: (number | string)[] }> = JSON.parse(
  readFileSync(new URL('../../fixtures/mpmath/elementary.json', import.meta.url), 'utf8'),
);

interface Case {
  /** Its number in `evaluate` of assembly/functions.ts. */
  kind: number;
  exact(x: number): number;
  /** The arguments it is made for. */
  from: number;
  to: number;
  /** The largest error allowed, in ulp. */
  ulp32: number;
  ulp64: number;
}

const exactSigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const exactSoftplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** sin(2πx) of a float32, or of one and ¼: what is left after whole turns is exact. */
const turnedSine = (x: number) => Math.sin(2 * Math.PI * nearZero(x - Math.round(x)));
/** The angle of the same sine in [−¼, ¼] turns. */
const nearZero = (turns: number) => (Math.abs(turns) > 0.25 ? Math.sign(turns) * 0.5 - turns : turns);
/** More turns of a float32 are whole ones, and adding ¼ would lose it. */
const TURNS = { from: -1e12, to: 1e12 };
const ALL = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

const CASES: Record<string, Case> = {
  exp: { kind: 0, exact: Math.exp, ...ALL, ulp32: 1, ulp64: 1 },
  expm1: { kind: 1, exact: Math.expm1, from: Number.NEGATIVE_INFINITY, to: 0, ulp32: 1, ulp64: 1 },
  log1p: { kind: 2, exact: Math.log1p, from: 0, to: 1, ulp32: 2, ulp64: 2 },
  log: { kind: 3, exact: Math.log, from: 1, to: Number.POSITIVE_INFINITY, ulp32: 2, ulp64: 2 },
  tanh: { kind: 4, exact: Math.tanh, ...ALL, ulp32: 3, ulp64: 3 },
  sigmoid: { kind: 5, exact: exactSigmoid, ...ALL, ulp32: 2.5, ulp64: 2 },
  softplus: { kind: 6, exact: exactSoftplus, ...ALL, ulp32: 3, ulp64: 3 },
  gaussian: { kind: 7, exact: (x) => Math.exp((-x * x) / 2), ...ALL, ulp32: 1.5, ulp64: 1.5 },
  normalCdf: { kind: 8, exact: (x) => erfc(-x / Math.SQRT2) / 2, ...ALL, ulp32: 5, ulp64: 4 },
  cosineOfTurns: { kind: 9, exact: (x) => turnedSine(x + 0.25), ...TURNS, ulp32: 4, ulp64: 2 },
  sineOfTurns: { kind: 10, exact: turnedSine, ...TURNS, ulp32: 4, ulp64: 2 },
};

/** The spacing of numbers of the dtype around x. */
function ulp(x: number, dtype: DType): number {
  const [mantissa, lowest] = dtype === 'float32' ? [23, -126] : [52, -1022];
  const exponent = x === 0 ? lowest : Math.max(Math.floor(Math.log2(Math.abs(x))), lowest);
  return 2 ** (exponent - mantissa);
}

function worstError(
  x: ArrayLike<number>,
  actual: ArrayLike<number>,
  exact: (i: number) => number,
  dtype: DType,
) {
  let worst = { ulp: 0, x: 0, actual: 0, exact: 0 };
  for (let i = 0; i < x.length; i++) {
    const right = exact(i);
    const rounded = dtype === 'float32' ? Math.fround(right) : right;
    if (Object.is(actual[i], rounded) || (actual[i] === 0 && rounded === 0)) continue;
    const error = Number.isFinite(rounded)
      ? Math.abs(actual[i] - right) / ulp(right, dtype)
      : Number.POSITIVE_INFINITY;
    if (!(error <= worst.ulp)) worst = { ulp: error, x: x[i], actual: actual[i], exact: right };
  }
  return worst;
}

/** Every `step`-th float32 there is, but NaN. */
function floats(step: number): Float32Array {
  const bits = new Uint32Array(Math.ceil(2 ** 32 / step));
  for (let i = 0; i < bits.length; i++) bits[i] = i * step;
  return new Float32Array(bits.buffer).filter((x) => !Number.isNaN(x));
}

/** Without relaxed SIMD, and with it where the engine has it. */
const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];

describe.each(BUILDS)('elementary functions, relaxed SIMD: %s', (relaxed) => {
  function evaluate(dtype: DType, kind: number, x: ArrayLike<number>): ArrayLike<number> {
    const arena = Arena.ofSize(dtype, 16 * x.length + 256);
    const input = arena.tensor(1, x.length);
    const output = arena.tensor(1, x.length);
    input.data.set(x);
    loadKernels(dtype, relaxed, arena.memory).evaluate(kind, x.length, input.address, output.address);
    return output.data;
  }

  it.each(Object.entries(CASES))('%s is accurate over all float32', (_, { kind, exact, from, to, ulp32 }) => {
    const near = Float32Array.from({ length: 100_000 }, (_, i) => (i - 50_000) / 2_500);
    const edges = [
      0,
      -0,
      1e-45,
      -1e-45,
      88.72283,
      88.72284,
      -87.33655,
      -103.97,
      -103.98,
      Infinity,
      -Infinity,
    ];
    const arguments_ = [edges, floats(30_011), near].flatMap((list) => Array.from(list));
    const x = Float32Array.from(arguments_).filter((v) => v >= from && v <= to);
    const worst = worstError(x, evaluate('float32', kind, x), (i) => exact(x[i]), 'float32');
    expect(worst.ulp, JSON.stringify(worst)).toBeLessThanOrEqual(ulp32);
  });

  it.each(Object.entries(CASES))('%s is accurate in float64', (name, { kind, ulp64 }) => {
    const { x, y } = fixtures[name];
    const worst = worstError(x, evaluate('float64', kind, x), (i) => Number(y[i]), 'float64');
    expect(worst.ulp, JSON.stringify(worst)).toBeLessThanOrEqual(ulp64);
  });

  it.each(['float32', 'float64'] as const)('NaN stays NaN in %s', (dtype) => {
    for (const { kind } of Object.values(CASES)) expect(evaluate(dtype, kind, [NaN])[0]).toBeNaN();
  });

  it.each(['float32', 'float64'] as const)('infinity has its limit in %s', (dtype) => {
    const limits = (kind: number) => Array.from(evaluate(dtype, kind, [-Infinity, Infinity]));
    expect(limits(CASES.exp.kind)).toEqual([0, Infinity]);
    expect(limits(CASES.tanh.kind)).toEqual([-1, 1]);
    expect(limits(CASES.sigmoid.kind)).toEqual([0, 1]);
    expect(limits(CASES.softplus.kind)).toEqual([0, Infinity]);
    expect(limits(CASES.gaussian.kind)).toEqual([0, 0]);
    expect(limits(CASES.normalCdf.kind)).toEqual([0, 1]);
    expect(evaluate(dtype, CASES.expm1.kind, [-Infinity])[0]).toBe(-1);
  });

  it.each(['float32', 'float64'] as const)('tanh keeps the sign of zero in %s', (dtype) => {
    expect(evaluate(dtype, CASES.tanh.kind, [-0])[0]).toBe(-0);
  });
});
