import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Arm64Assembler } from '../../../src/kernels/native/arm64.js';
import { elementwiseProgram } from '../../../src/kernels/native/elementwiseCode.js';
import type { Program } from '../../../src/kernels/native/jobs.js';
import { productProgram } from '../../../src/kernels/native/productCode.js';
import { X86Assembler } from '../../../src/kernels/native/x86.js';

/** What a disassembler says of each instruction, by its bytes with distances to labels as 0. */
function disassemblyOf(file: string): Map<string, string> {
  const text = readFileSync(new URL(`../../fixtures/native/${file}`, import.meta.url), 'utf8');
  return new Map([...text.matchAll(/^(\w+)\t(.+)$/gm)].map(([, bytes, said]) => [bytes, said]));
}

/** A disassembler's line, or one of ours, without what both may write in several ways. */
function asWritten(text: string): string {
  return text
    .replace(/\b[A-Z]+ PTR /g, '')
    .replace(/0x[0-9a-f]+/g, (hex) => String(Number(hex)))
    .replace(/\*1\b/g, '')
    .replace('+0]', ']')
    .replace(', #0]', ']')
    .replace(/#0+$/, '#0')
    .replace(/\{ (.*) \}/, '{$1}')
    .replace(/\s+/, ' ')
    .replace(/,\s*/g, ', ');
}

interface Target {
  readonly disassembly: Map<string, string>;
  /** Takes the distance out of an instruction that starts at `at`, and returns where it leads. */
  readonly leadsTo: (bytes: Buffer, at: number, line: string) => number;
}

const X86: Target = {
  disassembly: disassemblyOf('x86.txt'),
  leadsTo(bytes, at) {
    const distance = bytes.readInt32LE(bytes.length - 4);
    bytes.fill(0, bytes.length - 4);
    return at + bytes.length + distance;
  },
};

const ARM64: Target = {
  disassembly: disassemblyOf('arm64.txt'),
  leadsTo(bytes, at, line) {
    const word = bytes.readInt32LE();
    const isFar = line.startsWith('b ');
    bytes.writeInt32LE(word & (isFar ? 0xfc000000 : 0xff00001f));
    return at + 4 * (isFar ? (word << 6) >> 6 : (word << 8) >> 13);
  },
};

const SUMS = ['fused', 'wasm', 'bfloat16'] as const;

const ELEMENTWISE = (['avx2', 'avx512'] as const).flatMap((set) =>
  [false, true].map((windows) => ({
    ...X86,
    name: `${set}, elementwise${windows ? ', Windows' : ''}`,
    program: elementwiseProgram(set, windows),
  })),
);

const PRODUCTS = (['float32', 'float64'] as const).flatMap((dtype) => [
  ...(['fused', 'wasm'] as const).map((sums) => ({
    ...ARM64,
    name: `neon, ${dtype}, ${sums}`,
    program: productProgram('neon', dtype, false, sums),
  })),
  ...(['avx2', 'avx512'] as const).flatMap((set) =>
    SUMS.filter((sums) => sums !== 'bfloat16' || (set === 'avx512' && dtype === 'float32')).flatMap((sums) =>
      [false, true].map((windows) => ({
        ...X86,
        name: `${set}, ${dtype}, ${sums}${windows ? ', Windows' : ''}`,
        program: productProgram(set, dtype, windows, sums),
      })),
    ),
  ),
]);

const PROGRAMS: readonly (Target & { name: string; program: Pick<Program, 'code' | 'listing'> })[] = [
  ...PRODUCTS,
  ...ELEMENTWISE,
];

describe('the machine code', () => {
  it.each(PROGRAMS)('means in every instruction what it says: $name', ({ program, disassembly, leadsTo }) => {
    const { code, listing } = program;
    const labels = new Map(
      listing.filter(({ line }) => line.endsWith(':')).map(({ at, line }) => [line.slice(0, -1), at]),
    );
    const faults: string[] = [];
    listing.forEach(({ at, line }, i) => {
      if (line.endsWith(':')) return;
      const bytes = Buffer.from(code.slice(at, listing[i + 1]?.at ?? code.length));
      const [, label] = /^(?:[jb]\S* |.*\[rip\+|adr \w+, )([\w:]+)\]?$/.exec(line) ?? [];
      const target = labels.get(label);
      let expected = asWritten(line);
      if (target !== undefined) {
        if (leadsTo(bytes, at, line) !== target) faults.push(`${at}: ${line}: leads elsewhere`);
        expected = asWritten(line.replace(label, line.startsWith('adr') ? '#0' : '0'));
      }
      const found = asWritten(disassembly.get(bytes.toString('hex')) ?? 'unknown');
      // objdump and llvm-mc write the distance of a jump in ways of their own.
      const jumps = target !== undefined && /^[jb]/.test(line);
      const same = jumps ? found.split(' ')[0] === line.split(' ')[0] : found === expected;
      if (!same) faults.push(`${at}: ${bytes.toString('hex')} is ${found}, written as ${expected}`);
    });
    expect(faults).toEqual([]);
  });

  it.each(PROGRAMS.filter((one) => one.disassembly === X86.disassembly))(
    'has the tops of its loops where a processor fetches them fastest: $name',
    ({ program: { listing } }) => {
      const starts = new Map(listing.map(({ at, line }) => [line, at]));
      const tops = listing
        .filter(({ line }) => /^(jne|jmp) label/.test(line))
        .flatMap(({ at, line }) => {
          const to = starts.get(`${line.slice(4)}:`) ?? Number.NaN;
          return to < at ? [to] : [];
        });
      expect(tops.length).toBeGreaterThan(0);
      expect(tops.filter((top) => top % 32 !== 0)).toEqual([]);
    },
  );

  it('has every instruction of the fixtures, and no other', () => {
    for (const { disassembly } of [X86, ARM64]) {
      const used = new Set(
        PROGRAMS.filter((one) => one.disassembly === disassembly)
          .flatMap(({ program }) => program.listing.map(({ line }) => line.split(' ')[0]))
          .filter((name) => !name.endsWith(':')),
      );
      const known = new Set([...disassembly.values()].map((text) => text.split(/\s/)[0]));
      expect([...known].toSorted()).toEqual([...used].toSorted());
    }
  });
});

describe('the assemblers', () => {
  it.each(['vrsqrtps ymm0, ymm1', 'hlt', 'vbroadcastss [rax], ymm0', 'vxorps ymm0, 5, ymm1'])(
    'refuse %s on x86, which has no encoding here',
    (line) => {
      expect(() => new X86Assembler().emit(line)).toThrow(line);
    },
  );

  it.each(['fsub v0.4s, v1.4s, v2.4s', 'ldr x0, [x1]'])('refuse %s on arm64', (line) => {
    expect(() => new Arm64Assembler().emit(line)).toThrow(line);
  });

  it('refuse a jump to a label that does not exist', () => {
    const [x86, arm64] = [new X86Assembler(), new Arm64Assembler()];
    x86.emit('jmp nowhere');
    arm64.emit('b nowhere');
    for (const asm of [x86, arm64]) expect(() => asm.finish()).toThrow('no label "nowhere"');
  });
});
