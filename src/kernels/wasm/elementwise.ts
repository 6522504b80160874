/** Sums and multiples of tensors, rows of minibatches, dropout and reductions. */
import type { ElementwiseKernels } from '../kernels.js';
import { CACHE_LINE } from '../share.js';
import { MAX_PARTIALS, type WasmFunction, type WasmThread } from './loader.js';

const LABEL_BYTES = 4;

/** Elements that one counter decides; a cache line holds a whole number of them. */
const DRAWS_OF_BLOCK = 4;

/** Up to this many elements every thread sums them all: less work than to share it. */
const WHOLE_SUM = 4096;

export function elementwise({ wasm, share, slices, partials, bytes }: WasmThread): ElementwiseKernels {
  return {
    add(rows, a, b, out) {
      const { length, offset } = slices.elements(rows * out.columns);
      wasm.add(length, a.address + offset, b.address + offset, out.address + offset);
      share.sync();
    },

    sumViews(rows, views, x, out) {
      const { start, length, offset } = slices.rows(rows, out.columns);
      const from = start * views * out.columns * bytes;
      wasm.sumViews(length, views, out.columns, x.address + from, out.address + offset);
      share.sync();
    },

    scaleRows(rows, factors, x) {
      const { start, length, offset } = slices.rows(rows, x.columns);
      wasm.scaleRows(length, x.columns, factors.address + start * bytes, x.address + offset);
      share.sync();
    },

    scaleColumns(rows, factors, x, out) {
      const { length, offset } = slices.rows(rows, x.columns);
      wasm.scaleColumns(length, x.columns, factors.address, x.address + offset, out.address + offset);
      share.sync();
    },

    scaleColumnsBackward(rows, factors, x, dY, dX, dFactors) {
      // By columns, so that one thread sums a column in the order of the rows.
      const { length, offset } = slices.elements(x.columns);
      wasm.scaleColumnsBackward(
        rows,
        length,
        x.columns * bytes,
        factors.address + offset,
        x.address + offset,
        dY.address + offset,
        dX ? dX.address + offset : 0,
        dFactors.address + offset,
      );
      share.sync();
    },

    copy(rows, source, out) {
      const { length, offset } = slices.elements(rows * source.columns);
      wasm.copy(length, source.address + offset, out.address + offset);
      share.sync();
    },

    gather(rows, source, indices, out) {
      const { start, length, offset } = slices.rows(rows, source.columns);
      const from = indices.address + start * LABEL_BYTES;
      wasm.gather(length, source.columns, source.address, from, out.address + offset);
      share.sync();
    },

    gatherLabels(rows, source, indices, out) {
      const { length, offset } = slices.of(rows, CACHE_LINE / LABEL_BYTES, LABEL_BYTES);
      wasm.gatherLabels(length, source.address, indices.address + offset, out.address + offset);
      share.sync();
    },

    dropout(rows, { rate, seed, layer, step }, x, out) {
      const { start, length, offset } = slices.elements(rows * x.columns);
      const block = start / DRAWS_OF_BLOCK;
      wasm.dropout(length, rate, seed, layer, step, block, x.address + offset, out.address + offset);
      share.sync();
    },

    sum: (count, x) => total(wasm.sum, count, x.address),

    sumOfSquares: (count, x) => total(wasm.sumOfSquares, count, x.address),

    sumOfMagnitudes: (count, x) => total(wasm.sumOfMagnitudes, count, x.address),

    addScaled(count, scale, x, y) {
      const { length, offset } = slices.elements(count);
      wasm.addScaled(length, scale, x.address + offset, y.address + offset);
      share.sync();
    },

    addSigns(count, scale, x, y) {
      const { length, offset } = slices.elements(count);
      wasm.addSigns(length, scale, x.address + offset, y.address + offset);
      share.sync();
    },

    scale(count, factor, x) {
      const { length, offset } = slices.elements(count);
      wasm.scale(length, factor, x.address + offset);
      share.sync();
    },
  };

  /** The sum of a large tensor goes over the same chunks for any number of threads. */
  function total(reduce: WasmFunction, count: number, x: number): number {
    if (count <= WHOLE_SUM) {
      const sum = reduce(count, x);
      share.sync();
      return sum;
    }
    const chunk = Math.ceil(count / MAX_PARTIALS / slices.line) * slices.line;
    const chunks = Math.ceil(count / chunk);
    const { start, length } = slices.of(chunks, 1, 0);
    for (let i = start; i < start + length; i++) {
      const from = i * chunk;
      partials.set(i, reduce(Math.min(chunk, count - from), x + from * bytes));
    }
    return partials.total(chunks);
  }
}
