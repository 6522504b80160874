/**
 * The machine code of some activations, factors, dropout and Adam for x86-64, with the bits of the wasm kernels: the
 * same operations in the same order (wasm/assembly/functions.ts, activations.ts, elementwise.ts,
 * optimizers.ts), in vectors two or four times as wide. float32 only. NEON's vectors are no wider than those of wasm,
 * so arm64 has none of this.
 */
import { SELU_LIMIT, SELU_SCALE } from '../activations.js';
import { ADAM, BLEND, DROPOUT, SCALE } from './jobs.js';
import { transposed } from './productCode.js';
import { type Operand, type Vector, VectorCode } from './vectorCode.js';
import { inJob, type X86Lines, type X86Set, x86Set } from './x86Set.js';

/** The parametric activations that have code here. Without a slope, relu has. */
export const NATIVE_ACTIVATIONS = ['selu', 'mish'] as const;
export type NativeActivation = (typeof NATIVE_ACTIVATIONS)[number];

type Code = VectorCode<X86Lines>;

/** @param windows as productProgram */
export function elementwiseProgram(set: X86Set, windows: boolean) {
  const lines = x86Set(set, 'float32', windows);
  const code = new VectorCode(lines);
  const { assembler, vectorBytes } = lines;
  for (const type of NATIVE_ACTIVATIONS) {
    code.routine(`forward:${type}`, () => blend(code, type));
    code.routine(`backward:${type}`, () => blendBackward(code, type));
  }
  code.routine('relu', () => relu(code));
  code.routine('reluBackward', () => reluBackward(code));
  code.routine('scale', () => scale(code));
  code.routine('scaleColumns', () => scaleColumns(code));
  code.routine('scaleColumnsBackward', () => scaleColumnsBackward(code, true));
  code.routine('scaleColumnsSums', () => scaleColumnsBackward(code, false));
  code.routine('dropout', () => dropout(code));
  code.routine('adam', () => adam(code));
  return {
    code: code.finish(),
    listing: assembler.listing,
    lanes: vectorBytes / 4,
    /** Where a routine starts, and with `return` the one that ends a list of jobs. */
    offsetOf: (routine: string) => assembler.offsetOf(routine),
  };
}

/** EXP_32 of wasm/assembly/coefficients.ts. */
const EXP = [
  0.00019890991097781807, 0.0013933649752289057, 0.00833331048488617, 0.04166646674275398, 0.1666666716337204,
  0.5,
];
const LOG2 = { high: 0.693359375, low: -2.1219444005469057e-4 };
/** Adding this rounds to the nearest integer and leaves it in the low bits: 1.5·2²³. */
const ROUNDER = 12582912;

/** e^r − 1 of x = n·log 2 + r. */
function reducedExpm1({ vectors: { add, sub, mul } }: Code, x: Vector, n: Vector): Vector {
  const r = sub(sub(x, mul(n, LOG2.high)), mul(n, LOG2.low));
  const q = EXP.slice(1).reduce<Operand>((q, coefficient) => add(mul(r, q), coefficient), EXP[0]);
  return add(mul(mul(r, r), q), r);
}

/** 2^n from n + ROUNDER. */
function powerOfTwo(code: Code, shifted: Vector): Vector {
  const { addInts, shiftLeft } = code.vectors;
  return addInts(shiftLeft(shifted, shiftBy(code, 23)), code.bits(127 << 23));
}

/** Shifts read the first half of a vector of 16 bytes. */
function shiftBy(code: Code, bits: number): Vector {
  return code.constant(`shift:${bits}`, (lane) => (lane === 0 ? bits : 0));
}

/** e^x for x ≤ 0. */
function exp(code: Code, x: Vector): Vector {
  const { add, sub, mul, max } = code.vectors;
  const bounded = max(-104, x);
  const n = sub(add(mul(bounded, Math.LOG2E), ROUNDER), ROUNDER);
  const mantissa = add(reducedExpm1(code, bounded, n), 1);
  const half = add(mul(n, 0.5), ROUNDER);
  const rest = add(sub(n, sub(half, ROUNDER)), ROUNDER);
  return mul(mul(mantissa, powerOfTwo(code, half)), powerOfTwo(code, rest));
}

/** e^x − 1 for x ≤ 0. */
function expm1(code: Code, x: Vector): Vector {
  const { add, sub, mul, max } = code.vectors;
  const bounded = max(-50, x);
  const shifted = add(mul(bounded, Math.LOG2E), ROUNDER);
  const power = powerOfTwo(code, shifted);
  const fraction = reducedExpm1(code, bounded, sub(shifted, ROUNDER));
  return add(mul(power, fraction), sub(power, 1));
}

/** Value and, if asked for, slope of an activation: as in wasm/assembly/activations.ts. */
const FORMULAS: Readonly<
  Record<NativeActivation, (code: Code, x: Vector) => { value: Vector; slope: () => Vector }>
> = {
  selu(code, x) {
    const { add, mul, zero, ifBelow, ifAtMost } = code.vectors;
    const below = mul(expm1(code, x), SELU_LIMIT);
    const value = ifBelow(x, zero(), mul(x, SELU_SCALE), below);
    return { value, slope: () => ifAtMost(value, zero(), SELU_SCALE, add(value, SELU_LIMIT)) };
  },
  mish(code, x) {
    const { add, mul, div, or, zero, load, ifBelow } = code.vectors;
    const s = exp(code, or(x, code.bits(0x80000000)));
    const square = mul(s, s);
    const n = ifBelow(x, zero(), add(mul(s, 2), 1), mul(s, add(s, 2)));
    const d = add(mul(ifBelow(x, zero(), square, load(1)), 2), n);
    const slope = () => {
      const inverse = div(1, d);
      const q = ifBelow(x, zero(), square, s);
      const rise = mul(mul(mul(x, 4), add(mul(q, s), q)), inverse);
      return mul(add(n, rise), inverse);
    };
    return { value: mul(x, div(n, d)), slope };
  },
};

type Field = keyof typeof BLEND;

/** The body for each vector of some rows, with its places in matrices and in vectors of all columns. */
function eachVector<Matrix extends Field, Columns extends Field>(
  code: Code,
  matrices: readonly Matrix[],
  columns: readonly Columns[],
  body: (places: Readonly<Record<Matrix | Columns, string>>) => void,
): void {
  const { add, address, field } = code.integers;
  const inMatrices = code.take('address', BLEND, ...matrices);
  const inColumns = code.take('address', BLEND, ...columns);
  const all = { ...inMatrices, ...inColumns };
  const { rows, behindRow, vectors } = code.take('field', BLEND, 'rows', 'behindRow', 'vectors');
  code.repeat(rows, () => {
    for (const name of columns) address(inColumns[name], BLEND[name]);
    field(vectors, BLEND.vectors);
    code.repeat(vectors, () => {
      const places = Object.entries<string>(all).map(([name, register]) => [name, code.at(register)]);
      body(Object.fromEntries(places));
      for (const register of Object.values<string>(all)) add(register, code.vectorBytes);
    });
    for (const register of Object.values<string>(inMatrices)) add(register, behindRow);
  });
}

/** y ← (1 − slope) ⊙ h + slope ⊙ f(h), x ← h = x + bias. */
function blend(code: Code, type: NativeActivation): void {
  const { add, sub, mul, load, store } = code.vectors;
  eachVector(code, ['x', 'y'], ['bias', 'slope'], (at) => {
    const h = add(load(at.x), load(at.bias));
    store(h, at.x);
    const slope = load(at.slope);
    const kept = mul(h, sub(1, slope));
    store(add(mul(FORMULAS[type](code, h).value, slope), kept), at.y);
  });
}

/**
 * dX ← dY ⊙ (1 − slope + slope ⊙ f′); adds to the sums of columns, dSlope of dY ⊙ (f(h) − h), dBias of dX.
 * `bias` is dBias, and `y` is dY.
 */
function blendBackward(code: Code, type: NativeActivation): void {
  const { add, sub, mul, load, store } = code.vectors;
  eachVector(code, ['x', 'y', 'dX'], ['bias', 'slope', 'dSlope'], (at) => {
    const h = load(at.x);
    const d = load(at.y);
    const f = FORMULAS[type](code, h);
    store(add(mul(d, sub(f.value, h)), load(at.dSlope)), at.dSlope);
    const slope = load(at.slope);
    const dH = mul(d, add(mul(f.slope(), slope), sub(1, slope)));
    store(dH, at.dX);
    store(add(load(at.bias), dH), at.bias);
  });
}

/** y ← the larger of 0 and x + bias. */
function relu(code: Code): void {
  const { add, max, zero, load, store } = code.vectors;
  eachVector(code, ['x', 'y'], ['bias'], (at) => {
    store(max(zero(), add(load(at.x), load(at.bias))), at.y);
  });
}

/** dX ← dY, times 0 where x, which is the output here, is at most 0; dBias ← dBias + dX, row by row. */
function reluBackward(code: Code): void {
  const { add, mul, zero, ifAtMost, load, store } = code.vectors;
  eachVector(code, ['x', 'y', 'dX'], ['bias'], (at) => {
    const none = zero();
    const d = mul(load(at.y), ifAtMost(load(at.x), none, 1, none));
    store(d, at.dX);
    store(add(load(at.bias), d), at.bias);
  });
}

/** x ← factor·x. */
function scale(code: Code): void {
  const { mul, load, factor, store } = code.vectors;
  const { x } = code.take('address', SCALE, 'x');
  const { vectors } = code.take('field', SCALE, 'vectors');
  code.repeat(vectors, () => {
    store(mul(load(code.at(x)), factor(inJob(SCALE.factor))), code.at(x));
    code.integers.add(x, code.vectorBytes);
  });
}

/** y ← x, times a factor for each column in the place of `bias`. */
function scaleColumns(code: Code): void {
  const { mul, load, store } = code.vectors;
  eachVector(code, ['x', 'y'], ['bias'], (at) => {
    store(mul(load(at.bias), load(at.x)), at.y);
  });
}

/** Adds dY ⊙ x to the sums of columns, and unless only these are asked for, dX ← dY times the factors in the place of `slope`. */
function scaleColumnsBackward(code: Code, needsInputGradient: boolean): void {
  const { add, mul, load, store } = code.vectors;
  eachVector(code, ['x', 'y', 'dX'], ['bias', 'slope'], (at) => {
    const d = load(at.y);
    store(add(mul(d, load(at.x)), load(at.bias)), at.bias);
    if (needsInputGradient) store(mul(load(at.slope), d), at.dX);
  });
}

/** A step of Adam, and the sums of parameters, lane by lane. */
function adam(code: Code): void {
  const { add, sub, mul, div, sqrt, zero, load, factor, store } = code.vectors;
  const at = code.take('address', ADAM, 'parameters', 'gradients', 'mean', 'square', 'sums');
  const { vectors } = code.take('field', ADAM, 'vectors');
  const [sum, ...scalars] = code.variables(8);
  for (const [i, scalar] of scalars.entries()) code.assign(scalar, factor(inJob(ADAM.scalars + i)));
  const [rate, beta1, rest1, beta2, rest2, correction2, epsilon] = scalars;
  code.assign(sum, zero());
  code.repeat(vectors, () => {
    const [parameters, gradients, means, squares] = Object.values(at).map((register) => code.at(register));
    const g = load(gradients);
    const mean = add(mul(rest1, g), mul(load(means), beta1));
    store(mean, means);
    const square = add(mul(mul(rest2, g), g), mul(load(squares), beta2));
    store(square, squares);
    const size = add(sqrt(mul(square, correction2)), epsilon);
    const x = sub(load(parameters), div(mul(rate, mean), size));
    store(x, parameters);
    code.assign(sum, add(sum, x));
    for (const register of Object.values(at).slice(0, 4)) code.integers.add(register, code.vectorBytes);
  });
  store(sum, code.at(at.sums));
}

const PHILOX = { rounds: 10, m0: 0xd2511f53, m1: 0xcd9e8d57, w0: 0x9e3779b9, w1: 0xbb67ae85 };

/** The upper 32 of the 64 bits of each lane's product, unsigned. */
function highProducts(code: Code, x: Vector, m: Vector): Vector {
  const { or, and, mulEven, shiftRight64 } = code.vectors;
  const half = shiftBy(code, 32);
  const even = shiftRight64(mulEven(x, m), half);
  const odd = mulEven(shiftRight64(x, half), m);
  return or(
    even,
    and(
      odd,
      code.constant('odd', (lane) => (lane % 2 === 1 ? -1 : 0)),
    ),
  );
}

/** out ← scale·x for elements whose word of Philox4x32-10 is at least the threshold, else 0. */
function dropout(code: Code): void {
  const { addInts, mulInts, mul, xor, maxUnsigned, ifSame, load, factor, store } = code.vectors;
  const lanes = code.vectorBytes / 4;
  const field = (name: keyof typeof DROPOUT) => factor(inJob(DROPOUT[name]));
  const { x, out } = code.take('address', DROPOUT, 'x', 'out');
  const { groups } = code.take('field', DROPOUT, 'groups');
  const [blocks] = code.variables(1);
  // So that the words of counters in order are in order after a transposition of each four lanes.
  const order = code.constant('order', (lane) => (lane % 4) * (lanes / 4) + Math.floor(lane / 4));
  code.assign(blocks, addInts(field('block'), order));
  code.repeat(groups, () => {
    let [c0, c1, c2, c3] = [blocks, load(code.bits(0)), field('stepLow'), field('stepHigh')];
    let [k0, k1] = [field('seed'), field('layer')];
    const [m0, m1] = [code.bits(PHILOX.m0), code.bits(PHILOX.m1)];
    for (let round = 0; round < PHILOX.rounds; round++) {
      const next0 = xor(xor(highProducts(code, c2, m1), c1), k0);
      const next2 = xor(xor(highProducts(code, c0, m0), c3), k1);
      [c1, c3] = [mulInts(c2, m1), mulInts(c0, m0)];
      [c0, c2] = [next0, next2];
      k0 = addInts(k0, code.bits(PHILOX.w0));
      k1 = addInts(k1, code.bits(PHILOX.w1));
    }
    const [threshold, scale] = [field('threshold'), field('scale')];
    for (const [i, word] of transposed(code, [c0, c1, c2, c3]).entries()) {
      const y = mul(load(code.at(x, i * code.vectorBytes)), scale);
      store(ifSame(maxUnsigned(word, threshold), word, y), code.at(out, i * code.vectorBytes));
    }
    code.assign(blocks, addInts(blocks, code.bits(lanes)));
    for (const register of [x, out]) code.integers.add(register, 4 * code.vectorBytes);
  });
}
