/**
 * The machine code of products for x86-64: routines that work through a list of jobs (jobs.ts).
 * Every routine ends with a jump to that of the next job, and `return` ends the list.
 *
 *   rdi  the address of the memory that jobs count from      rsi  the job
 *
 * `multiply` computes a panel of c, as wide as `TILE_VECTORS` vectors, tile by tile downwards:
 *
 *   rax, rcx   a of the tile's first row, and of its fifth    rbp  a of the tile
 *   rdx, rbx   bytes from row to row of a, and three times    r8   bytes from k to k of a
 *   r9, r10    b, and its bytes from k to k                   r11  k that remain
 *   r12, r13   c, and its bytes from row to row               r14  rows that remain
 *   AVX2, in the last columns: rcx is the address of the mask, which all but fills the registers.
 *   k1 is the mask of AVX-512.
 *
 * An element is one chain of fused multiply-adds in the order of k, whatever tile it is in. So its
 * bits depend on no width of vectors, no block and no thread. Or it is summed as the wasm kernels do it
 * (wasm/assembly/product.ts), with their bits: each product and each sum is rounded, and each block of 256 k
 * begins at 0 and is added to c. With bfloat16, the chain takes k in pairs (reference/bfloat16.ts): a and b are
 * packed, an element of 4 bytes is a pair, and all else is as in float32.
 */
import type { DType } from '../kernels.js';
import { JOB_BYTES, MULTIPLY, PACK, type Program } from './jobs.js';
import { X86Assembler } from './x86.js';

export type X86Set = 'avx2' | 'avx512';

/** How products are summed. */
export type Sums = 'fused' | 'wasm' | 'bfloat16';

/** BLOCK_DEPTH of wasm/assembly/product.ts. */
const WASM_DEPTH = 256;

const TILE_VECTORS = 3;
const JOB = 'rsi';
const SAVED = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];

/** What differs between instruction sets and dtypes. */
interface Dialect {
  readonly set: X86Set;
  readonly sums: Sums;
  /** 4 or 8: bytes of an element. */
  readonly bytes: 4 | 8;
  /** Of instructions on many elements, and on one: ps and ss, or pd and sd. */
  readonly many: 'ps' | 'pd';
  readonly one: 'ss' | 'sd';
  readonly vector: 'ymm' | 'zmm';
  readonly vectorBytes: 32 | 64;
  readonly tileRows: 4 | 8;
}

/**
 * @param windows whether callers pass arguments and keep registers as Windows does
 * @param sums of float32 alone, and AVX-512: 'bfloat16'
 */
export function x86Program(set: X86Set, dtype: DType, windows: boolean, sums: Sums = 'fused'): Program {
  const is512 = set === 'avx512';
  const dialect: Dialect = {
    set,
    sums,
    bytes: dtype === 'float32' ? 4 : 8,
    many: dtype === 'float32' ? 'ps' : 'pd',
    one: dtype === 'float32' ? 'ss' : 'sd',
    vector: is512 ? 'zmm' : 'ymm',
    vectorBytes: is512 ? 64 : 32,
    tileRows: is512 ? 8 : 4,
  };
  const asm = new X86Assembler();
  enter(asm, windows);
  leave(asm, windows);
  for (let vectors = 1; vectors <= TILE_VECTORS; vectors++) {
    // A mask costs AVX-512 nothing, so it always has one.
    for (const masked of is512 ? [true] : [false, true]) multiply(asm, dialect, vectors, masked);
  }
  if (sums === 'bfloat16') {
    // For vpermw: the words 0, 16, 1, 17, … of a vector.
    asm.label('interleaved');
    asm.data(new Uint8Array(Uint16Array.from({ length: 32 }, (_, i) => (i >> 1) + 16 * (i & 1)).buffer));
  }
  const copies = sums === 'bfloat16' ? interleave : copy;
  copies(asm, dialect, 'copyTileRows', dialect.tileRows * dialect.bytes);
  copies(asm, dialect, 'copyTileColumns', TILE_VECTORS * dialect.vectorBytes);
  transpose(asm, dialect);
  const lanes = dialect.vectorBytes / dialect.bytes;
  const rests = Array.from({ length: lanes }, (_, rest) => rest);
  // vmaskmov takes the lanes whose highest bit is set: `rest` of them from here on.
  asm.label('masks');
  asm.data(new Uint8Array(dialect.vectorBytes).fill(255));
  asm.data(new Uint8Array(dialect.vectorBytes));
  return {
    code: asm.finish(),
    listing: asm.listing,
    tileRows: dialect.tileRows,
    lanes,
    ...(sums === 'wasm' && { depth: WASM_DEPTH }),
    isPaired: sums === 'bfloat16',
    tileVectors: TILE_VECTORS,
    masksAny: true,
    end: asm.offsetOf('return'),
    multiply: [1, 2, 3].map((vectors) =>
      rests.map((rest) => asm.offsetOf(`multiply${vectors}${is512 || rest > 0 ? 'masked' : ''}`)),
    ),
    masks: rests.map((rest) =>
      is512 ? 2 ** (rest || lanes) - 1 : asm.offsetOf('masks') + (lanes - rest) * dialect.bytes,
    ),
    copyTileRows: asm.offsetOf('copyTileRows'),
    copyTileColumns: asm.offsetOf('copyTileColumns'),
    transpose: asm.offsetOf('transpose'),
  };
}

/** The function (memory, jobs): keeps the caller's registers, and starts with the first job. */
export function enter(asm: X86Assembler, windows: boolean): void {
  asm.label('start');
  asm.emit(...SAVED.map((register) => `push ${register}`));
  if (windows) {
    asm.emit('push rdi', 'push rsi', 'sub rsp, 160');
    for (let i = 6; i < 16; i++) asm.emit(`vmovups [rsp+${16 * (i - 6)}], xmm${i}`);
    asm.emit('mov rdi, rcx', 'mov rsi, rdx');
  }
  dispatch(asm);
}

export function leave(asm: X86Assembler, windows: boolean): void {
  asm.label('return');
  asm.emit('vzeroupper');
  if (windows) {
    for (let i = 6; i < 16; i++) asm.emit(`vmovups xmm${i}, [rsp+${16 * (i - 6)}]`);
    asm.emit('add rsp, 160', 'pop rsi', 'pop rdi');
  }
  asm.emit(...SAVED.toReversed().map((register) => `pop ${register}`), 'ret');
}

/** Jumps to the routine of the job at JOB, given by its offset in the code. */
function dispatch(asm: X86Assembler): void {
  asm.emit('lea rcx, [rip+start]', `mov eax, [${JOB}]`, 'add rax, rcx', 'jmp rax');
}

function next(asm: X86Assembler): void {
  asm.emit(`add ${JOB}, ${JOB_BYTES}`);
  dispatch(asm);
}

/** register ← a field of the job: a number, or an address in the memory. */
function load(asm: X86Assembler, register: string, field: number, isAddress = false): void {
  asm.emit(`mov ${lower(register)}, [${JOB}+${4 * field}]`);
  if (isAddress) asm.emit(`add ${register}, rdi`);
}

function multiply(asm: X86Assembler, dialect: Dialect, vectors: number, masked: boolean): void {
  const { set, tileRows } = dialect;
  const name = `multiply${vectors}${masked ? 'masked' : ''}`;
  asm.label(name);
  if (masked) {
    load(asm, 'rax', MULTIPLY.mask);
    if (set === 'avx512') asm.emit('kmovw k1, eax');
    else asm.emit('lea rcx, [rip+start]', 'add rcx, rax');
  }
  load(asm, 'rbp', MULTIPLY.a, true);
  load(asm, 'rdx', MULTIPLY.aRow);
  load(asm, 'r8', MULTIPLY.aStep);
  load(asm, 'r10', MULTIPLY.bStep);
  load(asm, 'r12', MULTIPLY.c, true);
  load(asm, 'r13', MULTIPLY.cRow);
  load(asm, 'r14', MULTIPLY.rows);
  asm.emit('lea rbx, [rdx+rdx*2]');
  asm.label(`${name}:rows`);
  asm.emit(`cmp r14, ${tileRows}`, `jl ${name}:last`);
  tile(asm, dialect, `${name}:${tileRows}`, tileRows, vectors, masked);
  asm.emit(`sub r14, ${tileRows}`, `jmp ${name}:rows`);
  asm.label(`${name}:last`);
  for (let rows = tileRows - 1; rows > 0; rows--) asm.emit(`cmp r14, ${rows}`, `je ${name}:${rows}`);
  next(asm);
  for (let rows = tileRows - 1; rows > 0; rows--) {
    asm.label(`${name}:${rows}`);
    tile(asm, dialect, `${name}:${rows}`, rows, vectors, masked);
    next(asm);
  }
}

/** A tile of c: rows × vectors accumulators, the first registers. Then r12 and rbp are at the next. */
function tile(
  asm: X86Assembler,
  { set, sums, many, one, vector, vectorBytes }: Dialect,
  name: string,
  rows: number,
  vectors: number,
  masked: boolean,
): void {
  const sum = (i: number, j: number) => `${vector}${i * vectors + j}`;
  const right = (j: number) => `${vector}${rows * vectors + j}`;
  const factor = `${vector}${set === 'avx512' ? 31 : 15}`;
  /** With a mask, the last vector of a row: lanes behind the row are neither read nor written. */
  const isPart = (j: number) => masked && j === vectors - 1;
  const at = (base: string, j: number) => `[${base}${j > 0 ? `+${j * vectorBytes}` : ''}]`;
  const loadVector = (to: string, base: string, j: number) => {
    if (!isPart(j)) asm.emit(`vmovu${many} ${to}, ${at(base, j)}`);
    else if (set === 'avx512') asm.emit(`vmovu${many} ${to}{k1}{z}, ${at(base, j)}`);
    else asm.emit(`vmovups ${factor}, [rcx]`, `vmaskmov${many} ${to}, ${factor}, ${at(base, j)}`);
  };
  const storeVector = (from: string, base: string, j: number) => {
    if (!isPart(j)) asm.emit(`vmovu${many} ${at(base, j)}, ${from}`);
    else if (set === 'avx512') asm.emit(`vmovu${many} ${at(base, j)}{k1}, ${from}`);
    else asm.emit(`vmovups ${factor}, [rcx]`, `vmaskmov${many} ${at(base, j)}, ${factor}, ${from}`);
  };
  const each = (length: number, body: (index: number) => void) => {
    for (let index = 0; index < length; index++) body(index);
  };

  asm.emit('mov rax, rbp');
  if (rows > 4) asm.emit('lea rcx, [rbp+rdx*4]');
  load(asm, 'r9', MULTIPLY.b, true);
  /** Does something with each vector of c where the product is added to it. */
  const eachOfC = (body: (i: number, j: number) => void) => {
    asm.emit('mov r11, r12');
    each(rows, (i) => {
      each(vectors, (j) => body(i, j));
      if (i < rows - 1) asm.emit('add r11, r13');
    });
  };
  if (sums !== 'wasm') {
    load(asm, 'r11', MULTIPLY.adds);
    asm.emit('cmp r11, 0', `jne ${name}:add`);
  }
  each(rows * vectors, (i) => asm.emit(clear(sum(0, i))));
  if (sums !== 'wasm') {
    asm.emit(`jmp ${name}:begin`);
    asm.label(`${name}:add`);
    eachOfC((i, j) => loadVector(sum(i, j), 'r11', j));
    asm.label(`${name}:begin`);
  }
  load(asm, 'r11', MULTIPLY.k);
  asm.emit('cmp r11, 0', `je ${name}:end`);
  asm.label(`${name}:k`);
  // Of AVX2, wasm's sums need a register for products, so whole vectors of b stay in memory.
  const isRead = (j: number) => sums === 'wasm' && set === 'avx2' && !isPart(j);
  // Not that of the last vector of b.
  const part = set === 'avx512' ? 'zmm30' : `ymm${rows * vectors + (vectors === 1 ? 1 : 0)}`;
  each(vectors, (j) => {
    if (!isRead(j)) loadVector(right(j), 'r9', j);
  });
  each(rows, (i) => {
    asm.emit(`vbroadcast${one} ${factor}, [${i < 4 ? 'rax' : 'rcx'}${ROW[i % 4]}]`);
    each(vectors, (j) => {
      if (sums === 'fused') asm.emit(`vfmadd231${many} ${sum(i, j)}, ${factor}, ${right(j)}`);
      else if (sums === 'bfloat16') asm.emit(`vdpbf16ps ${sum(i, j)}, ${factor}, ${right(j)}`);
      else {
        asm.emit(`vmul${many} ${part}, ${factor}, ${isRead(j) ? at('r9', j) : right(j)}`);
        asm.emit(`vadd${many} ${sum(i, j)}, ${sum(i, j)}, ${part}`);
      }
    });
  });
  asm.emit('add rax, r8');
  if (rows > 4) asm.emit('add rcx, r8');
  asm.emit('add r9, r10', 'sub r11, 1', `jne ${name}:k`);
  asm.label(`${name}:end`);
  if (sums === 'wasm') {
    load(asm, 'r11', MULTIPLY.adds);
    asm.emit('cmp r11, 0', `je ${name}:store`);
    eachOfC((i, j) => {
      loadVector(part, 'r11', j);
      asm.emit(`vadd${many} ${sum(i, j)}, ${sum(i, j)}, ${part}`);
    });
    asm.label(`${name}:store`);
  }
  each(rows, (i) => {
    each(vectors, (j) => storeVector(sum(i, j), 'r12', j));
    asm.emit('add r12, r13');
  });
  load(asm, 'rax', MULTIPLY.aTile);
  asm.emit('add rbp, rax');
}

/** From the first of four rows of a to each. */
const ROW = ['', '+rdx', '+rdx*2', '+rbx'];

/** Copies rows of this many bytes: whole tiles' rows of a, or columns of b, for each k. */
function copy(asm: X86Assembler, { vectorBytes }: Dialect, name: string, rowBytes: number): void {
  asm.label(name);
  load(asm, 'rax', PACK.from, true);
  load(asm, 'rcx', PACK.fromStep);
  load(asm, 'rdx', PACK.to, true);
  load(asm, 'r8', PACK.rows);
  asm.label(`${name}:row`);
  const size = Math.min(vectorBytes, rowBytes);
  const kind = { 16: 'xmm', 32: 'ymm', 64: 'zmm' }[size];
  for (let at = 0; at < rowBytes; at += size) asm.emit(`vmovups ${kind}${at / size}, [rax+${at}]`);
  for (let at = 0; at < rowBytes; at += size) asm.emit(`vmovups [rdx+${at}], ${kind}${at / size}`);
  asm.emit('add rax, rcx', `add rdx, ${rowBytes}`, 'sub r8, 1', `jne ${name}:row`);
  next(asm);
}

/**
 * Rounds two rows of float32 to bfloat16 and writes them as pairs, a row of `rowBytes`: what a tile needs of
 * a, or of b. Lanes outside of masks are neither read nor written. The second row of an odd last one is 0.
 */
function interleave(asm: X86Assembler, _: Dialect, name: string, rowBytes: number): void {
  const vectors = Math.ceil(rowBytes / 64);
  const rows = (isLast: boolean) => {
    for (let j = 0; j < vectors; j++) {
      const [first, second, mask] = [`zmm${2 * j}`, `zmm${2 * j + 1}`, `{k${j + 1}}`];
      asm.emit(`vmovups ${first}${mask}{z}, [rax+${64 * j}]`);
      asm.emit(isLast ? clear(second) : `vmovups ${second}${mask}{z}, [rax+rcx+${64 * j}]`);
      asm.emit(`vcvtne2ps2bf16 ${first}, ${second}, ${first}`, `vpermw ${first}, zmm31, ${first}`);
      asm.emit(`vmovups [rdx+${64 * j}]${mask}, ${first}`);
    }
  };
  asm.label(name);
  for (let j = 0; j < vectors; j++) {
    load(asm, 'rax', PACK.masks + j);
    asm.emit(`kmovw k${j + 1}, eax`);
  }
  asm.emit('vmovups zmm31, [rip+interleaved]');
  load(asm, 'rax', PACK.from, true);
  load(asm, 'rcx', PACK.fromStep);
  load(asm, 'rdx', PACK.to, true);
  load(asm, 'r8', PACK.rows);
  asm.label(`${name}:rows`);
  asm.emit('cmp r8, 2', `jl ${name}:last`);
  rows(false);
  asm.emit('lea rax, [rax+rcx*2]', `add rdx, ${rowBytes}`, 'sub r8, 2', `jmp ${name}:rows`);
  asm.label(`${name}:last`);
  asm.emit('cmp r8, 0', `je ${name}:end`);
  rows(true);
  asm.label(`${name}:end`);
  next(asm);
}

/**
 * to[columns, rows] ← from[rows, columns]ᵀ, by squares of 16 bytes a row, then by elements. With bfloat16, two
 * columns become a pair, which is an element of `to`.
 *
 *   rbp, rcx, rbx  from, its bytes from row to row, and three times   r12  rows that remain
 *   rdx, r8, r14   to, the same                                       r11  columns that remain
 *   rax, r9        within the rows
 */
function transpose(asm: X86Assembler, { bytes, one, sums }: Dialect): void {
  const side = 16 / bytes;
  /** Columns of `from` that make an element. */
  const width = sums === 'bfloat16' ? 2 : 1;
  const advance = (register: string, step: string) => `lea ${register}, [${register}+${step}*${side}]`;
  const eachSide = (body: (index: number) => void) => {
    for (let index = 0; index < side; index++) body(index);
  };
  const fromRow = ['', '+rcx', '+rcx*2', '+rbx'];
  const toRow = ['', '+r8', '+r8*2', '+r14'];
  const loadSide = (i: number) => {
    const from = `[rax${fromRow[i]}]`;
    if (width === 1) asm.emit(`vmovups xmm${i}, ${from}`);
    else asm.emit(`vmovups ymm${i}, ${from}`, `vcvtneps2bf16 xmm${i}, ymm${i}`);
  };
  /** What remains of the columns of the first rows. */
  const elements = (name: string, rows: number) => {
    const element = (isLast: boolean) => {
      for (let i = 0; i < rows; i++) {
        asm.emit(`vmov${width === 2 && !isLast ? 'sd' : one} xmm0, [rax${fromRow[i]}]`);
        if (width === 2) asm.emit('vcvtneps2bf16 xmm0, xmm0');
        asm.emit(`vmov${one} [r9+${i * bytes}], xmm0`);
      }
    };
    asm.label(name);
    asm.emit(`cmp r11, ${width}`, `jl ${name}:last`);
    element(false);
    asm.emit(`add rax, ${width * bytes}`, 'add r9, r8', `sub r11, ${width}`, `jmp ${name}`);
    asm.label(`${name}:last`);
    if (width === 1) return;
    asm.emit('cmp r11, 0', `je ${name}:end`);
    element(true);
    asm.label(`${name}:end`);
  };
  asm.label('transpose');
  load(asm, 'rbp', PACK.from, true);
  load(asm, 'rcx', PACK.fromStep);
  load(asm, 'rdx', PACK.to, true);
  load(asm, 'r8', PACK.toStep);
  load(asm, 'r12', PACK.rows);
  asm.emit('lea rbx, [rcx+rcx*2]', 'lea r14, [r8+r8*2]');

  asm.label('transpose:rows');
  asm.emit(`cmp r12, ${side}`, 'jl transpose:lastRows', 'mov rax, rbp', 'mov r9, rdx');
  load(asm, 'r11', PACK.columns);
  asm.label('transpose:square');
  asm.emit(`cmp r11, ${side * width}`, 'jl transpose:columns');
  eachSide(loadSide);
  if (side === 4) {
    asm.emit('vunpcklps xmm4, xmm0, xmm1', 'vunpckhps xmm5, xmm0, xmm1');
    asm.emit('vunpcklps xmm6, xmm2, xmm3', 'vunpckhps xmm7, xmm2, xmm3');
    asm.emit('vunpcklpd xmm0, xmm4, xmm6', 'vunpckhpd xmm1, xmm4, xmm6');
    asm.emit('vunpcklpd xmm2, xmm5, xmm7', 'vunpckhpd xmm3, xmm5, xmm7');
  } else {
    asm.emit('vunpckhpd xmm4, xmm0, xmm1', 'vunpcklpd xmm0, xmm0, xmm1');
  }
  const turned = side === 4 ? [0, 1, 2, 3] : [0, 4];
  eachSide((i) => asm.emit(`vmovups [r9${toRow[i]}], xmm${turned[i]}`));
  asm.emit(`add rax, ${16 * width}`, advance('r9', 'r8'), `sub r11, ${side * width}`, 'jmp transpose:square');
  elements('transpose:columns', side);
  asm.emit(advance('rbp', 'rcx'), 'add rdx, 16', `sub r12, ${side}`, 'jmp transpose:rows');

  asm.label('transpose:lastRows');
  asm.emit('cmp r12, 0', 'je transpose:end', 'mov rax, rbp', 'mov r9, rdx');
  load(asm, 'r11', PACK.columns);
  elements('transpose:row', 1);
  asm.emit('add rbp, rcx', `add rdx, ${bytes}`, 'sub r12, 1', 'jmp transpose:lastRows');
  asm.label('transpose:end');
  next(asm);
}

function clear(register: string): string {
  return `${register[0] === 'z' ? 'vpxord' : 'vxorps'} ${register}, ${register}, ${register}`;
}

/** The lower half of a general register. */
export function lower(register: string): string {
  return /\d/.test(register) ? `${register}d` : register.replace('r', 'e');
}
