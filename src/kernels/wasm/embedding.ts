/** Embeddings: rows for each thread forward, numbers for each thread in the gradients of parameters. */
import type { EmbeddingKernels, Tensor } from '../kernels.js';
import type { WasmThread } from './loader.js';

export function embedding({ wasm, share, slices, bytes, scratch }: WasmThread): EmbeddingKernels {
  return {
    sumLevels(rows, { columns, firsts, counts }, x, weight, beta, z) {
      const { start, length, offset } = slices.rows(rows, z.columns);
      const rowBytes = x.columns * bytes;
      wasm.sumLevels(
        length,
        columns.data.length,
        weight.columns,
        columns.address,
        firsts.address,
        counts.address,
        x.address + start * rowBytes,
        rowBytes,
        weight.address,
        beta,
        z.address + offset,
      );
      share.sync();
    },

    sumLevelsBackward(rows, { columns, firsts, counts }, x, dZ, dWeight) {
      // Units for each thread: a single category has no others to share, and sums keep the order of the rows.
      const { length, offset } = slices.elements(dWeight.columns);
      if (length > 0) {
        wasm.sumLevelsWeights(
          rows,
          columns.data.length,
          length,
          columns.address,
          firsts.address,
          counts.address,
          x.address,
          x.columns * bytes,
          dZ.address + offset,
          dWeight.address + offset,
          dWeight.columns * bytes,
        );
      }
      share.sync();
    },

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

    embedWaves(rows, { numbers, frequency }, x, waves) {
      const { rows: count, columns: k } = frequency;
      const { start, length, offset } = slices.rows(rows, waves.columns);
      const rowBytes = x.columns * bytes;
      wasm.embedWaves(
        length,
        count,
        k,
        numbers.address,
        x.address + start * rowBytes,
        rowBytes,
        frequency.address,
        waves.address + offset,
        strideOf(waves, count),
      );
      share.sync();
    },

    embedWavesBackward(rows, { numbers, others, frequency }, x, waves, dWaves, dY, dFrequency, dX) {
      const { rows: count, columns: k } = frequency;
      const rowBytes = x.columns * bytes;
      const stride = strideOf(waves, count);
      const { start: from, length: some } = slices.of(count, 1, 0);
      wasm.embedWavesFrequencies(
        rows,
        from,
        from + some,
        k,
        numbers.address,
        x.address,
        rowBytes,
        waves.address,
        dWaves.address,
        stride,
        dFrequency.address,
      );
      if (dX) {
        const { start, length, offset } = slices.rows(rows, waves.columns);
        const dYRowBytes = dY.columns * bytes;
        const rest = others.data.length;
        wasm.embedWavesInput(
          length,
          count,
          k,
          rest,
          numbers.address,
          others.address,
          frequency.address,
          waves.address + offset,
          dWaves.address + offset,
          stride,
          dY.address + start * dYRowBytes + (dY.columns - rest) * bytes,
          dYRowBytes,
          dX.address + start * rowBytes,
          rowBytes,
        );
      }
      share.sync();
    },

    joinNumbers(rows, { numbers, others }, values, x, y) {
      const { start, length, offset } = slices.rows(rows, y.columns);
      const count = numbers.data.length;
      const rowBytes = x.columns * bytes;
      wasm.joinNumbers(
        length,
        count,
        values.columns,
        others.data.length,
        others.address,
        values.address + start * values.columns * bytes,
        strideOf(values, count),
        x.address + start * rowBytes,
        rowBytes,
        y.address + offset,
      );
      share.sync();
    },

    splitNumbers(rows, { numbers }, y, values) {
      const { start, length, offset } = slices.rows(rows, y.columns);
      const count = numbers.data.length;
      wasm.splitNumbers(
        length,
        count,
        values.columns,
        y.address + offset,
        y.columns * bytes,
        values.address + start * values.columns * bytes,
        strideOf(values, count),
      );
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

  /** The bytes from the rows of a number to those of the next. */
  function strideOf({ rows, columns }: Tensor, count: number): number {
    return count === 0 ? 0 : (rows / count) * columns * bytes;
  }
}
