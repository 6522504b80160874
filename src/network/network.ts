/**
 * A multilayer perceptron: a checked spec turned into layers that work in an arena. Knows no files, console or clock.
 *
 *     plan → arena → Network → forward, loss, backward → gradients beside the parameters
 */
import type { Allocator } from '../kernels/arena.js';
import type { Activation, Kernels, Tensor } from '../kernels/kernels.js';
import type { RandomState } from '../random/randomState.js';
import type { ActivationSpec, BatchNormSpec, LayerSpec, NetworkSpec } from '../spec/network.js';
import type { LossName } from '../spec/train.js';
import { BiasActivation } from './activation.js';
import { BatchNorm } from './batchNorm.js';
import { Dropout } from './dropout.js';
import { initialize, initializeStatistics } from './initialize.js';
import type { Layer, Pass } from './layer.js';
import { LayerNorm } from './layerNorm.js';
import { Linear } from './linear.js';
import { LOSSES, type Loss, type Targets } from './loss.js';
import {
  type Parameter,
  Parameters,
  parameterLayout,
  type Statistic,
  Statistics,
  statisticsLayout,
} from './parameters.js';
import { Residual } from './residual.js';

export interface NetworkOptions {
  /** Width of a row. */
  readonly inputs: number;
  readonly loss: LossName;
  /** λ of ½·λ·ΣW² over the weights. */
  readonly l2: number;
  /** λ of λ·Σ|W| over the weights; 0 if left out. */
  readonly l1?: number;
  /** The most rows that are passed at once. */
  readonly capacity: number;
  /** What dropout draws its masks by, below 2³². */
  readonly seed: number;
}

const EVALUATION: Pass = { training: false, learning: false, step: 0 };

export class Network {
  readonly parameters: Parameters;
  /** Running means and variances: training moves them, evaluation takes them. */
  readonly statistics: Statistics;
  readonly loss: Loss;
  readonly outputs: number;
  readonly #layers: readonly Layer[];
  readonly #rowLoss: Tensor; // [B, 1]
  readonly #dLogits: Tensor; // [B, outputs]

  constructor(
    spec: NetworkSpec,
    private readonly options: NetworkOptions,
    private readonly kernels: Kernels,
    arena: Allocator,
  ) {
    this.parameters = new Parameters(parameterLayout(spec.layers, options.inputs), arena);
    this.statistics = new Statistics(statisticsLayout(spec.layers, options.inputs), arena);
    this.loss = LOSSES[options.loss];
    const builder = new Builder(this.parameters, this.statistics, kernels, options, arena);
    const { layers, width } = builder.build(withoutFusedOutput(spec.layers), options.inputs, '', false);
    this.#layers = layers;
    this.outputs = width;
    this.#rowLoss = arena.tensor(options.capacity, 1);
    this.#dLogits = arena.tensor(options.capacity, width);
  }

  /** Draws the weights, and sets all other parameters and the statistics to what they start at. */
  initialize(random: RandomState): void {
    initialize(this.parameters.list, random);
    initializeStatistics(this.statistics.list);
  }

  /** The logits [B, outputs] of x [B, inputs], dropout off, batches normalised by the running statistics. They are overwritten by the next call. */
  forward(rows: number, x: Tensor): Tensor {
    return this.#forward(rows, x, EVALUATION);
  }

  /** The outputs of the last forward pass whose activations have a kink at 0. */
  get kinkedOutputs(): readonly Tensor[] {
    return this.#layers.flatMap((layer) => layer.kinkedOutputs);
  }

  /** The mean loss of the logits without regularisation: the weighted sum of its terms, and how many they are. */
  dataLoss(rows: number, logits: Tensor, targets: Targets): { sum: number; terms: number } {
    this.loss.evaluate(this.kernels, rows, logits, targets, this.#rowLoss, null);
    return { sum: this.kernels.sum(rows, this.#rowLoss), terms: this.loss.terms(rows, this.outputs) };
  }

  /** ½·λ₂·ΣW² + λ₁·Σ|W|, the weights alone */
  regularization(): number {
    const { l2, l1 = 0 } = this.options;
    const { layout, values } = this.parameters;
    const squares = l2 === 0 ? 0 : 0.5 * l2 * this.kernels.sumOfSquares(layout.weights, values);
    return l1 === 0 ? squares : squares + l1 * this.kernels.sumOfMagnitudes(layout.weights, values);
  }

  /**
   * The loss of a batch with regularisation, and its gradient by every parameter into `parameters.gradients`. Moves the
   * statistics, once a call.
   * @param step the number of the training step, from 0, which dropout draws its masks by
   */
  lossAndGradients(rows: number, x: Tensor, targets: Targets, step = 0): number {
    const logits = this.#forward(rows, x, { training: true, learning: true, step });
    this.loss.evaluate(this.kernels, rows, logits, targets, this.#rowLoss, this.#dLogits);
    const dataLoss = this.kernels.sum(rows, this.#rowLoss) / this.loss.terms(rows, this.outputs);
    this.#backward(rows);
    return dataLoss + this.regularization();
  }

  /** The same loss from a forward pass alone, with the dropout of the same step; the statistics stay. */
  lossOf(rows: number, x: Tensor, targets: Targets, step = 0): number {
    const logits = this.#forward(rows, x, { training: true, learning: false, step });
    const { sum, terms } = this.dataLoss(rows, logits, targets);
    return sum / terms + this.regularization();
  }

  #forward(rows: number, x: Tensor, pass: Pass): Tensor {
    let y = x;
    for (const layer of this.#layers) y = layer.forward(rows, y, pass);
    return y;
  }

  #backward(rows: number): void {
    let d = this.#dLogits;
    for (let i = this.#layers.length - 1; i >= 0; i--) d = this.#layers[i].backward(rows, d, i > 0);
    const { l2, l1 = 0 } = this.options;
    const { layout, values, gradients } = this.parameters;
    // d(½·λ·ΣW²)/dW = λ·W
    if (l2 !== 0) this.kernels.addScaled(layout.weights, l2, values, gradients);
    // d(λ·Σ|W|)/dW = λ·sign(W); at a weight of 0, where |W| has its kink, the subgradient 0
    if (l1 !== 0) this.kernels.addSigns(layout.weights, l1, values, gradients);
  }
}

/** Turns specs into layers: a linear layer takes the activation behind it along, so that both run as one pass over memory. */
class Builder {
  #dropouts = 0;

  constructor(
    private readonly parameters: Parameters,
    private readonly statistics: Statistics,
    private readonly kernels: Kernels,
    private readonly options: NetworkOptions,
    private readonly arena: Allocator,
  ) {}

  build(
    specs: readonly LayerSpec[],
    inputs: number,
    prefix: string,
    needsInputGradient: boolean,
  ): { layers: Layer[]; width: number } {
    const { kernels, arena } = this;
    const { capacity, seed } = this.options;
    const layers: Layer[] = [];
    let width = inputs;
    for (let i = 0; i < specs.length; i++) {
      const spec = specs[i];
      const previous = layers.at(-1);
      const name = `${prefix}layers.${i}`;
      const needsGradient = needsInputGradient || layers.length > 0;
      if (spec.type === 'linear') {
        const next = specs[i + 1];
        const follower = next && isActivation(next) ? next : undefined;
        if (follower) i++;
        layers.push(this.#linear(name, follower, needsGradient));
        width = spec.units;
      } else if (spec.type === 'residual') {
        const inner = this.build(spec.layers, width, `${name}.`, needsGradient);
        layers.push(new Residual(kernels, inner.layers, capacity, width, arena));
      } else if (spec.type === 'dropout') {
        layers.push(new Dropout(kernels, spec.rate, seed, this.#dropouts++, capacity, width, arena));
      } else if (spec.type === 'batch-norm') {
        layers.push(this.#batchNorm(name, spec));
      } else if (spec.type === 'layer-norm') {
        const { scale, shift } = this.#scaleAndShift(name);
        layers.push(new LayerNorm(kernels, scale, shift, spec.epsilon, capacity, arena));
      } else if (isActivation(spec)) {
        const isNormalized = previous instanceof BatchNorm || previous instanceof LayerNorm;
        const own = isNormalized ? previous.output : null;
        layers.push(new BiasActivation(kernels, null, activationOf(spec), capacity, width, own, arena));
      }
    }
    return { layers, width };
  }

  #linear(name: string, follower: ActivationSpec | undefined, needsInputGradient: boolean): Linear {
    const weight = this.#parameter(`${name}.weight`);
    const bias = this.parameters.get(`${name}.bias`) ?? null;
    const activation = activationOf(follower ?? { type: 'identity' });
    const { kernels, arena, options } = this;
    return new Linear(kernels, weight, bias, activation, options.capacity, needsInputGradient, arena);
  }

  #batchNorm(name: string, { momentum, epsilon }: BatchNormSpec): BatchNorm {
    const { scale, shift } = this.#scaleAndShift(name);
    const { value: mean } = this.statistics.get(`${name}.running_mean`) as Statistic;
    const { value: variance } = this.statistics.get(`${name}.running_var`) as Statistic;
    const running = { momentum, mean, variance };
    return new BatchNorm(this.kernels, scale, shift, running, epsilon, this.options.capacity, this.arena);
  }

  #scaleAndShift(name: string): { scale: Parameter; shift: Parameter } {
    return { scale: this.#parameter(`${name}.weight`), shift: this.#parameter(`${name}.bias`) };
  }

  #parameter(name: string): Parameter {
    return this.parameters.get(name) as Parameter;
  }
}

/** Where the spec ends in the softmax or sigmoid that is fused into its cross-entropy, the layers before it. */
export function withoutFusedOutput(layers: readonly LayerSpec[]): readonly LayerSpec[] {
  const last = layers.at(-1)?.type;
  return last === 'softmax' || last === 'sigmoid' ? layers.slice(0, -1) : layers;
}

const NOT_ACTIVATIONS: ReadonlySet<LayerSpec['type']> = new Set([
  'linear',
  'dropout',
  'batch-norm',
  'layer-norm',
  'residual',
  'softmax',
]);

function isActivation(spec: LayerSpec): spec is ActivationSpec {
  return !NOT_ACTIVATIONS.has(spec.type);
}

function activationOf(spec: ActivationSpec): Activation {
  switch (spec.type) {
    case 'leaky-relu':
      return { type: spec.type, parameter: spec.slope };
    case 'elu':
      return { type: spec.type, parameter: spec.alpha };
    default:
      return { type: spec.type, parameter: 0 };
  }
}
