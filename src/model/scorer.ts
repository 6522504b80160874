/** Scores a model chunk by chunk: it keeps predictions and targets, but no features. */
import { type Classification, crossEntropies, evaluateClasses } from '../evaluation/classification.js';
import { evaluateRegression, type Regression } from '../evaluation/regression.js';
import type { Tensor } from '../kernels/kernels.js';
import type { Inference } from './inference.js';
import type { Model } from './load.js';

/** The true values of a chunk: class numbers [rows], or targets [rows, targets] in the network's units. */
export type ExpectedValues = Int32Array | Float64Array;

export interface Scorer {
  /** Adds the first `rows` rows of the last forward pass, whose logits are [capacity, outputs]. */
  add(rows: number, logits: Tensor, expected: ExpectedValues): void;
  /** The metrics of all rows; the loss uses `weights` [rows]. */
  result(weights?: Float64Array): Classification | Regression;
}

export function createScorer(model: Model, inference: Inference): Scorer {
  return model.classes ? new ClassScorer(inference) : new RegressionScorer(model);
}

class ClassScorer implements Scorer {
  readonly #labels: ExpectedValues[] = [];
  readonly #predicted: Int32Array[] = [];
  readonly #probabilities: Float64Array[] = [];
  readonly #crossEntropies: Float64Array[] = [];

  readonly #inference: Inference;

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    const inference = this.#inference;
    this.#labels.push(expected.slice());
    this.#predicted.push(inference.labels(rows).slice());
    this.#probabilities.push(inference.predictions(rows).slice());
    this.#crossEntropies.push(crossEntropies(expected, logits.data, inference.outputs));
  }

  result(weights?: Float64Array): Classification {
    return evaluateClasses({
      labels: joined(Int32Array, this.#labels),
      predicted: joined(Int32Array, this.#predicted),
      probabilities: joined(Float64Array, this.#probabilities),
      crossEntropies: joined(Float64Array, this.#crossEntropies),
      weights,
    });
  }
}

class RegressionScorer implements Scorer {
  readonly #units: readonly number[];
  readonly #targets: ExpectedValues[] = [];
  readonly #outputs: Float64Array[] = [];

  constructor({ targets, targetStandardization }: Model) {
    this.#units = targetStandardization?.scale ?? targets.map(() => 1);
  }

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    this.#targets.push(expected.slice());
    this.#outputs.push(Float64Array.from(logits.data.subarray(0, rows * logits.columns)));
  }

  result(weights?: Float64Array): Regression {
    return evaluateRegression({
      targets: joined(Float64Array, this.#targets),
      outputs: joined(Float64Array, this.#outputs),
      units: this.#units,
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
