/**
 * One training run: a network, its optimiser and its data in one arena, and the step that they do over and over.
 * Everything here is deterministic; when to stop, what to print and what to save is decided above.
 */
import { totalmem } from 'node:os';
import { Batches } from '../data/batches.js';
import type { Dataset, Split } from '../data/dataset.js';
import { ExitCode, MlpError } from '../errors.js';
import { type Allocator, ARENA_LIMIT, Arena, ArenaPlan, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import { initialize } from '../network/initialize.js';
import type { Targets } from '../network/loss.js';
import { Network } from '../network/network.js';
import { RandomState } from '../random/randomState.js';
import type { TrainConfig } from '../spec/train.js';
import { classAccumulator, type Evaluation, regressionAccumulator } from './metrics.js';
import { createOptimizer, type Optimizer } from './optimizer.js';
import type { TrainingPlan } from './plan.js';
import { learningRateAt } from './schedule.js';

/** Rows that are evaluated at once, however small the batches are. */
const EVALUATION_ROWS = 256;

/** A split in the arena: features [rows, inputs] and targets of either kind. */
interface SplitTensors {
  readonly split: Split;
  readonly features: Tensor;
  readonly targets: Targets;
}

export class Trainer {
  readonly network: Network;
  /** Steps done. */
  step = 0;
  readonly #optimizer: Optimizer;
  readonly #train: SplitTensors;
  readonly #validation: SplitTensors | null;
  readonly #batches: Batches;
  readonly #indices: IntVector; // [batchSize] rows of the batch
  readonly #x: Tensor; // [B, inputs]
  readonly #targets: Targets; // of the batch
  readonly #capacity: number;

  /** Takes all tensors of the run from the allocator; where that is a plan, nothing else may be called. */
  constructor(
    private readonly config: TrainConfig,
    private readonly plan: TrainingPlan,
    private readonly dataset: Dataset,
    private readonly kernels: Kernels,
    allocator: Allocator,
  ) {
    const { train, validation } = dataset;
    const rows = Math.max(train.rows, validation?.rows ?? 0);
    this.#capacity = Math.max(plan.batchSize, Math.min(rows, EVALUATION_ROWS));
    this.network = new Network(
      plan.network,
      { inputs: plan.inputs, loss: plan.loss, l2: config.training.l2, capacity: this.#capacity },
      kernels,
      allocator,
    );
    this.#optimizer = createOptimizer(config.training.optimizer, this.network.parameters, kernels, allocator);
    this.#train = this.#splitTensors(train, allocator);
    this.#validation = validation ? this.#splitTensors(validation, allocator) : null;
    this.#indices = allocator.ints(plan.batchSize);
    this.#x = allocator.tensor(plan.batchSize, plan.inputs);
    this.#targets = this.#targetTensors(plan.batchSize, allocator);

    const random = new RandomState(config.seed);
    this.#batches = new Batches(config.training.batches, train.rows, plan.batchSize, random);
    if (allocator instanceof Arena) {
      initialize(this.network.parameters.list, random);
      fill(this.#train);
      if (this.#validation) fill(this.#validation);
    }
  }

  /** The epoch that the next step belongs to, counted from 0. */
  get epoch(): number {
    return Math.floor(this.step / this.plan.stepsPerEpoch);
  }

  get learningRate(): number {
    const { schedule, optimizer } = this.config.training;
    return learningRateAt(schedule, optimizer.learningRate, this.epoch);
  }

  /**
   * Draws a batch and takes one step down its gradient.
   * @returns the batch's loss, regularisation included, before the update; where it is not finite, nothing is updated
   */
  trainStep(): number {
    const learningRate = this.learningRate;
    const rows = this.#batches.next(this.#indices.data);
    const { kernels } = this;
    kernels.gather(rows, this.#train.features, this.#indices, this.#x);
    gatherTargets(kernels, rows, this.#train.targets, this.#indices, this.#targets);
    const loss = this.network.lossAndGradients(rows, this.#x, this.#targets);
    if (!Number.isFinite(loss)) return loss;
    this.#optimizer.step(learningRate);
    this.step++;
    return loss;
  }

  /** Rows of the next batch. */
  get nextBatchRows(): number {
    return this.#batches.nextRows;
  }

  evaluateTrain(): Evaluation {
    return this.#evaluate(this.#train);
  }

  evaluateValidation(): Evaluation | undefined {
    return this.#validation ? this.#evaluate(this.#validation) : undefined;
  }

  #evaluate({ split, features, targets }: SplitTensors): Evaluation {
    const { network, plan, dataset } = this;
    const accumulator = split.labels
      ? classAccumulator(split.labels, plan.outputs, (dataset.classes as string[]).length)
      : regressionAccumulator(
          split.targets as Float64Array,
          plan.outputs,
          dataset.targetStandardization?.scale ?? 1,
        );
    for (let first = 0; first < split.rows; first += this.#capacity) {
      const rows = Math.min(this.#capacity, split.rows - first);
      const x = slice(features, first * plan.inputs, rows, plan.inputs);
      const logits = network.forward(rows, x);
      const { sum, terms } = network.dataLoss(rows, logits, targetRows(targets, first, rows));
      accumulator.add(rows, logits.data, sum, terms, first);
    }
    return accumulator.result();
  }

  #splitTensors(split: Split, allocator: Allocator): SplitTensors {
    return {
      split,
      features: allocator.tensor(split.rows, this.plan.inputs),
      targets: this.#targetTensors(split.rows, allocator),
    };
  }

  #targetTensors(rows: number, allocator: Allocator): Targets {
    return this.plan.loss === 'softmax-cross-entropy'
      ? { labels: allocator.ints(rows) }
      : { values: allocator.tensor(rows, this.plan.outputs) };
  }
}

/**
 * A trainer with memory of its own, checked against the limits before anything is allocated.
 * @throws MlpError (78) where the run is too large
 */
export function createTrainer(
  config: TrainConfig,
  plan: TrainingPlan,
  dataset: Dataset,
  kernels: Kernels,
): Trainer {
  const need = new ArenaPlan(config.dtype);
  new Trainer(config, plan, dataset, kernels, need);
  const limit = Math.min(ARENA_LIMIT, totalmem());
  if (!(need.bytes <= limit)) {
    const owner = limit < ARENA_LIMIT ? 'this machine has' : 'the limit of one run is';
    throw tooLarge(need.bytes, `${owner} ${gigabytes(limit)}`);
  }
  let arena: Arena;
  try {
    arena = new Arena(config.dtype, need.bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooLarge(need.bytes, 'the system has not that much to give');
  }
  return new Trainer(config, plan, dataset, kernels, arena);
}

function tooLarge(bytes: number, limit: string): MlpError {
  return new MlpError(
    ExitCode.config,
    `this network and its data need ${gigabytes(bytes)} of memory: ${limit}`,
    'use fewer units, a smaller training.batchSize, or "dtype": "float32"; mlp params shows where the parameters are',
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

function fill({ split, features, targets }: SplitTensors): void {
  features.data.set(split.features);
  if ('labels' in targets) targets.labels.data.set(split.labels as Int32Array);
  else targets.values.data.set((split.labels ?? split.targets) as Int32Array | Float64Array);
}

function gatherTargets(kernels: Kernels, rows: number, from: Targets, indices: IntVector, to: Targets): void {
  if ('labels' in from && 'labels' in to) kernels.gatherLabels(rows, from.labels, indices, to.labels);
  else if ('values' in from && 'values' in to) kernels.gather(rows, from.values, indices, to.values);
}

/** The targets of `rows` rows from `first` on. */
function targetRows(targets: Targets, first: number, rows: number): Targets {
  if ('values' in targets) {
    const { columns } = targets.values;
    return { values: slice(targets.values, first * columns, rows, columns) };
  }
  const { data, address } = targets.labels;
  return {
    labels: { data: data.subarray(first, first + rows), address: address + first * data.BYTES_PER_ELEMENT },
  };
}
