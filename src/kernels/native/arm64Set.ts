/**
 * The vector machine on arm64: NEON, whose vectors have 128 bits. A factor is the first element of a vector. There are no
 * masks, so a part of a vector is loaded and stored by its elements.
 */
import type { DType } from '../kernels.js';
import { Arm64Assembler } from './arm64.js';
import { JOB_BYTES } from './jobs.js';
import type { InstructionSet } from './vectorCode.js';

/** Whoever calls keeps nothing in x0 to x17. x15 to x17 are for what takes several instructions. */
const REGISTERS = Array.from({ length: 13 }, (_, i) => `x${2 + i}`);

export function arm64Set(dtype: DType): InstructionSet {
  const assembler = new Arm64Assembler();
  const [many, one] = dtype === 'float32' ? ['4s', 's'] : ['2d', 'd'];
  const byElement = (name: string, to: string, x: string, factor: string) =>
    `${name} v${to}.${many}, v${x}.${many}, v${factor}.${one}[0]`;
  const binary = (name: string, many: string) => (to: string, x: string, y: string) =>
    `${name} v${to}.${many}, v${x}.${many}, v${y}.${many}`;
  /** The elements of a part, and nothing behind them. */
  const move = (what: 'ld' | 'st', vector: string, place: string, part = '0') => {
    const line = `${what}r ${part === '0' ? 'q' : part === '1' ? one : 'd'}${vector}, ${place}`;
    if (part !== '3') return line;
    return [line, `add x15, ${place.slice(1, place.indexOf(','))}, #8`, `${what}1 {v${vector}.s}[2], [x15]`];
  };
  return {
    assembler,
    enter: () => enter(assembler),
    registers: REGISTERS,
    integers: {
      field: (to, field) => `ldr ${to.replace('x', 'w')}, [x1, #${4 * field}]`,
      address: (to, field) => [`ldr ${to.replace('x', 'w')}, [x1, #${4 * field}]`, `add ${to}, ${to}, x0`],
      move: (to, from) => `mov ${to}, ${from}`,
      add: (to, by) => `add ${to}, ${to}, ${typeof by === 'number' ? `#${by}` : by}`,
      compare: (register, n) => `cmp ${register}, #${n}`,
      subtract: (register, n) => `subs ${register}, ${register}, #${n}`,
      jump: (when, label) =>
        `${{ always: 'b', equal: 'b.eq', notEqual: 'b.ne', less: 'b.lt' }[when]} ${label}`,
      useParts: () => [],
    },
    vectorRegisters: 32,
    vectorBytes: 16,
    vectorName: String,
    at: (base, beyond = 0) => `[${base}, ${typeof beyond === 'number' ? `#${beyond}` : beyond}]`,
    constant: (label) => label,
    vectors: {
      zero: (to) => `movi v${to}.2d, #0`,
      add: binary('fadd', many),
      factor: (to, from) => move('ld', to, from, '1'),
      scale: (to, factor, x) => byElement('fmul', to, x, factor),
      multiplyAdd: (to, _, factor, x) => byElement('fmla', to, x, factor),
      load: (to, from, part) => move('ld', to, from, part),
      store: (_, value, place, part) => move('st', value, place, part),
      zipLow4: binary('zip1', '4s'),
      zipHigh4: binary('zip2', '4s'),
      zipLow8: binary('zip1', '2d'),
      zipHigh8: binary('zip2', '2d'),
      loadRow: (to, from) => move('ld', to, from),
      loadElement: (to, from) => move('ld', to, from, '1'),
      loadLast: (to, from) => move('ld', to, from, '1'),
      storeElement: (_, value, place) => move('st', value, place, '1'),
    },
    partOf: String,
    maskOf: () => 0,
  };
}

/** x0 is the address of the memory, and x1 the job. Of vectors, d8 to d15 are the caller's (AAPCS64). */
function enter(asm: Arm64Assembler): void {
  const pairs = ['d8, d9', 'd10, d11', 'd12, d13', 'd14, d15'];
  asm.label('start');
  asm.emit(...pairs.map((pair) => `stp ${pair}, [sp, #-16]!`), 'b first');
  asm.label('next');
  asm.emit(`add x1, x1, #${JOB_BYTES}`);
  asm.label('first');
  asm.emit('adr x16, start', 'ldr w17, [x1, #0]', 'add x16, x16, x17', 'br x16');
  asm.label('return');
  asm.emit(...pairs.toReversed().map((pair) => `ldp ${pair}, [sp], #16`), 'ret');
}
