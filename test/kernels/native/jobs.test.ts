/**
 * The list of jobs of a product, carried out by plain loops: so for the tiles of every instruction set, on any
 * processor. Small whole numbers, so that sums are exact in any order.
 */
import { describe, expect, it } from 'vitest';
import { bytesPerElement } from '../../../src/kernels/arena.js';
import type { DType, ProductForm } from '../../../src/kernels/kernels.js';
import {
  JOB_INTEGERS,
  LIST,
  LISTED,
  listBytes,
  MULTIPLY,
  PACK,
  type Program,
  SUM_LISTS,
  SUM_ZEROS,
} from '../../../src/kernels/native/jobs.js';
import { PRODUCT_SCRATCH_BYTES, product } from '../../../src/kernels/native/product.js';

interface Tile {
  readonly name: string;
  readonly dtype: DType;
  readonly rows: number;
  readonly lanes: number;
  readonly isPaired?: boolean;
  readonly masksAny?: boolean;
  readonly depth?: number;
  /** Whether products skip the zeros of a, whatever their number. */
  readonly skips?: boolean;
}

const TILES: readonly Tile[] = [
  { name: 'AVX2', dtype: 'float32', rows: 4, lanes: 8 },
  { name: 'AVX2, float64', dtype: 'float64', rows: 4, lanes: 4 },
  { name: 'AVX2, sums of wasm', dtype: 'float32', rows: 4, lanes: 8, depth: 256 },
  { name: 'AVX-512', dtype: 'float32', rows: 8, lanes: 16 },
  { name: 'AVX-512, float64', dtype: 'float64', rows: 8, lanes: 8 },
  { name: 'AVX-512, bfloat16', dtype: 'float32', rows: 8, lanes: 16, isPaired: true },
  { name: 'AVX2, zeros skipped', dtype: 'float32', rows: 4, lanes: 8, skips: true },
  { name: 'AVX-512, float64, zeros skipped', dtype: 'float64', rows: 8, lanes: 8, skips: true },
  { name: 'NEON', dtype: 'float32', rows: 8, lanes: 4, masksAny: false },
  { name: 'NEON, float64', dtype: 'float64', rows: 8, lanes: 2, masksAny: false },
];
const TILE_VECTORS = 3;
const COPIED_TILES = 4;
const LIST_VECTORS = 3;
/** Between operands. */
const GAP_BYTES = 512;

/** Routines by numbers; those that multiply follow. */
const Routine = {
  end: 1,
  copyTileRows: 2,
  copyRowsOfTiles: 3,
  copyTileColumns: 4,
  transpose: 5,
  list: 6,
  sumOfZeros: 7,
  copyColumns: 8,
  sumLists: 9,
  multiply: 9 + LIST_VECTORS,
};

function programOf({ rows, lanes, isPaired = false, masksAny = true, depth, skips }: Tile): Program {
  const rests = Array.from({ length: lanes }, (_, rest) => rest);
  return {
    code: new Uint8Array(),
    listing: [],
    tileRows: rows,
    lanes,
    ...(depth !== undefined && { depth }),
    isPaired,
    tileVectors: TILE_VECTORS,
    masksAny,
    end: Routine.end,
    multiply: [0, 1, 2].map((v) => rests.map((rest) => Routine.multiply + v * lanes + rest)),
    masks: rests.map((rest) => rest || lanes),
    copyTileRows: Routine.copyTileRows,
    ...(!isPaired && { copyRowsOfTiles: Routine.copyRowsOfTiles }),
    copiedTiles: COPIED_TILES,
    copyTileColumns: Routine.copyTileColumns,
    transpose: Routine.transpose,
    ...(skips && {
      sparse: {
        mostVectors: LIST_VECTORS,
        list: Routine.list,
        sumOfZeros: Routine.sumOfZeros,
        copyColumns: Routine.copyColumns,
        sumLists: [0, 1, 2].map((v) => Routine.sumLists + v),
      },
    }),
  };
}

/** Operands of zeros, and a product that carries out its jobs. */
function memoryOf(tile: Tile, elements: readonly [a: number, b: number, c: number]) {
  const { dtype, rows: tileRows, lanes, isPaired = false } = tile;
  const bytes = bytesPerElement(dtype);
  const program = programOf(tile);
  const length = PRODUCT_SCRATCH_BYTES + elements.reduce((sum, count) => sum + GAP_BYTES + count * bytes, 0);
  const buffer = new ArrayBuffer(length);
  const all = dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer);
  /** Of pairs, each a whole number, where machine code has bfloat16. */
  const halves = new Int16Array(buffer);
  const gaps = new Uint8Array(length / bytes);
  let end = PRODUCT_SCRATCH_BYTES;
  const [a, b, c] = elements.map((count) => {
    gaps.fill(1, end / bytes, (end + GAP_BYTES) / bytes);
    const address = end + GAP_BYTES;
    end = address + count * bytes;
    return { address, data: all.subarray(address / bytes, end / bytes), rows: 1, columns: count };
  });
  const fields = new Uint32Array(buffer);

  /** Where an element is in `all`: in an operand or in scratch, never between or behind. */
  const at = (address: number) => {
    const place = address / bytes;
    if (gaps[place] !== 0) throw new Error(`found ${address}, expected an element`);
    return place;
  };
  const storePair = (address: number, first: number, second: number) => {
    halves[address / 2] = first;
    halves[address / 2 + 1] = second;
  };
  const timesOf = (x: number, y: number) => {
    if (!isPaired) return all[at(x)] * all[at(y)];
    const [i, j] = [2 * at(x), 2 * at(y)];
    return halves[i] * halves[j] + halves[i + 1] * halves[j + 1];
  };

  // Fields are read once for a job: looked up for each term, they took most of the time.
  function multiply(kind: number, job: Uint32Array): void {
    const rest = kind % lanes;
    const width = Math.floor(kind / lanes) * lanes + (rest || lanes);
    const [k, adds] = [job[MULTIPLY.k], job[MULTIPLY.adds]];
    const [aTile, aRow, aStep] = [job[MULTIPLY.aTile], job[MULTIPLY.aRow], job[MULTIPLY.aStep]];
    const [b, bStep, c, cRow] = [job[MULTIPLY.b], job[MULTIPLY.bStep], job[MULTIPLY.c], job[MULTIPLY.cRow]];
    for (let i = 0; i < job[MULTIPLY.rows]; i++) {
      const left = job[MULTIPLY.a] + Math.floor(i / tileRows) * aTile + (i % tileRows) * aRow;
      for (let j = 0; j < width; j++) {
        const place = at(c + i * cRow + j * bytes);
        let sum = adds ? all[place] : 0;
        for (let p = 0; p < k; p++) sum += timesOf(left + p * aStep, b + p * bStep + j * bytes);
        all[place] = sum;
      }
    }
  }

  function copy(job: Uint32Array, width: number, tiles: number): void {
    const [rows, toStart, toStep] = [job[PACK.rows], job[PACK.to], job[PACK.toStep]];
    for (let p = 0; p < rows; p++) {
      const from = job[PACK.from] + p * job[PACK.fromStep];
      for (let i = 0; i < tiles * width; i++) {
        const to = toStart + Math.floor(i / width) * toStep + (p * width + (i % width)) * bytes;
        if (!isPaired) all[at(to)] = all[at(from + i * bytes)];
        else if (p % 2 === 0 && i % lanes < job[PACK.masks + Math.floor(i / lanes)]) {
          const last = p + 1 === rows;
          const below = last ? 0 : all[at(from + job[PACK.fromStep] + i * bytes)];
          const pair = toStart + ((p / 2) * width + i) * bytes;
          storePair(pair, all[at(from + i * bytes)], below);
        }
      }
    }
  }

  function transpose(job: Uint32Array): void {
    const field = (name: keyof typeof PACK) => job[PACK[name]];
    for (let i = 0; i < field('rows'); i++) {
      for (let p = 0; p < field('columns'); p++) {
        const from = field('from') + i * field('fromStep') + p * bytes;
        const to = field('to') + p * field('toStep') + i * bytes;
        if (!isPaired) all[at(to)] = all[at(from)];
        else if (p % 2 === 0) {
          const next = p + 1 < field('columns') ? all[at(from + bytes)] : 0;
          storePair(field('to') + (p / 2) * field('toStep') + i * bytes, all[at(from)], next);
        }
      }
    }
  }

  /** Elements of a row in vectors, the last of them in part. */
  const lengthOf = (vectors: number, mask: number) => vectors * lanes + mask;

  function list(job: Uint32Array): void {
    const length = lengthOf(job[LIST.vectors], job[LIST.mask]);
    for (let i = 0; i < job[LIST.rows]; i++) {
      const to = job[LIST.to] + i * listBytes(bytes);
      let count = 0;
      for (let p = 0; p < length; p++) {
        const factor = all[at(job[LIST.from] + i * job[LIST.fromRow] + p * bytes)];
        if (factor === 0) continue;
        fields[(to + LISTED.places) / 4 + count] = p * job[LIST.bStep];
        all[at(to + LISTED.factors + count++ * bytes)] = factor;
      }
      fields[to / 4] = count;
    }
  }

  function sumLists(vectors: number, job: Uint32Array): void {
    const width = lengthOf(vectors - 1, job[SUM_LISTS.mask]);
    for (let i = 0; i < job[SUM_LISTS.rows]; i++) {
      const from = job[SUM_LISTS.lists] + i * listBytes(bytes);
      for (let j = 0; j < width; j++) {
        const place = at(job[SUM_LISTS.c] + i * job[SUM_LISTS.cRow] + j * bytes);
        let sum = job[SUM_LISTS.adds] ? all[place] : 0;
        for (let count = 0; count < fields[from / 4]; count++) {
          const row = job[SUM_LISTS.b] + fields[(from + LISTED.places) / 4 + count];
          sum += all[at(from + LISTED.factors + count * bytes)] * all[at(row + j * bytes)];
        }
        all[place] = sum;
      }
    }
  }

  function copyColumns(job: Uint32Array): void {
    for (let p = 0; p < job[PACK.rows]; p++) {
      for (let j = 0; j < lengthOf(job[PACK.columns], job[PACK.masks]); j++) {
        const from = job[PACK.from] + p * job[PACK.fromStep] + j * bytes;
        all[at(job[PACK.to] + p * job[PACK.toStep] + j * bytes)] = all[at(from)];
      }
    }
  }

  function sumOfZeros(job: Uint32Array): void {
    let sum = 0;
    for (let i = 0; i < job[SUM_ZEROS.rows]; i++) {
      for (let j = 0; j < lengthOf(job[SUM_ZEROS.vectors], job[SUM_ZEROS.mask]); j++) {
        sum += 0 * all[at(job[SUM_ZEROS.from] + i * job[SUM_ZEROS.fromRow] + j * bytes)];
      }
    }
    for (let lane = 0; lane < lanes; lane++) all[at(job[SUM_ZEROS.to] + lane * bytes)] = lane === 1 ? sum : 0;
  }

  function run(jobs: number): void {
    for (let start = jobs / 4; fields[start] !== Routine.end; start += JOB_INTEGERS) {
      const job = fields.subarray(start, start + JOB_INTEGERS);
      const [routine] = job;
      if (routine === Routine.copyTileRows) copy(job, tileRows, 1);
      else if (routine === Routine.copyRowsOfTiles) copy(job, tileRows, COPIED_TILES);
      else if (routine === Routine.copyTileColumns) copy(job, TILE_VECTORS * lanes, 1);
      else if (routine === Routine.transpose) transpose(job);
      else if (routine === Routine.list) list(job);
      else if (routine === Routine.sumOfZeros) sumOfZeros(job);
      else if (routine === Routine.copyColumns) copyColumns(job);
      else if (routine < Routine.multiply) sumLists(routine - Routine.sumLists + 1, job);
      else multiply(routine - Routine.multiply, job);
    }
  }

  const kernelsOf = (rank: number, size: number) =>
    product(program, run, dtype, buffer, 0, { rank, size, sync() {} }, () => true);
  return { a, b, c, kernelsOf };
}

/** Whole numbers from −3 to 3. */
function fill(data: Float32Array | Float64Array, seed: number): void {
  let state = seed;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = ((state >>> 16) % 7) - 3;
  }
}

const SIZES = [1, 7, 25, 32, 50];
const SHAPES = [
  ...SIZES.flatMap((m, i) => SIZES.map((n, j) => [m, n, SIZES[(2 * i + 5 * j) % SIZES.length]])),
  // No terms; several blocks of k, of rows and of columns.
  [9, 30, 0],
  [20, 70, 600],
  [520, 200, 2],
];
/** Also more panels than are kept, of any tile. */
const MANY_COLUMNS = [520, 1550, 1];

describe.each(TILES)('jobs of a product with tiles of $name', (tile) => {
  it.each<ProductForm>(['NN', 'TN', 'NT'])('compute it, for all sizes and 1 to 3 threads, %s', (form) => {
    const shapes = form === 'NN' ? [...SHAPES, MANY_COLUMNS] : SHAPES;
    for (const [shape, [m, n, k]] of shapes.entries()) {
      const { a, b, c, kernelsOf } = memoryOf(tile, [m * k, k * n, m * n]);
      fill(a.data, 1 + shape);
      fill(b.data, 1000 + shape);
      fill(c.data, 2000 + shape);
      const beta = shape % 2 === 0 ? 1 : 0;
      const expected = c.data.map((old, at) => {
        const i = Math.floor(at / n);
        const j = at % n;
        let sum = beta === 1 ? old : 0;
        for (let p = 0; p < k; p++) {
          sum +=
            a.data[form === 'TN' ? p * m + i : i * k + p] * b.data[form === 'NT' ? j * k + p : p * n + j];
        }
        return sum;
      });
      const threads = 1 + (shape % 3);
      for (let rank = 0; rank < threads; rank++) {
        kernelsOf(rank, threads).gemm(form, m, n, k, a, b, beta, c);
      }
      const wrong = expected.findIndex((value, at) => value !== c.data[at]);
      expect(wrong, `${m}×${n}×${k}`).toBe(-1);
    }
  });

  it('give what is not finite to every row, zeros or not', () => {
    const [m, n, k] = [20, 40, 30];
    const { a, b, c, kernelsOf } = memoryOf({ ...tile, isPaired: false }, [m * k, k * n, m * n]);
    b.data.fill(1)[3] = Number.POSITIVE_INFINITY;
    kernelsOf(0, 1).gemm('NN', m, n, k, a, b, 0, c);
    expect([...c.data]).toEqual([...c.data].map((_, at) => (at % n === 3 ? Number.NaN : 0)));
  });
});
