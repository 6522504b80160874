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
  };
}
