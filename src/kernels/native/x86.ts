/**
 * An assembler for the few x86-64 instructions that the products need. A line is written as in
 * Intel's manual, `vfmadd231ps zmm3, zmm24, [rax+rcx*4+64]`, and becomes bytes at once. Sections
 * are those of the Intel 64 and IA-32 Software Developer's Manual, volume 2 (SDM).
 *
 * Vectors of 128 and 256 bits (xmm, ymm) are encoded by VEX, of 512 bits (zmm) and what has no VEX form by EVEX.
 */

/** {k1} behind an operand: lanes outside of this mask are not stored, or become 0 with {z}. */
interface Masked {
  readonly mask: number;
  readonly zeroes: boolean;
}

interface Register extends Masked {
  readonly kind: 'r64' | 'r32' | 'xmm' | 'ymm' | 'zmm' | 'k';
  readonly number: number;
}

/** `[base+index*scale+offset]`, or `[rip+label]` and `label` with the base RIP. */
interface Memory extends Masked {
  readonly kind: 'memory';
  readonly base: number;
  readonly index: number | null;
  readonly scale: number;
  readonly offset: number;
  readonly label: string;
}

interface Immediate extends Masked {
  readonly kind: 'immediate';
  readonly value: number;
}

type Operand = Register | Memory | Immediate;

interface VectorEncoding {
  /** The mandatory prefix as VEX numbers it: 1 is 66, 2 is F3, 3 is F2 (SDM 2.3.6.2). */
  readonly pp: 0 | 1 | 2 | 3;
  /** 1 is 0F, 2 is 0F 38, 3 is 0F 3A (SDM 2.3.6.1). */
  readonly map: 1 | 2 | 3;
  readonly opcode: number;
  /** The opcode if the first operand is memory. */
  readonly store?: number;
  /** W of VEX, and of EVEX. */
  readonly w: readonly [vex: 0 | 1, evex: 0 | 1];
  /** Whether it has no VEX form. */
  readonly isEvex?: true;
  /** A byte behind the operands that belongs to the name. */
  readonly byte?: number;
}

/** Each as its own page of SDM volume 2 (chapters 4 and 5, by name) gives it. */
const VECTOR: Readonly<Record<string, VectorEncoding>> = {
  vmovups: { pp: 0, map: 1, opcode: 0x10, store: 0x11, w: [0, 0] }, // MOVUPS
  vmovupd: { pp: 1, map: 1, opcode: 0x10, store: 0x11, w: [0, 1] }, // MOVUPD
  vmovss: { pp: 2, map: 1, opcode: 0x10, store: 0x11, w: [0, 0] }, // MOVSS
  vmovsd: { pp: 3, map: 1, opcode: 0x10, store: 0x11, w: [0, 1] }, // MOVSD
  vmaskmovps: { pp: 1, map: 2, opcode: 0x2c, store: 0x2e, w: [0, 0] }, // VMASKMOV
  vmaskmovpd: { pp: 1, map: 2, opcode: 0x2d, store: 0x2f, w: [0, 0] }, // VMASKMOV
  vbroadcastss: { pp: 1, map: 2, opcode: 0x18, w: [0, 0] }, // VBROADCAST
  vbroadcastsd: { pp: 1, map: 2, opcode: 0x19, w: [0, 1] }, // VBROADCAST
  vfmadd231ps: { pp: 1, map: 2, opcode: 0xb8, w: [0, 0] }, // VFMADD132PS/VFMADD213PS/VFMADD231PS
  vfmadd231pd: { pp: 1, map: 2, opcode: 0xb8, w: [1, 1] }, // VFMADD132PD/VFMADD213PD/VFMADD231PD
  vmulps: { pp: 0, map: 1, opcode: 0x59, w: [0, 0] }, // MULPS
  vmulpd: { pp: 1, map: 1, opcode: 0x59, w: [0, 1] }, // MULPD
  vaddps: { pp: 0, map: 1, opcode: 0x58, w: [0, 0] }, // ADDPS
  vaddpd: { pp: 1, map: 1, opcode: 0x58, w: [0, 1] }, // ADDPD
  vsubps: { pp: 0, map: 1, opcode: 0x5c, w: [0, 0] }, // SUBPS
  vdivps: { pp: 0, map: 1, opcode: 0x5e, w: [0, 0] }, // DIVPS
  vsqrtps: { pp: 0, map: 1, opcode: 0x51, w: [0, 0] }, // SQRTPS
  vmaxps: { pp: 0, map: 1, opcode: 0x5f, w: [0, 0] }, // MAXPS
  vcmpltps: { pp: 0, map: 1, opcode: 0xc2, w: [0, 0], byte: 1 }, // CMPPS, and its table 3-1
  vcmpleps: { pp: 0, map: 1, opcode: 0xc2, w: [0, 0], byte: 2 },
  vblendvps: { pp: 1, map: 3, opcode: 0x4a, w: [0, 0] }, // BLENDVPS, by a fourth register
  vblendmps: { pp: 1, map: 2, opcode: 0x65, w: [0, 0] }, // VBLENDMPD/VBLENDMPS
  vpaddd: { pp: 1, map: 1, opcode: 0xfe, w: [0, 0] }, // PADDB/PADDW/PADDD/PADDQ
  vpmulld: { pp: 1, map: 2, opcode: 0x40, w: [0, 0] }, // PMULLD/PMULLQ
  vpmuludq: { pp: 1, map: 1, opcode: 0xf4, w: [0, 1] }, // PMULUDQ
  vpmaxud: { pp: 1, map: 2, opcode: 0x3f, w: [0, 0] }, // PMAXUD/PMAXUQ
  vpcmpeqd: { pp: 1, map: 1, opcode: 0x76, w: [0, 0] }, // PCMPEQB/PCMPEQW/PCMPEQD
  vpslld: { pp: 1, map: 1, opcode: 0xf2, w: [0, 0] }, // PSLLW/PSLLD/PSLLQ, by a vector
  vpsrlq: { pp: 1, map: 1, opcode: 0xd3, w: [0, 1] }, // PSRLW/PSRLD/PSRLQ, by a vector
  vpand: { pp: 1, map: 1, opcode: 0xdb, w: [0, 0] }, // PAND
  vpandd: { pp: 1, map: 1, opcode: 0xdb, w: [0, 0] }, // PAND
  vpor: { pp: 1, map: 1, opcode: 0xeb, w: [0, 0] }, // POR
  vpord: { pp: 1, map: 1, opcode: 0xeb, w: [0, 0] }, // POR
  vpxor: { pp: 1, map: 1, opcode: 0xef, w: [0, 0] }, // PXOR
  vxorps: { pp: 0, map: 1, opcode: 0x57, w: [0, 0] }, // XORPS
  vpxord: { pp: 1, map: 1, opcode: 0xef, w: [0, 0] }, // PXOR
  vunpcklps: { pp: 0, map: 1, opcode: 0x14, w: [0, 0] }, // UNPCKLPS
  vunpckhps: { pp: 0, map: 1, opcode: 0x15, w: [0, 0] }, // UNPCKHPS
  vunpcklpd: { pp: 1, map: 1, opcode: 0x14, w: [0, 1] }, // UNPCKLPD
  vunpckhpd: { pp: 1, map: 1, opcode: 0x15, w: [0, 1] }, // UNPCKHPD
  vpermw: { pp: 1, map: 2, opcode: 0x8d, w: [0, 1] }, // VPERMW
  vdpbf16ps: { pp: 2, map: 2, opcode: 0x52, w: [0, 0] }, // VDPBF16PS
  vcvtne2ps2bf16: { pp: 3, map: 2, opcode: 0x72, w: [0, 0] }, // VCVTNE2PS2BF16
  vcvtneps2bf16: { pp: 2, map: 2, opcode: 0x72, w: [0, 0], isEvex: true }, // VCVTNEPS2BF16
  kmovw: { pp: 0, map: 1, opcode: 0x92, w: [0, 0] }, // KMOVW/KMOVB/KMOVQ/KMOVD, from r32
};

/** ADD, SUB, CMP, XOR: the opcode of `op r, r`, and the extension of `op r, immediate`. */
const ARITHMETIC: Readonly<Record<string, readonly [opcode: number, extension: number]>> = {
  add: [0x01, 0],
  sub: [0x29, 5],
  cmp: [0x39, 7],
  xor: [0x31, 6],
};

/** Jcc: the second opcode, of a jump within four bytes of distance. */
const JUMPS: Readonly<Record<string, number>> = { je: 0x84, jne: 0x85, jl: 0x8c, jge: 0x8d };

/** Without operands: RET, VZEROUPPER, CPUID, XGETBV. */
const PLAIN: Readonly<Record<string, readonly number[]>> = {
  ret: [0xc3],
  vzeroupper: [0xc5, 0xf8, 0x77],
  cpuid: [0x0f, 0xa2],
  xgetbv: [0x0f, 0x01, 0xd0],
};

const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
/** L of EVEX. */
const LENGTHS = ['xmm', 'ymm', 'zmm'];
const RIP = -1;
const REGISTERS = new Map<string, Register>();
for (let number = 0; number < 32; number++) {
  const put = (name: string, kind: Register['kind']) =>
    REGISTERS.set(name, { kind, number, mask: 0, zeroes: false });
  if (number < 16) {
    put(NAMES[number] ?? `r${number}`, 'r64');
    put(NAMES[number]?.replace('r', 'e') ?? `r${number}d`, 'r32');
    put(`xmm${number}`, 'xmm');
    put(`ymm${number}`, 'ymm');
  }
  if (number < 8) put(`k${number}`, 'k');
  put(`zmm${number}`, 'zmm');
}

export class X86Assembler {
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  /** Where four bytes of distance to a label belong. */
  readonly #gaps: { at: number; label: string }[] = [];
  readonly #operands = new Map<string, Operand>();
  /** Each instruction and label as it was written, with where it starts. */
  readonly listing: { at: number; line: string }[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  label(name: string): void {
    this.#labels.set(name, this.length);
    this.listing.push({ at: this.length, line: `${name}:` });
  }

  /** Where a label is. @throws Error if there is none */
  offsetOf(label: string): number {
    const offset = this.#labels.get(label);
    if (offset === undefined) throw new Error(`no label "${label}"`);
    return offset;
  }

  data(bytes: Uint8Array): void {
    this.#bytes.push(...bytes);
  }

  /** The code, with all distances to labels. It runs at any address. */
  finish(): Uint8Array {
    const code = Uint8Array.from(this.#bytes);
    const view = new DataView(code.buffer);
    for (const { at, label } of this.#gaps) view.setInt32(at, this.offsetOf(label) - (at + 4), true);
    return code;
  }

  /** One or more lines. @throws Error for an instruction or operand that is not known here */
  emit(...lines: string[]): void {
    for (const line of lines) {
      this.listing.push({ at: this.length, line });
      const space = line.indexOf(' ');
      if (space < 0) this.#byte(...known(PLAIN[line], line));
      else this.#instruction(line.slice(0, space), line.slice(space + 1), line);
    }
  }

  #instruction(name: string, rest: string, line: string): void {
    const operands = rest.split(', ').map((text) => this.#operand(text));
    const [first, second] = operands;
    if (VECTOR[name]) {
      this.#vector(VECTOR[name], operands, line);
    } else if (JUMPS[name] !== undefined) {
      this.#byte(0x0f, JUMPS[name]);
      this.#distance(rest);
    } else if (name === 'jmp' && first.kind === 'r64') {
      this.#general(0, [0xff], 4, first);
    } else if (name === 'jmp') {
      this.#byte(0xe9);
      this.#distance(rest);
    } else if (name === 'push' || name === 'pop') {
      const { number } = register(first, line);
      if (number >= 8) this.#byte(0x41);
      this.#byte((name === 'push' ? 0x50 : 0x58) + (number & 7));
    } else if (name === 'lea') {
      this.#general(1, [0x8d], register(first, line).number, second);
    } else if (name === 'mov') {
      const loads = second.kind === 'memory';
      const [own, other] = loads ? [first, second] : [second, first];
      this.#general(wide(own), [loads ? 0x8b : 0x89], register(own, line).number, other);
    } else {
      const [opcode, extension] = known(ARITHMETIC[name], line);
      if (second.kind === 'immediate') {
        this.#general(wide(first), [fitsByte(second.value) ? 0x83 : 0x81], extension, first);
        if (fitsByte(second.value)) this.#byte(second.value & 255);
        else this.#int32(second.value);
      } else this.#general(wide(first), [opcode], register(second, line).number, first);
    }
  }

  /** Of general registers: REX, opcode, ModRM (SDM 2.2.1). */
  #general(w: 0 | 1, opcode: readonly number[], reg: number, rm: Operand): void {
    const { x, b } = extensions(rm);
    const rex = 0x40 | (w << 3) | ((reg >> 3) << 2) | ((x & 1) << 1) | (b & 1);
    if (rex !== 0x40) this.#byte(rex);
    this.#byte(...opcode);
    this.#modRM(reg, rm, true);
  }

  /**
   * The first operand is ModRM.reg, the last ModRM.rm, one between them vvvv (SDM 2.3.5, 2.7.1). A
   * store swaps the ends. A fourth operand is a register in a byte at the end (SDM 2.3.8).
   */
  #vector(encoding: VectorEncoding, all: readonly Operand[], line: string): void {
    const operands = all.slice(0, 3);
    const [first] = operands;
    const last = operands[operands.length - 1];
    const stores = first.kind === 'memory';
    const reg = register(stores ? last : first, line);
    const rm = stores ? first : last;
    const middle = operands.length === 3 ? register(operands[1], line).number : 0;
    const { pp, map, w, isEvex = operands.some(({ kind }) => kind === 'zmm') } = encoding;
    const opcode = stores ? known(encoding.store, line) : encoding.opcode;
    const { x, b } = extensions(rm);
    const low = (not(reg.number >> 3) << 7) | (not(x) << 6) | (not(b) << 5);
    if (isEvex) {
      // The wider one counts: a conversion halves a vector.
      const length = LENGTHS.indexOf(last.kind === 'memory' ? reg.kind : last.kind);
      this.#byte(0x62, low | (not(reg.number >> 4) << 4) | map);
      this.#byte((w[1] << 7) | ((~middle & 15) << 3) | 4 | pp);
      this.#byte((first.zeroes ? 0x80 : 0) | (length << 5) | (not(middle >> 4) << 3) | first.mask, opcode);
    } else {
      const is256 = reg.kind === 'ymm' ? 4 : 0;
      this.#byte(0xc4, low | map, (w[0] << 7) | ((~middle & 15) << 3) | is256 | pp, opcode);
    }
    // EVEX counts an offset of one byte in vectors (SDM 2.7.5), so its offsets have four here.
    this.#modRM(reg.number, rm, !isEvex);
    const [, , , fourth] = all;
    if (encoding.byte !== undefined) this.#byte(encoding.byte);
    else if (fourth) this.#byte(register(fourth, line).number << 4);
  }

  /** ModRM, SIB and offset (SDM 2.1.3 to 2.1.5). */
  #modRM(reg: number, rm: Operand, mayShorten: boolean): void {
    const high = (reg & 7) << 3;
    if (rm.kind === 'immediate') throw new Error(`found ${rm.value}, expected a register or memory`);
    if (rm.kind !== 'memory') {
      this.#byte(0xc0 | high | (rm.number & 7));
    } else if (rm.base === RIP) {
      this.#byte(high | 5);
      this.#distance(rm.label);
    } else {
      const { base, index, scale, offset } = rm;
      const isShort = mayShorten && fitsByte(offset);
      const mode = offset === 0 && (base & 7) !== 5 ? 0 : isShort ? 0x40 : 0x80;
      const needsSib = index !== null || (base & 7) === 4;
      this.#byte(mode | high | (needsSib ? 4 : base & 7));
      if (needsSib) this.#byte((Math.log2(scale) << 6) | (((index ?? 4) & 7) << 3) | (base & 7));
      if (mode === 0x40) this.#byte(offset & 255);
      else if (mode === 0x80) this.#int32(offset);
    }
  }

  #operand(text: string): Operand {
    let operand = this.#operands.get(text);
    if (operand === undefined) {
      operand = parse(text);
      this.#operands.set(text, operand);
    }
    return operand;
  }

  #distance(label: string): void {
    this.#gaps.push({ at: this.length, label });
    this.#int32(0);
  }

  #byte(...bytes: readonly number[]): void {
    this.#bytes.push(...bytes);
  }

  #int32(value: number): void {
    this.#byte(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
  }
}

/** A number, a register `zmm3{k1}{z}`, memory `[rax+rcx*4+64]{k1}`, or a label. */
function parse(text: string): Operand {
  const [, name, mask, zeroes] = /^([^{]*)(?:\{k(\d)\})?(\{z\})?$/.exec(text) ?? [];
  const masked: Masked = { mask: Number(mask ?? 0), zeroes: zeroes !== undefined };
  if (/^-?\d+$/.test(name)) return { kind: 'immediate', value: Number(name), ...masked };
  const register = REGISTERS.get(name);
  if (register) return { ...register, ...masked };
  let memory: Memory = {
    kind: 'memory',
    base: RIP,
    index: null,
    scale: 1,
    offset: 0,
    label: name,
    ...masked,
  };
  if (!name.startsWith('[')) return memory;
  for (const term of name.slice(1, -1).split('+')) {
    const [part, scale = '1'] = term.split('*');
    const register = REGISTERS.get(part);
    if (/^\d+$/.test(term)) memory = { ...memory, offset: Number(term) };
    else if (!register) memory = { ...memory, label: term };
    else if (memory.base === RIP) memory = { ...memory, base: register.number };
    else memory = { ...memory, index: register.number, scale: Number(scale) };
  }
  return memory;
}

/** The bits of the registers in ModRM.rm and SIB that have no place there (SDM table 2-31). */
function extensions(rm: Operand): { x: number; b: number } {
  if (rm.kind === 'immediate') return { x: 0, b: 0 };
  if (rm.kind !== 'memory') return { x: rm.number >> 4, b: rm.number >> 3 };
  return { x: (rm.index ?? 0) >> 3, b: rm.base === RIP ? 0 : rm.base >> 3 };
}

/** EVEX and VEX hold these bits inverted. */
function not(bit: number): number {
  return (bit & 1) ^ 1;
}

function fitsByte(value: number): boolean {
  return value === (value << 24) >> 24;
}

function wide(operand: Operand): 0 | 1 {
  return operand.kind === 'r64' ? 1 : 0;
}

function register(operand: Operand, line: string): Register {
  if (operand.kind === 'memory' || operand.kind === 'immediate') throw new Error(`no register in "${line}"`);
  return operand;
}

function known<T>(found: T | undefined, line: string): T {
  if (found === undefined) throw new Error(`no encoding for "${line}"`);
  return found;
}
