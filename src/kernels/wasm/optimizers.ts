/** The optimisers' steps of `wasmKernels.ts`: a slice of the block for each thread, and one answer for all. */
import { bytesPerElement } from '../arena.js';
import type {
  AdagradOptions,
  AdamOptions,
  DType,
  OptimizerKernels,
  RmspropOptions,
  SgdOptions,
  Tensor,
} from '../kernels.js';
import { CACHE_LINE, type Share, sliceStart } from '../share.js';
import type { WasmExports } from './loader.js';
import type { Partials } from './partials.js';

export class WasmOptimizers implements OptimizerKernels {
  readonly #wasm: WasmExports;
  readonly #rank: number;
  readonly #size: number;
  readonly #partials: Partials;
  readonly #bytes: number;
  /** Elements of a cache line. */
  readonly #line: number;

  constructor(dtype: DType, wasm: WasmExports, { rank, size }: Share, partials: Partials) {
    this.#wasm = wasm;
    this.#rank = rank;
    this.#size = size;
    this.#partials = partials;
    this.#bytes = bytesPerElement(dtype);
    this.#line = CACHE_LINE / this.#bytes;
  }

  sgd(
    count: number,
    { learningRate, momentum, nesterov }: SgdOptions,
    parameters: Tensor,
    gradients: Tensor,
    velocity: Tensor | null,
  ): boolean {
    const start = this.#start(count);
    const length = this.#end(count) - start;
    const offset = start * this.#bytes;
    const p = parameters.address + offset;
    const g = gradients.address + offset;
    if (!velocity) return this.#agree(this.#wasm.sgd(length, learningRate, p, g), length, p);
    const v = velocity.address + offset;
    const finite = this.#wasm.sgdMomentum(length, learningRate, momentum, nesterov ? 1 : 0, p, g, v);
    return this.#agree(finite, length, p);
  }

  adam(
    count: number,
    { learningRate, beta1, beta2, epsilon, step }: AdamOptions,
    parameters: Tensor,
    gradients: Tensor,
    m: Tensor,
    v: Tensor,
  ): boolean {
    const start = this.#start(count);
    const length = this.#end(count) - start;
    const offset = start * this.#bytes;
    const p = parameters.address + offset;
    const finite = this.#wasm.adam(
      length,
      learningRate,
      beta1,
      beta2,
      epsilon,
      1 - beta1 ** step,
      1 - beta2 ** step,
      p,
      gradients.address + offset,
      m.address + offset,
      v.address + offset,
    );
    return this.#agree(finite, length, p);
  }

  rmsprop(
    count: number,
    { learningRate, alpha, epsilon, momentum }: RmspropOptions,
    parameters: Tensor,
    gradients: Tensor,
    squares: Tensor,
    mean: Tensor | null,
    velocity: Tensor | null,
  ): boolean {
    const start = this.#start(count);
    const length = this.#end(count) - start;
    const offset = start * this.#bytes;
    const p = parameters.address + offset;
    const finite = this.#wasm.rmsprop(
      length,
      learningRate,
      alpha,
      epsilon,
      momentum,
      p,
      gradients.address + offset,
      squares.address + offset,
      mean ? mean.address + offset : 0,
      velocity ? velocity.address + offset : 0,
    );
    return this.#agree(finite, length, p);
  }

  adagrad(
    count: number,
    { learningRate, initialAccumulator, epsilon }: AdagradOptions,
    parameters: Tensor,
    gradients: Tensor,
    squares: Tensor,
  ): boolean {
    const start = this.#start(count);
    const length = this.#end(count) - start;
    const offset = start * this.#bytes;
    const p = parameters.address + offset;
    const g = gradients.address + offset;
    const s = squares.address + offset;
    const finite = this.#wasm.adagrad(length, learningRate, initialAccumulator, epsilon, p, g, s);
    return this.#agree(finite, length, p);
  }

  /**
   * Meets the other threads.
   * @param finite 1 where the step is sure that our `length` parameters at p are; else they are looked at
   * @returns whether those of all threads are
   */
  #agree(finite: number, length: number, p: number): boolean {
    this.#partials.set(this.#rank, finite || this.#wasm.areFinite(length, p));
    return this.#partials.total(this.#size) === this.#size;
  }

  /** Where our slice of the parameters starts. */
  #start(count: number): number {
    return this.#rank === 0 ? 0 : sliceStart(count, this.#rank, this.#size, this.#line);
  }

  /** Where it ends. */
  #end(count: number): number {
    return this.#size === 1 ? count : sliceStart(count, this.#rank + 1, this.#size, this.#line);
  }
}
