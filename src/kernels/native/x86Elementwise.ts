/**
 * The machine code of some activations, dropout and Adam for x86-64, with the bits of the wasm kernels: the
 * same operations in the same order (wasm/assembly/functions.ts, activations.ts, elementwise.ts,
 * optimizers.ts), in vectors two or four times as wide. float32 only.
 */
import { SELU_LIMIT, SELU_SCALE } from '../activations.js';
import { type Value, VectorCode } from './vectorCode.js';
import { X86Assembler } from './x86.js';
import { enter, leave, lower, type X86Set } from './x86Program.js';

/** The parametric activations that have code here. Without a slope, relu has. */
export const NATIVE_ACTIVATIONS = ['selu', 'mish'] as const;
export type NativeActivation = (typeof NATIVE_ACTIVATIONS)[number];

/**
 * The fields of a job, unsigned integers of 32 bits, behind that of the routine. Addresses are offsets in
 * the memory; `vectors` go across the columns.
 */
export const BLEND = {
  x: 1,
  rows: 2,
  rowBytes: 3,
  vectors: 4,
  slope: 5,
  bias: 6,
  y: 7,
  dX: 8,
  dSlope: 9,
} as const;
/** `groups` of as many vectors as a counter has words, `block` the first counter. */
export const DROPOUT = {
  x: 1,
  out: 2,
  groups: 3,
  block: 4,
  stepLow: 5,
  stepHigh: 6,
  seed: 7,
  layer: 8,
  threshold: 9,
  scale: 10,
} as const;

/** `vectors` of elements, and what is left of the sums of parameters, lane by lane. Behind `scalars` are seven numbers. */
export const ADAM = {
  parameters: 1,
  gradients: 2,
  mean: 3,
  square: 4,
  vectors: 5,
  sums: 6,
  scalars: 7,
} as const;

export interface ElementwiseProgram {
  readonly code: Uint8Array;
  readonly listing: X86Assembler['listing'];
  readonly lanes: number;
  /** Where the routines start, and the one that ends a list of jobs. */
  readonly forward: Readonly<Record<NativeActivation, number>>;
  readonly backward: Readonly<Record<NativeActivation, number>>;
  /** The fields of BLEND, without a slope. */
  readonly relu: number;
  readonly reluBackward: number;
  readonly dropout: number;
  readonly adam: number;
  readonly end: number;
}

/** @param windows as x86Program */
export function x86Elementwise(set: X86Set, windows: boolean): ElementwiseProgram {
  const asm = new X86Assembler();
  const code = new VectorCode(asm, set);
  enter(asm, windows);
  leave(asm, windows);
  for (const type of NATIVE_ACTIVATIONS) {
    blend(asm, code, type);
    blendBackward(asm, code, type);
  }
  relu(asm, code);
  reluBackward(asm, code);
  dropout(asm, code);
  adam(asm, code);
  code.finish();
  const offsets = (pass: string) =>
    Object.fromEntries(NATIVE_ACTIVATIONS.map((type) => [type, asm.offsetOf(`${pass}:${type}`)]));
  return {
    code: asm.finish(),
    listing: asm.listing,
    lanes: code.lanes,
    forward: offsets('forward') as Record<NativeActivation, number>,
    backward: offsets('backward') as Record<NativeActivation, number>,
    relu: asm.offsetOf('relu'),
    reluBackward: asm.offsetOf('reluBackward'),
    dropout: asm.offsetOf('dropout'),
    adam: asm.offsetOf('adam'),
    end: asm.offsetOf('return'),
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
function reducedExpm1(v: VectorCode, x: Value, n: Value): Value {
  const high = v.op('sub', x, v.op('mul', n, v.number(LOG2.high)));
  const r = v.op('sub', high, v.op('mul', n, v.number(LOG2.low)));
  let q = v.number(EXP[0]);
  for (const coefficient of EXP.slice(1)) q = v.op('add', v.op('mul', r, q), v.number(coefficient));
  return v.madd(v.op('mul', r, r), q, r);
}

/** 2^n from n + ROUNDER. */
function powerOfTwo(v: VectorCode, shifted: Value): Value {
  return v.op('addInts', v.op('shiftLeft', shifted, v.count(23)), v.bits(127 << 23));
}

/** e^x for x ≤ 0. */
function exp(v: VectorCode, x: Value): Value {
  const rounder = v.number(ROUNDER);
  const bounded = v.op('max', v.number(-104), x);
  const n = v.op('sub', v.op('add', v.op('mul', bounded, v.number(Math.LOG2E)), rounder), rounder);
  const mantissa = v.op('add', reducedExpm1(v, bounded, n), v.number(1));
  const half = v.op('add', v.op('mul', n, v.number(0.5)), rounder);
  const rest = v.op('add', v.op('sub', n, v.op('sub', half, rounder)), rounder);
  return v.op('mul', v.op('mul', mantissa, powerOfTwo(v, half)), powerOfTwo(v, rest));
}

/** e^x − 1 for x ≤ 0. */
function expm1(v: VectorCode, x: Value): Value {
  const rounder = v.number(ROUNDER);
  const bounded = v.op('max', v.number(-50), x);
  const shifted = v.op('add', v.op('mul', bounded, v.number(Math.LOG2E)), rounder);
  const power = powerOfTwo(v, shifted);
  const fraction = reducedExpm1(v, bounded, v.op('sub', shifted, rounder));
  return v.madd(power, fraction, v.op('sub', power, v.number(1)));
}

/** Value and, if asked for, slope of an activation: as in wasm/assembly/activations.ts. */
const FORMULAS: Readonly<
  Record<NativeActivation, (v: VectorCode, x: Value) => { value: Value; slope: () => Value }>
> = {
  selu(v, x) {
    const zero = v.inRegister(v.number(0));
    const below = v.op('mul', expm1(v, x), v.number(SELU_LIMIT));
    const value = v.select('below', x, zero, below, v.op('mul', x, v.number(SELU_SCALE)));
    const slope = () =>
      v.select('atMost', value, zero, v.op('add', value, v.number(SELU_LIMIT)), v.number(SELU_SCALE));
    return { value, slope };
  },
  mish(v, x) {
    const zero = v.inRegister(v.number(0));
    const two = v.number(2);
    const s = exp(v, v.op('or', x, v.bits(0x80000000)));
    const square = v.op('mul', s, s);
    const n = v.select(
      'below',
      x,
      zero,
      v.op('mul', s, v.op('add', s, two)),
      v.op('add', v.op('mul', s, two), v.number(1)),
    );
    const d = v.op('add', v.op('mul', v.select('below', x, zero, v.number(1), square), two), n);
    const value = v.op('mul', x, v.op('div', n, d));
    const slope = () => {
      const inverse = v.op('div', v.number(1), d);
      const q = v.select('below', x, zero, s, square);
      const rise = v.op('mul', v.op('mul', v.op('mul', x, v.number(4)), v.madd(q, s, q)), inverse);
      return v.op('mul', v.op('add', n, rise), inverse);
    };
    return { value, slope };
  },
};

/** Loads fields of the job; addresses become those of the process. */
function load(
  asm: X86Assembler,
  fields: Readonly<Record<string, number>>,
  addresses: Readonly<Record<string, number>>,
): void {
  const each = (from: Readonly<Record<string, number>>, line: (register: string) => void) => {
    for (const [register, field] of Object.entries(from)) {
      asm.emit(`mov ${lower(register)}, [rsi+${4 * field}]`);
      line(register);
    }
  };
  each(fields, () => {});
  each(addresses, (register) => asm.emit(`add ${register}, rdi`));
}

/**
 * y ← (1 − slope) ⊙ h + slope ⊙ f(h), x ← h = x + bias.
 *
 *   r8, r9    x and y of the columns at hand     rax, rcx  of the row        rdx  rows that remain
 *   r10, r11  bias and slope of the columns      rbx  bytes from row to row  rbp  vectors that remain
 */
function blend(asm: X86Assembler, v: VectorCode, type: NativeActivation): void {
  const name = `forward:${type}`;
  const [bias, slope, rest] = [0, 1, 2];
  asm.label(name);
  load(
    asm,
    { rbx: BLEND.rowBytes, rbp: BLEND.vectors },
    { r8: BLEND.x, r9: BLEND.y, r10: BLEND.bias, r11: BLEND.slope },
  );
  asm.label(`${name}:columns`);
  v.store(bias, v.load('[r10]'));
  v.store(slope, v.load('[r11]'));
  v.write(3);
  v.store(rest, v.op('sub', v.number(1), v.register(slope)));
  v.write(3);
  asm.emit('mov rax, r8', 'mov rcx, r9', `mov edx, [rsi+${4 * BLEND.rows}]`);
  asm.label(`${name}:rows`);
  const h = v.op('add', v.load('[rax]'), v.register(bias));
  v.store('[rax]', h);
  const kept = v.op('mul', h, v.register(rest));
  v.store('[rcx]', v.madd(FORMULAS[type](v, h).value, v.register(slope), kept));
  v.write(3);
  asm.emit('add rax, rbx', 'add rcx, rbx', 'sub rdx, 1', `jne ${name}:rows`);
  for (const register of ['r8', 'r9', 'r10', 'r11']) asm.emit(`add ${register}, ${4 * v.lanes}`);
  asm.emit('sub rbp, 1', `jne ${name}:columns`);
  asm.emit('jmp return');
}

/**
 * dX ← dY ⊙ (1 − slope + slope ⊙ f′), and the sums of columns: dSlope of dY ⊙ (f(h) − h), dBias of dX.
 * `bias` is dBias, and `y` is dY. Registers as above, and
 *
 *   r12, r13  dX of the columns, and of the row   r14  dSlope of the columns
 */
function blendBackward(asm: X86Assembler, v: VectorCode, type: NativeActivation): void {
  const name = `backward:${type}`;
  const [dBias, dSlope, slope, rest] = [0, 1, 2, 3];
  asm.label(name);
  load(
    asm,
    { rbx: BLEND.rowBytes, rbp: BLEND.vectors },
    { r8: BLEND.x, r9: BLEND.y, r10: BLEND.bias, r11: BLEND.slope, r12: BLEND.dX, r14: BLEND.dSlope },
  );
  asm.label(`${name}:columns`);
  v.store(slope, v.load('[r11]'));
  v.store(dBias, v.number(0));
  v.store(dSlope, v.number(0));
  v.write(4);
  v.store(rest, v.op('sub', v.number(1), v.register(slope)));
  v.write(4);
  asm.emit('mov rax, r8', 'mov rcx, r9', 'mov r13, r12', `mov edx, [rsi+${4 * BLEND.rows}]`);
  asm.label(`${name}:rows`);
  const h = v.load('[rax]');
  const d = v.load('[rcx]');
  const f = FORMULAS[type](v, h);
  v.store(dSlope, v.op('add', v.op('mul', d, v.op('sub', f.value, h)), v.register(dSlope)));
  const factor = v.op('add', v.op('mul', f.slope(), v.register(slope)), v.register(rest));
  const dH = v.op('mul', d, factor);
  v.store('[r13]', dH);
  v.store(dBias, v.op('add', v.register(dBias), dH));
  v.write(4);
  asm.emit('add rax, rbx', 'add rcx, rbx', 'add r13, rbx', 'sub rdx, 1', `jne ${name}:rows`);
  v.store('[r10]', v.register(dBias));
  v.store('[r14]', v.register(dSlope));
  v.write(4);
  for (const register of ['r8', 'r9', 'r10', 'r11', 'r12', 'r14'])
    asm.emit(`add ${register}, ${4 * v.lanes}`);
  asm.emit('sub rbp, 1', `jne ${name}:columns`);
  asm.emit('jmp return');
}

/** Code for each vector of some rows: registers advance by a vector, and behind a row by what it leaves out. */
function eachVector(
  asm: X86Assembler,
  v: VectorCode,
  name: string,
  pointers: readonly string[],
  perRow: Readonly<Record<string, number>>,
  body: () => void,
): void {
  const advance = (registers: readonly string[], by: string | number) => {
    for (const register of registers) asm.emit(`add ${register}, ${by}`);
  };
  load(asm, { rbx: BLEND.rowBytes, rdx: BLEND.rows, rbp: BLEND.vectors }, {});
  // What a row leaves out: its bytes without those of the vectors.
  asm.emit('mov r14, rbp');
  for (let bytes = 4 * v.lanes; bytes > 1; bytes /= 2) asm.emit('add r14, r14');
  asm.emit('sub rbx, r14');
  asm.label(`${name}:row`);
  load(asm, {}, perRow);
  asm.emit('mov r14, rbp');
  asm.label(`${name}:vector`);
  body();
  v.write(0);
  advance([...pointers, ...Object.keys(perRow)], 4 * v.lanes);
  asm.emit('sub r14, 1', `jne ${name}:vector`);
  advance(pointers, 'rbx');
  asm.emit('sub rdx, 1', `jne ${name}:row`, 'jmp return');
}

/** y ← the larger of 0 and x + bias. */
function relu(asm: X86Assembler, v: VectorCode): void {
  asm.label('relu');
  load(asm, {}, { rax: BLEND.x, rcx: BLEND.y });
  eachVector(asm, v, 'relu', ['rax', 'rcx'], { r10: BLEND.bias }, () => {
    v.store('[rcx]', v.op('max', v.number(0), v.op('add', v.load('[rax]'), v.load('[r10]'))));
  });
}

/** dX ← dY, times 0 where x, which is the output here, is at most 0; dBias ← dBias + dX, row by row. */
function reluBackward(asm: X86Assembler, v: VectorCode): void {
  asm.label('reluBackward');
  load(asm, {}, { rax: BLEND.x, rcx: BLEND.y, r13: BLEND.dX });
  eachVector(asm, v, 'reluBackward', ['rax', 'rcx', 'r13'], { r10: BLEND.bias }, () => {
    const zero = v.inRegister(v.number(0));
    const slope = v.select('atMost', v.load('[rax]'), zero, zero, v.number(1));
    const d = v.op('mul', v.load('[rcx]'), slope);
    v.store('[r13]', d);
    v.store('[r10]', v.op('add', v.load('[r10]'), d));
  });
}

/** A step of Adam over vectors: rax parameters, rcx gradients, r8 mean, r9 square, rdx vectors that remain. */
function adam(asm: X86Assembler, v: VectorCode): void {
  asm.label('adam');
  load(
    asm,
    { rdx: ADAM.vectors },
    { rax: ADAM.parameters, rcx: ADAM.gradients, r8: ADAM.mean, r9: ADAM.square, r10: ADAM.sums },
  );
  const [rate, beta1, rest1, beta2, rest2, correction2, epsilon] = Array.from({ length: 7 }, (_, i) => {
    v.store(i, v.broadcast(`[rsi+${4 * (ADAM.scalars + i)}]`));
    return v.register(i);
  });
  const sum = 7;
  v.store(sum, v.number(0));
  v.write(8);
  asm.label('adam:vector');
  const g = v.load('[rcx]');
  const mean = v.madd(rest1, g, v.op('mul', v.load('[r8]'), beta1));
  v.store('[r8]', mean);
  const square = v.madd(v.op('mul', rest2, g), g, v.op('mul', v.load('[r9]'), beta2));
  v.store('[r9]', square);
  const size = v.op('add', v.sqrt(v.op('mul', square, correction2)), epsilon);
  const x = v.op('sub', v.load('[rax]'), v.op('div', v.op('mul', rate, mean), size));
  v.store('[rax]', x);
  v.store(sum, v.op('add', v.register(sum), x));
  v.write(8);
  for (const register of ['rax', 'rcx', 'r8', 'r9']) asm.emit(`add ${register}, ${4 * v.lanes}`);
  asm.emit('sub rdx, 1', 'jne adam:vector');
  v.store('[r10]', v.register(sum));
  v.write(8);
  asm.emit('jmp return');
}

const PHILOX = { rounds: 10, m0: 0xd2511f53, m1: 0xcd9e8d57, w0: 0x9e3779b9, w1: 0xbb67ae85 };

/** The upper 32 of the 64 bits of each lane's product, unsigned. */
function highProducts(v: VectorCode, x: Value, m: Value): Value {
  const half = v.count(32);
  const even = v.op('shiftRight64', v.op('mulEven', x, m), half);
  const odd = v.op('mulEven', v.op('shiftRight64', x, half), m);
  return v.op(
    'or',
    even,
    v.op(
      'and',
      odd,
      v.constant('odd', (lane) => (lane % 2 === 1 ? -1 : 0)),
    ),
  );
}

/**
 * out ← scale·x for elements whose word of Philox4x32-10 is at least the threshold, else 0.
 *
 *   rax, rcx  x and out of the group    rdx  groups that remain    register 0: the numbers of its counters
 */
function dropout(asm: X86Assembler, v: VectorCode): void {
  const field = (name: keyof typeof DROPOUT) => `[rsi+${4 * DROPOUT[name]}]`;
  const blocks = 0;
  asm.label('dropout');
  load(asm, { rdx: DROPOUT.groups }, { rax: DROPOUT.x, rcx: DROPOUT.out });
  // So that the words of counters in order are in order after a transposition of each four lanes.
  const order = v.constant('order', (lane) => (lane % 4) * (v.lanes / 4) + Math.floor(lane / 4));
  v.store(blocks, v.op('addInts', v.broadcast(field('block')), order));
  v.write(1);
  asm.label('dropout:group');
  let [c0, c1, c2, c3] = [
    v.register(blocks),
    v.bits(0),
    v.broadcast(field('stepLow')),
    v.broadcast(field('stepHigh')),
  ];
  let [k0, k1] = [v.broadcast(field('seed')), v.broadcast(field('layer'))];
  for (let round = 0; round < PHILOX.rounds; round++) {
    const [m0, m1] = [v.bits(PHILOX.m0), v.bits(PHILOX.m1)];
    const next0 = v.op('xor', v.op('xor', highProducts(v, c2, m1), c1), k0);
    const next2 = v.op('xor', v.op('xor', highProducts(v, c0, m0), c3), k1);
    c1 = v.op('mulInts', c2, m1);
    c3 = v.op('mulInts', c0, m0);
    c0 = next0;
    c2 = next2;
    k0 = v.op('addInts', k0, v.bits(PHILOX.w0));
    k1 = v.op('addInts', k1, v.bits(PHILOX.w1));
  }
  const [low01, high01] = [v.op('lowPairs', c0, c1), v.op('highPairs', c0, c1)];
  const [low23, high23] = [v.op('lowPairs', c2, c3), v.op('highPairs', c2, c3)];
  const words = [
    v.op('lowHalves', low01, low23),
    v.op('highHalves', low01, low23),
    v.op('lowHalves', high01, high23),
    v.op('highHalves', high01, high23),
  ];
  const [threshold, scale] = [v.broadcast(field('threshold')), v.broadcast(field('scale'))];
  words.forEach((word, i) => {
    const at = `+${4 * v.lanes * i}]`.replace('+0]', ']');
    const y = v.op('mul', v.load(`[rax${at}`), scale);
    v.store(`[rcx${at}`, v.whereEqual(v.op('maxUnsigned', word, threshold), word, y));
  });
  v.write(1);
  v.store(blocks, v.op('addInts', v.register(blocks), v.bits(v.lanes)));
  v.write(1);
  const bytes = 16 * v.lanes;
  asm.emit(`add rax, ${bytes}`, `add rcx, ${bytes}`, 'sub rdx, 1', 'jne dropout:group', 'jmp return');
}
