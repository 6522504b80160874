import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { X86Assembler } from '../../../src/kernels/native/x86.js';
import { x86Program } from '../../../src/kernels/native/x86Program.js';

/** What objdump says of each instruction, by its bytes with distances to labels as 0. */
const DISASSEMBLY = new Map(
  readFileSync(new URL('../../fixtures/native/x86.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]),
);

/** objdump's line in the syntax of the assembler: no sizes, decimal numbers, no scale of 1. */
function asWritten(text: string): string {
  return text
    .replace(/\b[A-Z]+ PTR /g, '')
    .replace(/0x[0-9a-f]+/g, (hex) => String(Number(hex)))
    .replace(/\*1\b/g, '')
    .replace('+0]', ']')
    .replace(/\s+/, ' ')
    .replace(/,\s*/g, ', ');
}

const PROGRAMS = ([false, true] as const).flatMap((windows) =>
  (['float32', 'float64'] as const).flatMap((dtype) =>
    (['avx2', 'avx512'] as const).map((set) => ({ windows, dtype, set })),
  ),
);

describe('x86Program', () => {
  it.each(PROGRAMS)('means in every instruction what it says: $set, $dtype, windows $windows', (choice) => {
    const { code, listing } = x86Program(choice.set, choice.dtype, choice.windows);
    const labels = new Map(
      listing.filter(({ line }) => line.endsWith(':')).map(({ at, line }) => [line.slice(0, -1), at]),
    );
    const view = new DataView(code.buffer);
    const faults: string[] = [];
    listing.forEach(({ at, line }, i) => {
      if (line.endsWith(':')) return;
      const end = listing[i + 1].at;
      const bytes = Buffer.from(code.slice(at, end));
      let expected = asWritten(line);
      const [, label] = /^(?:j\w+ |.*\[rip\+)([\w:]+)/.exec(line) ?? [];
      const target = labels.get(label);
      if (target !== undefined) {
        if (end + view.getInt32(end - 4, true) !== target) faults.push(`${at}: ${line}: elsewhere`);
        bytes.fill(0, bytes.length - 4);
        expected = asWritten(line.replace(label, '0'));
      }
      const found = asWritten(DISASSEMBLY.get(bytes.toString('hex')) ?? 'unknown');
      // A jump's distance counts from its own end in a file of other instructions.
      const same =
        target !== undefined && line.startsWith('j')
          ? found.split(' ')[0] === line.split(' ')[0]
          : found === expected;
      if (!same) faults.push(`${at}: ${bytes.toString('hex')} is ${found}, written as ${expected}`);
    });
    expect(faults).toEqual([]);
  });

  it('knows every instruction of the fixture, and no other', () => {
    const used = new Set(
      PROGRAMS.flatMap(({ set, dtype, windows }) =>
        x86Program(set, dtype, windows).listing.map(({ line }) => line.split(' ')[0]),
      ).filter((name) => !name.endsWith(':')),
    );
    const known = new Set([...DISASSEMBLY.values()].map((text) => text.split(/\s/)[0]));
    expect([...known].toSorted()).toEqual([...used].toSorted());
  });
});

describe('X86Assembler', () => {
  it.each(['vaddps ymm0, ymm1, ymm2', 'nop', 'vbroadcastss [rax], ymm0', 'vxorps ymm0, 5, ymm1'])(
    'refuses %s, which it can not encode',
    (line) => {
      expect(() => new X86Assembler().emit(line)).toThrow(line);
    },
  );

  it('refuses a jump to a label that does not exist', () => {
    const asm = new X86Assembler();
    asm.emit('jmp nowhere');
    expect(() => asm.finish()).toThrow('no label "nowhere"');
  });
});
