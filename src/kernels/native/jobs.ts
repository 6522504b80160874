/**
 * What machine code is told to do: a list of jobs, each 16 unsigned integers of 32 bits. The first
 * is where the job's routine starts in the code; addresses are offsets in the memory, and steps
 * are in bytes. A list is at most MOST_JOBS long, the end included.
 */

export const JOB_INTEGERS = 16;
export const JOB_BYTES = 4 * JOB_INTEGERS;
export const MOST_JOBS = 512;

/** A list of jobs in memory, which is carried out when it is full or when someone asks. */
export class JobList {
  /** Of all jobs. */
  readonly fields: Uint32Array;
  readonly #run: () => void;
  readonly #end: number;
  #count = 0;

  /**
   * @param at address of MOST_JOBS jobs in the buffer
   * @param end the routine that ends a list
   */
  constructor(buffer: ArrayBufferLike, at: number, end: number, run: (jobs: number) => void) {
    this.fields = new Uint32Array(buffer, at, MOST_JOBS * JOB_INTEGERS);
    this.#end = end;
    this.#run = () => run(at);
  }

  /** Where the fields of a further job are. */
  add(routine: number): number {
    if (this.#count === MOST_JOBS - 1) this.flush();
    const at = this.#count++ * JOB_INTEGERS;
    this.fields[at] = routine;
    return at;
  }

  /** A job that writes to[columns, rows] ← from[rows, columns]ᵀ, by a routine of PACK. */
  addTranspose(
    routine: number,
    from: number,
    fromStep: number,
    rows: number,
    to: number,
    toStep: number,
    columns: number,
  ): void {
    const at = this.add(routine);
    this.fields[at + PACK.from] = from;
    this.fields[at + PACK.fromStep] = fromStep;
    this.fields[at + PACK.to] = to;
    this.fields[at + PACK.rows] = rows;
    this.fields[at + PACK.toStep] = toStep;
    this.fields[at + PACK.columns] = columns;
  }

  flush(): void {
    if (this.#count === 0) return;
    this.fields[this.#count * JOB_INTEGERS] = this.#end;
    this.#run();
    this.#count = 0;
  }
}

/** The fields of a job behind that of the routine, by their numbers. */
function inOrder<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, i) => [name, 1 + i])) as Record<Name, number>;
}

/**
 * c[rows, columns] ← a·b, or c + a·b if `adds` is 1, for up to `tileVectors` vectors of columns. The
 * elements of a lie aRow bytes apart along the rows and aStep along k. The rows of b are bStep
 * apart. From a tile to the next, a advances by aTile.
 */
export const MULTIPLY = inOrder(
  ...(['a', 'aRow', 'aStep', 'aTile', 'b', 'bStep', 'c', 'cRow', 'rows', 'k', 'adds', 'mask'] as const),
);

/**
 * Packing: to[columns, rows] ← from[rows, columns]ᵀ, or rows of a fixed number of bytes, copied behind
 * each other, or the parts of rows to places `toStep` apart. Where k is taken in pairs, copies mask the
 * up to three vectors of a row, and those of `sparse` the last one.
 */
export const PACK = inOrder('from', 'fromStep', 'to', 'rows', 'toStep', 'columns', 'masks');

/**
 * A list for each row of a: what is not zero among `vectors` vectors, and one more of which the lanes of `mask` count. A list has
 * the number of its elements in 4 bytes, and at LISTED the places of their rows of b, in bytes from the first, and themselves.
 */
export const LIST = inOrder('from', 'fromRow', 'to', 'rows', 'vectors', 'mask', 'bStep');

/** The most elements of a row that a list is of: a multiple of all numbers of lanes. */
export const MOST_LISTED = 112;
/** A vector has twice as many places as it has elements of 8 bytes. */
const LIST_ROOM = MOST_LISTED + 8;
export const LISTED = { places: 32, factors: 32 + 4 * LIST_ROOM };
/** From a list to the next, for elements of so many bytes. */
export const listBytes = (bytes: number) => LISTED.factors + bytes * LIST_ROOM;

/** As MULTIPLY, of lists; rows of b lie as the lists say. */
export const SUM_LISTS = inOrder('lists', 'b', 'c', 'cRow', 'rows', 'adds', 'mask');

/** Writes a vector: 0, or NaN somewhere if one of the elements is not finite. They lie as those of LIST. */
export const SUM_ZEROS = inOrder('from', 'fromRow', 'to', 'rows', 'vectors', 'mask');

/**
 * Activations, and factors of columns. `vectors` are those of a row, and `behindRow` the bytes from the last of them to the next row.
 * bias, slope and dSlope are of all columns.
 */
export const BLEND = inOrder('x', 'y', 'dX', 'bias', 'slope', 'dSlope', 'rows', 'vectors', 'behindRow');

/** `vectors` of elements, times a number. */
export const SCALE = inOrder('x', 'vectors', 'factor');

/** `groups` of as many vectors as a counter has words, `block` the first counter. */
export const DROPOUT = inOrder(
  ...(['x', 'out', 'groups', 'block', 'stepLow', 'stepHigh', 'seed', 'layer', 'threshold', 'scale'] as const),
);

/** `vectors` of elements, and where sums of the new parameters go, lane by lane. `scalars` are seven numbers. */
export const ADAM = inOrder('parameters', 'gradients', 'mean', 'square', 'sums', 'vectors', 'scalars');

/** The machine code of one instruction set and dtype, and where its routines start. */
export interface Program {
  /** A function (address of the memory, address of the jobs), at its first byte. It runs anywhere. */
  readonly code: Uint8Array;
  /** Each instruction and label as it was written, with where it starts. */
  readonly listing: readonly { at: number; line: string }[];
  readonly tileRows: number;
  /** Elements of a vector. */
  readonly lanes: number;
  /**
   * How many k are summed before they are added to c. If left out, no bit depends on it: as many as the
   * cache holds.
   */
  readonly depth?: number;
  /**
   * Whether packing makes pairs of bfloat16 of two k: an element in all that follows. Tiles then read a
   * and b packed alone.
   */
  readonly isPaired?: boolean;
  /** Vectors of a tile's row. */
  readonly tileVectors: number;
  /** Whether a part of a vector may follow whole ones in a job; else it needs a job of its own. */
  readonly masksAny: boolean;
  /** The routine that ends a list. */
  readonly end: number;
  /** [v − 1][rest] The routine for v vectors of columns, of which the last has `rest` elements, 0: all. */
  readonly multiply: readonly (readonly number[])[];
  /** [rest] The field `mask` of a job. */
  readonly masks: readonly number[];
  /** Copies what a tile needs of a, or of b, for each k: `tileRows` or `tileVectors·lanes` elements. */
  readonly copyTileRows: number;
  /** The same of a for `copiedTiles` tiles below each other; `toStep` is from one to the next. There is none of pairs. */
  readonly copyRowsOfTiles?: number;
  readonly copiedTiles: number;
  readonly copyTileColumns: number;
  readonly transpose: number;
  /** Of products that skip the zeros of a, with the same bits. */
  readonly sparse?: SparseProgram;
}

export interface SparseProgram {
  readonly mostVectors: number;
  readonly list: number;
  readonly sumOfZeros: number;
  /** Packs columns of b: vectors as PACK.columns says, and one with a mask. */
  readonly copyColumns: number;
  /** [v − 1] The routine for v vectors of columns, the last with a mask. */
  readonly sumLists: readonly number[];
}
