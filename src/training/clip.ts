/** Gradient clipping by the norm (Pascanu, Mikolov and Bengio 2013, Algorithm 1), as in PyTorch. */
import type { Kernels } from '../kernels/kernels.js';
import type { Parameters } from '../network/parameters.js';

/** Added to the norm, as in PyTorch: a clipped gradient comes out slightly shorter than maxNorm. */
const EPSILON = 1e-6;

/**
 * If √Σg², over all gradients, exceeds `maxNorm`: g ← g·maxNorm/(norm + 1e−6). A norm that is not
 * finite changes nothing: scaling would hide the cause.
 * @returns the norm before clipping
 */
export function clipGradients(kernels: Kernels, { gradients, layout }: Parameters, maxNorm: number): number {
  const norm = Math.sqrt(kernels.sumOfSquares(layout.total, gradients));
  const factor = maxNorm / (norm + EPSILON);
  if (factor < 1 && Number.isFinite(norm)) kernels.scale(layout.total, factor, gradients);
  return norm;
}
