/**
 * The kernels in WebAssembly SIMD, for one thread of a team. Every operation computes the slice of its share, and then
 * calls `share.sync()` once; so an operation may read all that those before it wrote, and write what they read.
 *
 * An element is computed by the same instructions in the same order whatever the slice it lies in: the number of threads
 * never changes a bit. Which path a product takes is therefore decided by its whole sizes, never by the slice's.
 */
import { bytesPerElement } from '../arena.js';
import type {
  Activation,
  ActivationType,
  DropoutMask,
  DType,
  IntVector,
  Kernels,
  ProductForm,
  Tensor,
} from '../kernels.js';
import { alone, CACHE_LINE, type Share, sliceStart } from '../share.js';
import { detectFeatures, loadKernels, type RowLoss, type WasmExports, type WasmFeatures } from './loader.js';
import { WasmNormalization } from './normalization.js';
import { WasmOptimizers } from './optimizers.js';
import { MAX_PARTIALS, PARTIALS_BYTES, Partials } from './partials.js';

/** The numbers of the activations in assembly/activations.ts. */
const ACTIVATION_KINDS: Readonly<Record<ActivationType, number>> = {
  identity: 0,
  relu: 1,
  'leaky-relu': 2,
  tanh: 3,
  sigmoid: 4,
  gelu: 5,
  silu: 6,
  elu: 7,
  softplus: 8,
};

/** The numbers of the forms in assembly/product.ts. */
const NN = 0;
const TN = 1;
const NT = 2;

const LABELS_OF_LINE = CACHE_LINE / 4;

/** Elements of a dropout mask that one counter decides: a cache line holds a whole number of them. */
const DRAWS_OF_BLOCK = 4;

/** Rows of a tile of the product. */
const TILE_ROWS = 4;

/** Up to so many elements every thread sums them all: less work than to share it. */
const WHOLE_SUM = 4096;
/** What a product packs into, for one thread and the larger dtype. */
export const PRODUCT_SCRATCH_BYTES = 565_504;

/** The bytes that a team of so many threads needs as scratch: once, and not initialised. */
export function scratchBytes(size: number): number {
  return PARTIALS_BYTES + size * PRODUCT_SCRATCH_BYTES;
}

export interface WasmOptions {
  readonly dtype: DType;
  /** The arena's memory. */
  readonly memory: WebAssembly.Memory;
  /** Where scratchBytes(share.size) bytes of it lie, aligned to 64: the same for all threads of the team. */
  readonly scratch: number;
  /** Whether relaxed SIMD may be used where the engine has it: faster, but not the same bits on every machine. */
  readonly relaxed: boolean;
  /** Alone if left out. */
  readonly share?: Share;
  /** What the engine can do; detected if left out. */
  readonly features?: WasmFeatures;
}

export class WasmKernels implements Kernels {
  readonly backend = 'wasm';
  readonly dtype: DType;
  /** Whether relaxed SIMD is used. */
  readonly relaxed: boolean;
  readonly #wasm: WasmExports;
  readonly #share: Share;
  readonly #rank: number;
  readonly #size: number;
  readonly #bytes: number;
  /** Elements of a cache line. */
  readonly #line: number;
  readonly #scratch: number;
  readonly #partials: Partials;
  readonly #normalization: WasmNormalization;
  readonly #optimizers: WasmOptimizers;

  /** Throws MlpError(unavailable) where the engine has no SIMD. */
  constructor({ dtype, memory, scratch, relaxed, share = alone, features = detectFeatures() }: WasmOptions) {
    this.dtype = dtype;
    this.relaxed = relaxed && features.relaxedSimd;
    this.#wasm = loadKernels(dtype, this.relaxed, memory, features);
    this.#share = share;
    this.#rank = share.rank;
    this.#size = share.size;
    this.#bytes = bytesPerElement(dtype);
    this.#line = CACHE_LINE / this.#bytes;
    this.#partials = new Partials(memory, scratch, share);
    this.#optimizers = new WasmOptimizers(dtype, this.#wasm, share, this.#partials);
    this.#scratch = scratch + PARTIALS_BYTES + share.rank * PRODUCT_SCRATCH_BYTES;
    this.#normalization = new WasmNormalization(dtype, this.#wasm, share, this.#scratch);
  }

  gemm(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: Tensor,
    b: Tensor,
    beta: 0 | 1,
    c: Tensor,
  ): void {
    const code = form === 'NN' ? NN : form === 'TN' ? TN : NT;
    if (m === 1 || n === 1) this.#vectorProduct(code, m, n, k, a.address, b.address, beta, c.address);
    else this.#matrixProduct(code, m, n, k, a.address, b.address, beta, c.address);
    this.#share.sync();
  }

  /** A product whose result is one row or one column: the vector is contiguous, whatever the form. */
  #vectorProduct(
    form: number,
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void {
    const bytes = this.#bytes;
    const start = this.#start(m * n, this.#line);
    const count = this.#end(m * n, this.#line) - start;
    if (count === 0) return;
    const y = c + start * bytes;
    if (n === 1) {
      if (form === TN) this.#wasm.combineRows(count, k, b, a + start * bytes, m * bytes, beta, y);
      else this.#wasm.dotRows(count, k, a + start * k * bytes, k * bytes, b, beta, y);
    } else if (form === NT) {
      this.#wasm.dotRows(count, k, b + start * k * bytes, k * bytes, a, beta, y);
    } else {
      this.#wasm.combineRows(count, k, a, b + start * bytes, n * bytes, beta, y);
    }
  }

  #matrixProduct(
    form: number,
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void {
    const bytes = this.#bytes;
    let rows = m;
    let columns = n;
    if (this.#size > 1) {
      if (this.#splitsByRows(m, n)) {
        const start = this.#start(m, TILE_ROWS);
        rows = this.#end(m, TILE_ROWS) - start;
        a += start * (form === TN ? bytes : k * bytes);
        c += start * n * bytes;
      } else {
        const start = this.#start(n, this.#line);
        columns = this.#end(n, this.#line) - start;
        b += start * (form === NT ? k * bytes : bytes);
        c += start * bytes;
      }
      if (rows === 0 || columns === 0) return;
    }
    const aStep = (form === TN ? m : k) * bytes;
    const bStep = (form === NT ? k : n) * bytes;
    this.#wasm.product(form, rows, columns, k, a, aStep, b, bStep, beta, c, n * bytes, this.#scratch);
  }

  /** Whether the largest slice is smaller by rows than by columns. */
  #splitsByRows(m: number, n: number): boolean {
    const rows = Math.ceil(m / TILE_ROWS / this.#size) * TILE_ROWS;
    const columns = Math.ceil(n / this.#line / this.#size) * this.#line;
    return rows * n < columns * m;
  }

  biasActivation(f: Activation, rows: number, x: Tensor, bias: Tensor | null, y: Tensor): void {
    const columns = x.columns;
    const start = this.#start(rows, 1);
    const offset = start * columns * this.#bytes;
    this.#wasm.biasActivation(
      ACTIVATION_KINDS[f.type],
      f.parameter,
      this.#end(rows, 1) - start,
      columns,
      x.address + offset,
      bias ? bias.address : 0,
      y.address + offset,
    );
    this.#share.sync();
  }

  biasActivationBackward(
    f: Activation,
    rows: number,
    x: Tensor,
    y: Tensor,
    dY: Tensor,
    dX: Tensor,
    dBias: Tensor | null,
  ): void {
    // By columns, so that the sum of a column is one thread's, in the order of the rows; without sums, all as one row.
    const height = dBias ? rows : 1;
    const width = dBias ? y.columns : rows * y.columns;
    const start = this.#start(width, this.#line);
    const offset = start * this.#bytes;
    this.#wasm.biasActivationBackward(
      ACTIVATION_KINDS[f.type],
      f.parameter,
      height,
      this.#end(width, this.#line) - start,
      width * this.#bytes,
      x.address + offset,
      y.address + offset,
      dY.address + offset,
      dX.address + offset,
      dBias ? dBias.address + offset : 0,
    );
    this.#share.sync();
  }

  add(rows: number, a: Tensor, b: Tensor, out: Tensor): void {
    const count = rows * out.columns;
    const start = this.#start(count, this.#line);
    const offset = start * this.#bytes;
    const length = this.#end(count, this.#line) - start;
    this.#wasm.add(length, a.address + offset, b.address + offset, out.address + offset);
    this.#share.sync();
  }

  scaleRows(rows: number, factors: Tensor, x: Tensor): void {
    const columns = x.columns;
    const start = this.#start(rows, 1);
    this.#wasm.scaleRows(
      this.#end(rows, 1) - start,
      columns,
      factors.address + start * this.#bytes,
      x.address + start * columns * this.#bytes,
    );
    this.#share.sync();
  }

  copy(rows: number, source: Tensor, out: Tensor): void {
    const count = rows * source.columns;
    const start = this.#start(count, this.#line);
    const offset = start * this.#bytes;
    this.#wasm.copy(this.#end(count, this.#line) - start, source.address + offset, out.address + offset);
    this.#share.sync();
  }

  dropout(rows: number, mask: DropoutMask, x: Tensor, out: Tensor): void {
    const { rate, seed, layer, step } = mask;
    const count = rows * x.columns;
    const start = this.#start(count, this.#line);
    const offset = start * this.#bytes;
    this.#wasm.dropout(
      this.#end(count, this.#line) - start,
      rate,
      seed,
      layer,
      step,
      start / DRAWS_OF_BLOCK,
      x.address + offset,
      out.address + offset,
    );
    this.#share.sync();
  }

  gather(rows: number, source: Tensor, indices: IntVector, out: Tensor): void {
    const columns = source.columns;
    const start = this.#start(rows, 1);
    this.#wasm.gather(
      this.#end(rows, 1) - start,
      columns,
      source.address,
      indices.address + start * 4,
      out.address + start * columns * this.#bytes,
    );
    this.#share.sync();
  }

  gatherLabels(rows: number, source: IntVector, indices: IntVector, out: IntVector): void {
    const start = this.#start(rows, LABELS_OF_LINE);
    const offset = start * 4;
    this.#wasm.gatherLabels(
      this.#end(rows, LABELS_OF_LINE) - start,
      source.address,
      indices.address + offset,
      out.address + offset,
    );
    this.#share.sync();
  }

  softmaxCrossEntropy(
    rows: number,
    logits: Tensor,
    labels: IntVector,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void {
    const targetBytes = 4;
    this.#rowLoss(this.#wasm.softmaxCrossEntropy, rows, logits, labels, targetBytes, scale, rowLoss, dLogits);
  }

  sigmoidCrossEntropy(
    rows: number,
    logits: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void {
    const targetBytes = logits.columns * this.#bytes;
    this.#rowLoss(
      this.#wasm.sigmoidCrossEntropy,
      rows,
      logits,
      targets,
      targetBytes,
      scale,
      rowLoss,
      dLogits,
    );
  }

  squaredError(
    rows: number,
    output: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dOutput: Tensor | null,
  ): void {
    const targetBytes = output.columns * this.#bytes;
    this.#rowLoss(this.#wasm.squaredError, rows, output, targets, targetBytes, scale, rowLoss, dOutput);
  }

  /** `targetBytes`: of the targets of a row. */
  #rowLoss(
    loss: RowLoss,
    rows: number,
    output: Tensor,
    targets: Tensor | IntVector,
    targetBytes: number,
    scale: number,
    rowLoss: Tensor,
    gradient: Tensor | null,
  ): void {
    const columns = output.columns;
    const start = this.#start(rows, 1);
    const offset = start * columns * this.#bytes;
    loss(
      this.#end(rows, 1) - start,
      columns,
      output.address + offset,
      targets.address + start * targetBytes,
      scale,
      rowLoss.address + start * this.#bytes,
      gradient ? gradient.address + offset : 0,
    );
    this.#share.sync();
  }

  softmax(rows: number, logits: Tensor, out: Tensor): void {
    const columns = logits.columns;
    const start = this.#start(rows, 1);
    const offset = start * columns * this.#bytes;
    this.#wasm.softmax(this.#end(rows, 1) - start, columns, logits.address + offset, out.address + offset);
    this.#share.sync();
  }

  sum(count: number, x: Tensor): number {
    return this.#total(this.#wasm.sum, count, x.address);
  }

  sumOfSquares(count: number, x: Tensor): number {
    return this.#total(this.#wasm.sumOfSquares, count, x.address);
  }

  sumOfMagnitudes(count: number, x: Tensor): number {
    return this.#total(this.#wasm.sumOfMagnitudes, count, x.address);
  }

  /** Over the same chunks for any number of threads. */
  #total(reduce: (count: number, x: number) => number, count: number, x: number): number {
    if (count <= WHOLE_SUM) {
      const sum = reduce(count, x);
      this.#share.sync();
      return sum;
    }
    const chunk = Math.ceil(count / MAX_PARTIALS / this.#line) * this.#line;
    const chunks = Math.ceil(count / chunk);
    const end = this.#end(chunks, 1);
    for (let i = this.#start(chunks, 1); i < end; i++) {
      const from = i * chunk;
      this.#partials.set(i, reduce(Math.min(chunk, count - from), x + from * this.#bytes));
    }
    return this.#partials.total(chunks);
  }

  addScaled(count: number, scale: number, x: Tensor, y: Tensor): void {
    const start = this.#start(count, this.#line);
    const offset = start * this.#bytes;
    this.#wasm.addScaled(this.#end(count, this.#line) - start, scale, x.address + offset, y.address + offset);
    this.#share.sync();
  }

  addSigns(count: number, scale: number, x: Tensor, y: Tensor): void {
    const start = this.#start(count, this.#line);
    const offset = start * this.#bytes;
    this.#wasm.addSigns(this.#end(count, this.#line) - start, scale, x.address + offset, y.address + offset);
    this.#share.sync();
  }

  scale(count: number, factor: number, x: Tensor): void {
    const start = this.#start(count, this.#line);
    this.#wasm.scale(this.#end(count, this.#line) - start, factor, x.address + start * this.#bytes);
    this.#share.sync();
  }

  batchNorm(...call: Parameters<Kernels['batchNorm']>): void {
    this.#normalization.batchNorm(...call);
  }

  batchNormEvaluation(...call: Parameters<Kernels['batchNormEvaluation']>): void {
    this.#normalization.batchNormEvaluation(...call);
  }

  batchNormBackward(...call: Parameters<Kernels['batchNormBackward']>): void {
    this.#normalization.batchNormBackward(...call);
  }

  layerNorm(...call: Parameters<Kernels['layerNorm']>): void {
    this.#normalization.layerNorm(...call);
  }

  layerNormParameters(...call: Parameters<Kernels['layerNormParameters']>): void {
    this.#normalization.layerNormParameters(...call);
  }

  layerNormBackward(...call: Parameters<Kernels['layerNormBackward']>): void {
    this.#normalization.layerNormBackward(...call);
  }

  sgd(...step: Parameters<Kernels['sgd']>): boolean {
    return this.#optimizers.sgd(...step);
  }

  adam(...step: Parameters<Kernels['adam']>): boolean {
    return this.#optimizers.adam(...step);
  }

  rmsprop(...step: Parameters<Kernels['rmsprop']>): boolean {
    return this.#optimizers.rmsprop(...step);
  }

  adagrad(...step: Parameters<Kernels['adagrad']>): boolean {
    return this.#optimizers.adagrad(...step);
  }

  /** Where our slice of n elements starts. */
  #start(n: number, granularity: number): number {
    return this.#rank === 0 ? 0 : sliceStart(n, this.#rank, this.#size, granularity);
  }

  /** Where it ends. */
  #end(n: number, granularity: number): number {
    return this.#size === 1 ? n : sliceStart(n, this.#rank + 1, this.#size, granularity);
  }
}
