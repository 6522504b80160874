/** How parameters start: drawn in the order in which `std * randn(inputs, units)` in NumPy is. */
import type { RandomState } from '../random/randomState.js';
import type { Parameter, ParameterInit, Statistic } from './layer.js';

/** Fills every parameter by its spec, biases with 0, scales with 1. Constants draw nothing. */
export function initialize(parameters: readonly Parameter[], random: RandomState): void {
  for (const { init, rows, columns, factor = 1, value } of parameters) {
    const draw = drawer(init, rows, columns, factor, random);
    for (let i = 0; i < value.data.length; i++) value.data[i] = draw();
  }
}

/** Fills running means with 0 and running variances with 1. */
export function initializeStatistics(statistics: readonly Statistic[]): void {
  for (const { initial, value } of statistics) value.data.fill(initial);
}

/** @param factor what the layer multiplies the parameter by */
function drawer(
  init: ParameterInit,
  fanIn: number,
  fanOut: number,
  factor: number,
  random: RandomState,
): () => number {
  const normal = (mean: number, std: number) => () => mean + std * random.randn();
  const uniform = (low: number, high: number) => () => random.uniform(low, high);
  const normalOf = (variance: number) => normal(0, Math.sqrt(variance) / factor);
  // A uniform distribution on ±√(3·variance) has that variance.
  const uniformOf = (variance: number) => {
    const bound = Math.sqrt(3 * variance) / factor;
    return uniform(-bound, bound);
  };
  switch (init.type) {
    case 'he-normal': // He et al. 2015, eq. 10
      return normalOf(2 / fanIn);
    case 'he-uniform':
      return uniformOf(2 / fanIn);
    case 'glorot-normal': // Glorot and Bengio 2010, eq. 12
      return normalOf(2 / (fanIn + fanOut));
    case 'glorot-uniform': // eq. 16
      return uniformOf(2 / (fanIn + fanOut));
    case 'lecun-normal': // LeCun et al. 1998, section 4.6
      return normalOf(1 / fanIn);
    case 'normal':
      return normal(init.mean, init.std);
    case 'uniform':
      return uniform(init.low, init.high);
    case 'zeros':
      return () => 0;
    case 'ones':
      return () => 1;
  }
}
