/**
 * Gradient clipping by the norm (Pascanu, Mikolov and Bengio 2013, Algorithm 1), in the form of
 * torch.nn.utils.clip_grad_norm_.
 */
import type { Kernels } from '../kernels/kernels.js';
import type { Parameters } from '../network/parameters.js';

/** Added to the norm, as in PyTorch: a clipped gradient is shorter than asked for by this factor. */
const EPSILON = 1e-6;

/**
 * Where √Σg², over all gradients with those of the regularisation, is above `maxNorm`, makes the gradients shorter and keeps
 * their direction: g ← g·maxNorm/(norm + 1e−6).
 *
 * A norm that is not finite has no direction to keep. The gradients then stay as they are: to scale them would turn an infinite
 * one into NaN, and the finite ones into 0 or NaN, which hides where it came from. The caller finds it in the norm.
 *
 * @returns the norm before
 */
export function clipGradients(kernels: Kernels, { gradients, layout }: Parameters, maxNorm: number): number {
  const norm = Math.sqrt(kernels.sumOfSquares(layout.total, gradients));
  const factor = maxNorm / (norm + EPSILON);
  if (factor < 1 && Number.isFinite(norm)) kernels.scale(layout.total, factor, gradients);
  return norm;
}
