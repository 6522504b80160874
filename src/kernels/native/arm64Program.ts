/**
 * The machine code of products for arm64, whose vectors (NEON) have 128 bits: the routines of
 * x86Program.ts in the same order, with 8 rows of 3 vectors in a tile.
 *
 *   x0   the address of the memory that jobs count from        x1       the job
 *
 *   x2 … x9   the tile's rows of a, and x10 from k to k         x11, x12  b, and from k to k
 *   x13       k that remain                                     x14, x15  c, and from row to row
 *   x16       for short                                         x17       rows that remain
 *   x19, x20  a of the tile, and from row to row                x21       from tile to tile
 */
import type { DType } from '../kernels.js';
import { Arm64Assembler } from './arm64.js';
import { JOB_BYTES, MULTIPLY, PACK, type Program } from './jobs.js';

const TILE_ROWS = 8;
const TILE_VECTORS = 3;
const VECTOR_BYTES = 16;

/** What differs between dtypes: bytes of an element, and the names of vectors and elements. */
interface Dialect {
  readonly bytes: 4 | 8;
  readonly many: '4s' | '2d';
  readonly one: 's' | 'd';
}

export function arm64Program(dtype: DType): Program {
  const dialect: Dialect =
    dtype === 'float32' ? { bytes: 4, many: '4s', one: 's' } : { bytes: 8, many: '2d', one: 'd' };
  const { bytes } = dialect;
  const lanes = VECTOR_BYTES / bytes;
  const asm = new Arm64Assembler();
  enter(asm);
  for (let vectors = 1; vectors <= TILE_VECTORS; vectors++) multiply(asm, dialect, vectors, 0);
  for (let rest = 1; rest < lanes; rest++) multiply(asm, dialect, 1, rest);
  copy(asm, 'copyTileRows', TILE_ROWS * bytes);
  copy(asm, 'copyTileColumns', TILE_VECTORS * VECTOR_BYTES);
  transpose(asm, dialect);
  const rests = Array.from({ length: lanes }, (_, rest) => rest);
  return {
    code: asm.finish(),
    listing: asm.listing,
    tileRows: TILE_ROWS,
    lanes,
    tileVectors: TILE_VECTORS,
    masksAny: false,
    end: asm.offsetOf('return'),
    multiply: [1, 2, 3].map((vectors) =>
      rests.map((rest) => (rest > 0 && vectors > 1 ? 0 : asm.offsetOf(nameOf(vectors, rest)))),
    ),
    masks: rests.map(() => 0),
    copyTileRows: asm.offsetOf('copyTileRows'),
    copyTileColumns: asm.offsetOf('copyTileColumns'),
    transpose: asm.offsetOf('transpose'),
  };
}

function nameOf(vectors: number, rest: number): string {
  return `multiply${vectors}${rest > 0 ? `rest${rest}` : ''}`;
}

/** The function (memory, jobs), and how it returns (AAPCS64: x19 to x28 and d8 to d15 are the caller's). */
function enter(asm: Arm64Assembler): void {
  asm.label('start');
  asm.emit('stp x19, x20, [sp, #-16]!', 'stp x21, x22, [sp, #-16]!');
  for (let i = 8; i < 16; i += 2) asm.emit(`stp d${i}, d${i + 1}, [sp, #-16]!`);
  dispatch(asm);
  asm.label('return');
  for (let i = 14; i >= 8; i -= 2) asm.emit(`ldp d${i}, d${i + 1}, [sp], #16`);
  asm.emit('ldp x21, x22, [sp], #16', 'ldp x19, x20, [sp], #16', 'ret');
}

function dispatch(asm: Arm64Assembler): void {
  asm.emit('adr x16, start', 'ldr w17, [x1, #0]', 'add x16, x16, x17', 'br x16');
}

function next(asm: Arm64Assembler): void {
  asm.emit(`add x1, x1, #${JOB_BYTES}`);
  dispatch(asm);
}

/** Register number ← a field of the job: a number, or an address in the memory. */
function load(asm: Arm64Assembler, register: number, field: number, isAddress = false): void {
  asm.emit(`ldr w${register}, [x1, #${4 * field}]`);
  if (isAddress) asm.emit(`add x${register}, x${register}, x0`);
}

function multiply(asm: Arm64Assembler, dialect: Dialect, vectors: number, rest: number): void {
  const name = nameOf(vectors, rest);
  asm.label(name);
  load(asm, 19, MULTIPLY.a, true);
  load(asm, 20, MULTIPLY.aRow);
  load(asm, 10, MULTIPLY.aStep);
  load(asm, 21, MULTIPLY.aTile);
  load(asm, 12, MULTIPLY.bStep);
  load(asm, 14, MULTIPLY.c, true);
  load(asm, 15, MULTIPLY.cRow);
  load(asm, 17, MULTIPLY.rows);
  asm.label(`${name}:rows`);
  asm.emit(`cmp x17, #${TILE_ROWS}`, `b.lt ${name}:last`);
  tile(asm, dialect, `${name}:${TILE_ROWS}`, TILE_ROWS, vectors, rest);
  asm.emit(`subs x17, x17, #${TILE_ROWS}`, `b ${name}:rows`);
  asm.label(`${name}:last`);
  for (let rows = TILE_ROWS - 1; rows > 0; rows--) asm.emit(`cmp x17, #${rows}`, `b.eq ${name}:${rows}`);
  next(asm);
  for (let rows = TILE_ROWS - 1; rows > 0; rows--) {
    asm.label(`${name}:${rows}`);
    tile(asm, dialect, `${name}:${rows}`, rows, vectors, rest);
    next(asm);
  }
}

/** A tile of c: its accumulators, then b and a factor. Then x14 and x19 are at the next. */
function tile(
  asm: Arm64Assembler,
  { many, one, bytes }: Dialect,
  name: string,
  rows: number,
  vectors: number,
  rest: number,
): void {
  const B = 24;
  const FACTOR = 27;
  /** Loads or stores one vector, or its first `rest` elements, and nothing behind them. */
  const move = (what: 'ld' | 'st', v: number, base: number, j: number) => {
    if (rest === 0) asm.emit(`${what}r q${v}, [x${base}, #${16 * j}]`);
    else if (rest * bytes === 4 || bytes === 8) asm.emit(`${what}r ${one}${v}, [x${base}, #0]`);
    else asm.emit(`${what}r d${v}, [x${base}, #0]`);
    if (rest === 3) asm.emit(`add x22, x${base}, #8`, `${what}1 {v${v}.s}[2], [x22]`);
  };
  const each = (length: number, body: (index: number) => void) => {
    for (let index = 0; index < length; index++) body(index);
  };
  asm.emit('mov x2, x19');
  each(rows - 1, (i) => asm.emit(`add x${3 + i}, x${2 + i}, x20`));
  load(asm, 11, MULTIPLY.b, true);
  load(asm, 13, MULTIPLY.adds);
  asm.emit('cmp x13, #0', `b.ne ${name}:add`);
  each(rows * vectors, (i) => asm.emit(`movi v${i}.2d, #0`));
  asm.emit(`b ${name}:begin`);
  asm.label(`${name}:add`);
  asm.emit('mov x16, x14');
  each(rows, (i) => {
    each(vectors, (j) => move('ld', i * vectors + j, 16, j));
    asm.emit('add x16, x16, x15');
  });
  asm.label(`${name}:begin`);
  load(asm, 13, MULTIPLY.k);
  asm.emit('cmp x13, #0', `b.eq ${name}:end`);
  asm.label(`${name}:k`);
  each(vectors, (j) => move('ld', B + j, 11, j));
  asm.emit('add x11, x11, x12');
  each(rows, (i) => {
    const factor = FACTOR + (i % 4);
    asm.emit(`ld1r {v${factor}.${many}}, [x${2 + i}], x10`);
    each(vectors, (j) => asm.emit(`fmla v${i * vectors + j}.${many}, v${factor}.${many}, v${B + j}.${many}`));
  });
  asm.emit('subs x13, x13, #1', `b.ne ${name}:k`);
  asm.label(`${name}:end`);
  each(rows, (i) => {
    each(vectors, (j) => move('st', i * vectors + j, 14, j));
    asm.emit('add x14, x14, x15');
  });
  asm.emit('add x19, x19, x21');
}

/** Copies rows of this many bytes, a multiple of 16. */
function copy(asm: Arm64Assembler, name: string, rowBytes: number): void {
  asm.label(name);
  load(asm, 2, PACK.from, true);
  load(asm, 3, PACK.fromStep);
  load(asm, 4, PACK.to, true);
  load(asm, 5, PACK.rows);
  asm.label(`${name}:row`);
  for (let at = 0; at < rowBytes; at += 16) asm.emit(`ldr q${at / 16}, [x2, #${at}]`);
  for (let at = 0; at < rowBytes; at += 16) asm.emit(`str q${at / 16}, [x4, #${at}]`);
  asm.emit('add x2, x2, x3', `add x4, x4, #${rowBytes}`, 'subs x5, x5, #1', `b.ne ${name}:row`);
  next(asm);
}

/**
 * to[columns, rows] ← from[rows, columns]ᵀ, by squares of 16 bytes a row, then by elements.
 *
 *   x2, x3   from, and from row to row     x6, x9    rows that remain, columns
 *   x4, x5   to, and from row to row       x7, x8    within the rows
 *   x10 …    rows of a square: x10 to x13 of from, x14 to x17 of to
 */
function transpose(asm: Arm64Assembler, { bytes, one }: Dialect): void {
  const side = VECTOR_BYTES / bytes;
  const shift = Math.log2(side);
  const eachSide = (body: (index: number) => void) => {
    for (let index = 0; index < side; index++) body(index);
  };
  const rowsOf = (first: number, base: number, step: number) => {
    asm.emit(`mov x${first}, x${base}`);
    for (let i = 1; i < side; i++) asm.emit(`add x${first + i}, x${first + i - 1}, x${step}`);
  };
  asm.label('transpose');
  load(asm, 2, PACK.from, true);
  load(asm, 3, PACK.fromStep);
  load(asm, 4, PACK.to, true);
  load(asm, 5, PACK.toStep);
  load(asm, 6, PACK.rows);

  asm.label('transpose:rows');
  asm.emit(`cmp x6, #${side}`, 'b.lt transpose:lastRows', 'mov x7, x2', 'mov x8, x4');
  load(asm, 9, PACK.columns);
  asm.label('transpose:square');
  asm.emit(`cmp x9, #${side}`, 'b.lt transpose:columns');
  rowsOf(10, 7, 3);
  rowsOf(14, 8, 5);
  eachSide((i) => asm.emit(`ldr q${i}, [x${10 + i}, #0]`));
  if (side === 4) {
    asm.emit('zip1 v4.4s, v0.4s, v1.4s', 'zip2 v5.4s, v0.4s, v1.4s');
    asm.emit('zip1 v6.4s, v2.4s, v3.4s', 'zip2 v7.4s, v2.4s, v3.4s');
    asm.emit('zip1 v0.2d, v4.2d, v6.2d', 'zip2 v1.2d, v4.2d, v6.2d');
    asm.emit('zip1 v2.2d, v5.2d, v7.2d', 'zip2 v3.2d, v5.2d, v7.2d');
  } else {
    asm.emit('zip2 v4.2d, v0.2d, v1.2d', 'zip1 v0.2d, v0.2d, v1.2d');
  }
  const turned = side === 4 ? [0, 1, 2, 3] : [0, 4];
  eachSide((i) => asm.emit(`str q${turned[i]}, [x${14 + i}, #0]`));
  asm.emit('add x7, x7, #16', `add x8, x8, x5, lsl #${shift}`, `subs x9, x9, #${side}`, 'b transpose:square');
  asm.label('transpose:columns');
  asm.emit('cmp x9, #0', 'b.eq transpose:nextRows');
  rowsOf(10, 7, 3);
  eachSide((i) => asm.emit(`ldr ${one}0, [x${10 + i}, #0]`, `str ${one}0, [x8, #${i * bytes}]`));
  asm.emit(`add x7, x7, #${bytes}`, 'add x8, x8, x5', 'subs x9, x9, #1', 'b transpose:columns');
  asm.label('transpose:nextRows');
  asm.emit(`add x2, x2, x3, lsl #${shift}`, 'add x4, x4, #16', `subs x6, x6, #${side}`, 'b transpose:rows');

  asm.label('transpose:lastRows');
  asm.emit('cmp x6, #0', 'b.eq transpose:end', 'mov x7, x2', 'mov x8, x4');
  load(asm, 9, PACK.columns);
  asm.label('transpose:element');
  asm.emit(`ldr ${one}0, [x7, #0]`, `str ${one}0, [x8, #0]`);
  asm.emit(`add x7, x7, #${bytes}`, 'add x8, x8, x5', 'subs x9, x9, #1', 'b.ne transpose:element');
  asm.emit('add x2, x2, x3', `add x4, x4, #${bytes}`, 'subs x6, x6, #1', 'b transpose:lastRows');
  asm.label('transpose:end');
  next(asm);
}
