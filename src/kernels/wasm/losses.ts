/** The losses of rows with their gradients, and softmax: by rows. */
import type { IntVector, LossKernels, Tensor } from '../kernels.js';
import type { WasmFunction, WasmThread } from './loader.js';

/** The averages of single elements. */
const AVERAGES = { sigmoid: 'averageSigmoid', identity: 'averageIdentity' } as const;

export function losses({ wasm, share, slices, bytes }: WasmThread): LossKernels {
  return {
    softmaxCrossEntropy(rows, logits, labels, scale, loss, dLogits, smoothing = 0) {
      rowLoss(wasm.softmaxCrossEntropy, rows, logits, labels, 4, scale, loss, dLogits, smoothing);
    },

    sigmoidCrossEntropy(rows, logits, targets, scale, loss, dLogits, smoothing = 0) {
      const targetBytes = logits.columns * bytes;
      rowLoss(wasm.sigmoidCrossEntropy, rows, logits, targets, targetBytes, scale, loss, dLogits, smoothing);
    },

    squaredError(rows, output, targets, scale, loss, dOutput) {
      const targetBytes = output.columns * bytes;
      rowLoss(wasm.squaredError, rows, output, targets, targetBytes, scale, loss, dOutput);
    },

    elementLoss(type, rows, output, targets, parameters, scale, losses, gradient) {
      const { start, length, offset } = slices.rows(rows, output.columns);
      wasm[type](
        length,
        output.columns,
        output.address + offset,
        targets.address + start * targets.columns * bytes,
        targets.columns,
        parameters?.address ?? 0,
        scale,
        losses.address + start * bytes,
        gradient ? gradient.address + offset : 0,
      );
      share.sync();
    },

    sortRows(rows, x) {
      const { length, offset } = slices.rows(rows, x.columns);
      wasm.sortRows(length, x.columns, x.address + offset);
      share.sync();
    },

    softmax(rows, logits, out) {
      const { length, offset } = slices.rows(rows, logits.columns);
      wasm.softmax(length, logits.columns, logits.address + offset, out.address + offset);
      share.sync();
    },

    averageMembers(mean, rows, members, outputs, out) {
      const { columns } = out;
      const { length, offset } = slices.rows(rows, columns);
      const stride = out.rows * columns * bytes;
      const from = outputs.address + offset;
      const to = out.address + offset;
      if (mean === 'softmax') wasm.averageSoftmax(length, columns, members, stride, from, to);
      else wasm[AVERAGES[mean]](length * columns, members, stride, from, to);
      share.sync();
    },

    clipColumn(rows, column, low, high, x) {
      const { length, offset } = slices.rows(rows, x.columns);
      wasm.clipColumn(length, x.columns, low, high, x.address + offset + column * bytes);
      share.sync();
    },
  };

  /** @param targetBytes of the targets of one row */
  function rowLoss(
    loss: WasmFunction,
    rows: number,
    output: Tensor,
    targets: Tensor | IntVector,
    targetBytes: number,
    scale: number,
    losses: Tensor,
    gradient: Tensor | null,
    ...smoothing: number[]
  ): void {
    const { start, length, offset } = slices.rows(rows, output.columns);
    loss(
      length,
      output.columns,
      output.address + offset,
      targets.address + start * targetBytes,
      scale,
      losses.address + start * bytes,
      gradient ? gradient.address + offset : 0,
      ...smoothing,
    );
    share.sync();
  }
}
