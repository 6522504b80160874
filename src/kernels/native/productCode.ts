/**
 * The machine code of products: routines that work through a list of jobs (jobs.ts).
 *
 * `multiply` computes a panel of c, as wide as TILE_VECTORS vectors, tile by tile downwards. An element is one
 * chain of fused multiply-adds in the order of k, whatever tile it is in. So its bits depend on no width of
 * vectors, no block and no thread. Or it is summed as the wasm kernels do it (wasm/assembly/product.ts), with
 * their bits: each product and each sum is rounded, and each block of 256 k begins at 0 and is added to c. With
 * bfloat16, the chain takes k in pairs (reference/bfloat16.ts): a and b are packed, an element of 4 bytes is a
 * pair, and all else is as in float32.
 */
import type { DType } from '../kernels.js';
import { arm64Set } from './arm64Set.js';
import { MULTIPLY, PACK, type Program } from './jobs.js';
import { sparseRoutines } from './sparseCode.js';
import { type Register, upTo, type Vector, VectorCode } from './vectorCode.js';
import { type X86Lines, type X86Set, x86Set } from './x86Set.js';

export type NativeSet = X86Set | 'neon';

/** How products are summed. */
export type Sums = 'fused' | 'wasm' | 'bfloat16';

/** BLOCK_DEPTH of wasm/assembly/product.ts. */
const WASM_DEPTH = 256;

const TILE_VECTORS = 3;

/** Tiles of a that are copied side by side: a line of the cache holds rows of several. */
const COPIED_TILES = 4;

/** What all routines of a program know. */
interface Plan {
  readonly sums: Sums;
  /** Of an element. */
  readonly bytes: number;
  /** With few vector registers, 4. */
  readonly tileRows: number;
}

/**
 * @param windows whether callers pass arguments and keep registers as Windows does
 * @param sums 'bfloat16' is of float32 and AVX-512 alone
 */
export function productProgram(
  set: NativeSet,
  dtype: DType,
  windows: boolean,
  sums: Sums = 'fused',
): Program {
  const isPaired = sums === 'bfloat16';
  const lines = set === 'neon' ? arm64Set(dtype) : x86Set(set, dtype, windows, isPaired);
  const code = new VectorCode(lines);
  const { assembler, vectorBytes } = lines;
  const bytes = dtype === 'float32' ? 4 : 8;
  const plan: Plan = { sums, bytes, tileRows: lines.vectorRegisters === 16 ? 4 : 8 };
  const lanes = vectorBytes / bytes;
  const rests = upTo(lanes);
  const masksAny = set !== 'neon';
  const partsOf = (vectors: number) => (masksAny || vectors === 1 ? rests.map(lines.partOf) : ['0']);
  const nameOf = (vectors: number, part: string) => `multiply${vectors}:${part}`;
  for (let vectors = 1; vectors <= TILE_VECTORS; vectors++) {
    for (const part of new Set(partsOf(vectors))) {
      code.routine(nameOf(vectors, part), () => multiply(code, plan, vectors, part));
    }
  }
  const copies = [
    ['copyTileRows', plan.tileRows * bytes, 1],
    ...(isPaired ? [] : [['copyRowsOfTiles', plan.tileRows * bytes, COPIED_TILES] as const]),
    ['copyTileColumns', TILE_VECTORS * vectorBytes, 1],
  ] as const;
  for (const [name, rowBytes, tiles] of copies) {
    code.routine(name, () => {
      if (isPaired) packPairs(code as VectorCode<X86Lines>, rowBytes);
      else if (rowBytes >= vectorBytes) copy(code, rowBytes, vectorBytes, tiles);
      else code.narrow(() => copy(code, rowBytes, 16, tiles));
    });
  }
  code.routine('transpose', () => code.narrow(() => transpose(code, plan)));
  const mayBeSparse = sums === 'fused' && (set === 'avx512' || (set === 'avx2' && dtype === 'float32'));
  const sparse = mayBeSparse && sparseRoutines(set, code as VectorCode<X86Lines>, assembler, bytes);
  return {
    code: code.finish(),
    listing: assembler.listing,
    ...(sparse && { sparse }),
    tileRows: plan.tileRows,
    lanes,
    ...(sums === 'wasm' && { depth: WASM_DEPTH }),
    isPaired,
    tileVectors: TILE_VECTORS,
    masksAny,
    end: assembler.offsetOf('return'),
    multiply: [1, 2, 3].map((vectors) =>
      partsOf(vectors).map((part) => assembler.offsetOf(nameOf(vectors, part))),
    ),
    masks: rests.map(lines.maskOf),
    copyTileRows: assembler.offsetOf('copyTileRows'),
    ...(!isPaired && { copyRowsOfTiles: assembler.offsetOf('copyRowsOfTiles') }),
    copiedTiles: COPIED_TILES,
    copyTileColumns: assembler.offsetOf('copyTileColumns'),
    transpose: assembler.offsetOf('transpose'),
  };
}

function multiply(code: VectorCode, plan: Plan, vectors: number, part: string): void {
  const { sums, tileRows } = plan;
  const { move, add, field, address, useParts } = code.integers;
  const { zero, factor, scale, load, store } = code.vectors;
  if (part !== '0') useParts(MULTIPLY.mask, 1);
  const { a, c } = code.take('address', MULTIPLY, 'a', 'c');
  const { aRow, aStep, bStep, cRow, rows } = code.take(
    'field',
    MULTIPLY,
    'aRow',
    'aStep',
    'bStep',
    'cRow',
    'rows',
  );
  const left = rowsFrom(code, aRow);
  const [b, k, ...tops] = upTo(2 + tileRows / 4).map(() => code.register());
  code.whileAtLeast(tileRows, rows, () => tile(tileRows));
  for (let rest = tileRows - 1; rest > 0; rest--) code.ifEqual(rest, rows, () => tile(rest));

  /** A tile of c. Then a and c are at the next. */
  function tile(height: number): void {
    const sum = code.variables(height * vectors);
    const eachColumn = (body: (j: number, beyond: number, part: string) => void) => {
      for (const j of upTo(vectors)) body(j, j * code.vectorBytes, j === vectors - 1 ? part : '0');
    };
    /** Does something with each sum and its place in c, from a register on that moves down. */
    const eachOfC = (top: Register, body: (sum: Vector, place: string, part: string) => void) => {
      for (const i of upTo(height)) {
        eachColumn((j, beyond, part) => body(sum[i * vectors + j], code.at(top, beyond), part));
        add(top, cRow);
      }
    };
    const clear = () => {
      for (const one of sum) code.assign(one, zero());
    };

    for (const [i, top] of tops.slice(0, Math.ceil(height / 4)).entries()) {
      move(top, i === 0 ? a : tops[i - 1]);
      if (i > 0) left.advance(top, 4);
    }
    address(b, MULTIPLY.b);
    if (sums === 'wasm') clear();
    else {
      field(k, MULTIPLY.adds);
      const loadC = () => {
        move(k, c);
        eachOfC(k, (sum, place, part) => code.assign(sum, load(place, part)));
      };
      code.ifEqual(1, k, loadC, clear);
    }
    field(k, MULTIPLY.k);
    code.repeat(k, step);
    if (sums === 'wasm') {
      field(k, MULTIPLY.adds);
      code.ifEqual(1, k, () => {
        move(k, c);
        eachOfC(k, (sum, place, part) => code.assign(sum, code.vectors.add(sum, load(place, part))));
      });
    }
    // −0 + 0 is 0, so that the sign of a zero tells nothing of the products by 0 behind it (sparseCode.ts).
    const none = sums === 'fused' && zero();
    eachOfC(c, (sum, place, part) => store(none ? code.vectors.add(sum, none) : sum, place, part));
    field(k, MULTIPLY.aTile);
    add(a, k);

    function step(): void {
      const right: (Vector | string)[] = [];
      // With AVX2, sums of products leave no register for whole vectors of b: they stay in memory.
      eachColumn((j, beyond, part) => {
        const isRead = sums === 'wasm' && tileRows === 4 && part === '0';
        right[j] = isRead ? code.at(b, beyond) : load(code.at(b, beyond), part);
      });
      for (const i of upTo(height)) {
        const x = factor(left.at(tops[i >> 2], i % 4));
        eachColumn((j) => {
          const one = sum[i * vectors + j];
          const next =
            sums === 'wasm'
              ? code.vectors.add(one, scale(x, right[j]))
              : code.vectors.multiplyAdd(one, x, right[j]);
          code.assign(one, next);
        });
      }
      for (const top of tops.slice(0, Math.ceil(height / 4))) add(top, aStep);
      add(b, bStep);
    }
  }
}

/** Rows that lie a step apart: places of up to four from a register on, and its way to others. */
function rowsFrom(code: VectorCode, step: Register) {
  const { move, add } = code.integers;
  const [twice, thrice] = [code.register(), code.register()];
  move(twice, step);
  add(twice, step);
  move(thrice, twice);
  add(thrice, step);
  const steps = [0, step, twice, thrice];
  return {
    at: (top: Register, row: number) => code.at(top, steps[row]),
    /** By 1, 2 or 4 rows. */
    advance(top: Register, rows: number) {
      for (let rest = rows; rest > 0; rest -= 2) add(top, rest === 1 ? step : twice);
    },
  };
}

/** Copies for each k what a tile needs, `rowBytes` of a or of b, or what tiles side by side need, each behind its own. */
function copy(code: VectorCode, rowBytes: number, vectorBytes: number, tiles: number): void {
  const { move, add } = code.integers;
  const { load, store } = code.vectors;
  const { from, to } = code.take('address', PACK, 'from', 'to');
  const { fromStep, toStep, rows } = code.take('field', PACK, 'fromStep', 'toStep', 'rows');
  const ends = [to, ...upTo(tiles - 1).map(() => code.register())];
  for (let i = 1; i < tiles; i++) {
    move(ends[i], ends[i - 1]);
    add(ends[i], toStep);
  }
  code.repeat(rows, () => {
    for (const [i, end] of ends.entries()) {
      const places = upTo(rowBytes / vectorBytes).map((j) => j * vectorBytes);
      const row = places.map((beyond) => load(code.at(from, i * rowBytes + beyond)));
      for (const [j, beyond] of places.entries()) store(row[j], code.at(end, beyond));
    }
    add(from, fromStep);
    for (const end of ends) add(end, rowBytes);
  });
}

/**
 * Rounds two rows of float32 to bfloat16 and writes them as pairs, a row of `rowBytes`: what a tile needs of
 * a, or of b. Lanes outside of masks are neither read nor written. The second row of an odd last one is 0.
 */
function packPairs(code: VectorCode<X86Lines>, rowBytes: number): void {
  const { add, useParts } = code.integers;
  const { load, round, store, zero } = code.vectors;
  const vectors = Math.ceil(rowBytes / 64);
  useParts(PACK.masks, vectors);
  const { from, to } = code.take('address', PACK, 'from', 'to');
  const { fromStep, rows } = code.take('field', PACK, 'fromStep', 'rows');
  const [order] = code.variables(1);
  // The words 0, 32, 1, 33, … of what is rounded.
  code.assign(order, load(code.constant('byTurns', (lane) => lane | ((lane + 16) << 16))));
  const second = code.register();
  for (const height of [2, 1]) {
    code.whileAtLeast(height, rows, () => {
      code.integers.move(second, from);
      add(second, fromStep);
      for (const i of upTo(vectors)) {
        const part = `${i + 1}`;
        const above = load(code.at(from, 64 * i), part);
        const below = height === 2 ? load(code.at(second, 64 * i), part) : zero();
        store(round(above, below, order), code.at(to, 64 * i), part);
      }
      for (const _ of upTo(height)) add(from, fromStep);
      add(to, rowBytes);
    });
  }
}

/**
 * to[columns, rows] ← from[rows, columns]ᵀ, by squares of 16 bytes a row, then by elements. With bfloat16, two
 * columns become a pair, which is an element of `to`.
 */
function transpose(code: VectorCode, { sums, bytes }: Plan): void {
  const { move, add, field } = code.integers;
  const { loadRow, loadElement, loadLast, store, storeElement } = code.vectors;
  const side = 16 / bytes;
  /** Columns of `from` that make an element. */
  const width = sums === 'bfloat16' ? 2 : 1;
  const { from, to } = code.take('address', PACK, 'from', 'to');
  const { fromStep, toStep, rows } = code.take('field', PACK, 'fromStep', 'toStep', 'rows');
  const [above, below] = [rowsFrom(code, fromStep), rowsFrom(code, toStep)];
  const [x, y, columns] = [code.register(), code.register(), code.register()];
  for (const height of [side, 1]) {
    code.whileAtLeast(height, rows, () => {
      move(x, from);
      move(y, to);
      field(columns, PACK.columns);
      if (height > 1) {
        code.whileAtLeast(side * width, columns, () => {
          const square = transposed(
            code,
            upTo(side).map((i) => loadRow(above.at(x, i))),
          );
          for (const i of upTo(side)) store(square[i], below.at(y, i));
          add(x, 16 * width);
          below.advance(y, side);
        });
      }
      for (const [count, loadOne] of [[width, loadElement] as const, [1, loadLast] as const].slice(-width)) {
        code.whileAtLeast(count, columns, () => {
          for (const i of upTo(height)) storeElement(loadOne(above.at(x, i)), code.at(y, i * bytes));
          add(x, count * bytes);
          add(y, toStep);
        });
      }
      above.advance(from, height);
      add(to, height * bytes);
    });
  }
}

/** The columns of a square as rows, 4 or 2 of 16 bytes. */
export function transposed(code: VectorCode, rows: readonly Vector[]): readonly Vector[] {
  const { zipLow4, zipHigh4, zipLow8, zipHigh8 } = code.vectors;
  const [a, b, c, d] = rows;
  const halves = (x: Vector, y: Vector) => [zipLow8(x, y), zipHigh8(x, y)];
  if (rows.length === 2) return halves(a, b);
  const [low, high] = [zipLow4, zipHigh4].map((zip) => [zip(a, b), zip(c, d)]);
  return [...halves(low[0], low[1]), ...halves(high[0], high[1])];
}
