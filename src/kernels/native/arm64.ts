/**
 * An assembler for the few arm64 instructions that the products need. Each line of the table is an
 * instruction as it is written, with a % for each number, and its 32 bits. Names are those of the Arm
 * Architecture Reference Manual for A-profile, C6.2 and, for d, q, s and v, C7.2.
 */
import { Assembler } from './assembler.js';

/** Numbers of a line, from left to right; in jumps, the last is the distance in instructions. */
type Encoder = (...numbers: number[]) => number;

/** Fields at bit 0, 5 and 16: the target, and the operands. */
const fields = (d: number, n: number, m = 0) => (m << 16) | (n << 5) | d;
/** Two registers, a place in steps of 8 bytes, and sp. */
const pair = (t: number, u: number, place: number) => ((place & 127) << 15) | (u << 10) | (31 << 5) | t;

const INSTRUCTIONS: Readonly<Record<string, Encoder>> = {
  'ldr w%, [x%, #%]': (t, n, i) => 0xb9400000 | ((i / 4) << 10) | fields(t, n), // LDR (immediate)
  'ldr q%, [x%, #%]': (t, n, i) => 0x3dc00000 | ((i / 16) << 10) | fields(t, n), // LDR (immediate, SIMD&FP)
  'ldr d%, [x%, #%]': (t, n, i) => 0xfd400000 | ((i / 8) << 10) | fields(t, n),
  'ldr s%, [x%, #%]': (t, n, i) => 0xbd400000 | ((i / 4) << 10) | fields(t, n),
  'ldr q%, [x%, x%]': (t, n, m) => 0x3ce06800 | fields(t, n, m), // LDR (register, SIMD&FP)
  'ldr d%, [x%, x%]': (t, n, m) => 0xfc606800 | fields(t, n, m),
  'ldr s%, [x%, x%]': (t, n, m) => 0xbc606800 | fields(t, n, m),
  'str q%, [x%, #%]': (t, n, i) => 0x3d800000 | ((i / 16) << 10) | fields(t, n), // STR (immediate, SIMD&FP)
  'str d%, [x%, #%]': (t, n, i) => 0xfd000000 | ((i / 8) << 10) | fields(t, n),
  'str s%, [x%, #%]': (t, n, i) => 0xbd000000 | ((i / 4) << 10) | fields(t, n),
  'str q%, [x%, x%]': (t, n, m) => 0x3ca06800 | fields(t, n, m), // STR (register, SIMD&FP)
  'ld1 {v%.s}[2], [x%]': (t, n) => 0x4d408000 | fields(t, n), // LD1 (single structure)
  'st1 {v%.s}[2], [x%]': (t, n) => 0x4d008000 | fields(t, n), // ST1 (single structure)
  'fmla v%.4s, v%.4s, v%.s[0]': (d, n, m) => 0x4f801000 | fields(d, n, m), // FMLA (by element)
  'fmla v%.2d, v%.2d, v%.d[0]': (d, n, m) => 0x4fc01000 | fields(d, n, m),
  'fmul v%.4s, v%.4s, v%.s[0]': (d, n, m) => 0x4f809000 | fields(d, n, m), // FMUL (by element)
  'fmul v%.2d, v%.2d, v%.d[0]': (d, n, m) => 0x4fc09000 | fields(d, n, m),
  'fadd v%.4s, v%.4s, v%.4s': (d, n, m) => 0x4e20d400 | fields(d, n, m), // FADD (vector)
  'fadd v%.2d, v%.2d, v%.2d': (d, n, m) => 0x4e60d400 | fields(d, n, m),
  'movi v%.2d, #%': (d) => 0x6f00e400 | d, // MOVI, of 0 alone
  'zip1 v%.4s, v%.4s, v%.4s': (d, n, m) => 0x4e803800 | fields(d, n, m), // ZIP1
  'zip2 v%.4s, v%.4s, v%.4s': (d, n, m) => 0x4e807800 | fields(d, n, m), // ZIP2
  'zip1 v%.2d, v%.2d, v%.2d': (d, n, m) => 0x4ec03800 | fields(d, n, m),
  'zip2 v%.2d, v%.2d, v%.2d': (d, n, m) => 0x4ec07800 | fields(d, n, m),
  'add x%, x%, x%': (d, n, m) => 0x8b000000 | fields(d, n, m), // ADD (shifted register)
  'add x%, x%, #%': (d, n, i) => 0x91000000 | (i << 10) | fields(d, n), // ADD (immediate)
  'subs x%, x%, #%': (d, n, i) => 0xf1000000 | (i << 10) | fields(d, n), // SUBS (immediate)
  'cmp x%, #%': (n, i) => 0xf1000000 | (i << 10) | fields(31, n), // CMP (immediate)
  'mov x%, x%': (d, m) => 0xaa000000 | fields(d, 31, m), // MOV (register)
  'stp d%, d%, [sp, #-%]!': (t, u, i) => 0x6d800000 | pair(t, u, -i / 8), // STP (SIMD&FP)
  'ldp d%, d%, [sp], #%': (t, u, i) => 0x6cc00000 | pair(t, u, i / 8), // LDP (SIMD&FP)
  'br x%': (n) => 0xd61f0000 | (n << 5), // BR
  ret: () => 0xd65f03c0, // RET
  'b %': (i) => 0x14000000 | (i & 0x3ffffff), // B
  'b.eq %': (i) => 0x54000000 | ((i & 0x7ffff) << 5), // B.cond
  'b.ne %': (i) => 0x54000001 | ((i & 0x7ffff) << 5),
  'b.lt %': (i) => 0x5400000b | ((i & 0x7ffff) << 5),
  // ADR, in whole instructions: the two bits of immlo are 0.
  'adr x%, %': (d, i) => 0x10000000 | ((i & 0x7ffff) << 5) | d,
};

/** The number of a register, an immediate, or a distance. */
const NUMBER = /(?<=[\s{[][wxqdsv]|#-?|^b |^b\.\w\w |, )\d+/g;

export class Arm64Assembler extends Assembler {
  protected override encode(line: string): void {
    const at = this.bytes.length;
    // A label is the last word of a line; its distance is not known yet.
    const [, start, label] = /^(b(?:\.\w\w)? |adr x\d+, )(\S+)$/.exec(line) ?? [];
    const text = start === undefined ? line : `${start}0`;
    const numbers: number[] = [];
    const pattern = text.replace(NUMBER, (digits) => {
      numbers.push(Number(digits));
      return '%';
    });
    const encoder = INSTRUCTIONS[pattern];
    if (!encoder) throw new Error(`no encoding for "${line}"`);
    this.int32(encoder(...numbers));
    if (label === undefined) return;
    this.refer(label, (to) => this.int32(encoder(...numbers.slice(0, -1), (to - at) / 4), at));
  }
}
