import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CodeMemory, place, systemMemory } from '../../../src/kernels/native/executable.js';
import { findNative, nativeUnavailable } from '../../../src/kernels/native/find.js';

const machine = (MLP_NATIVE?: string, arch = 'x64') => ({ arch, env: { MLP_NATIVE } });

/** A processor that answers CPUID and XGETBV so, without running the code. */
function processor(leaf1: number, leaf7: number, saved: number, leaf7Sub1 = 0): CodeMemory {
  const answers = [[leaf1, leaf7, leaf7Sub1], [saved]];
  let asked: Uint32Array | undefined;
  return {
    allocate: () => 4096,
    write() {},
    protect() {},
    bind: () => () => asked?.set(answers.shift() ?? []),
    addressOf: (view) => {
      asked = view as Uint32Array;
      return 0;
    },
  };
}

/** A system that refuses one step, as a filter of system calls or SELinux does. */
function refusing(step: 'allocate' | 'protect'): CodeMemory {
  return {
    ...processor(0, 0, 0),
    [step]() {
      throw new Error(`the system does not let memory become executable (${step}: EACCES)`);
    },
  };
}

const FMA_AVX = (1 << 12) | (1 << 27) | (1 << 28);
const AVX2 = 1 << 5;
const AVX512F = 1 << 16;
const AVX512BW = 1 << 30;
const AVX512_BF16 = 1 << 5;

describe('findNative', () => {
  it.each([
    ['AVX-512', FMA_AVX, AVX2 | AVX512F, 0xe7, ['avx512', 'avx2']],
    ['AVX2', FMA_AVX, AVX2, 0x7, ['avx2']],
    ['AVX-512 of which the system saves no registers', FMA_AVX, AVX2 | AVX512F, 0x7, ['avx2']],
    ['AVX2 of which the system saves no registers', FMA_AVX, AVX2, 0x3, []],
    ['no AVX2', FMA_AVX, 0, 0x7, []],
    ['no FMA', FMA_AVX & ~(1 << 12), AVX2, 0x7, []],
    ['no XGETBV', FMA_AVX & ~(1 << 27), AVX2, 0, []],
  ])('knows a processor with %s', (_, leaf1, leaf7, saved, sets) => {
    const search = findNative(machine(), () => processor(leaf1, leaf7, saved));
    expect(search.sets).toEqual(sets);
    expect(search.reason).toBe(sets.length > 0 ? undefined : 'found a processor without AVX2 and FMA');
  });

  it('takes the set that MLP_NATIVE names, where the processor has it', () => {
    const both = () => processor(FMA_AVX, AVX2 | AVX512F, 0xe7);
    expect(findNative(machine('avx2'), both)).toEqual({ sets: ['avx2'] });
    expect(findNative(machine('1'), both)).toEqual({ sets: ['avx512', 'avx2'] });
    const one = findNative(machine('avx512'), () => processor(FMA_AVX, AVX2, 0x7));
    expect(one).toEqual({ sets: [], reason: 'found a processor without MLP_NATIVE=avx512' });
  });

  it('finds bfloat16 where AVX-512 has it and is not turned off', () => {
    const found = (asked: string | undefined, leaf7: number, saved = 0xe7) =>
      findNative(machine(asked), () => processor(FMA_AVX, leaf7, saved, AVX512_BF16));
    const all = AVX2 | AVX512F | AVX512BW;
    expect(found(undefined, all)).toEqual({ sets: ['avx512', 'avx2'], bfloat16: true });
    expect(found('avx512', all)).toEqual({ sets: ['avx512'], bfloat16: true });
    expect(found('avx2', all)).toEqual({ sets: ['avx2'] });
    expect(found(undefined, all, 0x7)).toEqual({ sets: ['avx2'] });
    expect(found(undefined, AVX2 | AVX512F)).toEqual({ sets: ['avx512', 'avx2'] });
  });

  it('takes NEON on every arm64 where code may run', () => {
    expect(findNative(machine(undefined, 'arm64'), () => processor(0, 0, 0))).toEqual({ sets: ['neon'] });
    expect(findNative(machine('avx2', 'arm64'), () => processor(0, 0, 0)).reason).toContain(
      'MLP_NATIVE=avx2',
    );
    expect(findNative(machine(undefined, 'arm64'), () => refusing('protect')).sets).toEqual([]);
  });

  const unasked = () => expect.fail('the system was asked');
  it.each<[string | undefined, string, string]>([
    ['0', 'x64', 'MLP_NATIVE=0 turns it off'],
    ['yes', 'x64', 'MLP_NATIVE: found "yes", expected 0, 1, avx512, avx2 or neon'],
    [undefined, 'riscv64', 'found a processor of kind riscv64, expected x64 or arm64'],
  ])('finds none with MLP_NATIVE %s on %s, without a call', (asked, arch, reason) => {
    expect(findNative(machine(asked, arch), unasked)).toEqual({ sets: [], reason });
  });

  it.each(['allocate', 'protect'] as const)('finds none where the system refuses to %s', (step) => {
    const search = findNative(machine(), () => refusing(step));
    const reason = `the system does not let memory become executable (${step}: EACCES)`;
    expect(search).toEqual({ sets: [], reason });
    expect(nativeUnavailable(search).message).toBe(`backend native: ${reason}`);
  });

  it('finds none where no foreign function can be called', () => {
    const open = () => {
      throw new Error('koffi does not run here');
    };
    expect(findNative(machine(), open).reason).toBe('koffi does not run here');
  });
});

describe.skipIf(process.platform !== 'linux')('place', () => {
  it('never has memory that is writable and executable', () => {
    const memory = systemMemory();
    const seen: (string | undefined)[] = [];
    const address = place(Uint8Array.of(0xc3), {
      ...memory,
      protect(at, bytes) {
        seen.push(accessOf(at));
        memory.protect(at, bytes);
      },
    });
    seen.push(accessOf(address));
    expect(seen).toEqual(['rw-p', 'r-xp']);
  });

  it('says what the system says', () => {
    const memory = systemMemory();
    expect(() => memory.protect(8, 1)).toThrow(/mprotect: EINVAL/);
    expect(() => memory.allocate(0)).toThrow('mmap refused 0 bytes (EINVAL)');
  });
});

/** What Linux allows with the memory at an address. */
function accessOf(address: number): string | undefined {
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, from, to, access] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? [];
    if (Number.parseInt(from, 16) <= address && address < Number.parseInt(to, 16)) return access;
  }
  return undefined;
}
