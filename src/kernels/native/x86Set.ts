/** The vector machine on x86-64, by AVX2 and FMA or by AVX-512. Both compute the same lanes, so they give the same bits. */
import type { DType } from '../kernels.js';
import { JOB_BYTES } from './jobs.js';
import type { InstructionSet, IntegerLines, ProductLines } from './vectorCode.js';
import { X86Assembler } from './x86.js';

export type X86Set = 'avx2' | 'avx512';
export type X86Lines = ReturnType<typeof vectorLines>;

const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rbp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
/** AVX2 keeps there the address of its mask. */
const MASK = 'r15';
const SAVED = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];

/**
 * @param windows whether callers pass arguments and keep registers as Windows does
 * @param pairs whether elements are pairs of bfloat16, for AVX-512 alone
 */
export function x86Set(set: X86Set, dtype: DType, windows: boolean, pairs = false): InstructionSet<X86Lines> {
  const assembler = new X86Assembler();
  const is512 = set === 'avx512';
  const vectorBytes = is512 ? 64 : 32;
  const bytes = dtype === 'float32' ? 4 : 8;
  return {
    assembler,
    enter: () => enter(assembler, windows),
    registers: is512 ? REGISTERS : REGISTERS.filter((register) => register !== MASK),
    integers: {
      ...INTEGERS,
      useParts(field, count) {
        if (!is512) return [`lea ${MASK}, [rip+masks]`, `mov eax, ${inJob(field)}`, `add ${MASK}, rax`];
        const parts = Array.from({ length: count }, (_, i) => i);
        return parts.flatMap((i) => [`mov eax, ${inJob(field + i)}`, `kmovw k${1 + i}, eax`]);
      },
    },
    vectorRegisters: is512 ? 32 : 16,
    vectorBytes,
    vectorName: (register, bytes) => `${{ 16: 'xmm', 32: 'ymm', 64: 'zmm' }[bytes]}${register}`,
    at: (base, beyond = 0) => `[${base}${beyond === 0 ? '' : `+${beyond}`}]`,
    constant: (label) => `[rip+${label}]`,
    vectors: vectorLines(is512, dtype, pairs),
    // A mask costs AVX-512 nothing, so it always has one, of 4 bytes a lane. AVX2 reads one from the code.
    partOf: (rest) => (is512 || rest > 0 ? '1' : '0'),
    maskOf: (rest) => {
      const inside = rest * bytes || vectorBytes;
      return is512 ? 2 ** (inside / 4) - 1 : vectorBytes - inside;
    },
  };
}

/** A field of the job. */
export const inJob = (field: number) => `[rsi+${4 * field}]`;

/** rdi is the address of the memory, and rsi the job. */
const INTEGERS: Omit<IntegerLines, 'useParts'> = {
  field: (to, field) => `mov ${lower(to)}, ${inJob(field)}`,
  address: (to, field) => [`mov ${lower(to)}, ${inJob(field)}`, `add ${to}, rdi`],
  move: (to, from) => `mov ${to}, ${from}`,
  add: (to, by) => `add ${to}, ${by}`,
  compare: (register, n) => `cmp ${register}, ${n}`,
  subtract: (register, n) => `sub ${register}, ${n}`,
  jump: (when, label) => `${{ always: 'jmp', equal: 'je', notEqual: 'jne', less: 'jl' }[when]} ${label}`,
};

/** On two vectors. */
const binary = (name: string) => (to: string, x: string, y: string) => `${name} ${to}, ${x}, ${y}`;

function vectorLines(is512: boolean, dtype: DType, pairs: boolean) {
  const [many, one] = dtype === 'float32' ? ['ps', 'ss'] : ['pd', 'sd'];
  /** Of bits; EVEX has them with the size of a lane in their name. */
  const bitwise = (name: string) => binary(is512 ? `${name}d` : name);
  const fused = pairs ? 'vdpbf16ps' : `vfmadd231${many}`;
  const rounded = (load: string) => (to: string, from: string) => {
    return pairs ? [`${load} ${to}, ${from}`, `vcvtneps2bf16 ${to}, ${to}`] : `vmov${one} ${to}, ${from}`;
  };
  const products = {
    zero: (to) => `${to.startsWith('z') ? 'vpxord' : 'vxorps'} ${to}, ${to}, ${to}`,
    add: binary(`vadd${many}`),
    factor: (to, from) => `vbroadcast${one} ${to}, ${from}`,
    scale: binary(`vmul${many}`),
    multiplyAdd: (to, _, factor, x) => `${fused} ${to}, ${factor}, ${x}`,
    load(to: string, from: string, part = '0') {
      if (part === '0') return `vmovups ${to}, ${from}`;
      if (is512) return `vmovups ${to}{k${part}}{z}, ${from}`;
      return [`vmovups ${to}, [${MASK}]`, `vmaskmovps ${to}, ${to}, ${from}`];
    },
    store(to: string, value: string, place: string, part = '0') {
      if (part === '0') return `vmovups ${place}, ${value}`;
      if (is512) return `vmovups ${place}{k${part}}, ${value}`;
      return [`vmovups ${to}, [${MASK}]`, `vmaskmovps ${place}, ${to}, ${value}`];
    },
    zipLow4: binary('vunpcklps'),
    zipHigh4: binary('vunpckhps'),
    zipLow8: binary('vunpcklpd'),
    zipHigh8: binary('vunpckhpd'),
    loadRow(to, from) {
      const wide = to.replace('x', 'y');
      return pairs ? [`vmovups ${wide}, ${from}`, `vcvtneps2bf16 ${to}, ${wide}`] : `vmovups ${to}, ${from}`;
    },
    loadElement: rounded('vmovsd'),
    loadLast: rounded('vmovss'),
    storeElement: (_, value, place) => `vmov${one} ${place}, ${value}`,
  } satisfies ProductLines;
  return {
    ...products,
    /** Pairs of x and y, by an order of their 64 numbers. */
    round: (to: string, x: string, y: string, order: string) => [
      `vcvtne2ps2bf16 ${to}, ${y}, ${x}`,
      `vpermw ${to}, ${order}, ${to}`,
    ],
    sub: binary('vsubps'),
    mul: binary('vmulps'),
    div: binary('vdivps'),
    sqrt: (to: string, x: string) => `vsqrtps ${to}, ${x}`,
    /** y where either is NaN, or both are 0. */
    max: binary('vmaxps'),
    addInts: binary('vpaddd'),
    mulInts: binary('vpmulld'),
    /** 64 bits of the product of each even lane. */
    mulEven: binary('vpmuludq'),
    maxUnsigned: binary('vpmaxud'),
    /** By the first half of a vector of 16 bytes. */
    shiftLeft: binary('vpslld'),
    shiftRight64: binary('vpsrlq'),
    and: bitwise('vpand'),
    or: bitwise('vpor'),
    xor: bitwise('vpxor'),
    /** `no`, but `yes`, which is in a register, where x is below y, or at most y. Neither holds for NaN. */
    ifBelow: choice('vcmpltps'),
    ifAtMost: choice('vcmpleps'),
    /** An integer of 4 bytes in all lanes. */
    broadcastInt: (to: string, from: string) => `vbroadcastss ${to}, ${from}`,
    /** Before `findNonzero`. */
    usePicks: (_: string, picks: string) => (is512 ? [] : `lea ${picks}, [rip+picks]`),
    /** Which lanes of x are not 0, for `pick`, and how many they are. With AVX2, for float32 alone. */
    findNonzero: (to: string, x: string, zero: string, count: string, picks: string) => [
      ...(is512
        ? [`vcmpneq${many} k7, ${x}, ${zero}`, `kmovw ${lower(count)}, k7`]
        : [
            `vcmpneqps ${to}, ${x}, ${zero}`,
            `vmovmskps ${lower(count)}, ${to}`,
            ...Array(3).fill(`add ${count}, ${count}`),
            `vpmovzxbd ${to}, [${picks}+${count}]`,
          ]),
      `popcnt ${lower(count)}, ${lower(count)}`,
    ],
    /** Those lanes side by side. */
    pick: (to: string, found: string, x: string) =>
      is512 ? `vcompress${many} ${to}{k7}{z}, ${x}` : `vpermps ${to}, ${found}, ${x}`,
    pickInts: (to: string, found: string, x: string) =>
      is512 ? `vcompressps ${to}{k7}{z}, ${x}` : `vpermps ${to}, ${found}, ${x}`,
    // Integers that lists hold, of 4 bytes.
    readInt: (_: string, to: string, place: string) => `mov ${lower(to)}, ${place}`,
    writeInt: (_: string, from: string, place: string) => `mov ${place}, ${lower(from)}`,
    clearInt: (_: string, register: string) => `xor ${register}, ${register}`,
    /** 0, but `yes` where x and y have the same bits. */
    ifSame: (to: string, x: string, y: string, yes: string) =>
      is512
        ? [`vpcmpeqd k1, ${x}, ${y}`, `vmovups ${to}{k1}{z}, ${yes}`]
        : [`vpcmpeqd ${to}, ${x}, ${y}`, `vpand ${to}, ${to}, ${yes}`],
  };

  function choice(compare: string) {
    return (to: string, x: string, y: string, no: string, yes: string) =>
      is512
        ? [`${compare} k1, ${x}, ${y}`, `vblendmps ${to}{k1}, ${no}, ${yes}`]
        : [`${compare} ${to}, ${x}, ${y}`, `vblendvps ${to}, ${no}, ${yes}, ${to}`];
  }
}

function enter(asm: X86Assembler, windows: boolean): void {
  const saved = windows ? [...SAVED, 'rdi', 'rsi'] : SAVED;
  const vectors = windows ? Array.from({ length: 10 }, (_, i) => [`[rsp+${16 * i}]`, `xmm${6 + i}`]) : [];
  asm.label('start');
  asm.emit(...saved.map((register) => `push ${register}`));
  if (windows) asm.emit('mov rdi, rcx', 'mov rsi, rdx', 'sub rsp, 160');
  asm.emit(...vectors.map(([place, register]) => `vmovups ${place}, ${register}`), 'jmp first');
  asm.label('next');
  asm.emit(`add rsi, ${JOB_BYTES}`);
  asm.label('first');
  asm.emit('lea rcx, [rip+start]', 'mov eax, [rsi]', 'add rax, rcx', 'jmp rax');
  asm.label('return');
  asm.emit('vzeroupper', ...vectors.map(([place, register]) => `vmovups ${register}, ${place}`));
  if (windows) asm.emit('add rsp, 160');
  asm.emit(...saved.toReversed().map((register) => `pop ${register}`), 'ret');
  // Masks of AVX2: lanes of which the highest bit is set, and others.
  asm.data(
    'masks',
    Uint8Array.from({ length: 64 }, (_, i) => (i < 32 ? 255 : 0)),
  );
}

/** The lower half of a register. */
function lower(register: string): string {
  return /\d/.test(register) ? `${register}d` : register.replace('r', 'e');
}
