/**
 * The kernels as plain loops, which test every other backend. Sums are double, except in products.
 */
import type { DType, Kernels } from '../kernels.js';
import { activations } from './activations.js';
import { elementwise } from './elementwise.js';
import { losses } from './losses.js';
import { normalization } from './normalization.js';
import { optimizers } from './optimizers.js';
import { product } from './product.js';

export function referenceKernels(dtype: DType): Kernels {
  return {
    backend: 'reference',
    dtype,
    ...product,
    ...activations,
    ...elementwise,
    ...normalization,
    ...losses,
    ...optimizers,
  };
}
