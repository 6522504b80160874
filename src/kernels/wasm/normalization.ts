/**
 * The normalisations of `wasmKernels.ts`: batch normalisation by slices of columns, layer normalisation by slices of rows,
 * and the sums over its rows again by columns. So every sum is one thread's, in the order of the rows.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, NormalizationKernels, RunningMoments, Tensor } from '../kernels.js';
import { CACHE_LINE, type Share, sliceStart } from '../share.js';
import type { WasmExports } from './loader.js';

/** A part of the columns of a tensor. */
interface ColumnSlice {
  readonly columns: number;
  /** Between two rows of the tensor. */
  readonly rowBytes: number;
  /** Of the slice in a row. */
  readonly offset: number;
}

/** A part of the rows of a tensor. */
interface RowSlice {
  readonly first: number;
  readonly rows: number;
}

export class WasmNormalization implements NormalizationKernels {
  readonly #bytes: number;

  /** @param scratch 2 KB of this thread's own */
  constructor(
    dtype: DType,
    private readonly wasm: WasmExports,
    private readonly share: Share,
    private readonly scratch: number,
  ) {
    this.#bytes = bytesPerElement(dtype);
  }

  batchNorm(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    moments: Tensor,
    running: RunningMoments | null,
    y: Tensor,
  ): void {
    const { columns, rowBytes, offset } = this.#columnsOf(x);
    this.wasm.batchNorm(
      rows,
      columns,
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
      this.scratch,
    );
    this.share.sync();
  }

  batchNormEvaluation(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    { mean, variance }: RunningMoments,
    y: Tensor,
  ): void {
    const { columns, rowBytes, offset } = this.#columnsOf(x);
    this.wasm.batchNormEvaluation(
      rows,
      columns,
      rowBytes,
      epsilon,
      x.address + offset,
      scale.address + offset,
      shift.address + offset,
      mean.address + offset,
      variance.address + offset,
      y.address + offset,
      this.scratch,
    );
    this.share.sync();
  }

  batchNormBackward(
    rows: number,
    x: Tensor,
    moments: Tensor,
    scale: Tensor,
    dY: Tensor,
    dX: Tensor | null,
    dScale: Tensor,
    dShift: Tensor,
  ): void {
    const { columns, rowBytes, offset } = this.#columnsOf(x);
    this.wasm.batchNormBackward(
      rows,
      columns,
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
    this.share.sync();
  }

  layerNorm(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    moments: Tensor,
    y: Tensor,
  ): void {
    const slice = this.#rowsOf(rows);
    this.wasm.layerNorm(
      slice.rows,
      x.columns,
      epsilon,
      this.#rowAddress(x, slice),
      scale.address,
      shift.address,
      this.#rowAddress(moments, slice),
      this.#rowAddress(y, slice),
    );
    this.share.sync();
  }

  layerNormParameters(
    rows: number,
    x: Tensor,
    moments: Tensor,
    dY: Tensor,
    dScale: Tensor,
    dShift: Tensor,
  ): void {
    const { columns, rowBytes, offset } = this.#columnsOf(x);
    this.wasm.layerNormParameters(
      rows,
      columns,
      rowBytes,
      x.address + offset,
      moments.address,
      dY.address + offset,
      dScale.address + offset,
      dShift.address + offset,
    );
    this.share.sync();
  }

  layerNormBackward(rows: number, x: Tensor, moments: Tensor, scale: Tensor, dY: Tensor, dX: Tensor): void {
    const slice = this.#rowsOf(rows);
    this.wasm.layerNormBackward(
      slice.rows,
      x.columns,
      this.#rowAddress(x, slice),
      this.#rowAddress(moments, slice),
      scale.address,
      this.#rowAddress(dY, slice),
      this.#rowAddress(dX, slice),
    );
    this.share.sync();
  }

  #columnsOf({ columns }: Tensor): ColumnSlice {
    const { rank, size } = this.share;
    const line = CACHE_LINE / this.#bytes;
    const start = sliceStart(columns, rank, size, line);
    return {
      columns: sliceStart(columns, rank + 1, size, line) - start,
      rowBytes: columns * this.#bytes,
      offset: start * this.#bytes,
    };
  }

  #rowsOf(rows: number): RowSlice {
    const { rank, size } = this.share;
    const first = sliceStart(rows, rank, size, 1);
    return { first, rows: sliceStart(rows, rank + 1, size, 1) - first };
  }

  #rowAddress({ address, columns }: Tensor, { first }: RowSlice): number {
    return address + first * columns * this.#bytes;
  }
}
