/** Embeddings: rows for each thread forward, numbers for each thread in the gradients of parameters. */
import type { EmbeddingKernels } from '../kernels.js';
import type { WasmThread } from './loader.js';

export function embedding({ wasm, share, slices, bytes, scratch }: WasmThread): EmbeddingKernels {
  return {
    embedLevels(rows, { columns, ends, others }, x, vectors, y) {
      const { start, length, offset } = slices.rows(rows, y.columns);
      const rowBytes = x.columns * bytes;
      wasm.embedLevels(
        length,
        columns.data.length,
        vectors.columns,
        others.data.length,
        columns.address,
        ends.address,
        others.address,
        x.address + start * rowBytes,
        rowBytes,
        vectors.address,
        y.address + offset,
      );
      share.sync();
    },

    embedLevelsBackward(rows, { columns, ends, others }, x, dY, dVectors, dX) {
      const count = columns.data.length;
      const size = dVectors.columns;
      const rowBytes = x.columns * bytes;
      const { start: from, length: some } = slices.of(count, 1, 0);
      wasm.embedLevelsVectors(
        rows,
        from,
        from + some,
        size,
        columns.address,
        ends.address,
        x.address,
        rowBytes,
        dY.address,
        dY.columns * bytes,
        dVectors.address,
      );
      if (dX) {
        const { start, length, offset } = slices.rows(rows, dY.columns);
        wasm.embedLevelsInput(
          length,
          count,
          size,
          others.data.length,
          columns.address,
          others.address,
          dY.address + offset,
          dX.address + start * rowBytes,
          rowBytes,
        );
      }
      share.sync();
    },

    embedNumbers(rows, { numbers, others, frequency, phase, weight, bias }, x, y) {
      const { start, length, offset } = slices.rows(rows, y.columns);
      const rowBytes = x.columns * bytes;
      wasm.embedNumbers(
        length,
        frequency.rows,
        frequency.columns,
        bias.columns,
        others.data.length,
        numbers.address,
        others.address,
        x.address + start * rowBytes,
        rowBytes,
        frequency.address,
        phase.address,
        weight.address,
        bias.address,
        y.address + offset,
        scratch,
      );
      share.sync();
    },

    embedNumbersBackward(rows, { numbers, others, frequency, phase, weight, bias }, x, dY, gradients, dX) {
      const { rows: count, columns: k } = frequency;
      const { columns: outs } = bias;
      const rowBytes = x.columns * bytes;
      const { start: from, length: some } = slices.of(count, 1, 0);
      wasm.embedNumbersParameters(
        rows,
        from,
        from + some,
        k,
        outs,
        numbers.address,
        x.address,
        rowBytes,
        frequency.address,
        phase.address,
        weight.address,
        dY.address,
        dY.columns * bytes,
        gradients.frequency.address,
        gradients.phase.address,
        gradients.weight.address,
        gradients.bias.address,
      );
      if (dX) {
        const { start, length, offset } = slices.rows(rows, dY.columns);
        wasm.embedNumbersInput(
          length,
          count,
          k,
          outs,
          others.data.length,
          numbers.address,
          others.address,
          x.address + start * rowBytes,
          rowBytes,
          frequency.address,
          phase.address,
          weight.address,
          dY.address + offset,
          dX.address + start * rowBytes,
        );
      }
      share.sync();
    },

    embedPeriodic(rows, { numbers, others, frequency, weight, bias, rectified }, x, y) {
      const { start, length, offset } = slices.rows(rows, y.columns);
      const rowBytes = x.columns * bytes;
      wasm.embedPeriodic(
        length,
        frequency.rows,
        frequency.columns,
        bias.columns,
        others.data.length,
        rectified ? 1 : 0,
        numbers.address,
        others.address,
        x.address + start * rowBytes,
        rowBytes,
        frequency.address,
        weight.address,
        bias.address,
        y.address + offset,
        scratch,
      );
      share.sync();
    },

    rectifyBackward(rows, width, y, dY) {
      const { length, offset } = slices.rows(rows, dY.columns);
      wasm.rectifyBackward(length, width, dY.columns * bytes, y.address + offset, dY.address + offset);
      share.sync();
    },

    embedPeriodicBackward(rows, { numbers, others, frequency, weight, bias }, x, dY, gradients, dX) {
      const { rows: count, columns: k } = frequency;
      const { columns: outs } = bias;
      const rowBytes = x.columns * bytes;
      const { start: from, length: some } = slices.of(count, 1, 0);
      wasm.embedPeriodicParameters(
        rows,
        from,
        from + some,
        k,
        outs,
        numbers.address,
        x.address,
        rowBytes,
        frequency.address,
        weight.address,
        dY.address,
        dY.columns * bytes,
        gradients.frequency.address,
        gradients.weight.address,
        gradients.bias.address,
        scratch,
      );
      if (dX) {
        const { start, length, offset } = slices.rows(rows, dY.columns);
        wasm.embedPeriodicInput(
          length,
          count,
          k,
          outs,
          others.data.length,
          numbers.address,
          others.address,
          x.address + start * rowBytes,
          rowBytes,
          frequency.address,
          weight.address,
          dY.address + offset,
          dX.address + start * rowBytes,
          scratch,
        );
      }
      share.sync();
    },

    sumBins({ edges, bias, weight }, sums) {
      const { start, length } = slices.of(bias.rows, 1, 0);
      wasm.sumBins(start, start + length, edges.columns - 1, bias.columns, weight.address, sums.address);
      share.sync();
    },

    embedBins(rows, { numbers, others, edges, slope, bias, weight }, x, sums, places, y) {
      const { rows: count, columns: outs } = bias;
      const bins = edges.columns - 1;
      const { start, length, offset } = slices.rows(rows, y.columns);
      const rowBytes = x.columns * bytes;
      wasm.embedBins(
        length,
        count,
        bins,
        outs,
        others.data.length,
        numbers.address,
        others.address,
        x.address + start * rowBytes,
        rowBytes,
        edges.address,
        slope.address,
        bias.address,
        weight.address,
        sums.address,
        places.address + start * count * bytes,
        y.address + offset,
      );
      share.sync();
    },

    embedBinsBackward(rows, embedding, x, places, dY, sums, gradients, dX) {
      const { numbers, others, edges, slope, bias, weight } = embedding;
      const { rows: count, columns: outs } = bias;
      const bins = edges.columns - 1;
      const { start: from, length: some } = slices.of(count, 1, 0);
      wasm.embedBinsParameters(
        rows,
        from,
        from + some,
        count,
        bins,
        outs,
        numbers.address,
        x.address,
        x.columns * bytes,
        edges.address,
        places.address,
        dY.address,
        dY.columns * bytes,
        sums.address,
        gradients.slope.address,
        gradients.bias.address,
        gradients.weight.address,
      );
      if (dX) {
        const { start, length, offset } = slices.rows(rows, dY.columns);
        const rowBytes = dX.columns * bytes;
        wasm.embedBinsInput(
          length,
          count,
          bins,
          outs,
          others.data.length,
          numbers.address,
          others.address,
          edges.address,
          slope.address,
          weight.address,
          places.address + start * count * bytes,
          dY.address + offset,
          dX.address + start * rowBytes,
          rowBytes,
        );
      }
      share.sync();
    },
  };
}
