/**
 * An assembler for the few x86-64 instructions that the machine code needs. A line is written as in
 * Intel's manual, `vfmadd231ps zmm3, zmm24, [rax+rcx+64]`, and becomes bytes at once. Sections
 * are those of the Intel 64 and IA-32 Software Developer's Manual, volume 2 (SDM).
 *
 * Vectors of 128 and 256 bits (xmm, ymm) are encoded by VEX, of 512 bits (zmm) and what has no VEX form by EVEX.
 */
import { Assembler } from './assembler.js';

/**
 * The encoding that the page of each in SDM volume 2 (chapters 4 and 5, by name) gives: prefix, map, W, opcode;
 * the opcode where the first operand is memory, or a general register; a byte behind the operands that belongs to the
 * name; whether the first operand is ModRM.rm, as memory would be. Where VEX ignores W, it is that of EVEX.
 */
const VECTOR: Readonly<Record<string, string>> = {
  vmovups: 'NP.0F.W0 10 store 11', // MOVUPS
  vmovss: 'F3.0F.W0 10 store 11', // MOVSS
  vmovsd: 'F2.0F.W1 10 store 11', // MOVSD
  vmaskmovps: '66.0F38.W0 2c store 2e', // VMASKMOV
  vbroadcastss: '66.0F38.W0 18', // VBROADCAST
  vbroadcastsd: '66.0F38.W0/1 19', // VBROADCAST: 0 in VEX, 1 in EVEX
  vfmadd231ps: '66.0F38.W0 b8', // VFMADD132PS/VFMADD213PS/VFMADD231PS
  vfmadd231pd: '66.0F38.W1 b8', // VFMADD132PD/VFMADD213PD/VFMADD231PD
  vmulps: 'NP.0F.W0 59', // MULPS
  vmulpd: '66.0F.W1 59', // MULPD
  vaddps: 'NP.0F.W0 58', // ADDPS
  vaddpd: '66.0F.W1 58', // ADDPD
  vsubps: 'NP.0F.W0 5c', // SUBPS
  vdivps: 'NP.0F.W0 5e', // DIVPS
  vsqrtps: 'NP.0F.W0 51', // SQRTPS
  vmaxps: 'NP.0F.W0 5f', // MAXPS
  vcmpltps: 'NP.0F.W0 c2 byte 1', // CMPPS, and its table 3-1
  vcmpleps: 'NP.0F.W0 c2 byte 2',
  vcmpneqps: 'NP.0F.W0 c2 byte 4',
  vcmpneqpd: '66.0F.W1 c2 byte 4', // CMPPD
  vblendvps: '66.0F3A.W0 4a', // BLENDVPS, by a fourth register
  vblendmps: '66.0F38.W0 65', // VBLENDMPD/VBLENDMPS
  vpaddd: '66.0F.W0 fe', // PADDB/PADDW/PADDD/PADDQ
  vpmulld: '66.0F38.W0 40', // PMULLD/PMULLQ
  vpmuludq: '66.0F.W1 f4', // PMULUDQ
  vpmaxud: '66.0F38.W0 3f', // PMAXUD/PMAXUQ
  vpcmpeqd: '66.0F.W0 76', // PCMPEQB/PCMPEQW/PCMPEQD
  vpslld: '66.0F.W0 f2', // PSLLW/PSLLD/PSLLQ, by a vector
  vpsrlq: '66.0F.W1 d3', // PSRLW/PSRLD/PSRLQ, by a vector
  vpand: '66.0F.W0 db', // PAND
  vpandd: '66.0F.W0 db', // PAND
  vpor: '66.0F.W0 eb', // POR
  vpord: '66.0F.W0 eb', // POR
  vpxor: '66.0F.W0 ef', // PXOR
  vpxord: '66.0F.W0 ef', // PXOR
  vxorps: 'NP.0F.W0 57', // XORPS
  vunpcklps: 'NP.0F.W0 14', // UNPCKLPS
  vunpckhps: 'NP.0F.W0 15', // UNPCKHPS
  vunpcklpd: '66.0F.W1 14', // UNPCKLPD
  vunpckhpd: '66.0F.W1 15', // UNPCKHPD
  vpermw: '66.0F38.W1 8d', // VPERMW
  vdpbf16ps: 'F3.0F38.W0 52', // VDPBF16PS
  vcvtne2ps2bf16: 'F2.0F38.W0 72', // VCVTNE2PS2BF16
  vcvtneps2bf16: 'EVEX.F3.0F38.W0 72', // VCVTNEPS2BF16
  vmovmskps: 'NP.0F.W0 50', // MOVMSKPS
  vpmovzxbd: '66.0F38.W0 31', // PMOVZX
  vpermps: '66.0F38.W0 16', // VPERMPS
  vcompressps: '66.0F38.W0 8a turned', // VCOMPRESSPS
  vcompresspd: '66.0F38.W1 8a turned', // VCOMPRESSPD
  kmovw: 'NP.0F.W0 92 general 93', // KMOVW/KMOVB/KMOVQ/KMOVD, from r32 and to it
};
const ENCODING =
  /^(EVEX\.)?(NP|66|F3|F2)\.(0F|0F38|0F3A)\.W([01])(?:\/([01]))? (\w\w)(?: store (\w\w))?(?: general (\w\w))?(?: byte (\d))?( turned)?$/;

/** ADD, SUB, CMP, XOR: the opcode of `op r, r`, and the extension of `op r, immediate`. */
const ARITHMETIC: Readonly<Record<string, readonly [opcode: number, extension: number]>> = {
  add: [0x01, 0],
  sub: [0x29, 5],
  cmp: [0x39, 7],
  xor: [0x31, 6],
};

/** JMP and Jcc, within four bytes of distance. */
const JUMPS: Readonly<Record<string, readonly number[]>> = {
  jmp: [0xe9],
  je: [0x0f, 0x84],
  jne: [0x0f, 0x85],
  jl: [0x0f, 0x8c],
};

/** Without operands: RET, VZEROUPPER, CPUID, XGETBV. */
const PLAIN: Readonly<Record<string, readonly number[]>> = {
  nop: [0x90],
  ret: [0xc3],
  vzeroupper: [0xc5, 0xf8, 0x77],
  cpuid: [0x0f, 0xa2],
  xgetbv: [0x0f, 0x01, 0xd0],
};

interface Operand {
  kind: 'r64' | 'r32' | 'xmm' | 'ymm' | 'zmm' | 'k' | 'memory' | 'immediate';
  /** Of the register, or the base of memory; or the immediate. */
  number: number;
  /** Memory: `[base+index+offset]`, or `[rip+label]` and `label` with the base RIP. */
  index?: number;
  offset: number;
  label: string;
  /** {k1}: lanes outside of this mask are not stored, or become 0 with {z}. */
  mask: number;
  zeroes: boolean;
}

const RIP = -1;
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
/** By how they are written: all registers, and what was parsed. */
const OPERANDS = new Map<string, Operand>();
for (let number = 0; number < 32; number++) {
  const put = (kind: Operand['kind'], name = `${kind}${number}`) =>
    OPERANDS.set(name, { kind, number, offset: 0, label: name, mask: 0, zeroes: false });
  put('zmm');
  if (number < 8) put('k');
  if (number >= 16) continue;
  put('r64', NAMES[number] ?? `r${number}`);
  put('r32', NAMES[number]?.replace('r', 'e') ?? `r${number}d`);
  put('xmm');
  put('ymm');
}

/** Instructions that do nothing, with their lengths (SDM volume 2, NOP). */
const PADDING = [
  [8, 'nop [rax+rax+128]'],
  [7, 'nop [rax+128]'],
  [5, 'nop [rax+rax+8]'],
  [4, 'nop [rax+8]'],
  [3, 'nop [rax]'],
  [1, 'nop'],
] as const;

/** Of what a processor keeps of decoded code. On a Zen 3 a product is 1.03 times as fast as from anywhere. */
const LOOP_BYTES = 32;

export class X86Assembler extends Assembler {
  override alignLoop(): void {
    const end = LOOP_BYTES * Math.ceil(this.bytes.length / LOOP_BYTES);
    for (const [length, line] of PADDING) {
      while (this.bytes.length + length <= end) this.emit(line);
    }
  }

  protected override encode(line: string): void {
    const space = line.indexOf(' ');
    const name = space < 0 ? line : line.slice(0, space);
    const operands =
      space < 0
        ? []
        : line
            .slice(space + 1)
            .split(', ')
            .map(operandOf);
    const [first, second] = operands;
    if (PLAIN[line]) {
      this.bytes.push(...PLAIN[line]);
    } else if (VECTOR[name]) {
      this.#vector(VECTOR[name], operands, line);
    } else if (name === 'jmp' && first.kind === 'r64') {
      this.#general(0, 0xff, 4, first);
    } else if (JUMPS[name]) {
      this.bytes.push(...JUMPS[name]);
      this.#distance(first.label);
    } else if (name === 'push' || name === 'pop') {
      if (first.number >= 8) this.bytes.push(0x41);
      this.bytes.push((name === 'push' ? 0x50 : 0x58) + (first.number & 7));
    } else if (name === 'nop') {
      this.bytes.push(0x0f);
      this.#general(0, 0x1f, 0, first);
    } else if (name === 'popcnt') {
      this.bytes.push(0xf3);
      this.#general(0, [0x0f, 0xb8], first.number, second);
    } else if (name === 'lea') {
      this.#general(1, 0x8d, first.number, second);
    } else if (name === 'mov') {
      const loads = second.kind === 'memory';
      const [own, other] = loads ? [first, second] : [second, first];
      this.#general(wide(own), loads ? 0x8b : 0x89, own.number, other);
    } else {
      const [opcode, extension] = known(ARITHMETIC[name], line);
      if (second.kind !== 'immediate') this.#general(wide(first), opcode, second.number, first);
      else {
        const { number } = second;
        this.#general(wide(first), fitsByte(number) ? 0x83 : 0x81, extension, first);
        if (fitsByte(number)) this.bytes.push(number & 255);
        else this.int32(number);
      }
    }
  }

  /** Of general registers: REX, opcode, ModRM (SDM 2.2.1). */
  #general(w: 0 | 1, opcode: number | readonly number[], reg: number, rm: Operand): void {
    const { x, b } = extensions(rm);
    const rex = 0x40 | (w << 3) | ((reg >> 3) << 2) | ((x & 1) << 1) | (b & 1);
    if (rex !== 0x40) this.bytes.push(rex);
    this.bytes.push(...[opcode].flat());
    this.#modRM(reg, rm, true);
  }

  /**
   * The first operand is ModRM.reg, the last ModRM.rm, one between them vvvv (SDM 2.3.5, 2.7.1). A
   * store swaps the ends. A fourth operand is a register in a byte at the end (SDM 2.3.8).
   */
  #vector(encoding: string, operands: readonly Operand[], line: string): void {
    const [first, second, , fourth] = operands;
    const last = operands.length === 2 ? second : operands[2];
    const [, evex, prefix, map, w, evexW = w, load, store, general, byte, turned] = known(
      ENCODING.exec(encoding),
      line,
    );
    const stores = first.kind === 'memory';
    const [reg, rm] = stores || turned ? [last, first] : [first, last];
    const between = operands.length === 2 ? undefined : second;
    const isNoRegister = (one?: Operand) => one?.kind === 'memory' || one?.kind === 'immediate';
    // A distance counts from the end of an instruction, so no byte may follow it here.
    if (isNoRegister(reg) || isNoRegister(between) || (fourth && isNoRegister(rm))) {
      throw new Error(`no register in "${line}"`);
    }
    const middle = between?.number ?? 0;
    const opcode = known(stores ? store : first.kind === 'r32' ? (general ?? load) : load, line);
    // As VEX numbers the prefixes and maps (SDM 2.3.6).
    const pp = ['NP', '66', 'F3', 'F2'].indexOf(prefix);
    const { x, b } = extensions(rm);
    const low = (not(reg.number >> 3) << 7) | (not(x) << 6) | (not(b) << 5);
    const mapNumber = ['', '0F', '0F38', '0F3A'].indexOf(map);
    const isEvex = evex !== undefined || operands.some(({ kind }) => kind === 'zmm');
    if (isEvex) {
      // The wider one counts: a conversion halves a vector.
      const length = ['xmm', 'ymm', 'zmm'].indexOf(last.kind === 'memory' ? reg.kind : last.kind);
      this.bytes.push(0x62, low | (not(reg.number >> 4) << 4) | mapNumber);
      this.bytes.push((Number(evexW) << 7) | ((~middle & 15) << 3) | 4 | pp);
      this.bytes.push((first.zeroes ? 0x80 : 0) | (length << 5) | (not(middle >> 4) << 3) | first.mask);
    } else {
      const is256 = reg.kind === 'ymm' || rm.kind === 'ymm' ? 4 : 0;
      this.bytes.push(0xc4, low | mapNumber, (Number(w) << 7) | ((~middle & 15) << 3) | is256 | pp);
    }
    this.bytes.push(Number.parseInt(opcode, 16));
    // EVEX counts an offset of one byte in vectors (SDM 2.7.5), so its offsets have four here.
    this.#modRM(reg.number, rm, !isEvex);
    if (byte !== undefined) this.bytes.push(Number(byte));
    else if (fourth) this.bytes.push(fourth.number << 4);
  }

  /** ModRM, SIB and offset (SDM 2.1.3 to 2.1.5). */
  #modRM(reg: number, rm: Operand, mayShorten: boolean): void {
    const { kind, number, index, offset, label } = rm;
    const high = (reg & 7) << 3;
    if (kind !== 'memory') {
      this.bytes.push(0xc0 | high | (number & 7));
    } else if (number === RIP) {
      this.bytes.push(high | 5);
      this.#distance(label);
    } else {
      const isShort = mayShorten && fitsByte(offset);
      const mode = offset === 0 && (number & 7) !== 5 ? 0 : isShort ? 0x40 : 0x80;
      const needsSib = index !== undefined || (number & 7) === 4;
      this.bytes.push(mode | high | (needsSib ? 4 : number & 7));
      if (needsSib) this.bytes.push((((index ?? 4) & 7) << 3) | (number & 7));
      if (mode === 0x40) this.bytes.push(offset & 255);
      else if (mode === 0x80) this.int32(offset);
    }
  }

  #distance(label: string): void {
    const at = this.bytes.length;
    this.refer(label, (to) => this.int32(to - (at + 4), at));
    this.int32(0);
  }
}

function operandOf(text: string): Operand {
  const operand = OPERANDS.get(text) ?? parse(text);
  OPERANDS.set(text, operand);
  return operand;
}

/** A number, a register or memory with a mask, `zmm3{k1}{z}`, `[rax+rcx+64]{k1}`, or a label. */
function parse(text: string): Operand {
  const [, name, mask = '0', zeroes] = /^([^{]*)(?:\{k(\d)\})?(\{z\})?$/.exec(text) ?? [];
  const masked = { mask: Number(mask), zeroes: zeroes !== undefined };
  const register = OPERANDS.get(name);
  if (register) return { ...register, ...masked };
  const operand: Operand = { kind: 'memory', number: RIP, offset: 0, label: name, ...masked };
  if (/^-?\d+$/.test(name)) return { ...operand, kind: 'immediate', number: Number(name) };
  for (const term of name.startsWith('[') ? name.slice(1, -1).split('+') : []) {
    const register = OPERANDS.get(term);
    if (/^\d+$/.test(term)) operand.offset = Number(term);
    else if (!register) operand.label = term;
    else if (operand.number === RIP) operand.number = register.number;
    else operand.index = register.number;
  }
  return operand;
}

/** The bits of the registers in ModRM.rm and SIB that have no place there (SDM table 2-31). */
function extensions({ kind, number, index = 0 }: Operand): { x: number; b: number } {
  if (kind !== 'memory') return { x: number >> 4, b: number >> 3 };
  return { x: index >> 3, b: number === RIP ? 0 : number >> 3 };
}

/** EVEX and VEX hold these bits inverted. */
function not(bit: number): number {
  return (bit & 1) ^ 1;
}

function fitsByte(value: number): boolean {
  return value === (value << 24) >> 24;
}

function wide({ kind }: Operand): 0 | 1 {
  return kind === 'r64' ? 1 : 0;
}

function known<T>(found: T | undefined | null, line: string): T {
  if (found === undefined || found === null) throw new Error(`no encoding for "${line}"`);
  return found;
}
