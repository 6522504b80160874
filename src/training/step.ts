/**
 * One training run in memory: a network, its optimiser and its data, and the step that they do over and over.
 * Everything here is deterministic; when to stop, what to print and what to save is decided above.
 *
 * In a team of threads each has a trainer of its own over the same memory. They take the same steps, each kernel its
 * slice of every result; only what lies outside the memory (the generator, the counters of steps) exists once for each thread.
 */
import { Batches, type BatchesState } from '../data/dataset/batches.js';
import type { Dataset, Split } from '../data/dataset/dataset.js';
import { type Allocator, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import type { Targets } from '../network/loss.js';
import { Network } from '../network/network.js';
import type { RandomState, RandomStateSnapshot } from '../random/randomState.js';
import type { TrainConfig } from '../spec/train.js';
import { clipGradients } from './clip.js';
import { classAccumulator, type Evaluation, regressionAccumulator } from './metrics.js';
import { createOptimizer, type Optimizer } from './optimizer.js';
import type { TrainingPlan } from './plan.js';

/** Rows that are evaluated at once, however small the batches are. */
const EVALUATION_ROWS = 256;

/** A side of the split in memory, and in parts of at most `capacity` rows. */
interface Side {
  readonly features: Tensor; // [rows, inputs]
  readonly targets: Targets;
  readonly chunks: readonly Chunk[];
}

interface Chunk {
  readonly first: number;
  readonly rows: number;
  readonly x: Tensor; // [rows, inputs]
  readonly targets: Targets;
}

/** The sides that are looked at while training; validation only where there is one. */
export interface Evaluations {
  readonly train: Evaluation;
  readonly validation?: Evaluation;
}

/** What a trainer knows beside its tensors, as plain data: the same in every thread of a team. */
export interface TrainerState {
  /** Steps taken. */
  readonly steps: number;
  readonly random: RandomStateSnapshot;
  readonly batches: BatchesState;
}

export class Trainer {
  readonly network: Network;
  /** What goes on from step to step, by name: parameters, running statistics, the optimiser's own. What a checkpoint keeps. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Whether the last update left every parameter finite. */
  isFinite = true;
  readonly #optimizer: Optimizer;
  readonly #train: Side;
  readonly #validation: Side | null;
  readonly #test: Side | null;
  readonly #batches: Batches;
  readonly #indices: IntVector; // [batchSize] rows of the batch
  /** [batchSize] The batch as it is drawn, which leaves rejected numbers in between: not for other threads to read. */
  #drawn: Int32Array | undefined;
  readonly #x: Tensor; // [B, inputs]
  readonly #targets: Targets; // of the batch
  readonly #capacity: number;
  /** Steps taken. */
  #steps = 0;

  /**
   * Takes all other tensors of the run from the allocator; where that only counts, nothing else may be called.
   * @param features of all rows, the training rows first, then validation and test: [rows, inputs]
   */
  constructor(
    private readonly config: TrainConfig,
    private readonly plan: TrainingPlan,
    private readonly kernels: Kernels,
    private readonly random: RandomState,
    features: Tensor,
    allocator: Allocator,
  ) {
    const { batchSize, inputs, loss, rows, weighted } = plan;
    const { l1, l2, batches, optimizer } = config.training;
    // Not by the test rows: they must leave no trace in the rest, rounding included.
    this.#capacity = Math.max(batchSize, Math.min(Math.max(rows.train, rows.validation), EVALUATION_ROWS));
    const options = { inputs, loss, l1, l2, capacity: this.#capacity, seed: config.seed };
    this.network = new Network(plan.network, options, kernels, allocator);
    this.#optimizer = createOptimizer(optimizer, this.network.parameters, kernels, allocator);
    this.tensors = new Map(
      Object.entries({
        parameters: this.network.parameters.values,
        statistics: this.network.statistics.values,
        ...prefixed('optimizer.', this.#optimizer.state),
      }),
    );
    const side = (name: keyof typeof rows, first: number) =>
      this.#side(rowsOf(features, first, rows[name]), weighted[name], allocator);
    this.#train = side('train', 0);
    this.#validation = rows.validation > 0 ? side('validation', rows.train) : null;
    this.#test = rows.test > 0 ? side('test', rows.train + rows.validation) : null;
    this.#indices = allocator.ints(batchSize);
    this.#x = allocator.tensor(batchSize, inputs);
    this.#targets = this.#targetTensors(batchSize, weighted.train, allocator);
    this.#batches = new Batches(batches, rows.train, batchSize, random);
  }

  /**
   * Writes targets and row weights into memory, where the features are already: once a run, whatever the number of
   * threads.
   */
  load(dataset: Dataset): void {
    fill(this.#train, dataset.train);
    if (this.#validation && dataset.validation) fill(this.#validation, dataset.validation);
    if (this.#test && dataset.test) fill(this.#test, dataset.test);
  }

  /** Draws the parameters: once a run, too. */
  initialize(): void {
    this.network.initialize(this.random);
  }

  /** A copy of all that is not in the memory; taking steps does not change it. */
  state(): TrainerState {
    return { steps: this.#steps, random: this.random.state(), batches: this.#batches.state() };
  }

  /** Goes on where the state was taken; the generator given to the constructor must be in its state already. */
  restore({ steps, batches }: TrainerState): void {
    this.#steps = steps;
    this.#batches.restore(batches);
  }

  /** Rows of the next batch. */
  get nextBatchRows(): number {
    return this.#batches.nextRows;
  }

  /**
   * Draws a batch and takes one step down its gradient.
   * @returns the batch's loss, row weights and regularisation included, before the update; where it is not finite, nothing
   * is updated. `isFinite` says what the update made of the parameters.
   */
  trainStep(learningRate: number): number {
    const { kernels } = this;
    this.#drawn ??= new Int32Array(this.plan.batchSize);
    const rows = this.#batches.next(this.#drawn);
    this.#indices.data.set(this.#drawn);
    kernels.gather(rows, this.#train.features, this.#indices, this.#x);
    gatherTargets(kernels, rows, this.#train.targets, this.#indices, this.#targets);
    const loss = this.network.lossAndGradients(rows, this.#x, this.#targets, this.#steps);
    if (!Number.isFinite(loss)) return loss;
    const { clipNorm } = this.config.training;
    if (clipNorm !== undefined) clipGradients(kernels, this.network.parameters, clipNorm);
    this.isFinite = this.#optimizer.step(learningRate, ++this.#steps);
    return loss;
  }

  /** The metrics of the training and the validation rows with the parameters as they are. */
  evaluate(): Evaluations {
    const train = this.#evaluate(this.#train);
    return this.#validation ? { train, validation: this.#evaluate(this.#validation) } : { train };
  }

  /** The metrics of the test rows, undefined where there are none: for the end of a run, once nothing is left to decide. */
  evaluateTest(): Evaluation | undefined {
    return this.#test ? this.#evaluate(this.#test) : undefined;
  }

  #evaluate({ targets, chunks }: Side): Evaluation {
    const { network, plan } = this;
    const all = 'labels' in targets ? targets.labels.data : targets.values.data;
    const accumulator =
      plan.classes > 0
        ? classAccumulator(all, plan.outputs, plan.classes)
        : regressionAccumulator(all, plan.targetUnit);
    for (const { first, rows, x, targets } of chunks) {
      const logits = network.forward(rows, x);
      // Before the loss: once past its barriers, a faster thread may write the next logits over these.
      accumulator.add(rows, logits.data, first);
      const { sum, terms } = network.dataLoss(rows, logits, targets);
      accumulator.addLoss(sum, terms);
    }
    return accumulator.result();
  }

  #side(features: Tensor, weighted: boolean, allocator: Allocator): Side {
    const { rows } = features;
    const targets = this.#targetTensors(rows, weighted, allocator);
    const chunks: Chunk[] = [];
    for (let first = 0; first < rows; first += this.#capacity) {
      const count = Math.min(this.#capacity, rows - first);
      const x = rowsOf(features, first, count);
      chunks.push({ first, rows: count, x, targets: targetRows(targets, first, count) });
    }
    return { features, targets, chunks };
  }

  #targetTensors(rows: number, weighted: boolean, allocator: Allocator): Targets {
    const targets =
      this.plan.loss === 'softmax-cross-entropy'
        ? { labels: allocator.ints(rows) }
        : { values: allocator.tensor(rows, this.plan.outputs) };
    return weighted ? { ...targets, weights: allocator.tensor(rows, 1) } : targets;
  }
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function fill({ targets }: Side, split: Split): void {
  const { data } = 'labels' in targets ? targets.labels : targets.values;
  data.set((split.labels ?? split.targets) as ArrayLike<number>);
  if (targets.weights && split.weights) targets.weights.data.set(split.weights);
}

function gatherTargets(kernels: Kernels, rows: number, from: Targets, indices: IntVector, to: Targets): void {
  if ('labels' in from && 'labels' in to) kernels.gatherLabels(rows, from.labels, indices, to.labels);
  else if ('values' in from && 'values' in to) kernels.gather(rows, from.values, indices, to.values);
  if (from.weights && to.weights) kernels.gather(rows, from.weights, indices, to.weights);
}

/** The targets of `rows` rows from `first` on. */
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
