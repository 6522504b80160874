/** The optimisers' steps as plain loops: a part of `reference.ts`. */
import type {
  AdagradOptions,
  AdamOptions,
  FloatArray,
  RmspropOptions,
  SgdOptions,
  Tensor,
} from './kernels.js';

export function sgd(
  count: number,
  { learningRate, momentum, nesterov }: SgdOptions,
  parameters: Tensor,
  gradients: Tensor,
  velocity: Tensor | null,
): boolean {
  const p = parameters.data;
  for (let i = 0; i < count; i++) {
    const g = gradients.data[i];
    let direction = g;
    if (velocity) {
      const v = momentum * velocity.data[i] + g;
      velocity.data[i] = v;
      direction = nesterov ? g + momentum * v : v;
    }
    p[i] -= learningRate * direction;
  }
  return allFinite(count, p);
}

export function adam(
  count: number,
  { learningRate, beta1, beta2, epsilon, step }: AdamOptions,
  parameters: Tensor,
  gradients: Tensor,
  m: Tensor,
  v: Tensor,
): boolean {
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (let i = 0; i < count; i++) {
    const g = gradients.data[i];
    const mean = beta1 * m.data[i] + (1 - beta1) * g;
    const square = beta2 * v.data[i] + (1 - beta2) * g * g;
    m.data[i] = mean;
    v.data[i] = square;
    parameters.data[i] -= (learningRate * (mean / correction1)) / (Math.sqrt(square / correction2) + epsilon);
  }
  return allFinite(count, parameters.data);
}

export function rmsprop(
  count: number,
  { learningRate, alpha, epsilon, momentum }: RmspropOptions,
  parameters: Tensor,
  gradients: Tensor,
  squares: Tensor,
  mean: Tensor | null,
  velocity: Tensor | null,
): boolean {
  const p = parameters.data;
  const rest = 1 - alpha;
  for (let i = 0; i < count; i++) {
    const g = gradients.data[i];
    let square = alpha * squares.data[i] + rest * g * g;
    if (mean) {
      // E[g²] − E[g]² by what each gradient adds to it, which neither cancels nor falls below 0.
      const deviation = g - mean.data[i];
      mean.data[i] += rest * deviation;
      square = alpha * (squares.data[i] + rest * deviation * deviation);
    }
    squares.data[i] = square;
    let direction = g / (Math.sqrt(square) + epsilon);
    if (velocity) {
      direction += momentum * velocity.data[i];
      velocity.data[i] = direction;
    }
    p[i] -= learningRate * direction;
  }
  return allFinite(count, p);
}

export function adagrad(
  count: number,
  { learningRate, initialAccumulator, epsilon }: AdagradOptions,
  parameters: Tensor,
  gradients: Tensor,
  squares: Tensor,
): boolean {
  const p = parameters.data;
  for (let i = 0; i < count; i++) {
    const g = gradients.data[i];
    const square = squares.data[i] + g * g;
    squares.data[i] = square;
    p[i] -= (learningRate * g) / (Math.sqrt(initialAccumulator + square) + epsilon);
  }
  return allFinite(count, p);
}

function allFinite(count: number, x: FloatArray): boolean {
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(x[i])) return false;
  }
  return true;
}
