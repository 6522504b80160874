/**
 * A model as a plain program: the cells of a row in, a prediction out. It holds numbers and names alone,
 * so that each format only has to print it. A training feature that does nothing in a prediction
 * (dropout, initial values, batch statistics) is gone; weights stay by their names in the model file.
 */
import type { DateOrder } from '../data/dates.js';
import type { ActivationType } from '../kernels/activations.js';
import type { DType, FloatArray } from '../kernels/kernels.js';
import type { DatePart } from '../spec/words.js';

export interface Program {
  readonly dtype: DType;
  /** The columns that are read, each once. */
  readonly columns: readonly InputColumn[];
  /** One for a model; for an ensemble its members, whose predictions are averaged by their weights. */
  readonly parts: readonly Part[];
  readonly output: Output;
}

/** What the cells of a column are. */
export interface InputColumn {
  readonly name: string;
  readonly kind: 'number' | 'text' | 'boolean' | 'date';
  /** How the dates are written. */
  readonly order?: DateOrder;
  /** The texts that mean a missing cell, the empty one among them. */
  readonly missing: readonly string[];
  /** The numbers that mean a missing cell of a column of numbers. */
  readonly missingNumbers: readonly number[];
  /** Whether a missing cell has no encoding: a row with one has no prediction. */
  readonly required?: true;
  /** Whether any cell will do: only whether it is missing counts. */
  readonly anything?: true;
}

/** What an indicator holds for a cell that is there, and for one that is missing. */
export type Marks = readonly [present: number, missing: number];

/** z = (x − shift) / scale; with a clip then z / √(1 + (z / clip)²), z within ±2³⁰ times the clip. */
export interface Scale {
  readonly shift: number;
  readonly scale: number;
  readonly clip?: number;
}

/**
 * The network's inputs from a column, in their order; `column` is its number among the columns. Marks
 * are one more input behind the others.
 */
export type Encoding = { readonly column: number; readonly marks?: Marks } & (
  | NumberInputs
  | CategoryInputs
  | BooleanInput
  | DateInputs
  /** A column with a single value: only its marks. */
  | { readonly kind: 'constant' }
);

export interface NumberInputs extends Scale {
  readonly kind: 'number';
  /** Stands for a missing cell. */
  readonly fill?: number;
  /** Every number becomes 0: the training rows held nothing else. */
  readonly zero?: true;
  /** Numbers, rising, whose place from 1 is a second input; 0 for any other number. */
  readonly levels?: readonly number[];
}

export interface CategoryInputs {
  readonly kind: 'category';
  readonly levels: readonly string[];
  /** Levels are numbers, and compared as such: 1.0 is 1. Only in models of earlier versions. */
  readonly byValue?: true;
  /**
   * An input for each level, `on` for the cell's level and `off` for the others; or a `single` one, with
   * the values of the levels, and that of a cell of no level.
   */
  readonly inputs:
    | { readonly kind: 'one-hot'; readonly on: readonly number[]; readonly off: readonly number[] }
    | { readonly kind: 'single'; readonly values: readonly number[]; readonly none: number };
  /** The number of the level that stands for a missing cell; without it, a missing cell has no level. */
  readonly fill?: number;
}

export interface BooleanInput {
  readonly kind: 'boolean';
  readonly no: number;
  readonly yes: number;
  /** For any other text. */
  readonly other: number;
  readonly missing: number;
}

export interface DateInputs {
  readonly kind: 'date';
  readonly inputs: readonly DateInput[];
}

/** A part of a date, or a wave of it. */
export interface DateInput extends Scale {
  readonly part: DatePart;
  /** sin or cos of 2π·part/period */
  readonly wave?: 'sine' | 'cosine';
  readonly period?: number;
  /** Stands for the part, or its wave, of a missing cell. */
  readonly fill?: number;
}

/** Some elements of a tensor, row-major. */
export interface Param {
  /** Its name in the model file. */
  readonly tensor: string;
  /** Its first element, where it is that of one member of a batch ensemble. */
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
}

/** From x [inputs] to y. Formulas as in src/network. */
export type Step =
  /** y = factor·x·W + b, W [inputs, units] */
  | {
      readonly op: 'linear';
      readonly weight: Param;
      readonly bias?: Param;
      readonly factor: number;
    }
  /** y = x + b */
  | { readonly op: 'bias'; readonly bias: Param }
  /** y = f(x), with a slope α (1 − α)·x + α·f(x) */
  | {
      readonly op: 'activation';
      readonly type: ActivationType;
      readonly parameter: number;
      readonly slope?: Param;
    }
  /** y = γ·(x − μ)/√(σ² + ε) + β */
  | {
      readonly op: 'batch-norm';
      readonly epsilon: number;
      readonly weight: Param;
      readonly bias: Param;
      readonly mean: Param;
      readonly variance: Param;
    }
  /** The same with mean and variance of the row */
  | { readonly op: 'layer-norm'; readonly epsilon: number; readonly weight: Param; readonly bias: Param }
  /** y = s ⊙ x */
  | { readonly op: 'scale'; readonly factors: Param }
  /** y = x + F(x) */
  | { readonly op: 'residual'; readonly steps: readonly Step[] }
  | EmbeddingStep;

/** Replaces inputs by learnt vectors; the `others` follow behind. */
export type EmbeddingStep = {
  readonly columns: readonly number[];
  readonly others: readonly number[];
} /** The row of the table for the level from 1; zeros for a number that is no level. `levels` of each column. */ & (
  | { readonly op: 'embedding'; readonly levels: readonly number[]; readonly weight: Param }
  /** [x, W·cos(2π·f·x + p) + b] */
  | {
      readonly op: 'pbld';
      readonly frequency: Param; // [columns, k]
      readonly phase: Param; // [columns, k]
      readonly weight: Param; // [columns·(size − 1), k]
      readonly bias: Param; // [columns, size − 1]
    }
  /** W·[cos(2π·f·x), sin(2π·f·x)] + b, and its relu */
  | {
      readonly op: 'periodic';
      readonly relu: boolean;
      readonly frequency: Param; // [columns, k]
      readonly weight: Param; // [columns·size, 2k]
      readonly bias: Param; // [columns, size]
    }
  /** a·x + b + W·e(x): e(x) is linear in the bin of x, 1 in those below, 0 in those above */
  | {
      readonly op: 'piecewise-linear';
      readonly edges: Param; // [columns, bins + 1]
      readonly slope: Param; // [columns, size]
      readonly bias: Param; // [columns, size]
      readonly weight: Param; // [columns·bins, size]
    }
);

/** From the inputs to the predictions of one model. */
export interface Part {
  /** How often it counts in an ensemble. */
  readonly weight: number;
  readonly dtype: DType;
  readonly encodings: readonly Encoding[];
  readonly inputs: number;
  /** Steps before the members, which these share. */
  readonly shared: readonly Step[];
  /** Of each member; one if there are none. Their probabilities, or outputs of a regression, are averaged. */
  readonly members: readonly (readonly Step[])[];
  /** So many members in a row share weights; 1 but for batch ensembles. */
  readonly views: number;
  readonly outputs: number;
  /** For each output of a regression, what makes a prediction of it. */
  readonly units?: readonly Unit[];
  readonly tensors: ReadonlyMap<string, FloatArray>;
  /** Of each tensor. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** The prediction of an output h: first e^h for the link, then mean + scale·h, then e^h or e^h − 1; then limited. */
export interface Unit {
  readonly link?: 'exp';
  readonly mean?: number;
  readonly scale?: number;
  readonly inverse?: 'exp' | 'expm1';
  readonly range?: readonly [least: number, greatest: number];
}

export type Output =
  /** The softmax of the outputs; of a single one σ(−h) and σ(h). The label is the first likeliest class. */
  | { readonly kind: 'classes'; readonly classes: readonly string[] }
  /** σ(h) of each target; its label is the second of its values above ½. */
  | {
      readonly kind: 'labels';
      readonly targets: readonly string[];
      readonly values: readonly (readonly string[])[];
    }
  | { readonly kind: 'numbers'; readonly targets: readonly string[] }
  /** The outputs in rising order; the prediction is that of number `middle`. */
  | {
      readonly kind: 'quantiles';
      readonly target: string;
      readonly quantiles: readonly number[];
      readonly middle: number;
    };

/** All steps of a part, those of residuals before the residual itself. */
export function* allSteps({ shared, members }: Part): Generator<Step> {
  yield* flat(shared);
  for (const steps of members) yield* flat(steps);
}

function* flat(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    if (step.op === 'residual') yield* flat(step.steps);
    yield step;
  }
}

/** The parameters of a step by what they are in it. */
export function paramsOf(step: Step): [role: string, param: Param][] {
  return Object.entries(step).filter((entry): entry is [string, Param] => isParam(entry[1]));
}

function isParam(value: unknown): value is Param {
  return typeof value === 'object' && value !== null && 'tensor' in value;
}

/** How many numbers a row has after a step on one of so many. */
export function widthAfter(step: Step, width: number): number {
  switch (step.op) {
    case 'linear':
      return step.weight.columns;
    case 'embedding':
      return step.columns.length * step.weight.columns + step.others.length;
    case 'pbld':
      return step.columns.length * (step.bias.columns + 1) + step.others.length;
    case 'periodic':
    case 'piecewise-linear':
      return step.columns.length * step.bias.columns + step.others.length;
    default:
      return width;
  }
}

/** The elements of a parameter. */
export function elementsOf({ tensors }: Part, { tensor, start, rows, columns }: Param): FloatArray {
  const data = tensors.get(tensor);
  if (data === undefined) throw new TypeError(`the model has no tensor ${tensor}`);
  return data.subarray(start, start + rows * columns);
}

/** Whether a format that knows types takes a column as text. Levels that are compared as numbers are numbers. */
export function isText({ columns, parts }: Program, index: number): boolean {
  const { kind } = columns[index];
  if (kind === 'number' || kind === 'date') return false;
  const own = parts.flatMap(({ encodings }) => encodings.filter(({ column }) => column === index));
  return !own.every((encoding) => encoding.kind === 'category' && encoding.byValue);
}
