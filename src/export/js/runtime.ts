/**
 * Runs a program by plain loops: what an exported JavaScript module consists of besides the program,
 * and what the other formats are compared with. It uses nothing but the language, so that a browser
 * runs it. Sums are double; what a network of float32 holds between its steps is rounded to float32.
 */
import { sigmoid } from '../../kernels/activations.js';
import type { FloatArray } from '../../kernels/kernels.js';
import type { Part, Program, Unit } from '../program.js';
import { type CleanCell, cellOf, createEncoder, type Row } from './cells.js';
import { createPass, type Elements, sumOf } from './steps.js';

/** A program as JSON holds it; the tensors of each part come beside it. */
export type PlainProgram = Omit<Program, 'parts'> & { readonly parts: readonly PlainPart[] };
type PlainPart = Omit<Part, 'tensors' | 'shapes'>;
export type Tensors = ReadonlyMap<string, FloatArray>;

/** What is predicted for a row. */
export interface Predicted {
  /** Probabilities of classes or labels, or values of targets or quantiles. */
  readonly numbers: Float64Array;
  /** The number of the class, or 0 or 1 for each label; empty for numbers. */
  readonly decided: readonly number[];
}

export interface Predictor {
  /** @throws Error if the row lacks a column, or the column cannot hold its cell */
  predictNumbers(row: Row): Predicted;
  /** As `mlp predict --json` gives it. */
  predict(row: Row): object;
}

/** @param tensors of each part */
export function createPredictor(program: PlainProgram, tensors: readonly Tensors[]): Predictor {
  const { columns, output } = program;
  const parts = program.parts.map((part, i) => createPart(part, tensors[i], program));
  const total = program.parts.reduce((sum, { weight }) => sum + weight, 0);
  const predictNumbers = (row: Row): Predicted => {
    const cells = columns.map((column) => cellOf(row, column));
    // [probabilities, those of no], or [values]
    const [numbers, no] = weightedMean(
      parts.map((part) => part(cells)),
      program.parts.map(({ weight }) => weight / total),
    );
    if (!numbers.every(Number.isFinite)) {
      throw new Error('found a row whose prediction is not finite: a value may be far outside the usual');
    }
    if (output.kind === 'classes') return { numbers, decided: [likeliest(numbers)] };
    if (output.kind !== 'labels') return { numbers, decided: [] };
    return { numbers, decided: Array.from(numbers, (yes, j) => (yes > no[j] ? 1 : 0)) };
  };
  return { predictNumbers, predict: (row) => asObject(predictNumbers(row), output) };
}

function asObject({ numbers, decided }: Predicted, output: Program['output']): object {
  const named = (names: readonly string[], values: ArrayLike<unknown>) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]]));
  switch (output.kind) {
    case 'classes':
      return {
        prediction: output.classes[decided[0]],
        probabilities: named(output.classes, numbers),
      };
    case 'labels': {
      const labels = decided.map((isYes, j) => output.values[j][isYes]);
      return {
        predictions: named(output.targets, labels),
        probabilities: named(output.targets, numbers),
      };
    }
    case 'quantiles':
      return {
        prediction: numbers[output.middle],
        quantiles: named(output.quantiles.map(String), numbers),
      };
    case 'numbers':
      if (output.targets.length === 1) return { prediction: numbers[0] };
      return { predictions: named(output.targets, numbers) };
  }
}

function weightedMean(
  values: readonly (readonly Float64Array[])[],
  weights: readonly number[],
): Float64Array[] {
  if (values.length === 1) return [...values[0]];
  return values[0].map((first, k) =>
    first.map((_, j) => values.reduce((sum, own, i) => sum + weights[i] * own[k][j], 0)),
  );
}

/** The first of the largest. */
function likeliest(numbers: Float64Array): number {
  let best = 0;
  for (let j = 1; j < numbers.length; j++) if (numbers[j] > numbers[best]) best = j;
  return best;
}

/** From the cells of a row to the probabilities, and those of no; or to values. */
function createPart(
  part: PlainPart,
  tensors: Tensors,
  { columns, output }: PlainProgram,
): (cells: readonly CleanCell[]) => Float64Array[] {
  const real = part.dtype === 'float32' ? Float32Array : Float64Array;
  const elements: Elements = ({ tensor, start, rows, columns }) =>
    (tensors.get(tensor) as FloatArray).subarray(start, start + rows * columns);
  const encoders = part.encodings.map((encoding) => createEncoder(encoding, columns[encoding.column]));
  const shared = createPass(part.shared, elements, real);
  const members = part.members.map((steps) => createPass(steps, elements, real));
  const x = new real(part.inputs);
  return (cells) => {
    let at = 0;
    encoders.forEach(({ width, encode }, i) => {
      encode(cells[part.encodings[i].column], x, at);
      at += width;
    });
    const y = shared(x);
    const means = weightedMean(
      members.map((member) => probabilities(member(y), output.kind)),
      members.map(() => 1 / members.length),
    );
    if (!part.units) return means;
    const [values] = means;
    if (output.kind === 'quantiles') values.sort();
    return [values.map((value, j) => inUnit(value, part.units?.[j] ?? {}))];
  };
}

/** Of classes, or of yes and of no; the outputs of a regression as they are. */
function probabilities(h: FloatArray, kind: Program['output']['kind']): Float64Array[] {
  if (kind === 'labels')
    return [Float64Array.from(h, sigmoid), Float64Array.from(h, (value) => sigmoid(-value))];
  if (kind !== 'classes') return [Float64Array.from(h)];
  if (h.length === 1) return [Float64Array.of(sigmoid(-h[0]), sigmoid(h[0]))];
  const largest = sumOf(h, Math.max, Number.NEGATIVE_INFINITY);
  const exponentials = Float64Array.from(h, (value) => Math.exp(value - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return [exponentials.map((value) => value / sum)];
}

function inUnit(h: number, { link, mean = 0, scale = 1, inverse, range }: Unit): number {
  const output = scale * (link ? Math.exp(h) : h) + mean;
  const value = inverse === undefined ? output : inverse === 'exp' ? Math.exp(output) : Math.expm1(output);
  return range ? Math.min(Math.max(value, range[0]), range[1]) : value;
}
