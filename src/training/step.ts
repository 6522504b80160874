/**
 * A run in memory: network, optimiser, data, and the training step. In a team, every thread has a
 * trainer over the same memory, and each kernel computes its thread's slice of every result. Only
 * the generator and the counters of steps exist once per thread.
 */
import { Batches, type BatchesState } from '../data/dataset/batches.js';
import type { Dataset, Split } from '../data/dataset/dataset.js';
import {
  type Accumulator,
  classAccumulator,
  type Evaluation,
  labelAccumulator,
  regressionAccumulator,
} from '../evaluation/metrics.js';
import { type Allocator, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import { isLinear, ownTargets, pointsOf } from '../model/predictions.js';
import { type LayerStatistics, layerStatistics } from '../network/layerStatistics.js';
import { LOSSES, type Targets } from '../network/loss.js';
import { type FoldRange, foldRanges, keepTrained } from '../network/memberFolds.js';
import { type Batch, type LabelledBatch, Network } from '../network/network.js';
import type { RandomState, RandomStateSnapshot } from '../random/randomState.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { networksOf } from '../spec/widths.js';
import { InTurn, partsOf } from './inTurn.js';
import { clipGradients, createOptimizer, type Optimizer } from './optimizer.js';
import type { TrainingPlan } from './plan.js';
import type { ReadAhead } from './readAhead.js';
import type { RowSource } from './rowSource.js';
import { flatCosine } from './schedules.js';
import {
  type Exchange,
  elementsBehind,
  rowsOfPass,
  rowsOfSlice,
  SlicedGradients,
  type SlicePart,
} from './slices.js';

/** Rows that are evaluated at once, even if the batches are smaller. */
const EVALUATION_ROWS = 256;

/** Of training rows, divided by the members, that outputs of layers are told of: enough for a curve. */
const OBSERVED_ROWS = 64;

/** The most rows that weights are fitted to: they know a standard deviation to 1.6 %. */
const SAMPLED_ROWS = 2048;
/** With bins, whose edges have to divide the rows evenly: a 48th of them to 5 %. */
const SAMPLED_FOR_BINS = 16_384;

/** The rows of a split, and in chunks of at most `capacity` rows. */
interface SplitRows {
  readonly rows: number;
  /** The first of them in the matrix. */
  readonly start: number;
  readonly targets: Targets;
  readonly chunks: readonly Chunk[];
  /** Created with the first evaluation, and used for all. */
  accumulator?: Accumulator;
}

interface Chunk {
  /** Of the members, those that are evaluated; all if missing. */
  readonly members?: readonly number[];
  readonly first: number;
  readonly rows: number;
  readonly targets: Targets;
}

/** The splits that are evaluated while training. Validation is missing without validation rows. */
export interface Evaluations {
  readonly train: Evaluation;
  readonly validation?: Evaluation;
}

/** The state of a trainer besides its tensors: plain data, the same in every thread of a team. */
export interface TrainerState {
  readonly steps: number;
  readonly random: RandomStateSnapshot;
  readonly batches: BatchesState;
}

export class Trainer {
  readonly network: Network;
  /** The tensors that a checkpoint keeps: parameters, running statistics, the optimiser's state. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Whether the last update left every parameter finite. */
  isFinite = true;
  readonly #config: TrainConfig;
  readonly #plan: TrainingPlan;
  readonly #kernels: Kernels;
  readonly #random: RandomState;
  readonly #optimizer: Optimizer;
  readonly #train: SplitRows;
  /** The training rows that are evaluated after each epoch. */
  readonly #sample: SplitRows;
  readonly #validation: SplitRows | null;
  readonly #test: SplitRows | null;
  readonly #source: RowSource;
  readonly #batches: Batches;
  readonly #indices: IntVector; // [B] rows of the batch, or of a slice of it
  /** [batchSize] The batch while it is drawn, rejected numbers included: not for other threads. */
  #drawn: Int32Array | undefined;
  /** [batchSize] Those of the drawn rows that a member is trained on. */
  #kept: Int32Array | undefined;
  /** The folds that members are trained without. */
  readonly #folds: readonly FoldRange[] | undefined;
  readonly #x: Tensor; // [B, inputs]
  readonly #targets: Targets; // of the batch
  readonly #capacity: number;
  /** Of a run whose batches are divided. */
  readonly #sliced: SlicedGradients | undefined;
  /** Of a run with several ranks. */
  readonly #inTurn: InTurn | undefined;
  #steps = 0;

  /**
   * Takes the other tensors of the run; if the allocator only counts, nothing else may be called.
   * @param sourceOf where the features of all rows are: training, then validation and test. It may take
   * a tensor of the capacity that it gets
   * @param exchange with the other ranks, if they are processes
   */
  constructor(
    config: TrainConfig,
    plan: TrainingPlan,
    kernels: Kernels,
    random: RandomState,
    sourceOf: (kernels: Kernels, capacity: number, allocator: Allocator) => RowSource,
    allocator: Allocator,
    exchange?: Exchange,
  ) {
    this.#config = config;
    this.#plan = plan;
    this.#kernels = kernels;
    this.#random = random;
    const { batchSize, inputs, loss, lossParameters, rows, weighted, division } = plan;
    const { l1, l2, labelSmoothing, batches, optimizer, rates, dropoutSchedule } = config.training;
    // Independent of the test rows: they must not influence the rest, not even by rounding.
    const passRows = rowsOfPass(plan);
    this.#capacity = Math.max(passRows, Math.min(Math.max(rows.train, rows.validation), EVALUATION_ROWS));
    const dropoutFactor =
      dropoutSchedule === 'flat-cosine' ? (step: number) => flatCosine(step / plan.steps) : undefined;
    const regularization = { l1, l2, labelSmoothing, dropoutFactor };
    const { seed } = config;
    const options = {
      inputs,
      loss,
      lossParameters,
      capacity: this.#capacity,
      seed,
      limits: plan.limits,
      ...regularization,
      ...(division && { behindGradients: elementsBehind(plan.network, inputs, division) }),
    };
    this.network = new Network(plan.network, options, kernels, allocator);
    const { steps } = plan;
    this.#optimizer = createOptimizer(optimizer, this.network.parameters, kernels, allocator, {
      rates,
      steps,
    });
    this.tensors = new Map(
      Object.entries({
        parameters: this.network.parameters.values,
        statistics: this.network.statistics.values,
        ...prefixed('optimizer.', this.#optimizer.state),
      }),
    );
    const split = (name: keyof typeof rows, first: number) =>
      this.#splitRows(first, rows[name], weighted[name], allocator);
    this.#train = split('train', 0);
    this.#sample = firstRows(this.#train, config.training.evaluateRows ?? rows.train);
    this.#folds = plan.folds && foldRanges(plan.folds, networksOf(plan.network));
    this.#validation = this.#folds
      ? heldOutRows(this.#train, this.#folds, this.#capacity)
      : rows.validation > 0
        ? split('validation', rows.train)
        : null;
    this.#test = rows.test > 0 ? split('test', matrixRows(plan) - rows.test) : null;
    this.#indices = allocator.ints(passRows);
    this.#x = allocator.tensor(passRows, inputs);
    this.#targets = this.#targetTensors(passRows, weighted.train, allocator);
    this.#batches = new Batches(batches, rows.train, batchSize, random, plan.blockRows);
    this.#sliced = division && new SlicedGradients(division, this.network, kernels, allocator, exchange);
    this.#source = sourceOf(kernels, this.#capacity, allocator);
    if (division && division.ranks > 1) {
      const parts = partsOf(division.ranks, this.#capacity * plan.outputs, allocator);
      if (exchange) this.#inTurn = new InTurn(this.network, kernels, exchange, parts, plan.lossUnit);
    }
  }

  /** Writes targets and row weights into memory. Once per run. */
  load(dataset: Dataset): void {
    fill(this.#train, dataset.train);
    if (this.#validation && dataset.validation && !this.#folds) fill(this.#validation, dataset.validation);
    if (this.#test && dataset.test) fill(this.#test, dataset.test);
  }

  initialize(): void {
    let sample: Int32Array | undefined;
    this.network.initialize(this.#random, () => {
      sample ??= this.#sampleRows();
      return this.#batchesOf(sample);
    });
  }

  /** The training rows that weights are fitted to: all, or some that are drawn with replacement. */
  #sampleRows(): Int32Array {
    const { rows } = this.#train;
    const most = this.network.hasBins ? SAMPLED_FOR_BINS : SAMPLED_ROWS;
    if (rows > most) return this.#random.choice(rows, most);
    return Int32Array.from({ length: rows }, (_, row) => row);
  }

  *#batchesOf(indices: Int32Array): Generator<Batch> {
    const rows = rowsOfPass(this.#plan);
    for (let first = 0; first < indices.length; first += rows) {
      const chosen = indices.subarray(first, first + rows);
      this.#indices.data.set(chosen);
      yield { rows: chosen.length, x: this.#source.gather(chosen.length, this.#indices, this.#x) };
    }
  }

  /** A copy of all state outside the memory. Further steps do not change it. */
  state(): TrainerState {
    return { steps: this.#steps, random: this.#random.state(), batches: this.#batches.state() };
  }

  /** Restores a state. The generator given to the constructor must be in its state already. */
  restore({ steps, batches }: TrainerState): void {
    this.#steps = steps;
    this.#batches.restore(batches);
  }

  /** Where batches are read ahead, if the rows are in a file. */
  get ahead(): ReadAhead | undefined {
    return this.#source.ahead;
  }

  /** Steps of the run that were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** Draws the batches of steps that another thread of the team has taken, up to so many steps of the run. */
  comeTo(steps: number): void {
    this.#drawn ??= new Int32Array(this.#plan.batchSize);
    for (; this.#steps < steps; this.#steps++) this.#batches.next(this.#drawn);
  }

  get nextBatchRows(): number {
    return this.#batches.nextRows;
  }

  /**
   * Draws a batch and takes one step down its gradient.
   * @returns the batch's loss before the update, weighted, smoothed and regularised; if it is not finite,
   * nothing is updated. `isFinite` says whether the updated parameters are finite.
   */
  trainStep(learningRate: number): number {
    this.#drawn ??= new Int32Array(this.#plan.batchSize);
    const drawn = this.#drawn;
    const rows = this.#batches.next(drawn);
    this.#source.begin?.(rows, drawn);
    this.#kernels.roundInputs?.(true);
    const loss = this.#sliced
      ? this.#slicedLossAndGradients(drawn.subarray(0, rows), this.#sliced)
      : this.#folds
        ? this.#foldsLossAndGradients(drawn.subarray(0, rows), this.#folds)
        : this.#lossAndGradients(drawn, rows);
    // Metrics are those of the model, which predicts without.
    this.#kernels.roundInputs?.(false);
    if (!Number.isFinite(loss)) return loss;
    const { clipNorm } = this.#config.training;
    if (clipNorm !== undefined) clipGradients(this.#kernels, this.network.parameters, clipNorm);
    this.isFinite = this.#optimizer.step(learningRate, ++this.#steps);
    // The mean of the members' losses is a number that can be compared.
    return (loss / networksOf(this.#plan.network)) * this.#plan.lossUnit;
  }

  #lossAndGradients(drawn: Int32Array, rows: number): number {
    const { x, targets } = this.#gather(drawn, rows);
    return this.network.lossAndGradients(rows, x, targets, this.#steps);
  }

  /** Each member has the rows that are not in its fold. */
  #foldsLossAndGradients(drawn: Int32Array, folds: readonly FoldRange[]): number {
    const batchOf = (member: number) => {
      const kept = this.#keptOf(drawn, folds, member);
      return this.#gather(kept, kept.length);
    };
    return this.network.lossAndGradientsOf(batchOf, this.#steps);
  }

  #slicedLossAndGradients(drawn: Int32Array, sliced: SlicedGradients): number {
    const { weights } = this.#train.targets;
    const sliceOf = (part: SlicePart, member: number) => {
      const numbers = this.#folds ? this.#keptOf(drawn, this.#folds, member) : drawn;
      const rows = numbers.length;
      const [first, end] = rowsOfSlice(part, rows);
      const batch = this.#gather(numbers.subarray(first, end), end - first);
      const weight = weights ? numbers.reduce((sum, row) => sum + weights.data[row], 0) : rows;
      return { ...batch, whole: { rows, weight } };
    };
    return sliced.lossAndGradients(drawn.length, this.#steps, sliceOf) + this.network.regularize();
  }

  /** The drawn rows that a member is trained on, until the next call. */
  #keptOf(drawn: Int32Array, folds: readonly FoldRange[], member: number): Int32Array {
    this.#kept ??= new Int32Array(this.#plan.batchSize);
    return this.#kept.subarray(0, keepTrained(drawn, folds[member % folds.length], this.#kept));
  }

  /** The first `rows` rows that are numbered, in the memory of the batch. */
  #gather(numbers: Int32Array, rows: number): LabelledBatch {
    this.#indices.data.set(numbers);
    const x = this.#source.gather(rows, this.#indices, this.#x);
    gatherTargets(this.#kernels, rows, this.#train.targets, this.#indices, this.#targets);
    return { rows, x, targets: this.#targets };
  }

  /** Evaluates the training rows of an epoch, or all, and the validation rows. */
  evaluate(allRows: boolean): Evaluations {
    const train = this.#evaluate(allRows ? this.#train : this.#sample);
    return this.#validation ? { train, validation: this.#evaluate(this.#validation) } : { train };
  }

  /** The gradients of the last step, and what the layers make of the first training rows. */
  layerStatistics(): LayerStatistics[] {
    const [{ rows }] = this.#sample.chunks;
    const x = this.#source.chunk(this.#sample.start, rows);
    const observed = Math.ceil(OBSERVED_ROWS / networksOf(this.#plan.network));
    return layerStatistics(this.#kernels, this.network, Math.min(rows, observed), x);
  }

  /** Evaluates the test rows, if any: only at the end of a run, when nothing is left to decide. */
  evaluateTest(): Evaluation | undefined {
    return this.#test ? this.#evaluate(this.#test) : undefined;
  }

  #evaluate(split: SplitRows): Evaluation {
    const { network } = this;
    const extras = split === this.#validation ? this.#plan.extras : [];
    split.accumulator ??= this.#accumulator(split.targets, extras);
    const { accumulator } = split;
    const xOf = ({ first, rows }: Chunk) => this.#source.chunk(split.start + first, rows);
    if (this.#inTurn) {
      this.#inTurn.evaluate(split.chunks, xOf, accumulator);
      return accumulator.result();
    }
    for (const chunk of split.chunks) {
      const { first, rows, targets, members } = chunk;
      const x = xOf(chunk);
      const logits = network.forward(rows, x, members);
      // Before the loss: after its barriers, a faster thread may overwrite these logits.
      accumulator.add(rows, logits.data, first);
      const { sum, terms } = network.dataLoss(rows, logits, targets);
      accumulator.addLoss(sum * this.#plan.lossUnit, terms);
    }
    return accumulator.result();
  }

  #accumulator(targets: Targets, extras: TrainingPlan['extras']): Accumulator {
    const { task, classes, outputs, targetUnit } = this.#plan;
    const all = 'labels' in targets ? targets.labels.data : targets.values.data;
    if (task === 'multilabel') return labelAccumulator(all, outputs, extras);
    if (classes > 0) return classAccumulator(all, outputs, classes, extras);
    const plan = this.#plan;
    if (isLinear(plan)) return regressionAccumulator(all, targetUnit, { extras });
    const points = (rows: number, own: ArrayLike<number>) => pointsOf(rows, own, outputs, plan);
    return regressionAccumulator(
      ownTargets(all, plan.targets, plan),
      targetUnit.map(() => 1),
      { extras, points },
    );
  }

  #splitRows(start: number, rows: number, weighted: boolean, allocator: Allocator): SplitRows {
    const targets = this.#targetTensors(rows, weighted, allocator);
    return { rows, start, targets, chunks: chunksOf(targets, { first: 0, rows }, this.#capacity) };
  }

  #targetTensors(rows: number, weighted: boolean, allocator: Allocator): Targets {
    const targets =
      LOSSES[this.#plan.loss].target === 'class'
        ? { labels: allocator.ints(rows) }
        : { values: allocator.tensor(rows, this.#plan.targets) };
    return weighted ? { ...targets, weights: allocator.tensor(rows, 1) } : targets;
  }
}

/** Rows of the matrix of features. */
export function matrixRows({ rows, folds }: TrainingPlan): number {
  return rows.train + (folds ? 0 : rows.validation) + rows.test;
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function fill({ targets }: SplitRows, split: Split): void {
  const { data } = 'labels' in targets ? targets.labels : targets.values;
  data.set((split.labels ?? split.targets) as ArrayLike<number>);
  if (targets.weights && split.weights) targets.weights.data.set(split.weights);
}

function gatherTargets(kernels: Kernels, rows: number, from: Targets, indices: IntVector, to: Targets): void {
  if ('labels' in from && 'labels' in to) kernels.gatherLabels(rows, from.labels, indices, to.labels);
  else if ('values' in from && 'values' in to) kernels.gather(rows, from.values, indices, to.values);
  if (from.weights && to.weights) kernels.gather(rows, from.weights, indices, to.weights);
}

/** The first rows of a split; the split itself if it has no more. */
function firstRows(split: SplitRows, most: number): SplitRows {
  const { start, targets, chunks } = split;
  if (most >= split.rows) return split;
  return {
    rows: most,
    start,
    targets: targetRows(targets, 0, most),
    chunks: chunks
      .filter(({ first }) => first < most)
      .map(({ first, rows }) => chunkOf(targets, first, Math.min(rows, most - first))),
  };
}

/** Rows of a split once more, each for the members that are trained without its fold. */
function heldOutRows(split: SplitRows, folds: readonly FoldRange[], capacity: number): SplitRows {
  const rows = folds.reduce((sum, fold) => sum + fold.rows, 0);
  const targets = targetRows(split.targets, 0, rows);
  const chunks = folds.flatMap((fold) =>
    chunksOf(targets, fold, capacity).map((chunk) => ({ ...chunk, members: fold.members })),
  );
  return { rows, start: split.start, targets, chunks };
}

/** A range of rows in chunks of at most `capacity`. */
function chunksOf(
  targets: Targets,
  { first, rows }: Pick<FoldRange, 'first' | 'rows'>,
  capacity: number,
): Chunk[] {
  return Array.from({ length: Math.ceil(rows / capacity) }, (_, i) => {
    const from = first + i * capacity;
    return chunkOf(targets, from, Math.min(capacity, first + rows - from));
  });
}

function chunkOf(targets: Targets, first: number, rows: number): Chunk {
  return { first, rows, targets: targetRows(targets, first, rows) };
}

/** The targets of `rows` rows, starting at row `first`. */
function targetRows(targets: Targets, first: number, rows: number): Targets {
  const weights = targets.weights && { weights: rowsOf(targets.weights, first, rows) };
  if ('values' in targets) return { values: rowsOf(targets.values, first, rows), ...weights };
  const { data, address } = targets.labels;
  return {
    labels: { data: data.subarray(first, first + rows), address: address + first * data.BYTES_PER_ELEMENT },
    ...weights,
  };
}

function rowsOf(tensor: Tensor, first: number, rows: number): Tensor {
  return slice(tensor, first * tensor.columns, rows, tensor.columns);
}
