/**
 * Predicts: from rows of features to logits, probabilities and values. The bits of a row's result
 * depend neither on the other rows nor on the machine: one thread, kernels without relaxed SIMD,
 * and always the full number of rows in each product, since a product chooses its path by its size.
 */
import { type FeatureEncoding, ofTrained } from '../data/encoding/encoding.js';
import type { FeatureRows } from '../data/featureMatrix.js';
import { ExitCode, MlpError } from '../errors.js';
import { sigmoid } from '../kernels/activations.js';
import { type Allocator, ARENA_LIMIT, Arena, ArenaPlan } from '../kernels/arena.js';
import { createKernels, type KernelsChoice, kernelScratch } from '../kernels/create.js';
import type { DType, Kernels, Tensor } from '../kernels/kernels.js';
import { referenceKernels } from '../kernels/reference/index.js';
import { alone } from '../kernels/share.js';
import { detectFeatures } from '../kernels/wasm/loader.js';
import { classesOf, predictedClass, writeProbabilities } from '../network/logits.js';
import { type FoldRange, foldRanges } from '../network/memberFolds.js';
import { Network } from '../network/network.js';
import { networkShape } from '../network/shape.js';
import { networksOf } from '../spec/widths.js';
import { formatBytes } from '../text.js';
import { predictingTensors } from './calibration.js';
import type { Model } from './load.js';
import { modelTensors } from './model.js';
import { limitsOf, predictionOf, targetOf } from './predictions.js';

const UNLIMITED = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Rows passed at once, unless they need more memory than PASS_BYTES. */
const MOST_ROWS = 256;
const PASS_BYTES = 2 ** 28;

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
   * The logits [capacity, outputs] of the first `rows` rows of the inputs. The next call overwrites them.
   * The other rows are passed as zeros, so that the rows of an earlier call cost no time as denormal or
   * infinite numbers; no row depends on another.
   */
  forward(rows: number): Logits;
}

export type Logits = Pick<Tensor, 'data'>;

export class Inference implements Predictor {
  /** How many rows are passed at once. */
  readonly capacity: number;
  readonly inputs: number;
  /** Number of logits of a row. */
  readonly outputs: number;
  /** Numbers that predict a row: one for each class (two for a single logit) or target. */
  readonly width: number;
  /** [capacity, inputs] The rows to pass. */
  readonly x: Tensor;
  readonly parts: readonly NetworkInputs[];
  readonly #model: Model;
  readonly #network: Network;
  readonly #predictions: Float64Array;
  readonly #labels: Int32Array;
  #logits: Tensor | undefined;
  /** How many rows of the last forward pass have their predictions. */
  #predicted = 0;
  /** The rows of the inputs that are not 0. */
  #written = 0;

  private constructor(model: Model, network: Network, x: Tensor) {
    this.#model = model;
    this.#network = network;
    this.x = x;
    const features = featuresOf(model);
    this.parts = [{ x, features, columns: features.map((_, j) => j), dtype: model.dtype }];
    this.capacity = x.rows;
    this.inputs = x.columns;
    this.outputs = network.outputs;
    this.width = model.classes ? classesOf(network.outputs) : network.outputs;
    this.#predictions = new Float64Array(this.capacity * this.width);
    this.#labels = new Int32Array(this.capacity * (model.labelValues ? this.width : 1));
  }

  /**
   * @param capacity how many rows are passed at once. The default is 256, or as many as fit into
   * 256 MB, at least one: it depends on the model alone, because the bits of a result may depend on
   * it
   * @throws MlpError ExitCode.data if the model is larger than memory
   */
  static create(model: Model, capacity?: number): Inference {
    const choice = kernelsChoice();
    const rows = capacity ?? fittingRows(model, choice);
    const need = bytesNeeded(model, choice, rows);
    let arena: Arena;
    try {
      if (need > ARENA_LIMIT) throw new RangeError();
      arena = Arena.ofSize(model.dtype, need);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw tooLarge(model, need);
    }
    const { network, x } = assemble(model, choice, rows, arena, (scratch) =>
      createKernels(choice, model.dtype, arena.memory, scratch, alone),
    );
    const tensors = predictingTensors(model);
    for (const { name, data } of modelTensors(network.parameters, network.statistics)) {
      data.set(tensors.get(name) ?? []);
    }
    return new Inference(model, network, x);
  }

  /** How many rows of a model are passed at once by default if it is one of several. */
  static capacityOf(model: Model, models: number): number {
    return fittingRows(model, kernelsChoice(), PASS_BYTES / models);
  }

  forward(rows: number, members?: readonly number[]): Tensor {
    // Memory that was never written costs nothing: a wide network has much of it.
    if (rows < this.#written) this.x.data.fill(0, rows * this.inputs, this.#written * this.inputs);
    this.#written = rows;
    this.#logits = this.#network.forward(this.capacity, this.x, members);
    this.#predicted = 0;
    return this.#logits;
  }

  /**
   * Passes encoded rows in chunks, each described by its first row, its rows and their logits.
   * @param folds of the rows, if only members that are trained without a row shall predict it
   */
  *passes(
    features: FeatureRows,
    folds?: readonly number[],
  ): Generator<{ first: number; rows: number; logits: Tensor }> {
    const { capacity } = this;
    const ranges: Partial<FoldRange>[] = folds ? foldRanges(folds, networksOf(this.#model.network)) : [{}];
    for (const { first: start = 0, rows = features.rows, members } of ranges) {
      for (let first = start; first < start + rows; first += capacity) {
        const end = Math.min(first + capacity, start + rows);
        this.x.data.set(features.read(first, end - first));
        yield { first, rows: end - first, logits: this.forward(end - first, members) };
      }
    }
  }

  predictions(rows: number): Float64Array {
    for (; this.#predicted < rows; this.#predicted++) this.#predict(this.#predicted);
    return this.#predictions.subarray(0, rows * this.width);
  }

  labels(rows: number, thresholds?: Thresholds): Int32Array {
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

  #lastLogits(): Tensor {
    if (!this.#logits) throw new Error('no rows have been passed yet');
    return this.#logits;
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

function kernelsChoice(): KernelsChoice {
  return { backend: detectFeatures().simd ? 'wasm' : 'reference', relaxed: false };
}

/** Takes the tensors in their order. `createKernels` gets the address of the kernels' scratch. */
function assemble(
  model: Model,
  choice: KernelsChoice,
  capacity: number,
  allocator: Allocator,
  createKernels: (scratch: number) => Kernels,
): { network: Network; x: Tensor } {
  const kernels = createKernels(allocator.block(kernelScratch(choice, 1)));
  const { network: spec, loss, lossParameters, predictionRanges } = model;
  const { outputs } = networkShape(spec, spec.input);
  const limits = predictionRanges && limitsOf(predictionRanges, outputs, model);
  const options = { inputs: spec.input, loss, lossParameters, l2: 0, capacity, seed: 0, limits };
  return {
    network: new Network(spec, options, kernels, allocator),
    x: allocator.tensor(capacity, spec.input),
  };
}

function bytesNeeded(model: Model, choice: KernelsChoice, capacity: number): number {
  const plan = new ArenaPlan(model.dtype);
  assemble(model, choice, capacity, plan, () => referenceKernels(model.dtype));
  return plan.bytes;
}

function fittingRows(model: Model, choice: KernelsChoice, bytes = PASS_BYTES): number {
  const one = bytesNeeded(model, choice, 1);
  const more = (bytesNeeded(model, choice, MOST_ROWS) - one) / (MOST_ROWS - 1);
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(bytes / more)));
}

function tooLarge({ path }: Model, bytes: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${path}: found a network that needs ${formatBytes(bytes)} of memory, expected one that fits`,
    'use a machine with more memory, or train a smaller network',
  );
}
