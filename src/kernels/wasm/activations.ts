/** Bias and activation: forward by rows, backward by columns. */
import { ACTIVATION_TYPES, type ActivationType } from '../activations.js';
import type { ActivationKernels } from '../kernels.js';
import type { WasmThread } from './loader.js';

/** The numbers of the activations in assembly/activations.ts. */
const KINDS = Object.fromEntries(ACTIVATION_TYPES.map((type, kind) => [type, kind])) as Readonly<
  Record<ActivationType, number>
>;

export function activations({ wasm, share, slices, bytes }: WasmThread): ActivationKernels {
  return {
    biasActivation(f, rows, x, bias, y) {
      const { columns } = x;
      const { length, offset } = slices.rows(rows, columns);
      const biasAddress = bias ? bias.address : 0;
      wasm.biasActivation(
        KINDS[f.type],
        f.parameter,
        length,
        columns,
        x.address + offset,
        biasAddress,
        y.address + offset,
      );
      share.sync();
    },

    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      // By columns, so that one thread sums a column in the order of the rows; else all as one row.
      const height = dBias ? rows : 1;
      const width = dBias ? y.columns : rows * y.columns;
      const { length, offset } = slices.elements(width);
      wasm.biasActivationBackward(
        KINDS[f.type],
        f.parameter,
        height,
        length,
        width * bytes,
        x.address + offset,
        y.address + offset,
        dY.address + offset,
        dX.address + offset,
        dBias ? dBias.address + offset : 0,
      );
      share.sync();
    },

    parametricActivation(f, rows, x, bias, slope, y) {
      const { columns } = x;
      const { length, offset } = slices.rows(rows, columns);
      wasm.parametricActivation(
        KINDS[f.type],
        f.parameter,
        length,
        columns,
        x.address + offset,
        bias ? bias.address : 0,
        slope.address,
        y.address + offset,
      );
      share.sync();
    },

    parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
      const { length, offset } = slices.elements(h.columns);
      wasm.parametricActivationBackward(
        KINDS[f.type],
        f.parameter,
        rows,
        length,
        h.columns * bytes,
        h.address + offset,
        slope.address + offset,
        dY.address + offset,
        dX.address + offset,
        dBias ? dBias.address + offset : 0,
        dSlope.address + offset,
      );
      share.sync();
    },
  };
}
