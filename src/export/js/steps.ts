/** The steps of a network as functions, each with memory of its own. Part of the runtime. */
import { ACTIVATIONS, type ActivationFormula } from '../../kernels/activations.js';
import type { FloatArray } from '../../kernels/kernels.js';
import type { EmbeddingStep, Param, Step } from '../program.js';

export type Pass = (x: FloatArray) => FloatArray;
/** The numbers of a parameter. */
export type Elements = (param: Param) => FloatArray;
export type Real = Float32ArrayConstructor | Float64ArrayConstructor;

/** The steps after each other. Each keeps its last result in memory of its own. */
export function createPass(steps: readonly Step[], elements: Elements, real: Real): Pass {
  const passes = steps.map((step) => createStep(step, elements, real));
  return (x) => passes.reduce((y, pass) => pass(y), x);
}

function createStep(step: Step, elements: Elements, real: Real): Pass {
  switch (step.op) {
    case 'linear':
      return linear(
        elements(step.weight),
        step.bias && elements(step.bias),
        step.weight.columns,
        step.factor,
        real,
      );
    case 'bias': {
      const b = elements(step.bias);
      return columnwise(b.length, real, (x, j) => x + b[j]);
    }
    case 'activation': {
      const { value }: ActivationFormula = ACTIVATIONS[step.type];
      const f = (x: number) => value(x, step.parameter);
      const slope = step.slope && elements(step.slope);
      return slope
        ? columnwise(slope.length, real, (x, j) => (1 - slope[j]) * x + slope[j] * f(x))
        : (x) => x.map(f);
    }
    case 'batch-norm': {
      const [scale, shift, mean] = [step.weight, step.bias, step.mean].map(elements);
      const inverse = Float64Array.from(elements(step.variance), (v) => 1 / Math.sqrt(v + step.epsilon));
      return columnwise(mean.length, real, (x, j) => scale[j] * (x - mean[j]) * inverse[j] + shift[j]);
    }
    case 'layer-norm': {
      const [scale, shift] = [step.weight, step.bias].map(elements);
      return (x) => {
        const mean = sumOf(x, (sum, value) => sum + value) / x.length;
        const squares = sumOf(x, (sum, value) => sum + (value - mean) ** 2);
        const inverse = 1 / Math.sqrt(squares / x.length + step.epsilon);
        return x.map((value, j) => scale[j] * (value - mean) * inverse + shift[j]);
      };
    }
    case 'scale': {
      const factors = elements(step.factors);
      return columnwise(factors.length, real, (x, j) => factors[j] * x);
    }
    case 'residual': {
      const inner = createPass(step.steps, elements, real);
      return (x) => {
        const y = inner(x);
        return x.map((value, j) => value + y[j]);
      };
    }
    default:
      return embedding(step, elements, real);
  }
}

/** A sum, or another fold, in double precision. */
export function sumOf(x: FloatArray, add: (sum: number, value: number) => number, start = 0): number {
  let sum = start;
  for (const value of x) sum = add(sum, value);
  return sum;
}

function columnwise(width: number, real: Real, value: (x: number, j: number) => number): Pass {
  const y = new real(width);
  return (x) => {
    for (let j = 0; j < width; j++) y[j] = value(x[j], j);
    return y;
  };
}

function linear(
  weight: FloatArray,
  bias: FloatArray | undefined,
  units: number,
  factor: number,
  real: Real,
): Pass {
  const sums = new Float64Array(units);
  const y = new real(units);
  return (x) => {
    sums.fill(0);
    for (let i = 0, at = 0; i < x.length; i++) {
      const value = x[i];
      for (let j = 0; j < units; j++, at++) sums[j] += value * weight[at];
    }
    for (let j = 0; j < units; j++) y[j] = factor * sums[j] + (bias ? bias[j] : 0);
    return y;
  };
}

function embedding(step: EmbeddingStep, elements: Elements, real: Real): Pass {
  const { columns, others } = step;
  const { size, write } = vectors(step, elements);
  const y = new real(columns.length * size + others.length);
  return (x) => {
    columns.forEach((column, j) => {
      write(x[column], j, y, j * size);
    });
    others.forEach((column, r) => {
      y[columns.length * size + r] = x[column];
    });
    return y;
  };
}

/** The vector of x, the number j of those that are embedded. */
type VectorWriter = (x: number, j: number, y: FloatArray, at: number) => void;

function vectors(step: EmbeddingStep, elements: Elements): { size: number; write: VectorWriter } {
  const weight = elements(step.weight);
  switch (step.op) {
    case 'embedding': {
      const { columns: size } = step.weight;
      const { levels } = step;
      const starts = levels.map((_, j) => levels.slice(0, j).reduce((sum, count) => sum + count, 0));
      const write: VectorWriter = (x, j, y, at) => {
        const level = Math.trunc(x);
        const isKnown = level >= 1 && level <= levels[j];
        for (let o = 0; o < size; o++) y[at + o] = isKnown ? weight[(starts[j] + level - 1) * size + o] : 0;
      };
      return { size, write };
    }
    case 'pbld': {
      const [frequency, phase, bias] = [step.frequency, step.phase, step.bias].map(elements);
      const k = step.frequency.columns;
      const outs = step.bias.columns;
      const waves = new Float64Array(k);
      const write: VectorWriter = (x, j, y, at) => {
        for (let l = 0; l < k; l++)
          waves[l] = Math.cos(2 * Math.PI * frequency[j * k + l] * x + phase[j * k + l]);
        y[at] = x;
        for (let o = 0; o < outs; o++)
          y[at + 1 + o] = bias[j * outs + o] + dot(waves, weight, (j * outs + o) * k);
      };
      return { size: outs + 1, write };
    }
    case 'periodic': {
      const [frequency, bias] = [step.frequency, step.bias].map(elements);
      const k = step.frequency.columns;
      const size = step.bias.columns;
      const waves = new Float64Array(2 * k);
      const write: VectorWriter = (x, j, y, at) => {
        for (let l = 0; l < k; l++) {
          const angle = 2 * Math.PI * frequency[j * k + l] * x;
          waves[l] = Math.cos(angle);
          waves[k + l] = Math.sin(angle);
        }
        for (let o = 0; o < size; o++) {
          const h = bias[j * size + o] + dot(waves, weight, (j * size + o) * 2 * k);
          y[at + o] = step.relu ? Math.max(h, 0) : h;
        }
      };
      return { size, write };
    }
    case 'piecewise-linear': {
      const [edges, slope, bias] = [step.edges, step.slope, step.bias].map(elements);
      const bins = step.edges.columns - 1;
      const size = step.bias.columns;
      const write: VectorWriter = (x, j, y, at) => {
        const own = edges.subarray(j * (bins + 1), (j + 1) * (bins + 1));
        // The last bin that begins at or below x, of those that are wider than nothing.
        let bin = 0;
        while (bin + 1 < bins && own[bin + 1] < own[bins] && x >= own[bin + 1]) bin++;
        const width = own[bin + 1] - own[bin];
        const part = width > 0 ? (x - own[bin]) / width : 0;
        for (let o = 0; o < size; o++) {
          let h = slope[j * size + o] * x + bias[j * size + o];
          for (let t = 0; t <= bin; t++) h += weight[(j * bins + t) * size + o] * (t < bin ? 1 : part);
          y[at + o] = h;
        }
      };
      return { size, write };
    }
  }
}

function dot(a: Float64Array, b: FloatArray, start: number): number {
  let sum = 0;
  for (let l = 0; l < a.length; l++) sum += a[l] * b[start + l];
  return sum;
}
