/**
 * The network of a model in memory that threads share: its weights are there once, and what a pass
 * writes is there for each thread. The bits are those of the wasm kernels without relaxed SIMD, and each
 * product has the full number of rows, since it chooses its path by its size: so a row's bits depend
 * neither on the other rows, nor on the thread, nor on the machine.
 */
import { ExitCode, MlpError } from '../../errors.js';
import {
  type Allocator,
  ARENA_LIMIT,
  Arena,
  ArenaPlan,
  createMemory,
  growMemory,
  RESERVED_BYTES,
  type Region,
} from '../../kernels/arena.js';
import { createKernels, type KernelsChoice, kernelScratch } from '../../kernels/create.js';
import type { DType, Kernels, Tensor } from '../../kernels/kernels.js';
import { WORK_BEFORE_CODE } from '../../kernels/native/index.js';
import { referenceKernels } from '../../kernels/reference/index.js';
import { alone } from '../../kernels/share.js';
import { detectFeatures } from '../../kernels/wasm/loader.js';
import { Network, type Range } from '../../network/network.js';
import { networkShape } from '../../network/shape.js';
import type { NetworkSpec } from '../../spec/networkSpec.js';
import type { LossName, LossParameters } from '../../spec/words.js';
import { formatBytes } from '../../text.js';
import { predictingTensors } from '../calibration.js';
import type { Model } from '../load.js';
import { modelTensors } from '../model.js';
import { limitsOf } from '../predictions.js';

/** Rows passed at once, unless they need more memory than PASS_BYTES. */
const MOST_ROWS = 256;
/** For what the passes of all threads write. */
export const PASS_BYTES = 2 ** 28;

/** What a thread builds its view of the network from. Plain data. */
export interface NetworkSetup {
  readonly dtype: DType;
  readonly choice: KernelsChoice;
  readonly network: NetworkSpec & { readonly input: number };
  readonly loss: LossName;
  readonly lossParameters?: LossParameters | undefined;
  readonly limits?: readonly Range[] | undefined;
  /** How many rows are passed at once. */
  readonly capacity: number;
}

/** Where the weights are, and what a thread writes. Plain data. */
export interface NetworkPlace {
  readonly memory: WebAssembly.Memory;
  readonly weights: Region;
  readonly own: Region;
}

/** The network as one thread passes rows through it. */
export interface ThreadNetwork {
  readonly network: Network;
  /** Rows to pass [capacity, inputs]: while some are passed, others can be written. */
  readonly inputs: readonly Tensor[];
}

/** How many rows a thread other than the first can be given before they are passed: some to pass, and the next. */
export const BUFFERS = 2;

export class SharedNetwork implements ThreadNetwork {
  readonly setup: NetworkSetup;
  readonly network: Network;
  readonly inputs: readonly Tensor[];
  readonly #memory: WebAssembly.Memory;
  readonly #weights: Region;
  #end: number;

  private constructor(setup: NetworkSetup, { memory, weights, own }: NetworkPlace, view: ThreadNetwork) {
    this.setup = setup;
    this.network = view.network;
    this.inputs = view.inputs;
    this.#memory = memory;
    this.#weights = weights;
    this.#end = own.end;
  }

  /**
   * @param capacity how many rows are passed at once. The default is 256, or as many as fit into
   * 256 MB, at least one: it depends on the model alone, because the bits of a result may depend on
   * it
   * @throws MlpError ExitCode.data if the model is larger than memory
   */
  static create(model: Model, capacity = capacityOf(model)): SharedNetwork {
    const setup = setupOf(model, capacity);
    const bytes = bytesOf(setup, 1);
    const start = RESERVED_BYTES + bytes.weights;
    const end = start + bytes.own;
    let place: NetworkPlace;
    try {
      if (end > ARENA_LIMIT) throw new RangeError();
      const memory = createMemory(end - RESERVED_BYTES);
      place = { memory, weights: { start: RESERVED_BYTES, end: start }, own: { start, end } };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw tooLarge(model, bytes.weights + bytes.own);
    }
    const view = openNetwork(setup, place, 1);
    const tensors = predictingTensors(model);
    for (const { name, data } of modelTensors(view.network.parameters, view.network.statistics)) {
      data.set(tensors.get(name) ?? []);
    }
    return new SharedNetwork(setup, place, view);
  }

  /** The bytes that a further thread takes. */
  get threadBytes(): number {
    return bytesOf(this.setup, BUFFERS).own;
  }

  /**
   * What a further thread needs. There is much to do, so it needs no proof before it writes machine code.
   * @throws RangeError if the memory can't grow that far
   */
  addThread(): { readonly setup: NetworkSetup; readonly place: NetworkPlace } {
    const { choice } = this.setup;
    const setup = { ...this.setup, choice: { ...choice, ...(choice.exact && { exact: { waits: 0 } }) } };
    const own = this.#take(this.threadBytes);
    return { setup, place: { memory: this.#memory, weights: this.#weights, own } };
  }

  /**
   * The rows that this thread writes while others are passed or not yet used.
   * @throws RangeError if the memory can't grow that far
   */
  addInputs(): Tensor {
    const { capacity, dtype, network } = this.setup;
    const plan = new ArenaPlan(dtype);
    plan.tensor(capacity, network.input);
    return new Arena(dtype, this.#memory, this.#take(plan.bytes)).tensor(capacity, network.input);
  }

  #take(bytes: number): Region {
    const region = { start: this.#end, end: this.#end + bytes };
    if (region.end > ARENA_LIMIT) throw new RangeError('the memory can grow no more');
    growMemory(this.#memory, region.end);
    this.#end = region.end;
    return region;
  }
}

/** The network in the memory of a place, with kernels of this thread unless it only looks at the memory. */
export function openNetwork(
  setup: NetworkSetup,
  { memory, weights, own }: NetworkPlace,
  buffers: number,
  onlyLooks = false,
): ThreadNetwork {
  const { dtype, choice } = setup;
  const arenas = { weights: new Arena(dtype, memory, weights), own: new Arena(dtype, memory, own) };
  return layOut(setup, arenas, buffers, (scratch) =>
    onlyLooks ? referenceKernels(dtype) : createKernels(choice, dtype, memory, scratch, alone),
  );
}

/** Takes the tensors in a fixed order, the same in the plan and in every thread. */
function layOut(
  { network: spec, loss, lossParameters, limits, capacity, choice }: NetworkSetup,
  { weights, own }: { readonly weights: Allocator; readonly own: Allocator },
  buffers: number,
  kernels: (scratch: number) => Kernels,
): ThreadNetwork {
  const { input: inputs } = spec;
  const options = { inputs, loss, lossParameters, l2: 0, capacity, seed: 0, limits };
  const scratch = own.block(kernelScratch(choice, 1));
  return {
    network: new Network(spec, options, kernels(scratch), own, weights),
    inputs: Array.from({ length: buffers }, () => own.tensor(capacity, inputs)),
  };
}

function bytesOf(setup: NetworkSetup, buffers: number): { readonly weights: number; readonly own: number } {
  const { dtype } = setup;
  const plans = { weights: new ArenaPlan(dtype), own: new ArenaPlan(dtype) };
  layOut(setup, plans, buffers, () => referenceKernels(dtype));
  return { weights: plans.weights.bytes, own: plans.own.bytes };
}

function kernelsChoice(): KernelsChoice {
  if (!detectFeatures().simd) return { backend: 'reference', relaxed: false };
  return { backend: 'wasm', relaxed: false, exact: { waits: WORK_BEFORE_CODE } };
}

function setupOf(model: Model, capacity: number): NetworkSetup {
  const { dtype, network, loss, lossParameters, predictionRanges } = model;
  const { outputs } = networkShape(network, network.input);
  return {
    dtype,
    choice: kernelsChoice(),
    network,
    loss,
    lossParameters,
    limits: predictionRanges && limitsOf(predictionRanges, outputs, model),
    capacity,
  };
}

/** How many rows of a model are passed at once by default, if it is one of several. */
export function capacityOf(model: Model, models = 1): number {
  const total = (capacity: number) => {
    const { weights, own } = bytesOf(setupOf(model, capacity), 1);
    return weights + own;
  };
  const one = total(1);
  const more = (total(MOST_ROWS) - one) / (MOST_ROWS - 1);
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(PASS_BYTES / models / more)));
}

/** What a row takes besides its products, in multiply-adds: measured with networks of 100 to 5,000. */
const OVERHEAD = 3000;

/** About how long a row takes to pass, in multiply-adds. */
export function costOfRow({ network }: Pick<Model, 'network'>): number {
  return Number(networkShape(network, network.input).multiplyAdds) + OVERHEAD;
}

function tooLarge({ path }: Model, bytes: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${path}: found a network that needs ${formatBytes(bytes)} of memory, expected one that fits`,
    'use a machine with more memory, or train a smaller network',
  );
}
