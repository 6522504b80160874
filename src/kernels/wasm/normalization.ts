/** Batch and layer normalisation, each sum taken by one thread in the order of the rows. */
import type { NormalizationKernels } from '../kernels.js';
import type { WasmThread } from './loader.js';

export function normalization({ wasm, share, slices, bytes, scratch }: WasmThread): NormalizationKernels {
  return {
    batchNorm(rows, epsilon, x, scale, shift, moments, running, y) {
      const { length, offset } = slices.elements(x.columns);
      const rowBytes = x.columns * bytes;
      wasm.batchNorm(
        rows,
        length,
        rowBytes,
        epsilon,
        x.address + offset,
        scale.address + offset,
        shift.address + offset,
        moments.address + offset,
        rowBytes,
        running ? running.momentum : 0,
        running ? running.mean.address + offset : 0,
        running ? running.variance.address + offset : 0,
        y.address + offset,
        scratch,
      );
      share.sync();
    },

    batchNormEvaluation(rows, epsilon, x, scale, shift, { mean, variance }, y) {
      const { length, offset } = slices.elements(x.columns);
      wasm.batchNormEvaluation(
        rows,
        length,
        x.columns * bytes,
        epsilon,
        x.address + offset,
        scale.address + offset,
        shift.address + offset,
        mean.address + offset,
        variance.address + offset,
        y.address + offset,
        scratch,
      );
      share.sync();
    },

    batchNormBackward(rows, x, moments, scale, dY, dX, dScale, dShift) {
      const { length, offset } = slices.elements(x.columns);
      const rowBytes = x.columns * bytes;
      wasm.batchNormBackward(
        rows,
        length,
        rowBytes,
        x.address + offset,
        moments.address + offset,
        rowBytes,
        scale.address + offset,
        dY.address + offset,
        dX ? dX.address + offset : 0,
        dScale.address + offset,
        dShift.address + offset,
      );
      share.sync();
    },

    layerNorm(rows, epsilon, x, scale, shift, moments, y) {
      const { start, length, offset } = slices.rows(rows, x.columns);
      wasm.layerNorm(
        length,
        x.columns,
        epsilon,
        x.address + offset,
        scale.address,
        shift.address,
        moments.address + start * 3 * bytes,
        y.address + offset,
      );
      share.sync();
    },

    layerNormParameters(rows, x, moments, dY, dScale, dShift) {
      const { length, offset } = slices.elements(x.columns);
      wasm.layerNormParameters(
        rows,
        length,
        x.columns * bytes,
        x.address + offset,
        moments.address,
        dY.address + offset,
        dScale.address + offset,
        dShift.address + offset,
      );
      share.sync();
    },

    layerNormBackward(rows, x, moments, scale, dY, dX) {
      const { start, length, offset } = slices.rows(rows, x.columns);
      wasm.layerNormBackward(
        length,
        x.columns,
        x.address + offset,
        moments.address + start * 3 * bytes,
        scale.address,
        dY.address + offset,
        dX.address + offset,
      );
      share.sync();
    },
  };
}
