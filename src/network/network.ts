/**
 * A multilayer perceptron, or an ensemble of them: a checked spec turned into layers that work in an
 * arena. The members of an ensemble see the same batches, and each has its own loss and gradient: it
 * is trained as if it were alone. Those of a batch ensemble share weights, and their mean loss is
 * trained: there one network has k logits for each row, side by side. Probabilities are averaged.
 */
import { type Allocator, slice } from '../kernels/arena.js';
import type { FloatArray, IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import type { RandomState } from '../random/randomState.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { firstForMembers, type LayerNode, networksOf, viewsOf, walkNetwork } from '../spec/widths.js';
import type { LossName, LossParameters } from '../spec/words.js';
import { isActivation } from './activation.js';
import { MemberViews, memberRowsOf } from './batchEnsemble.js';
import { initialize, initializeStatistics, isFitted } from './initialize.js';
import type { Fitted, FollowingActivation, Layer, MemberRows, Parameter, Pass, Statistic } from './layer.js';
import { LAYER_TYPES } from './layerTypes.js';
import { elementParameters, fusedLoss, LOSSES, type Loss, type Targets } from './loss.js';
import { memberPrefix, Parameters, parameterLayout, Statistics, statisticsLayout } from './parameters.js';

export interface NetworkOptions {
  readonly inputs: number;
  readonly loss: LossName;
  readonly lossParameters?: LossParameters | undefined;
  /** λ of ½·λ·ΣW² over the weights. */
  readonly l2: number;
  /** λ of λ·Σ|W| over the weights; 0 if left out. */
  readonly l1?: number;
  /** The share of a target that training spreads over all classes; 0 if left out. */
  readonly labelSmoothing?: number;
  readonly capacity: number;
  /** Dropout draws its masks from it; below 2³². */
  readonly seed: number;
  /** What multiplies the rate of each dropout in a step; 1 if left out. */
  readonly dropoutFactor?: ((step: number) => number) | undefined;
  /** The least and the greatest of each output in evaluation; without limits if left out. */
  readonly limits?: readonly Range[] | undefined;
  /** Elements behind the gradients, in the same block; 0 if left out. */
  readonly behindGradients?: number;
}

/** Either may be infinite. */
export type Range = readonly [least: number, greatest: number];

/** The logits of the members in evaluation, and their average. */
interface Ensemble {
  readonly logits: Tensor; // [M·B, outputs]
  /** Those of each member: slices of `logits`. */
  readonly own: readonly Tensor[]; // [B, outputs]
  readonly average: Tensor; // [B, outputs]
}

/** Rows of data, at most the network's capacity. */
export interface Batch {
  readonly rows: number;
  readonly x: Tensor; // [rows, inputs]
}

export interface LabelledBatch extends Batch {
  readonly targets: Targets;
  /** The batch that this is a slice of, and Σw of its rows: the mean loss is that of the batch. */
  readonly whole?: { readonly rows: number; readonly weight: number };
}

/** As in training, because batch-norm has no running moments yet, but without dropout. */
const FITTING: Pass = { training: true, learning: false, step: 0, slice: 0, dropoutFactor: 0 };
const EVALUATION: Pass = { training: false, learning: false, step: 0, slice: 0, dropoutFactor: 1 };

export class Network {
  readonly parameters: Parameters;
  /** Running means and variances, which training updates and evaluation uses; edges of bins. */
  readonly statistics: Statistics;
  readonly loss: Loss;
  readonly outputs: number;
  readonly #options: NetworkOptions;
  readonly #kernels: Kernels;
  readonly #members: readonly (readonly Layer[])[];
  /** `members.0.layers.2`: of an activation that the layer before it computes, that name. */
  readonly #names = new Map<Layer, string>();
  readonly #ensemble: Ensemble | null;
  /** Of a batch ensemble; else null. */
  readonly #views: { readonly rows: MemberRows; readonly targets: ViewTargets } | null;
  readonly #rowLoss: Tensor; // [B, 1]
  readonly #dLogits: Tensor; // [B, outputs]
  readonly #lossParameters: Tensor | null; // [1, outputs]
  /** Of each member, in the last pass of `lossOf`. */
  readonly #lastLogits: Tensor[] = [];

  /** @param weights where parameters and statistics are, if threads share them */
  constructor(
    spec: NetworkSpec,
    options: NetworkOptions,
    kernels: Kernels,
    arena: Allocator,
    weights: Allocator = arena,
  ) {
    const { inputs, loss, capacity } = options;
    this.#options = options;
    this.#kernels = kernels;
    this.parameters = new Parameters(parameterLayout(spec, inputs), weights, options.behindGradients);
    this.statistics = new Statistics(statisticsLayout(spec, inputs), weights);
    this.loss = LOSSES[loss];
    // A last layer that the loss computes itself is not built.
    const layers = fusedLoss(spec.layers) === undefined ? spec.layers : spec.layers.slice(0, -1);
    const nodes = walkNetwork({ ...spec, layers }, inputs);
    this.outputs = nodes.at(-1)?.outputs ?? inputs;
    const views = viewsOf(spec);
    const rows = views > 1 ? memberRowsOf(views, capacity, arena) : null;
    this.#members = buildMembers(spec, nodes, rows, this, options, kernels, arena, this.#names);
    const members = views * this.#members.length;
    this.#ensemble = members > 1 ? ensembleOf(members, capacity, this.outputs, arena) : null;
    this.#rowLoss = arena.tensor(views * capacity, 1);
    this.#dLogits = arena.tensor(views * capacity, this.outputs);
    this.#views = rows && { rows, targets: targetTensors(this.loss, views * capacity, this.outputs, arena) };
    const parameters = elementParameters(loss, options.lossParameters ?? {}, this.outputs);
    this.#lossParameters = parameters ? arena.tensor(1, this.outputs) : null;
    // An allocator that only counts gives no data.
    if (parameters && this.#lossParameters?.data.length) this.#lossParameters.data.set(parameters);
  }

  /**
   * Draws the weights; sets all other parameters and the statistics to their start values.
   * @param batches gives the same rows at each call, at most `capacity` at once; only for what is
   * fitted to them: weights with unit-variance, biases with he+5, and the edges of bins
   * @throws TypeError without batches if a parameter is fitted to rows
   */
  initialize(random: RandomState, batches?: () => Iterable<Batch>): void {
    const { list } = this.parameters;
    initialize(list, random);
    initializeStatistics(this.statistics.list);
    if (!list.some(isFitted) && !this.hasBins) return;
    if (!batches)
      throw new TypeError('initialize: found no rows, expected some: unit-variance, he+5 and bins need them');
    for (const layers of this.#members) fitLayers(layers, batches, random);
  }

  /** Whether it has statistics that are fitted to rows. */
  get hasBins(): boolean {
    return this.statistics.list.some(({ fitted }) => fitted);
  }

  /**
   * Logits [B, outputs] of x [B, inputs] in evaluation, within their limits and in the loss's order.
   * The next call overwrites them.
   * @param members the networks of an ensemble that are averaged; all if left out. The members of a batch ensemble always
   * are.
   */
  forward(rows: number, x: Tensor, members?: readonly number[]): Tensor {
    const logits = this.#average(rows, x, members);
    for (const [j, [least, greatest]] of this.#options.limits?.entries() ?? []) {
      this.#kernels.clipColumn(rows, j, least, greatest, logits);
    }
    if (this.loss.rises) this.#kernels.sortRows(rows, logits);
    return logits;
  }

  /** The logits, averaged over the members. */
  #average(rows: number, x: Tensor, chosen?: readonly number[]): Tensor {
    const members = chosen ? chosen.map((m) => this.#members[m]) : this.#members;
    if (!this.#ensemble || (!this.#views && members.length === 1))
      return forward(members[0], rows, x, EVALUATION);
    const { logits, own, average } = this.#ensemble;
    for (const [i, layers] of members.entries()) {
      const found = forward(layers, rows, x, EVALUATION);
      if (!this.#views) this.#kernels.copy(rows, found, own[i]);
      const { viewsOf = [] } = this.#views?.rows ?? {};
      for (const [m, views] of viewsOf.entries()) {
        this.#kernels.gather(rows, found, views, own[i * viewsOf.length + m]);
      }
    }
    const count = members.length * (this.#views?.rows.members ?? 1);
    this.#kernels.averageMembers(this.loss.meanOf, rows, count, logits, average);
    return average;
  }

  /**
   * A pass in evaluation through each member. `see` is told what each layer makes of x [B, inputs]; the
   * next one may overwrite it. Those of a batch ensemble are one layer.
   */
  observe(rows: number, x: Tensor, see: (layer: string, y: Tensor) => void): void {
    for (const layers of this.#members) {
      let y = x;
      for (const layer of layers) {
        const next = layer.forward(rows, y, EVALUATION);
        // Dropout changes nothing in evaluation.
        if (next !== y) see(this.#names.get(layer) ?? '', next);
        y = next;
      }
    }
  }

  /** The outputs, after the last forward pass, of activations with a kink at 0. */
  get kinkedOutputs(): readonly Tensor[] {
    return this.#members.flat().flatMap((layer) => layer.kinkedOutputs);
  }

  /**
   * The loss of the logits without regularisation or smoothing, as weighted sum and what the mean
   * divides it by.
   */
  dataLoss(rows: number, logits: Tensor, targets: Targets): { sum: number; terms: number } {
    return this.#lossOfRows(rows, logits, targets, null, 0);
  }

  #lossOfRows(
    rows: number,
    logits: Tensor,
    targets: Targets,
    dLogits: Tensor | null,
    smoothing = this.#options.labelSmoothing,
    weight?: number,
  ): { sum: number; terms: number } {
    const rowLoss = this.#rowLoss;
    const options = { smoothing, parameters: this.#lossParameters, weight };
    const terms = this.loss.evaluate(this.#kernels, rows, logits, targets, rowLoss, dLogits, options);
    return { sum: this.#kernels.sum(rows, this.#rowLoss), terms };
  }

  /**
   * The loss of all views, each with the target and the weight of its row: a mean over the members too.
   * @param weight of the whole batch, if the rows are a slice of it
   */
  #trainingLoss(
    rows: number,
    logits: Tensor,
    targets: Targets,
    dLogits: Tensor | null,
    weight?: number,
  ): { sum: number; terms: number } {
    if (!this.#views) return this.#lossOfRows(rows, logits, targets, dLogits, undefined, weight);
    const kernels = this.#kernels;
    const { members, rowOf } = this.#views.rows;
    const views = rows * members;
    const repeated = repeatTargets(kernels, views, targets, rowOf, this.#views.targets);
    const ofViews = weight === undefined ? undefined : weight * members;
    return this.#lossOfRows(views, logits, repeated, dLogits, undefined, ofViews);
  }

  /** After `lossOf` of these rows: on which side of a kink of the loss each output of a member is. */
  lossSides(rows: number, targets: Targets): number[] {
    const side = this.loss.element?.side;
    if (!side || !('values' in targets)) return [];
    const { data, columns } = targets.values;
    const { members = 1, rowOf } = this.#views?.rows ?? {};
    return this.#lastLogits.flatMap((logits) =>
      Array.from({ length: rows * members * this.outputs }, (_, at) => {
        const j = at % this.outputs;
        const view = (at - j) / this.outputs;
        const t = data[(rowOf?.data[view] ?? view) * columns + (columns === 1 ? 0 : j)];
        return Math.sign(side(logits.data[at], t, this.#lossParameters?.data[j] ?? 0));
      }),
    );
  }

  /** ½·λ₂·ΣW² + λ₁·Σ|W|, the weights alone */
  regularization(): number {
    const { l2, l1 = 0 } = this.#options;
    const { layout, values } = this.parameters;
    const squares = l2 === 0 ? 0 : 0.5 * l2 * this.#kernels.sumOfSquares(layout.weights, values);
    return l1 === 0 ? squares : squares + l1 * this.#kernels.sumOfMagnitudes(layout.weights, values);
  }

  /**
   * The smoothed and regularised loss of a batch; writes `parameters.gradients`, updates the statistics
   * once. Of an ensemble it is the sum of the members' losses, of a batch ensemble their mean.
   * @param step the number of the training step, from 0: dropout masks depend on it
   */
  lossAndGradients(rows: number, x: Tensor, targets: Targets, step = 0): number {
    return this.lossAndGradientsOf(() => ({ rows, x, targets }), step);
  }

  /**
   * The same where each member has a batch of its own. One without rows has no gradient, and the mean of
   * the other losses for its own.
   * @param batchOf called when the member before is done, so that all batches may have the same memory
   */
  lossAndGradientsOf(batchOf: (member: number) => LabelledBatch, step = 0): number {
    const loss = this.sliceGradients(batchOf, step);
    return loss + this.regularize();
  }

  /**
   * The same of a slice of the batch, without regularisation: the loss and the gradient of the batch are
   * the sums of those of its slices.
   * @param slice which one, from 0
   */
  sliceGradients(batchOf: (member: number) => LabelledBatch, step: number, slice = 0): number {
    const pass = this.#trainingPass(step, true, slice);
    let loss = 0;
    let learners = 0;
    for (const [m, layers] of this.#members.entries()) {
      const { rows, x, targets, whole } = batchOf(m);
      if ((whole?.rows ?? rows) > 0) learners++;
      if (rows === 0) {
        this.#clearGradients(m);
        continue;
      }
      const logits = forward(layers, rows, x, pass);
      const { sum, terms } = this.#trainingLoss(rows, logits, targets, this.#dLogits, whole?.weight);
      let d = this.#dLogits;
      for (let i = layers.length - 1; i >= 0; i--) d = layers[i].backward(rows, d, i > 0);
      loss += meanLoss(sum, terms);
    }
    return loss * (this.#members.length / learners);
  }

  /** Adds the gradient of the regularisation to the gradients. @returns its value */
  regularize(): number {
    this.#addRegularization();
    return this.regularization();
  }

  #clearGradients(member: number): void {
    const prefix = this.#members.length > 1 ? `members.${member}.` : '';
    for (const { name, gradient } of this.parameters.list) {
      if (name.startsWith(prefix)) this.#kernels.scale(gradient.rows * gradient.columns, 0, gradient);
    }
  }

  /** The same loss from a forward pass alone, with the same dropout masks; the statistics stay. */
  lossOf(rows: number, x: Tensor, targets: Targets, step = 0): number {
    const pass = this.#trainingPass(step, false);
    let loss = 0;
    this.#lastLogits.length = 0;
    for (const layers of this.#members) {
      const logits = forward(layers, rows, x, pass);
      this.#lastLogits.push(logits);
      const { sum, terms } = this.#trainingLoss(rows, logits, targets, null);
      loss += meanLoss(sum, terms);
    }
    return loss + this.regularization();
  }

  #trainingPass(step: number, learning: boolean, slice = 0): Pass {
    return { training: true, learning, step, slice, dropoutFactor: this.#options.dropoutFactor?.(step) ?? 1 };
  }

  /** Adds the gradient of `regularization` to the gradients. */
  #addRegularization(): void {
    const { l2, l1 = 0 } = this.#options;
    const { layout, values, gradients } = this.parameters;
    // d(½·λ·ΣW²)/dW = λ·W
    if (l2 !== 0) this.#kernels.addScaled(layout.weights, l2, values, gradients);
    // d(λ·Σ|W|)/dW = λ·sign(W); at the kink of |W|, a weight of 0, the subgradient 0
    if (l1 !== 0) this.#kernels.addSigns(layout.weights, l1, values, gradients);
  }
}

/** The targets of the views of a batch. */
type ViewTargets = Targets & { readonly weights: Tensor };

function targetTensors(
  { target, rises }: Loss,
  views: number,
  outputs: number,
  arena: Allocator,
): ViewTargets {
  // All quantiles of a row have the same target.
  const width = rises ? 1 : outputs;
  const targets = target === 'class' ? { labels: arena.ints(views) } : { values: arena.tensor(views, width) };
  return { ...targets, weights: arena.tensor(views, 1) };
}

/** The targets and weights of the rows of views, in the memory of `to`. */
function repeatTargets(
  kernels: Kernels,
  views: number,
  from: Targets,
  rowOf: IntVector,
  { weights, ...to }: ViewTargets,
): Targets {
  if (from.weights) kernels.gather(views, from.weights, rowOf, weights);
  const weighted = from.weights && { weights };
  if ('labels' in from && 'labels' in to) {
    kernels.gatherLabels(views, from.labels, rowOf, to.labels);
    return { ...to, ...weighted };
  }
  if (!('values' in from && 'values' in to)) throw new TypeError('targets are not those of the loss');
  // Quantiles have more outputs than targets.
  const values = { ...to.values, columns: from.values.columns };
  kernels.gather(views, from.values, rowOf, values);
  return { values, ...weighted };
}

/** Fits the layers to rows, one after the other: each sees what those before it make of them. */
function fitLayers(layers: readonly Layer[], batches: () => Iterable<Batch>, random: RandomState): void {
  // In the order of the forward pass. The first batch finds them.
  const found = new Set<Fitted>();
  let areFound = false;
  for (let at = 0; at === 0 || at < found.size; at++) {
    const parts: FloatArray[] = [];
    let isSeen = false;
    const observe = (fitted: Fitted, rows: number, { data }: Tensor) => {
      found.add(fitted);
      if ([...found][at] !== fitted) return;
      parts.push(data.slice(0, rows * fitted.columns));
      isSeen = true;
    };
    for (const { rows, x } of batches()) {
      isSeen = false;
      let y = x;
      for (const layer of layers) {
        y = layer.forward(rows, y, { ...FITTING, observe });
        if (isSeen && areFound) break;
      }
      areFound = true;
    }
    [...found][at]?.fit(joined(parts), random);
  }
}

function joined(parts: readonly FloatArray[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Rows whose weights are all 0 have no loss. */
function meanLoss(sum: number, terms: number): number {
  return terms === 0 ? 0 : sum / terms;
}

function forward(layers: readonly Layer[], rows: number, x: Tensor, pass: Pass): Tensor {
  let y = x;
  for (const layer of layers) y = layer.forward(rows, y, pass);
  return y;
}

function ensembleOf(members: number, capacity: number, outputs: number, arena: Allocator): Ensemble {
  const logits = arena.tensor(members * capacity, outputs);
  const own = Array.from({ length: members }, (_, i) =>
    slice(logits, i * capacity * outputs, capacity, outputs),
  );
  return { logits, own, average: arena.tensor(capacity, outputs) };
}

function buildMembers(
  network: NetworkSpec,
  root: readonly LayerNode[],
  rows: MemberRows | null,
  { parameters, statistics }: Network,
  { capacity, seed }: NetworkOptions,
  kernels: Kernels,
  arena: Allocator,
  names: Map<Layer, string>,
): Layer[][] {
  // Counted over all members, so that each has dropout masks of its own.
  const built = new Map<LayerSpec['type'], number>();
  return Array.from({ length: networksOf(network) }, (_, member) => {
    const prefix = memberPrefix(network, member);
    return rows ? buildViews(rows, prefix) : build(root, false, prefix);
  });

  /** Layers that the members of a batch ensemble share, and those that they have views for as one. */
  function buildViews(rows: MemberRows, prefix: string): Layer[] {
    const first = firstForMembers(root.map(({ spec }) => spec));
    const shared = build(root.slice(0, first), false, prefix);
    const needsInputGradient = shared.length > 0;
    const layers = build(root.slice(first), needsInputGradient, prefix, rows);
    const context = { kernels, arena, inputs: root[first].inputs, needsInputGradient };
    const views = new MemberViews(layers, rows, context);
    names.set(views, names.get(layers[layers.length - 1]) ?? '');
    return [...shared, views];
  }

  function build(
    nodes: readonly LayerNode[],
    needsInputGradient: boolean,
    prefix: string,
    rows?: MemberRows,
  ): Layer[] {
    const layers: Layer[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const { spec, name, inputs, inner, place } = nodes[i];
      const type = LAYER_TYPES[spec.type];
      const following = type.takesActivation ? activationOf(nodes[i + 1], prefix) : undefined;
      // Members share slopes, but not biases: an activation with a slope is a layer of its own.
      const activation = place && following?.slope ? undefined : following;
      if (activation) i++;
      const ordinal = built.get(spec.type) ?? 0;
      built.set(spec.type, ordinal + 1);
      const needsGradient = needsInputGradient || layers.length > 0;
      const layer = type.build(spec, {
        kernels,
        arena,
        capacity: rows ? rows.capacity * rows.members : capacity,
        seed,
        inputs,
        ordinal,
        needsInputGradient: needsGradient,
        ownInput: layers.at(-1)?.reusableOutput ?? null,
        activation,
        member: place && rows && { place, rows },
        buildInner: () => build(inner, needsGradient, prefix, rows),
        parameter: (own) => parameters.get(`${prefix}${name}.${own}`) as Parameter,
        statistic: (own) => statistics.get(`${prefix}${name}.${own}`) as Statistic,
      });
      layers.push(layer);
      names.set(layer, prefix + nodes[i].name);
    }
    return layers;
  }

  function activationOf(node: LayerNode | undefined, prefix: string): FollowingActivation | undefined {
    if (!node || !isActivation(node.spec)) return undefined;
    const slope = node.spec.parametric ? parameters.get(`${prefix}${node.name}.slope`) : null;
    return { spec: node.spec, slope: slope as Parameter | null };
  }
}
