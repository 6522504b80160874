/**
 * The machine code of products that skip the zeros of a, for x86-64.
 *
 * `list` writes for each row of a what is not zero, and `sumLists` adds as many rows of b, each times its factor, to a row of
 * c. A multiply-add by zero changes no sum but the sign of a zero, and tiles (productCode.ts) write no −0 either. So an element
 * has the bits of the whole chain as long as b is finite, which `sumOfZeros` tells: 0 times infinity or NaN is NaN.
 */
import type { Assembler } from './assembler.js';
import { LIST, LISTED, listBytes, PACK, type SparseProgram, SUM_LISTS, SUM_ZEROS } from './jobs.js';
import { upTo, type Vector, type VectorCode } from './vectorCode.js';
import { inJob, type X86Lines, type X86Set } from './x86Set.js';

/** As many sums in a row of c as hide the time that one multiply-add takes. */
const VECTORS = 8;

type Code = VectorCode<X86Lines>;

/** Writes the routines. AVX2 has none for float64. */
export function sparseRoutines(set: X86Set, code: Code, assembler: Assembler, bytes: number): SparseProgram {
  if (set === 'avx2') assembler.data('picks', picks());
  const widths = upTo(VECTORS).map((i) => i + 1);
  code.routine('list', () => list(code, bytes));
  code.routine('sumOfZeros', () => sumOfZeros(code));
  code.routine('copyColumns', () => copyColumns(code));
  for (const vectors of widths) {
    code.routine(`sumLists${vectors}`, () => sumLists(code, vectors, bytes));
  }
  return {
    mostVectors: VECTORS,
    list: assembler.offsetOf('list'),
    sumOfZeros: assembler.offsetOf('sumOfZeros'),
    copyColumns: assembler.offsetOf('copyColumns'),
    sumLists: widths.map((vectors) => assembler.offsetOf(`sumLists${vectors}`)),
  };
}

/** Of each set of 8 lanes, the numbers of those in it, then any. */
function picks(): Uint8Array {
  return Uint8Array.from(
    upTo(256).flatMap((mask) => {
      const inside = upTo(8).filter((lane) => (mask >> lane) & 1);
      return [...inside, ...upTo(8 - inside.length)];
    }),
  );
}

/** Of each row of a: how many elements are not zero, how far their rows of b are from the first, and they themselves. */
function list(code: Code, bytes: number): void {
  const { move, add, field, useParts } = code.integers;
  const { load, store, zero, addInts, mulInts } = code.vectors;
  const { broadcastInt, usePicks, findNonzero, pick, pickInts, clearInt, writeInt } = code.vectors;
  useParts(LIST.mask, 1);
  const { from, to } = code.take('address', LIST, 'from', 'to');
  const { fromRow, rows } = code.take('field', LIST, 'fromRow', 'rows');
  const [at, places, factors, vectors, count, found, picks] = upTo(7).map(() => code.register());
  usePicks(picks);
  const [first, step, place, none] = code.variables(4);
  const bStep = broadcastInt(inJob(LIST.bStep));
  const lane = code.constant('lanes', (lane) => lane);
  code.assign(first, mulInts(bStep, lane));
  code.assign(step, mulInts(bStep, code.bits(code.vectorBytes / bytes)));
  code.assign(none, zero());
  code.repeat(rows, () => {
    move(at, from);
    move(places, to);
    add(places, LISTED.places);
    move(factors, to);
    add(factors, LISTED.factors);
    clearInt(count);
    code.assign(place, load(first));
    field(vectors, LIST.vectors);
    code.repeat(vectors, () => scan('0'));
    scan('1');
    writeInt(count, code.at(to));
    add(from, fromRow);
    add(to, listBytes(bytes));
  });

  function scan(part: string): void {
    const x = load(code.at(at), part);
    const nonzero = findNonzero(x, none, found, picks);
    store(pick(nonzero, x), code.at(factors));
    store(pickInts(nonzero, place), code.at(places));
    code.assign(place, addInts(place, step));
    add(at, code.vectorBytes);
    add(count, found);
    for (const _ of upTo(2)) add(found, found);
    add(places, found);
    if (bytes === 8) add(found, found);
    add(factors, found);
  }
}

/** c[rows, columns] ← a·b, or c + a·b, for the lists of a and up to VECTORS vectors of columns. */
function sumLists(code: Code, vectors: number, bytes: number): void {
  const { move, add, field, useParts } = code.integers;
  const { load, store, zero, factor, multiplyAdd, readInt } = code.vectors;
  useParts(SUM_LISTS.mask, 1);
  const { lists, b, c } = code.take('address', SUM_LISTS, 'lists', 'b', 'c');
  const { cRow, rows } = code.take('field', SUM_LISTS, 'cRow', 'rows');
  const [places, factors, count, row] = upTo(4).map(() => code.register());
  const sums = code.variables(vectors);
  const each = (body: (sum: Vector, beyond: number, part: string) => void) => {
    for (const [j, sum] of sums.entries()) body(sum, code.vectorBytes * j, j === vectors - 1 ? '1' : '0');
  };
  code.repeat(rows, () => {
    field(count, SUM_LISTS.adds);
    code.ifEqual(
      1,
      count,
      () => each((sum, beyond, part) => code.assign(sum, load(code.at(c, beyond), part))),
      () => each((sum) => code.assign(sum, zero())),
    );
    move(places, lists);
    add(places, LISTED.places);
    move(factors, lists);
    add(factors, LISTED.factors);
    readInt(count, code.at(lists));
    code.repeat(count, () => {
      readInt(row, code.at(places));
      add(row, b);
      const x = factor(code.at(factors));
      each((sum, beyond) => code.assign(sum, multiplyAdd(sum, x, code.at(row, beyond))));
      add(places, 4);
      add(factors, bytes);
    });
    const none = zero();
    each((sum, beyond, part) => store(code.vectors.add(sum, none), code.at(c, beyond), part));
    add(lists, listBytes(bytes));
    add(c, cRow);
  });
}

/** Copies columns of b. What the last vector copies beyond its mask is not used. */
function copyColumns(code: Code): void {
  const { move, add, field, useParts } = code.integers;
  const { load, store } = code.vectors;
  useParts(PACK.masks, 1);
  const { from, to } = code.take('address', PACK, 'from', 'to');
  const { fromStep, toStep, rows } = code.take('field', PACK, 'fromStep', 'toStep', 'rows');
  const [x, y, vectors] = upTo(3).map(() => code.register());
  code.repeat(rows, () => {
    move(x, from);
    move(y, to);
    field(vectors, PACK.columns);
    code.repeat(vectors, () => {
      store(load(code.at(x)), code.at(y));
      add(x, code.vectorBytes);
      add(y, code.vectorBytes);
    });
    store(load(code.at(x), '1'), code.at(y));
    add(from, fromStep);
    add(to, toStep);
  });
}

/** The sum of 0·x, in parts: NaN somewhere if an x is infinite or NaN, else 0 everywhere. */
function sumOfZeros(code: Code): void {
  const { move, add, field, useParts } = code.integers;
  const { load, store, zero, multiplyAdd } = code.vectors;
  useParts(SUM_ZEROS.mask, 1);
  const { from, to } = code.take('address', SUM_ZEROS, 'from', 'to');
  const { fromRow, rows } = code.take('field', SUM_ZEROS, 'fromRow', 'rows');
  const [at, vectors] = upTo(2).map(() => code.register());
  const [none, ...sums] = code.variables(5);
  for (const variable of [none, ...sums]) code.assign(variable, zero());
  code.repeat(rows, () => {
    move(at, from);
    field(vectors, SUM_ZEROS.vectors);
    for (const several of [sums, sums.slice(0, 1)]) {
      code.whileAtLeast(several.length, vectors, () => {
        for (const [i, sum] of several.entries()) {
          code.assign(sum, multiplyAdd(sum, none, code.at(at, code.vectorBytes * i)));
        }
        add(at, code.vectorBytes * several.length);
      });
    }
    const last = load(code.at(at), '1');
    code.assign(sums[0], multiplyAdd(sums[0], none, last));
    add(from, fromRow);
  });
  store(
    sums.reduce((sum, other) => code.vectors.add(sum, other)),
    code.at(to),
  );
}
