/**
 * A product that skips the zeros of a, as a list of jobs: for a block of k, lists of what is not zero in rows of a, then panel by
 * panel of b the rows of c. Relu makes half of a layer's outputs and gradients zero, and pictures are for the most part empty.
 *
 * A panel is packed right before its use and stays in the first-level cache, and lists in the second.
 */
import type { FloatArray } from '../kernels.js';
import {
  type JobList,
  LIST,
  listBytes,
  MOST_LISTED,
  PACK,
  type Program,
  type SparseProgram,
  SUM_LISTS,
  SUM_ZEROS,
} from './jobs.js';

/** So many elements of a are looked at, or one in four if those are all not 0: 1 or 0.2 µs, of at least 10 of the product. */
const SAMPLES = 64;
const LEAST_WORK = 2 ** 19;

/**
 * Of the time of tiles, what lists take for each element of a that is not 0, since each loads b; to be written, for every element
 * of a; and for packing b and looking whether it is finite. Measured with both sets.
 */
const LIST_TIME = { factor: 1.3, list: 15, panel: 6 };
const MOST_FIXED = 0.7;

/** Whether c[m, n] ← op(a)·op(b) takes less time by lists of a. It reads the same elements in every thread. */
export function skippingPays(m: number, n: number, k: number, a: FloatArray): boolean {
  const fixed = LIST_TIME.list / n + LIST_TIME.panel / m;
  if (m * n * k < LEAST_WORK || fixed > MOST_FIXED) return false;
  let nonzero = 0;
  for (let i = 0; i < SAMPLES; i++) {
    if (4 * i === SAMPLES && nonzero === i) return false;
    // Multiples of 2³² divided by the golden ratio go everywhere, whatever the length of a row is.
    if (a[(Math.imul(i, 0x9e3779b1) >>> 0) % (m * k)] !== 0) nonzero++;
  }
  return LIST_TIME.factor * (nonzero / SAMPLES) + fixed < 1;
}

/** Of a panel of b, in the first-level cache with a part of a and c. */
const PANEL_BYTES = 28 * 1024;

/** op(a)[i, p] is i·aRow + p·aStep bytes behind a, op(b)[p, j] p·bStep + j·bColumn behind b. */
export interface Steps {
  readonly aRow: number;
  readonly aStep: number;
  readonly bStep: number;
  readonly bColumn: number;
  readonly cRow: number;
}

/**
 * @param bytes of an element
 * @param scratch addresses: of so many bytes for lists, and for a panel with what is transposed behind it
 */
export function sparseProduct(
  program: Program,
  sparse: SparseProgram,
  jobs: JobList,
  bytes: number,
  buffer: ArrayBufferLike,
  scratch: { readonly lists: number; readonly listsBytes: number; readonly panel: number },
) {
  const { fields } = jobs;
  const { lanes } = program;
  const vectorBytes = lanes * bytes;
  const mostRows = Math.floor(scratch.listsBytes / listBytes(bytes));
  const turned = scratch.panel + PANEL_BYTES;
  /** Where the sum of zeros is written. The upper half of a NaN of 8 bytes is a NaN of 4. */
  const zeros = new Float32Array(buffer, scratch.lists, vectorBytes / 4);
  /** Of elements in vectors: all but the last vector, and the mask of that. */
  const vectorsOf = (elements: number) => ({
    vectors: Math.ceil(elements / lanes) - 1,
    mask: program.masks[elements % lanes],
  });
  return { splitsByRows, multiply };

  /** Whether `size` threads divide c by its rows: else all have the same lists, so the same work, but each needs columns enough. */
  function splitsByRows(n: number, size: number): boolean {
    return n < size * sparse.mostVectors * lanes;
  }

  /** c[rows, columns] ← op(a)·op(b) + beta·c, or false if that needs the zeros, since b is not finite. */
  function multiply(
    steps: Steps,
    a: number,
    b: number,
    c: number,
    rows: number,
    columns: number,
    k: number,
    beta: 0 | 1,
  ): boolean {
    if (!allFinite(b, steps, columns, k)) return false;
    const widest = Math.min(sparse.mostVectors, Math.ceil(columns / lanes));
    const pitch = widest * vectorBytes;
    // Whole vectors of a.
    const mostDepth = Math.min(MOST_LISTED, lanes * Math.floor(PANEL_BYTES / pitch / lanes));
    for (let row = 0; row < rows; row += mostRows) {
      const height = Math.min(mostRows, rows - row);
      for (let p = 0; p < k; p += mostDepth) {
        const depth = Math.min(mostDepth, k - p);
        list(a + row * steps.aRow + p * steps.aStep, steps, height, depth, pitch);
        for (let j = 0; j < columns; j += widest * lanes) {
          const width = Math.min(widest * lanes, columns - j);
          const from = b + p * steps.bStep + j * steps.bColumn;
          pack(from, steps, width, depth, pitch);
          const to = c + row * steps.cRow + j * bytes;
          sumLists(to, steps.cRow, height, width, beta === 1 || p > 0 ? 1 : 0);
        }
      }
    }
    jobs.flush();
    return true;
  }

  function allFinite(b: number, { bStep, bColumn }: Steps, columns: number, k: number): boolean {
    const at = jobs.add(sparse.sumOfZeros);
    const turns = bColumn !== bytes;
    const { vectors, mask } = vectorsOf(turns ? k : columns);
    fields[at + SUM_ZEROS.from] = b;
    fields[at + SUM_ZEROS.fromRow] = turns ? bColumn : bStep;
    fields[at + SUM_ZEROS.to] = scratch.lists;
    fields[at + SUM_ZEROS.rows] = turns ? columns : k;
    fields[at + SUM_ZEROS.vectors] = vectors;
    fields[at + SUM_ZEROS.mask] = mask;
    jobs.flush();
    return zeros.every((zero) => zero === 0);
  }

  /** Lists of a block of a, whose rows must lie along k. */
  function list(from: number, { aRow, aStep }: Steps, rows: number, depth: number, bStep: number): void {
    const turns = aStep !== bytes;
    if (turns) jobs.addTranspose(program.transpose, from, aStep, depth, turned, depth * bytes, rows);
    const at = jobs.add(sparse.list);
    const { vectors, mask } = vectorsOf(depth);
    fields[at + LIST.from] = turns ? turned : from;
    fields[at + LIST.fromRow] = turns ? depth * bytes : aRow;
    fields[at + LIST.to] = scratch.lists;
    fields[at + LIST.rows] = rows;
    fields[at + LIST.vectors] = vectors;
    fields[at + LIST.mask] = mask;
    fields[at + LIST.bStep] = bStep;
  }

  /** A panel of b, its rows `pitch` bytes apart. */
  function pack(
    from: number,
    { bStep, bColumn }: Steps,
    columns: number,
    depth: number,
    pitch: number,
  ): void {
    if (bColumn !== bytes) {
      jobs.addTranspose(program.transpose, from, bColumn, columns, scratch.panel, pitch, depth);
      return;
    }
    const { vectors, mask } = vectorsOf(columns);
    const at = jobs.add(sparse.copyColumns);
    fields[at + PACK.from] = from;
    fields[at + PACK.fromStep] = bStep;
    fields[at + PACK.to] = scratch.panel;
    fields[at + PACK.toStep] = pitch;
    fields[at + PACK.rows] = depth;
    fields[at + PACK.columns] = vectors;
    fields[at + PACK.masks] = mask;
  }

  function sumLists(c: number, cRow: number, rows: number, columns: number, adds: 0 | 1): void {
    const { vectors, mask } = vectorsOf(columns);
    const at = jobs.add(sparse.sumLists[vectors]);
    fields[at + SUM_LISTS.lists] = scratch.lists;
    fields[at + SUM_LISTS.b] = scratch.panel;
    fields[at + SUM_LISTS.c] = c;
    fields[at + SUM_LISTS.cRow] = cRow;
    fields[at + SUM_LISTS.rows] = rows;
    fields[at + SUM_LISTS.adds] = adds;
    fields[at + SUM_LISTS.mask] = mask;
  }
}
