/**
 * Predicts with an ensemble: the weighted mean of the members' probabilities, or of their predictions
 * in the unit of the target. Each member passes as many rows at once, so the bits of a row depend on
 * the row and the ensemble alone.
 */
import { toNetwork } from '../data/dataset/targetUnits.js';
import { sigmoid } from '../kernels/activations.js';
import { LOSSES } from '../network/loss.js';
import type { Ensemble } from './ensemble.js';
import type {
  Inference,
  Logits,
  NetworkInputs,
  Predicted,
  Predictor,
  RemoteInference,
  Thresholds,
} from './inference.js';
import type { ReadingModel } from './load.js';
import { targetOf } from './predictions.js';

/** What a member predicts for some rows. */
export interface MemberPredictions {
  /** [rows, width] As `Predictor.predictions`. */
  readonly numbers: Float64Array;
  /** [rows, width] Only for labels: the probabilities of no. 1 − σ(h) would be 0 from h = 37 on. */
  readonly no?: Float64Array | undefined;
}

type MemberInference = Inference | RemoteInference;

/** What an inference predicts for the rows of its last forward pass. */
export function memberPredictions(
  inference: Predicted,
  rows: number,
  { data }: Logits,
  { labelValues }: ReadingModel,
): MemberPredictions {
  const numbers = inference.predictions(rows);
  if (!labelValues) return { numbers };
  return { numbers, no: Float64Array.from(data.subarray(0, numbers.length), (logit) => sigmoid(-logit)) };
}

/** The logarithm of 0, so that a loss stays finite. */
const LEAST_LOG = Math.log(Number.MIN_VALUE);

/** The mean of the members' predictions, as a model predicts. */
export class MeanPredictions {
  readonly outputs: number;
  readonly width: number;
  readonly #model: ReadingModel;
  readonly #numbers: Float64Array; // [capacity, width]
  readonly #no: Float64Array;
  readonly #logits: Float64Array; // [capacity, width]
  readonly #labels: Int32Array;

  constructor(model: ReadingModel, capacity: number, width: number) {
    this.#model = model;
    this.width = width;
    this.outputs = width;
    this.#numbers = new Float64Array(capacity * width);
    this.#no = new Float64Array(model.labelValues ? capacity * width : 0);
    this.#logits = new Float64Array(capacity * width);
    this.#labels = new Int32Array(capacity * (model.labelValues ? width : 1));
  }

  /**
   * Averages the predictions of some rows.
   * @returns the logits: for classes the logarithms of the mean probabilities, whose softmax these are
   */
  of(members: readonly MemberPredictions[], weights: readonly number[]): Logits {
    const numbers = members.map((member) => member.numbers);
    average(numbers, weights, this.#numbers);
    const no = members.flatMap((member) => member.no ?? []);
    if (no.length > 0) average(no, weights, this.#no);
    for (let at = 0; at < numbers[0].length; at++) this.#logits[at] = this.#logitOf(at);
    return { data: this.#logits };
  }

  predictions(rows: number): Float64Array {
    return this.#numbers.subarray(0, rows * this.width);
  }

  labels(rows: number, thresholds?: Thresholds): Int32Array {
    const { width } = this;
    const probabilities = this.#numbers;
    if (this.#model.labelValues) {
      const decided = this.#labels.subarray(0, rows * width);
      for (let at = 0; at < decided.length; at++) {
        const threshold = thresholds?.[at % width];
        const isYes = threshold === undefined ? this.#logits[at] > 0 : probabilities[at] >= threshold;
        decided[at] = isYes ? 1 : 0;
      }
      return decided;
    }
    const decided = this.#labels.subarray(0, rows);
    const threshold = thresholds?.[0];
    for (let row = 0; row < rows; row++) {
      const first = row * width;
      if (threshold === undefined) decided[row] = likeliest(probabilities, first, width);
      else decided[row] = probabilities[first + 1] >= threshold ? 1 : 0;
    }
    return decided;
  }

  #logitOf(at: number): number {
    const { loss, classes, labelValues } = this.#model;
    const value = this.#numbers[at];
    if (classes) return logOf(value);
    if (labelValues) return logOf(value) - logOf(this.#no[at]);
    const { link } = LOSSES[loss];
    const output = toNetwork(value, targetOf(at % this.width, this.#model), this.#model);
    return link ? link.of(output) : output;
  }
}

export class EnsembleInference implements Predictor {
  readonly capacity: number;
  readonly outputs: number;
  readonly width: number;
  readonly parts: readonly NetworkInputs[];
  readonly #members: readonly MemberInference[];
  readonly #weights: readonly number[];
  readonly #model: Ensemble;
  readonly #mean: MeanPredictions;

  /** @param members of the ensemble, in its order; each passes as many rows at once */
  constructor(model: Ensemble, members: readonly MemberInference[]) {
    const [{ capacity, width }] = members;
    this.#model = model;
    this.#members = members;
    this.#weights = model.members.map(({ weight }) => weight);
    this.#mean = new MeanPredictions(model, capacity, width);
    this.capacity = capacity;
    this.width = width;
    this.outputs = this.#mean.outputs;
    const numberOf = new Map(model.features.map(({ column }, j) => [column, j]));
    this.parts = members.flatMap(({ parts }) =>
      parts.map((part) => {
        const columns = part.features.map(({ column }) => numberOf.get(column) as number);
        return { ...part, columns };
      }),
    );
  }

  forward(rows: number): Logits | Promise<Logits> {
    const passes = this.#members.map((member) => member.forward(rows));
    if (!passes.some((pass) => pass instanceof Promise)) return this.#average(rows, passes as Logits[]);
    return Promise.all(passes).then((logits) => this.#average(rows, logits));
  }

  #average(rows: number, logits: readonly Logits[]): Logits {
    const predicted = this.#members.map((member, m) =>
      memberPredictions(member, rows, logits[m], this.#model),
    );
    return this.#mean.of(predicted, this.#weights);
  }

  predictions(rows: number): Float64Array {
    return this.#mean.predictions(rows);
  }

  labels(rows: number, thresholds?: Thresholds): Int32Array {
    return this.#mean.labels(rows, thresholds);
  }
}

/** Σ weight·values / Σ weight over the members, element by element, into `mean`. */
function average(values: readonly Float64Array[], weights: readonly number[], mean: Float64Array): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const { length } = values[0];
  mean.fill(0, 0, length);
  for (const [i, own] of values.entries()) {
    const weight = weights[i];
    for (let at = 0; at < length; at++) mean[at] += weight * own[at];
  }
  for (let at = 0; at < length; at++) mean[at] /= total;
}

function logOf(probability: number): number {
  return probability === 0 ? LEAST_LOG : Math.log(probability);
}

/** The class of a row whose probabilities begin at `first`: the first of the largest. */
export function likeliest(probabilities: Float64Array, first: number, classes: number): number {
  let best = 0;
  for (let j = 1; j < classes; j++) if (probabilities[first + j] > probabilities[first + best]) best = j;
  return best;
}
