/**
 * Runs a program by plain loops: what an exported JavaScript module consists of besides the program,
 * and what the other formats are compared with. It uses nothing but the language, so that a browser
 * runs it. Sums are double; what a network of float32 holds between its steps is rounded to float32.
 */
import { parseBoolean } from '../../data/booleans.js';
import { parseDecimal } from '../../data/cell.js';
import { type Moment, parseDate } from '../../data/dates.js';
import { clipped } from '../../data/scaling.js';
import { ACTIVATIONS, type ActivationFormula, sigmoid } from '../../kernels/activations.js';
import type { FloatArray } from '../../kernels/kernels.js';
import type {
  EmbeddingStep,
  Encoding,
  InputColumn,
  Param,
  Part,
  Program,
  Scale,
  Step,
  Unit,
} from '../program.js';

/** Null, undefined and NaN are missing, and so is text that means a missing cell. */
export type Cell = number | string | boolean | null | undefined;
export type Row = Readonly<Record<string, Cell>>;

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
  /** @throws Error for a row without one of the columns, or with a cell that is none of its column */
  predictNumbers(row: Row): Predicted;
  /** As `mlp predict --json` gives it. */
  predict(row: Row): object;
}

type Pass = (x: FloatArray) => FloatArray;

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

// Cells

/** A number, NaN if it is missing; or text, undefined if it is missing. */
type CleanCell = number | string | undefined;

function cellOf(row: Row, column: InputColumn): CleanCell {
  const { name, kind, missing, missingNumbers, anything } = column;
  if (!Object.hasOwn(row, name)) throw new Error(`found no ${JSON.stringify(name)} in the row, expected one`);
  const value = row[name];
  const isMissing = value === null || value === undefined || Number.isNaN(value);
  if (isMissing && column.required) throw missingCell(name);
  if (kind !== 'number' || anything) return isMissing ? undefined : String(value);
  if (isMissing) return Number.NaN;
  const isText = typeof value === 'string';
  const text = isText ? value.trim() : '';
  const number = isText ? parseDecimal(text) : Number(value);
  if ((isText && missing.includes(text)) || missingNumbers.includes(number)) {
    if (column.required) throw missingCell(name);
    return Number.NaN;
  }
  if (Number.isFinite(number)) return number;
  throw new Error(`${JSON.stringify(name)}: found ${JSON.stringify(String(value))}, expected a number`);
}

function missingCell(name: string): Error {
  return new Error(`${JSON.stringify(name)}: found a missing value, expected one`);
}

/** Whether text means a missing cell. */
function isGap(text: string, { name, missing, required }: InputColumn): boolean {
  if (!missing.includes(text.trim())) return false;
  if (required) throw missingCell(name);
  return true;
}

// Encodings

/** Writes the inputs of a column behind each other from `at` on. */
type Encoder = (cell: CleanCell, x: FloatArray, at: number) => void;

function createEncoder(encoding: Encoding, column: InputColumn): { width: number; encode: Encoder } {
  const { width, write } = createWriter(encoding, column);
  const { marks } = encoding;
  if (!marks) return { width, encode: write };
  return {
    width: width + 1,
    encode(cell, x, at) {
      x[at + width] = marks[write(cell, x, at) ? 1 : 0];
    },
  };
}

/** As an encoder; returns whether the cell is missing. */
type CellWriter = (cell: CleanCell, x: FloatArray, at: number) => boolean;

function createWriter(encoding: Encoding, column: InputColumn): { width: number; write: CellWriter } {
  switch (encoding.kind) {
    case 'constant':
      return {
        width: 0,
        write: (cell) =>
          typeof cell === 'string' ? isGap(cell, column) : cell === undefined || Number.isNaN(cell),
      };
    case 'number': {
      const { fill = Number.NaN, zero, levels } = encoding;
      const places = levels && new Map(levels.map((level, i) => [level, i + 1]));
      const write: CellWriter = (cell, x, at) => {
        const value = cell as number;
        const isMissing = Number.isNaN(value);
        x[at] = zero ? 0 : scaled(isMissing ? fill : value, encoding);
        if (places) x[at + 1] = places.get(value) ?? 0;
        return isMissing;
      };
      return { width: levels ? 2 : 1, write };
    }
    case 'category':
      return categoryWriter(encoding, column);
    case 'boolean': {
      const { no, yes, other, missing } = encoding;
      const write: CellWriter = (cell, x, at) => {
        const text = cell as string | undefined;
        const isMissing = text === undefined || isGap(text, column);
        const said = isMissing ? undefined : parseBoolean(text);
        x[at] = isMissing ? missing : said === undefined ? other : said ? yes : no;
        return isMissing;
      };
      return { width: 1, write };
    }
    case 'date': {
      const { inputs } = encoding;
      const write: CellWriter = (cell, x, at) => {
        const text = cell as string | undefined;
        const isMissing = text === undefined || isGap(text, column);
        const moment = isMissing ? undefined : momentOf(text, column);
        inputs.forEach((input, j) => {
          x[at + j] = scaled(moment ? partOf(moment, input) : (input.fill ?? Number.NaN), input);
        });
        return isMissing;
      };
      return { width: inputs.length, write };
    }
  }
}

function categoryWriter(
  { levels, byValue, inputs, fill = -1 }: Extract<Encoding, { kind: 'category' }>,
  column: InputColumn,
): { width: number; write: CellWriter } {
  const places = new Map(levels.map((level, i) => [level, i]));
  const placeOf = (text: string) => places.get(byValue ? String(parseDecimal(text.trim())) : text);
  const isSingle = inputs.kind === 'single';
  const width = isSingle ? 1 : levels.length;
  const write: CellWriter = (cell, x, at) => {
    const text = cell as string | undefined;
    let place = text === undefined ? undefined : (placeOf(text) ?? placeOf(text.trim()));
    const isMissing = text === undefined || (place === undefined && isGap(text, column));
    if (isMissing) place = fill < 0 ? undefined : fill;
    if (isSingle) {
      x[at] = place === undefined ? inputs.none : inputs.values[place];
    } else {
      for (let j = 0; j < width; j++) x[at + j] = inputs.off[j];
      if (place !== undefined) x[at + place] = inputs.on[place];
    }
    return isMissing;
  };
  return { width, write };
}

function scaled(x: number, { shift, scale, clip }: Scale): number {
  const z = (x - shift) / scale;
  return clip === undefined ? z : clipped(z, clip);
}

function momentOf(text: string, { name, order = 'ymd' }: InputColumn): Moment {
  const moment = parseDate(text, order);
  if (moment) return moment;
  const written = { ymd: '2024-12-31', dmy: '31/12/2024', mdy: '12/31/2024', time: '13:45' }[order];
  throw new Error(
    `${JSON.stringify(name)}: found ${JSON.stringify(text)}, expected a date such as ${written}`,
  );
}

function partOf(
  moment: Moment,
  { part, wave, period = 1 }: { part: keyof Moment; wave?: 'sine' | 'cosine'; period?: number },
): number {
  const angle = (2 * Math.PI * moment[part]) / period;
  if (wave === undefined) return moment[part];
  return wave === 'sine' ? Math.sin(angle) : Math.cos(angle);
}

// The network

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

type Elements = (param: Param) => FloatArray;
type Real = Float32ArrayConstructor | Float64ArrayConstructor;

/** The steps after each other. Each keeps its last result in memory of its own. */
function createPass(steps: readonly Step[], elements: Elements, real: Real): Pass {
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
function sumOf(x: FloatArray, add: (sum: number, value: number) => number, start = 0): number {
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
