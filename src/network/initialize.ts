/**
 * How parameters start: drawn in the order in which `std * randn(inputs, units)` in NumPy is, then
 * where they depend on rows fitted to them, layer by layer.
 */
import type { RandomState } from '../random/randomState.js';
import type { Fitted, Parameter, ParameterInit, ParameterShape, Statistic } from './layer.js';

/** Fills every parameter by its spec, biases with 0, scales with 1. Constants draw nothing. */
export function initialize(parameters: readonly Parameter[], random: RandomState): void {
  for (const { init, rows, columns, fanIn = rows, factor = 1, value } of parameters) {
    const draw = drawer(init, fanIn, columns, factor, random);
    for (let i = 0; i < value.data.length; i++) value.data[i] = draw();
  }
}

/** Fills running means with 0, running variances with 1. */
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
    case 'unit-variance':
      return normalOf(1 / fanIn);
    case 'normal':
      return normal(init.mean, init.std);
    case 'uniform':
      return uniform(init.low, init.high);
    case 'zeros':
    case 'he+5':
      return () => 0;
    case 'ones':
      return () => 1;
    case 'random-signs':
      return inGroups(init.groups(), () => (random.rand() < 0.5 ? -1 : 1));
    case 'random-normal':
      return inGroups(init.groups(), () => random.randn());
    case 'truncated-normal': {
      const draw = normal(0, init.std);
      return () => {
        let value = draw();
        while (Math.abs(value) > init.bound) value = draw();
        return value;
      };
    }
  }
}

/** One draw for all columns of a group, anew in each row; one for each column without groups. */
function inGroups(groups: readonly number[] | undefined, draw: () => number): () => number {
  if (!groups) return draw;
  const drawn = new Map<number, number>();
  let column = 0;
  return () => {
    if (column === groups.length) column = 0;
    if (column === 0) drawn.clear();
    const group = groups[column++];
    const value = drawn.get(group) ?? draw();
    drawn.set(group, value);
    return value;
  };
}

/** Whether a parameter is fitted to rows. */
export function isFitted({ init: { type } }: Pick<ParameterShape, 'init'>): boolean {
  return type === 'unit-variance' || type === 'he+5';
}

/** A deviation below this share of the largest number is rounding: the output is constant. */
const ROUNDING = 1e-6;
/** The rows that each bias is a mean of. */
const BIAS_ROWS = 5;

/**
 * What a linear layer fits to rows of z, before the bias is added; null for nothing. unit-variance
 * divides the weights of each output by the standard deviation of z over the rows (Holzmüller,
 * Grinsztajn and Steinwart 2024, appendix A); he+5 sets each bias to minus a mean of z at random
 * rows, with weights from Exp(1) (Steinwart 2019, "A Sober Look at Neural Network
 * Initializations"). It draws as NumPy's `randint(rows, size=(units, 5))`, then
 * `standard_exponential((units, 5))`.
 * @param members have each their own outputs and biases [members·units] in a row of z
 * @param groups of weights [groups·inputs, units]: one for each member, or one for all
 */
export function fittedOf(weight: Parameter, bias: Parameter | null, members = 1, groups = 1): Fitted | null {
  if (!isFitted(weight) && !(bias && isFitted(bias))) return null;
  const columns = members * weight.columns;
  return {
    columns,
    fit(z, random) {
      const scales = weight.init.type === 'unit-variance' ? deviationsOf(z, groups * weight.columns) : null;
      if (scales) divideWeights(weight, scales);
      if (bias?.init.type === 'he+5') fitBiases(bias, columns, z, scales, random);
    },
  };
}

/** Divides the weights of each output by its scale, in each group of weights by its own ones. */
function divideWeights({ value: { data }, columns: units }: Parameter, scales: Float64Array): void {
  const ofGroup = data.length / (scales.length / units);
  for (let at = 0; at < data.length; at++) {
    data[at] /= scales[Math.floor(at / ofGroup) * units + (at % units)];
  }
}

function fitBiases(
  { value }: Parameter,
  columns: number,
  z: Float64Array,
  scales: Float64Array | null,
  random: RandomState,
): void {
  const size = columns * BIAS_ROWS;
  const chosen = Float64Array.from({ length: size }, () => random.randint(0, z.length / columns));
  const shares = Float64Array.from({ length: size }, () => -Math.log1p(-random.rand()));
  for (let j = 0; j < columns; j++) {
    let sum = 0;
    let total = 0;
    for (let i = j * BIAS_ROWS; i < (j + 1) * BIAS_ROWS; i++) {
      sum += shares[i] * z[chosen[i] * columns + j];
      total += shares[i];
    }
    value.data[j] = -sum / total / (scales?.[j % scales.length] ?? 1);
  }
}

/** The standard deviation of each column; 1 if it is constant, or holds a number that is not finite. */
function deviationsOf(z: Float64Array, columns: number): Float64Array {
  const rows = z.length / columns;
  const means = new Float64Array(columns);
  const largest = new Float64Array(columns);
  for (let at = 0; at < z.length; ) {
    for (let j = 0; j < columns; j++, at++) {
      means[j] += z[at];
      largest[j] = Math.max(largest[j], Math.abs(z[at]));
    }
  }
  for (let j = 0; j < columns; j++) means[j] /= rows;
  const squares = new Float64Array(columns);
  for (let at = 0; at < z.length; ) {
    for (let j = 0; j < columns; j++, at++) squares[j] += (z[at] - means[j]) ** 2;
  }
  return squares.map((sum, j) => {
    const deviation = Math.sqrt(sum / rows);
    return deviation > ROUNDING * largest[j] ? deviation : 1;
  });
}
