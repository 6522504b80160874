/** Finds the instruction sets that products can be written for here, or why there is none. */
import { ExitCode, MlpError } from '../../errors.js';
import type { DType } from '../kernels.js';
import { Arm64Assembler } from './arm64.js';
import { type CodeMemory, type OpenCode, openCode, place, systemMemory } from './executable.js';
import type { Program } from './jobs.js';
import { type NativeSet, productProgram, type Sums } from './productCode.js';
import { X86Assembler } from './x86.js';

export type { NativeSet };
export type NativeCode = OpenCode<Program>;

export interface NativeSearch {
  /** Fastest first. All of them give the same bits. */
  readonly sets: readonly NativeSet[];
  /** Whether `avx512` multiplies bfloat16, too: the processor has AVX512-BF16. */
  readonly bfloat16?: true;
  /** Why there is none, for the user. */
  readonly reason?: string;
}

/** What the search knows of the machine; a test can describe any other. */
export interface NativeMachine {
  readonly arch: string;
  /** Read: MLP_NATIVE. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const SETS: readonly NativeSet[] = ['avx512', 'avx2', 'neon'];

/** @param open by which memory becomes executable; throws where there is no way */
export function findNative(
  { arch, env }: NativeMachine,
  open: () => CodeMemory = systemMemory,
): NativeSearch {
  const { MLP_NATIVE: asked = '' } = env;
  if (asked === '0') return none('MLP_NATIVE=0 turns it off');
  const isSet = (SETS as readonly string[]).includes(asked);
  if (asked !== '' && asked !== '1' && !isSet) {
    return none(
      `MLP_NATIVE: found ${JSON.stringify(asked)}, expected 0, 1, ${SETS.slice(0, -1).join(', ')} or ${SETS.at(-1)}`,
    );
  }
  if (arch !== 'x64' && arch !== 'arm64') {
    return none(`found a processor of kind ${arch}, expected x64 or arm64`);
  }
  let found: NativeSearch;
  try {
    found = arch === 'x64' ? x86Sets(open()) : armSets(open());
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error));
  }
  if (found.sets.length === 0) return none('found a processor without AVX2 and FMA');
  if (!isSet) return found;
  const sets = found.sets.filter((set) => set === asked);
  if (sets.length === 0) return none(`found a processor without MLP_NATIVE=${asked}`);
  return { sets, ...(asked === 'avx512' && found.bfloat16 && { bfloat16: true }) };
}

function none(reason: string): NativeSearch {
  return { sets: [], reason };
}

/** The error if `native` is demanded and the search found nothing. */
export function nativeUnavailable({ reason }: NativeSearch): MlpError {
  return new MlpError(
    ExitCode.unavailable,
    `backend native: ${reason}`,
    'use --backend wasm, or see mlp doctor for what this machine has',
  );
}

/** Why products can't round to bfloat16 here, for the user; undefined if they can. */
export function bfloat16Missing({ sets, bfloat16, reason }: NativeSearch, { env }: NativeMachine) {
  if (bfloat16) return undefined;
  const isNamed = sets.length > 0 && sets[0] !== 'avx512' && sets[0] === env.MLP_NATIVE;
  return (
    reason ?? (isNamed ? `MLP_NATIVE=${sets[0]} has no bfloat16` : 'found a processor without AVX512-BF16')
  );
}

/** By what the processor says of itself and the registers that the system saves (SDM 1, 14.3, 15.2). */
function x86Sets(memory: CodeMemory): NativeSearch {
  /** The three integers that a function leaves at its first argument, r8. */
  const ask = (...lines: string[]) => {
    const asm = new X86Assembler();
    asm.emit('push rbx', `mov r8, ${process.platform === 'win32' ? 'rcx' : 'rdi'}`);
    asm.emit(...lines, 'pop rbx', 'ret');
    const answer = new Uint32Array(3);
    memory.bind(place(asm.finish(), memory))(memory.addressOf(answer), 0);
    return answer;
  };
  const [leaf1, leaf7, leaf7Sub1] = ask(
    ...['xor eax, eax', 'add eax, 1', 'cpuid', 'mov [r8], ecx'],
    ...['xor eax, eax', 'add eax, 7', 'xor ecx, ecx', 'cpuid', 'mov [r8+4], ebx'],
    ...['xor eax, eax', 'add eax, 7', 'xor ecx, ecx', 'add ecx, 1', 'cpuid', 'mov [r8+8], eax'],
  );
  const FMA = 1 << 12;
  const OSXSAVE = 1 << 27;
  const AVX = 1 << 28;
  const AVX2 = 1 << 5;
  const AVX512F = 1 << 16;
  const AVX512BW = 1 << 30;
  const AVX512_BF16 = 1 << 5; // 0 on a processor without this part of the leaf
  const has = (bits: number, wanted: number) => (bits & wanted) === wanted;
  if (!has(leaf1, FMA | OSXSAVE | AVX) || !has(leaf7, AVX2)) return { sets: [] };
  // XCR0: xmm and ymm are saved; and the masks and all of zmm.
  const [saved] = ask('xor ecx, ecx', 'xgetbv', 'mov [r8], eax');
  if (!has(saved, 0x6)) return { sets: [] };
  if (!has(leaf7, AVX512F) || !has(saved, 0xe6)) return { sets: ['avx2'] };
  const bfloat16 = has(leaf7, AVX512BW) && has(leaf7Sub1, AVX512_BF16);
  return { sets: ['avx512', 'avx2'], ...(bfloat16 && { bfloat16 }) };
}

/** Every arm64 has NEON. So the question is only whether code may run: this returns at once. */
function armSets(memory: CodeMemory): NativeSearch {
  const asm = new Arm64Assembler();
  asm.emit('ret');
  memory.bind(place(asm.finish(), memory))(0, 0);
  return { sets: ['neon'] };
}

/**
 * Writes the code of products for an instruction set that `findNative` has found. NEON has no sums of bfloat16.
 * @throws Error if the code may no longer run
 */
export function openNative(set: NativeSet, dtype: DType, sums: Sums = 'fused'): NativeCode {
  return openCode(`${set} ${dtype} ${sums}`, () =>
    productProgram(set, dtype, process.platform === 'win32', sums),
  );
}
