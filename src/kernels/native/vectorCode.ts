/**
 * Straight code on vectors of 32-bit lanes. Operations are noted first, then written with registers, each
 * free again after the last use of its value. AVX2 and AVX-512 take the same operations, so their lanes
 * have the same bits.
 */
import type { X86Assembler } from './x86.js';
import type { X86Set } from './x86Program.js';

/** Instructions on two vectors, the same for both sets. */
const SHARED = {
  add: 'vaddps',
  sub: 'vsubps',
  mul: 'vmulps',
  div: 'vdivps',
  /** The second where either is NaN. */
  max: 'vmaxps',
  addInts: 'vpaddd',
  mulInts: 'vpmulld',
  /** 64 bits of the product of each even lane. */
  mulEven: 'vpmuludq',
  maxUnsigned: 'vpmaxud',
  shiftLeft: 'vpslld',
  shiftRight64: 'vpsrlq',
  lowPairs: 'vunpcklps',
  highPairs: 'vunpckhps',
  lowHalves: 'vunpcklpd',
  highHalves: 'vunpckhpd',
} as const;
/** EVEX has these with the size of a lane in their name. */
const BITWISE = { and: 'vpand', or: 'vpor', xor: 'vpxor' } as const;
/** Neither holds for NaN. */
const ORDERS = { below: 'vcmpltps', atMost: 'vcmpleps' } as const;

export type VectorOperation = keyof typeof SHARED | keyof typeof BITWISE;

/** A value in all lanes: where it is, or the operation that computes it. */
export interface Value {
  /** A constant's label, or a register that this code does not choose. */
  readonly place?: string;
}

interface Step {
  readonly value: Value;
  readonly inputs: readonly Value[];
  /** The last of its inputs may be memory. */
  readonly lines: (to: string, inputs: readonly string[], scratch: string) => readonly string[];
}

export class VectorCode {
  readonly kind: 'ymm' | 'zmm';
  readonly lanes: 8 | 16;
  readonly #asm: X86Assembler;
  readonly #constants = new Map<string, Int32Array>();
  #steps: Step[] = [];

  constructor(asm: X86Assembler, set: X86Set) {
    this.#asm = asm;
    this.kind = set === 'avx512' ? 'zmm' : 'ymm';
    this.lanes = set === 'avx512' ? 16 : 8;
  }

  number(value: number): Value {
    return this.bits(new Int32Array(Float32Array.of(value).buffer)[0]);
  }

  bits(bits: number): Value {
    return this.constant(`bits:${bits >>> 0}`, () => bits);
  }

  /** For a shift: only the first half of a vector of 16 bytes counts. */
  count(bits: number): Value {
    return this.constant(`count:${bits}`, (lane) => (lane === 0 ? bits : 0));
  }

  constant(label: string, of: (lane: number) => number): Value {
    if (!this.#constants.has(label)) {
      this.#constants.set(
        label,
        Int32Array.from({ length: this.lanes }, (_, lane) => of(lane)),
      );
    }
    return { place: `[rip+${label}]` };
  }

  /** What register `number` holds; `write` must be told to leave it alone. */
  register(number: number): Value {
    return { place: `${this.kind}${number}` };
  }

  load(address: string): Value {
    return this.#step([], (to) => [`vmovups ${to}, ${address}`]);
  }

  /** A number of 32 bits in memory, in all lanes. */
  broadcast(address: string): Value {
    return this.#step([], (to) => [`vbroadcastss ${to}, ${address}`]);
  }

  /** To memory, or to a register by its number. */
  store(to: string | number, value: Value): void {
    const place = typeof to === 'number' ? `${this.kind}${to}` : to;
    this.#step([this.inRegister(value)], (_, [from]) => [`vmovups ${place}, ${from}`]);
  }

  op(operation: VectorOperation, a: Value, b: Value): Value {
    const name =
      operation in SHARED
        ? SHARED[operation as keyof typeof SHARED]
        : `${BITWISE[operation as keyof typeof BITWISE]}${this.kind === 'zmm' ? 'd' : ''}`;
    return this.#step([this.inRegister(a), b], (to, [x, y]) => [`${name} ${to}, ${x}, ${y}`]);
  }

  sqrt(x: Value): Value {
    return this.#step([this.inRegister(x)], (to, [from]) => [`vsqrtps ${to}, ${from}`]);
  }

  /** a·b + c, rounded twice. */
  madd(a: Value, b: Value, c: Value): Value {
    return this.op('add', this.op('mul', a, b), c);
  }

  /** yes where x is below y, or at most y; else no. */
  select(order: keyof typeof ORDERS, x: Value, y: Value, yes: Value, no: Value): Value {
    const inputs = [x, y, no, yes].map((value) => this.inRegister(value));
    return this.#step(inputs, (to, [left, right, other, own], scratch) =>
      this.kind === 'zmm'
        ? [`${ORDERS[order]} k1, ${left}, ${right}`, `vblendmps ${to}{k1}, ${other}, ${own}`]
        : [`${ORDERS[order]} ${scratch}, ${left}, ${right}`, `vblendvps ${to}, ${other}, ${own}, ${scratch}`],
    );
  }

  /** x where a = b, bit by bit, else 0. */
  whereEqual(a: Value, b: Value, x: Value): Value {
    return this.#step(
      [this.inRegister(a), this.inRegister(b), this.inRegister(x)],
      (to, [left, right, own], scratch) =>
        this.kind === 'zmm'
          ? [`vpcmpeqd k1, ${left}, ${right}`, `vmovups ${to}{k1}{z}, ${own}`]
          : [`vpcmpeqd ${scratch}, ${left}, ${right}`, `vpand ${to}, ${scratch}, ${own}`],
    );
  }

  /** Writes what was noted. @param reserved registers 0 to `reserved` − 1 are not used for it */
  write(reserved: number): void {
    const last = new Map<Value, number>();
    this.#steps.forEach(({ inputs }, at) => {
      for (const input of inputs) last.set(input, at);
    });
    const free = Array.from({ length: this.kind === 'zmm' ? 32 : 16 }, (_, i) => i).slice(reserved + 1);
    const scratch = `${this.kind}${reserved}`;
    const registers = new Map<Value, number>();
    const placeOf = (value: Value) => value.place ?? `${this.kind}${registers.get(value)}`;
    this.#steps.forEach(({ value, inputs, lines }, at) => {
      const from = inputs.map(placeOf);
      const to = free.shift();
      if (to === undefined) throw new Error(`found no register for the result of step ${at}`);
      this.#asm.emit(...lines(`${this.kind}${to}`, from, scratch));
      if (last.has(value)) registers.set(value, to);
      else free.unshift(to);
      for (const input of new Set(inputs)) {
        const register = registers.get(input);
        if (last.get(input) === at && register !== undefined) free.unshift(register);
      }
    });
    this.#steps = [];
  }

  /** Writes the constants, behind the code. */
  finish(): void {
    const bytes = 4 * this.lanes;
    this.#asm.label('constants');
    this.#asm.data(new Uint8Array(-this.#asm.length & (bytes - 1)));
    for (const [label, lanes] of this.#constants) {
      this.#asm.label(label);
      this.#asm.data(new Uint8Array(lanes.buffer));
    }
  }

  /** A constant is loaded first. */
  inRegister(value: Value): Value {
    return value.place?.startsWith('[') ? this.load(value.place) : value;
  }

  #step(inputs: Step['inputs'], lines: Step['lines']): Value {
    const value: Value = {};
    this.#steps.push({ value, inputs, lines });
    return value;
  }
}
