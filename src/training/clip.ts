/**
 * Gradient clipping by the norm (Pascanu, Mikolov and Bengio 2013, Algorithm 1), in the form of
 * torch.nn.utils.clip_grad_norm_.
 */
import type { Kernels } from '../kernels/kernels.js';
import type { Parameters } from '../network/parameters.js';

/** Added to the norm, as in PyTorch: a clipped gradient comes out slightly shorter than maxNorm. */
const EPSILON = 1e-6;

/**
 * Shortens the gradients to `maxNorm` if their norm √Σg² is larger, and keeps their direction: g ←
 * g·maxNorm/(norm + 1e−6). The norm is over all gradients, including those of the regularisation.
 *
 * If the norm is not finite, the gradients stay as they are. Scaling would turn an infinite one
 * into NaN and the finite ones into 0 or NaN, which hides the cause. The caller sees the norm.
 *
 * @returns the norm before clipping
 */
export function clipGradients(kernels: Kernels, { gradients, layout }: Parameters, maxNorm: number): number {
  const norm = Math.sqrt(kernels.sumOfSquares(layout.total, gradients));
  const factor = maxNorm / (norm + EPSILON);
  if (factor < 1 && Number.isFinite(norm)) kernels.scale(layout.total, factor, gradients);
  return norm;
}
