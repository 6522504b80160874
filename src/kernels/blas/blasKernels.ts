/**
 * The kernels of the `blas` backend: large matrix products by a BLAS, everything else by WASM.
 *
 * The bits of a product may depend on the number of workers: libraries choose their inner loops by the size of
 * the part they are given (OpenBLAS has a path of its own up to m·n·k = 10⁶). `--deterministic` takes WASM.
 */
import type { Kernels, ProductForm, Tensor } from '../kernels.js';
import { alone, type Share } from '../share.js';
import { WasmKernels, type WasmOptions } from '../wasm/wasmKernels.js';
import type { BlasLibrary } from './library.js';
import { BlasProduct } from './product.js';

/**
 * The least m·n·k of a product that goes to the library: below, the call through FFI costs more than the library's faster
 * loops save. Measured with OpenBLAS on AVX-512, both dtypes: even at 2000 (NN, TN) to 4000 (NT). Compared with the
 * whole product, so that the number of workers has no part in the choice.
 */
export const LEAST_BLAS_PRODUCT = 4096;

// Seen as Kernels: `backend` is then a string that a subclass may set.
const Wasm: new (options: WasmOptions) => Kernels = WasmKernels;

export class BlasKernels extends Wasm {
  override readonly backend = 'blas';
  readonly #product: BlasProduct;
  readonly #share: Share;

  /**
   * @param library as opened by `openBlas` in this thread
   * @param leastProduct the least m·n·k that goes to it
   */
  constructor(
    options: WasmOptions,
    readonly library: BlasLibrary,
    private readonly leastProduct = LEAST_BLAS_PRODUCT,
  ) {
    super(options);
    const { memory, dtype, share = alone } = options;
    this.#share = share;
    this.#product = new BlasProduct(library, memory, dtype, share.rank, share.size);
  }

  override gemm(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: Tensor,
    b: Tensor,
    beta: 0 | 1,
    c: Tensor,
  ): void {
    if (m * n * k < this.leastProduct) {
      super.gemm(form, m, n, k, a, b, beta, c);
      return;
    }
    this.#product.compute(form, m, n, k, a, b, beta, c);
    this.#share.sync();
  }
}
