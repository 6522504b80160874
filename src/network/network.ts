/** A multilayer perceptron: a checked spec turned into layers that work in an arena. */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { RandomState } from '../random/randomState.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { type LayerNode, walkLayers } from '../spec/widths.js';
import type { LossName } from '../spec/words.js';
import { isActivation } from './activation.js';
import { initialize, initializeStatistics } from './initialize.js';
import type { Layer, Parameter, Pass, Statistic } from './layer.js';
import { LAYER_TYPES } from './layerTypes.js';
import { fusedLoss, LOSSES, type Loss, type Targets } from './loss.js';
import { Parameters, parameterLayout, Statistics, statisticsLayout } from './parameters.js';

export interface NetworkOptions {
  readonly inputs: number;
  readonly loss: LossName;
  /** λ of ½·λ·ΣW² over the weights. */
  readonly l2: number;
  /** λ of λ·Σ|W| over the weights; 0 if left out. */
  readonly l1?: number;
  readonly capacity: number;
  /** Dropout draws its masks from it; below 2³². */
  readonly seed: number;
  /** What multiplies the rate of each dropout in a step; 1 if left out. */
  readonly dropoutFactor?: ((step: number) => number) | undefined;
}

const EVALUATION: Pass = { training: false, learning: false, step: 0, dropoutFactor: 1 };

export class Network {
  readonly parameters: Parameters;
  /** Running means and variances: training updates them, evaluation uses them. */
  readonly statistics: Statistics;
  readonly loss: Loss;
  readonly outputs: number;
  readonly #options: NetworkOptions;
  readonly #kernels: Kernels;
  readonly #layers: readonly Layer[];
  readonly #rowLoss: Tensor; // [B, 1]
  readonly #dLogits: Tensor; // [B, outputs]

  constructor(spec: NetworkSpec, options: NetworkOptions, kernels: Kernels, arena: Allocator) {
    const { inputs, loss, capacity } = options;
    this.#options = options;
    this.#kernels = kernels;
    this.parameters = new Parameters(parameterLayout(spec.layers, inputs), arena);
    this.statistics = new Statistics(statisticsLayout(spec.layers, inputs), arena);
    this.loss = LOSSES[loss];
    // A last layer that the loss computes itself is not built.
    const layers = fusedLoss(spec.layers) === undefined ? spec.layers : spec.layers.slice(0, -1);
    const nodes = walkLayers(layers, inputs);
    this.outputs = nodes.at(-1)?.outputs ?? inputs;
    this.#layers = buildLayers(nodes, this, options, kernels, arena);
    this.#rowLoss = arena.tensor(capacity, 1);
    this.#dLogits = arena.tensor(capacity, this.outputs);
  }

  /** Draws the weights; sets all other parameters and the statistics to their start values. */
  initialize(random: RandomState): void {
    initialize(this.parameters.list, random);
    initializeStatistics(this.statistics.list);
  }

  /** Logits [B, outputs] of x [B, inputs] in evaluation. The next call overwrites them. */
  forward(rows: number, x: Tensor): Tensor {
    return this.#forward(rows, x, EVALUATION);
  }

  /** The outputs, after the last forward pass, of activations with a kink at 0. */
  get kinkedOutputs(): readonly Tensor[] {
    return this.#layers.flatMap((layer) => layer.kinkedOutputs);
  }

  /** The loss of the logits without regularisation, as weighted sum and what the mean divides it by. */
  dataLoss(rows: number, logits: Tensor, targets: Targets): { sum: number; terms: number } {
    const terms = this.loss.evaluate(this.#kernels, rows, logits, targets, this.#rowLoss, null);
    return { sum: this.#kernels.sum(rows, this.#rowLoss), terms };
  }

  /** ½·λ₂·ΣW² + λ₁·Σ|W|, the weights alone */
  regularization(): number {
    const { l2, l1 = 0 } = this.#options;
    const { layout, values } = this.parameters;
    const squares = l2 === 0 ? 0 : 0.5 * l2 * this.#kernels.sumOfSquares(layout.weights, values);
    return l1 === 0 ? squares : squares + l1 * this.#kernels.sumOfMagnitudes(layout.weights, values);
  }

  /**
   * The regularised loss of a batch; writes `parameters.gradients`, updates the statistics once.
   * @param step the number of the training step, from 0: dropout masks depend on it
   */
  lossAndGradients(rows: number, x: Tensor, targets: Targets, step = 0): number {
    const logits = this.#forward(rows, x, this.#trainingPass(step, true));
    const terms = this.loss.evaluate(this.#kernels, rows, logits, targets, this.#rowLoss, this.#dLogits);
    const sum = this.#kernels.sum(rows, this.#rowLoss);
    this.#backward(rows);
    return meanLoss(sum, terms) + this.regularization();
  }

  /** The same loss from a forward pass alone, with the same dropout masks; the statistics stay. */
  lossOf(rows: number, x: Tensor, targets: Targets, step = 0): number {
    const logits = this.#forward(rows, x, this.#trainingPass(step, false));
    const { sum, terms } = this.dataLoss(rows, logits, targets);
    return meanLoss(sum, terms) + this.regularization();
  }

  #trainingPass(step: number, learning: boolean): Pass {
    return { training: true, learning, step, dropoutFactor: this.#options.dropoutFactor?.(step) ?? 1 };
  }

  #forward(rows: number, x: Tensor, pass: Pass): Tensor {
    let y = x;
    for (const layer of this.#layers) y = layer.forward(rows, y, pass);
    return y;
  }

  #backward(rows: number): void {
    let d = this.#dLogits;
    for (let i = this.#layers.length - 1; i >= 0; i--) d = this.#layers[i].backward(rows, d, i > 0);
    const { l2, l1 = 0 } = this.#options;
    const { layout, values, gradients } = this.parameters;
    // d(½·λ·ΣW²)/dW = λ·W
    if (l2 !== 0) this.#kernels.addScaled(layout.weights, l2, values, gradients);
    // d(λ·Σ|W|)/dW = λ·sign(W); at the kink of |W|, a weight of 0, the subgradient 0
    if (l1 !== 0) this.#kernels.addSigns(layout.weights, l1, values, gradients);
  }
}

/** Rows whose weights are all 0 have no loss. */
function meanLoss(sum: number, terms: number): number {
  return terms === 0 ? 0 : sum / terms;
}

function buildLayers(
  root: readonly LayerNode[],
  { parameters, statistics }: Network,
  { capacity, seed }: NetworkOptions,
  kernels: Kernels,
  arena: Allocator,
): Layer[] {
  const built = new Map<LayerSpec['type'], number>();
  return build(root, false);

  function build(nodes: readonly LayerNode[], needsInputGradient: boolean): Layer[] {
    const layers: Layer[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const { spec, name, inputs, inner } = nodes[i];
      const type = LAYER_TYPES[spec.type];
      const next = nodes[i + 1]?.spec;
      const activation = type.takesActivation && next && isActivation(next) ? next : undefined;
      if (activation) i++;
      const ordinal = built.get(spec.type) ?? 0;
      built.set(spec.type, ordinal + 1);
      const needsGradient = needsInputGradient || layers.length > 0;
      layers.push(
        type.build(spec, {
          kernels,
          arena,
          capacity,
          seed,
          inputs,
          ordinal,
          needsInputGradient: needsGradient,
          ownInput: layers.at(-1)?.reusableOutput ?? null,
          activation,
          buildInner: () => build(inner, needsGradient),
          parameter: (own) => parameters.get(`${name}.${own}`) as Parameter,
          statistic: (own) => statistics.get(`${name}.${own}`) as Statistic,
        }),
      );
    }
    return layers;
  }
}
