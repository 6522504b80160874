/**
 * Predicts: from rows of features to logits, probabilities and values. The bits of a row's result
 * depend neither on the other rows nor on the machine (see sharedNetwork.ts).
 */
import { type FeatureEncoding, ofTrained } from '../data/encoding/encoding.js';
import { sigmoid } from '../kernels/activations.js';
import type { DType, Tensor } from '../kernels/kernels.js';
import { classesOf, predictedClass, writeProbabilities } from '../network/logits.js';
import type { Model } from './load.js';
import { SharedNetwork } from './pool/sharedNetwork.js';
import { predictionOf, targetOf } from './predictions.js';

const UNLIMITED = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/**
 * The probability from which on the second of two classes is predicted (a single number), or yes for
 * each label. Undefined for the likelier one.
 */
export type Thresholds = readonly (number | undefined)[];

/** Where the rows of a table become the inputs of a network. */
export interface NetworkInputs {
  /** [capacity, inputs] The rows to pass. */
  readonly x: Tensor;
  /** How columns become them, and the number of each column among the features of the model. */
  readonly features: readonly FeatureEncoding[];
  readonly columns: readonly number[];
  readonly dtype: DType;
}

/** Predictions of rows. */
export interface Predicted {
  /** Number of logits of a row. */
  readonly outputs: number;
  /** Numbers that predict a row: one for each class (two for a single logit) or target. */
  readonly width: number;
  /**
   * The predictions of the last rows [rows, width]: the probabilities of the classes in their order,
   * or of each label, or the targets in their own units. The next call overwrites them.
   */
  predictions(rows: number): Float64Array;
  /**
   * The number of each row's class [rows] by the last rows, for a classifier; 0 or 1 for each label
   * [rows, labels], for labels. The next call overwrites it.
   */
  labels(rows: number, thresholds?: Thresholds): Int32Array;
}

/** What predicts rows: a network, or an ensemble of several. */
export interface Predictor extends Predicted {
  /** How many rows are passed at once. */
  readonly capacity: number;
  /** Of each network. */
  readonly parts: readonly NetworkInputs[];
  /**
   * The logits [rows, outputs] of the first `rows` rows of the inputs. The other rows are passed as
   * zeros, so that the rows of an earlier call cost no time as denormal or infinite numbers; no row
   * depends on another.
   * @param members those of the network that are averaged; all if left out
   */
  forward(rows: number, members?: readonly number[]): Logits | Promise<Logits>;
}

export type Logits = Pick<Tensor, 'data'>;

/** Predictions by the logits of some rows. */
export class LogitPredictions implements Predicted {
  readonly outputs: number;
  readonly width: number;
  readonly #model: Model;
  readonly #predictions: Float64Array;
  readonly #labels: Int32Array;
  #logits: Logits | undefined;
  /** How many rows have their predictions. */
  #predicted = 0;

  /** @param capacity the most rows */
  constructor(model: Model, outputs: number, capacity: number) {
    this.#model = model;
    this.outputs = outputs;
    this.width = model.classes ? classesOf(outputs) : outputs;
    this.#predictions = new Float64Array(capacity * this.width);
    this.#labels = new Int32Array(capacity * (model.labelValues ? this.width : 1));
  }

  /** Takes the logits [rows, outputs] of other rows. */
  take(logits: Logits): Logits {
    this.#predicted = 0;
    this.#logits = logits;
    return logits;
  }

  predictions(rows: number): Float64Array {
    for (; this.#predicted < rows; this.#predicted++) this.#predict(this.#predicted);
    return this.#predictions.subarray(0, rows * this.width);
  }

  labels(rows: number, thresholds?: Thresholds): Int32Array {
    if (rows === 0) return this.#labels.subarray(0, 0);
    const { data } = this.#lastLogits();
    const { outputs, width } = this;
    if (this.#model.labelValues || thresholds) {
      // Of two classes, the second probability is the one that matters.
      const step = this.#model.classes ? 2 : 1;
      const probabilities = this.predictions(rows);
      const decided = this.#labels.subarray(0, (rows * width) / step);
      for (let i = 0; i < decided.length; i++) {
        const threshold = thresholds?.[i % (width / step)];
        const at = i * step + step - 1;
        const isYes = threshold === undefined ? data[i] > 0 : probabilities[at] >= threshold;
        decided[i] = isYes ? 1 : 0;
      }
      return decided;
    }
    for (let row = 0; row < rows; row++) this.#labels[row] = predictedClass(data, row * outputs, outputs);
    return this.#labels.subarray(0, rows);
  }

  #predict(row: number): void {
    const { data } = this.#lastLogits();
    const { outputs, width } = this;
    const predictions = this.#predictions;
    if (this.#model.labelValues) {
      for (let at = row * outputs; at < (row + 1) * outputs; at++) predictions[at] = sigmoid(data[at]);
      return;
    }
    if (this.#model.classes) {
      writeProbabilities(data, row * outputs, outputs, predictions, row * width);
      return;
    }
    const { predictionRanges } = this.#model;
    for (let j = 0; j < outputs; j++) {
      const value = predictionOf(data[row * outputs + j], j, this.#model);
      // Once more, because the limits of the network are rounded.
      const [least, greatest] = predictionRanges?.[targetOf(j, this.#model)] ?? UNLIMITED;
      predictions[row * width + j] = value < least ? least : value > greatest ? greatest : value;
    }
  }

  #lastLogits(): Logits {
    if (!this.#logits) throw new Error('no rows have been passed yet');
    return this.#logits;
  }
}

/** Passes the rows of certain inputs in another thread. */
export type RemotePass = (members?: readonly number[]) => Promise<Logits>;

/** Predicts the rows of its inputs by a network, in whatever thread they are passed. */
abstract class NetworkPredictor extends LogitPredictions implements Predictor {
  readonly capacity: number;
  readonly inputs: number;
  /** [capacity, inputs] The rows to pass. */
  readonly x: Tensor;
  readonly parts: readonly NetworkInputs[];
  /** The rows of the inputs that are not 0. */
  #written = 0;

  constructor(model: Model, outputs: number, x: Tensor) {
    super(model, outputs, x.rows);
    this.x = x;
    const features = featuresOf(model);
    this.parts = [{ x, features, columns: features.map((_, j) => j), dtype: model.dtype }];
    this.capacity = x.rows;
    this.inputs = x.columns;
  }

  abstract forward(rows: number, members?: readonly number[]): Logits | Promise<Logits>;

  /** Makes the inputs ready to be passed. */
  protected begin(rows: number): void {
    // Memory that was never written costs nothing: a wide network has much of it.
    if (rows < this.#written) this.x.data.fill(0, rows * this.inputs, this.#written * this.inputs);
    this.#written = rows;
  }

  /** @param logits [capacity, outputs] which may be overwritten */
  protected end(rows: number, { data }: Logits): Logits {
    return this.take({ data: data.slice(0, rows * this.outputs) });
  }
}

/** Passes rows in this thread. */
export class Inference extends NetworkPredictor {
  readonly network: SharedNetwork;

  /** @param x the rows to pass; several inferences may share a network */
  constructor(model: Model, network: SharedNetwork, x: Tensor = network.inputs[0]) {
    super(model, network.network.outputs, x);
    this.network = network;
  }

  /** @throws MlpError as `SharedNetwork.create` */
  static create(model: Model, capacity?: number): Inference {
    return new Inference(model, SharedNetwork.create(model, capacity));
  }

  forward(rows: number, members?: readonly number[]): Logits {
    this.begin(rows);
    return this.end(rows, this.network.network.forward(this.capacity, this.x, members));
  }
}

/** Has rows passed in another thread. */
export class RemoteInference extends NetworkPredictor {
  readonly #pass: RemotePass;

  constructor(model: Model, outputs: number, x: Tensor, pass: RemotePass) {
    super(model, outputs, x);
    this.#pass = pass;
  }

  async forward(rows: number, members?: readonly number[]): Promise<Logits> {
    this.begin(rows);
    return this.end(rows, await this.#pass(members));
  }
}

/** An old model compares the numbers of levels by value. */
function featuresOf({ features, missingValues }: Model): readonly FeatureEncoding[] {
  const encodings = ofTrained(features);
  if (missingValues) return encodings;
  return encodings.map((encoding) =>
    encoding.kind === 'category' ? { ...encoding, byValue: true } : encoding,
  );
}
