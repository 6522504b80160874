/** What a model makes of rows, gathered chunk by chunk for its metrics: nothing of the features is kept. */
import type { SideName } from '../data/dataset/parts.js';
import { type Classification, evaluateClasses } from '../evaluation/classification.js';
import { crossEntropies } from '../evaluation/crossEntropy.js';
import { evaluateRegression, type Regression } from '../evaluation/regression.js';
import type { Tensor } from '../kernels/kernels.js';
import type { Inference } from '../model/inference.js';
import type { Model } from '../model/load.js';

/** Metrics, and what they are of. */
export interface Evaluated {
  readonly model: Model;
  readonly data: { readonly path: string; readonly rows: number };
  /** Which of the run's own rows; not there for all rows of a file. */
  readonly side?: SideName;
  /** Whether rows have weights in the loss. */
  readonly weighted: boolean;
  readonly result: Classification | Regression;
}

/** What the rows of a chunk should have been: numbers of classes [rows], or values [rows, targets] in the units of the network. */
export type ExpectedValues = Int32Array | Float64Array;

export interface Scorer {
  /** Takes the first rows of the inference's last forward pass, whose logits [capacity, outputs] are these. */
  add(rows: number, logits: Tensor, expected: ExpectedValues): void;
  /** The metrics of all rows; `weights` [rows] count in the loss. */
  result(weights?: Float64Array): Classification | Regression;
}

export function createScorer(model: Model, inference: Inference): Scorer {
  return model.classes ? new ClassScorer(inference) : new RegressionScorer(model);
}

class ClassScorer implements Scorer {
  private readonly labels: ExpectedValues[] = [];
  private readonly predicted: Int32Array[] = [];
  private readonly probabilities: Float64Array[] = [];
  private readonly crossEntropies: Float64Array[] = [];

  constructor(private readonly inference: Inference) {}

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    const { inference } = this;
    this.labels.push(expected.slice());
    this.predicted.push(inference.labels(rows).slice());
    this.probabilities.push(inference.predictions(rows).slice());
    this.crossEntropies.push(crossEntropies(expected, logits.data, inference.outputs));
  }

  result(weights?: Float64Array): Classification {
    return evaluateClasses({
      labels: joined(Int32Array, this.labels),
      predicted: joined(Int32Array, this.predicted),
      probabilities: joined(Float64Array, this.probabilities),
      crossEntropies: joined(Float64Array, this.crossEntropies),
      weights,
    });
  }
}

class RegressionScorer implements Scorer {
  private readonly units: readonly number[];
  private readonly targets: ExpectedValues[] = [];
  private readonly outputs: Float64Array[] = [];

  constructor({ targets, targetStandardization }: Model) {
    this.units = targetStandardization?.scale ?? targets.map(() => 1);
  }

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    this.targets.push(expected.slice());
    this.outputs.push(Float64Array.from(logits.data.subarray(0, rows * logits.columns)));
  }

  result(weights?: Float64Array): Regression {
    return evaluateRegression({
      targets: joined(Float64Array, this.targets),
      outputs: joined(Float64Array, this.outputs),
      units: this.units,
      weights,
    });
  }
}

function joined<T extends ExpectedValues>(
  type: new (length: number) => T,
  parts: readonly ExpectedValues[],
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let next = 0;
  for (const part of parts) {
    all.set(part, next);
    next += part.length;
  }
  return all;
}
