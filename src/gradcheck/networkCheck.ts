/** The gradient check of a network in float64: backpropagation against differences of the loss. */
import { type Allocator, Arena, ArenaPlan, outOfMemory, requireMemory } from '../kernels/arena.js';
import type { KernelsRecipe } from '../kernels/create.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import { referenceKernels } from '../kernels/reference/index.js';
import type { Parameter } from '../network/layer.js';
import type { Targets } from '../network/loss.js';
import { Network } from '../network/network.js';
import { RandomState } from '../random/randomState.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { LossName, LossParameters } from '../spec/words.js';
import { type Check, type CheckedParameter, checkOf, checkParameter } from './check.js';
import { numericDerivative, type Sample } from './numeric.js';

export interface NetworkProblem {
  readonly name: string;
  readonly spec: NetworkSpec;
  readonly loss: LossName;
  readonly lossParameters?: LossParameters | undefined;
  readonly l2: number;
  /** 0 if left out. */
  readonly l1?: number;
  /** 0 if left out. */
  readonly labelSmoothing?: number;
  readonly seed: number;
  /** Row-major [rows, inputs]. */
  readonly x: Float64Array;
  readonly rows: number;
  readonly inputs: number;
  /** Labels for softmax cross-entropy, values [rows, outputs] for the rest, [rows] for quantiles. */
  readonly targets: Int32Array | Float64Array;
  readonly outputs: number;
  /** [rows] What the loss of each row is multiplied by; 1 if left out. */
  readonly weights?: Float64Array | undefined;
  /** Another batch of the same size for the check, drawn after the weights as a training draws its first. */
  draw?(random: RandomState): CheckedBatch;
}

export type CheckedBatch = Pick<NetworkProblem, 'x' | 'targets' | 'weights'>;

/** A network with its batch in memory, ready to compute losses and gradients. */
export interface CheckedNetwork {
  readonly network: Network;
  readonly x: Tensor;
  readonly targets: Targets;
}

/** Operations of a check that chooses its samples: a few seconds with plain loops. */
const OPERATIONS = 4e9;
/** Forward passes per numeric derivative. */
const PASSES = 16;
const FEWEST_SAMPLES = 3;

/**
 * Compares up to `samples` elements of every parameter, by default a few seconds' worth. Biases,
 * scales and slopes are moved a little from 0 and 1, so that no ReLU sits on its kink. Kernels are of float64.
 */
export function checkNetwork(problem: NetworkProblem, kernels: KernelsRecipe, samples?: number): Check {
  const built = buildNetwork(problem, kernels);
  const { network, x, targets } = built;
  const { rows, seed, l1 = 0 } = problem;
  const random = new RandomState(seed);
  network.initialize(random, () => [{ rows, x }]);
  if (problem.draw) fillBatch(built, problem.draw(random));
  for (const { kind, value } of network.parameters.list) {
    if (kind === 'weight') continue;
    for (let i = 0; i < value.data.length; i++) value.data[i] += 0.1 * random.randn();
  }
  const { list, layout } = network.parameters;
  const affordable = OPERATIONS / (PASSES * 2 * rows * layout.total * list.length);
  const limit = samples ?? Math.max(FEWEST_SAMPLES, Math.floor(affordable));

  network.lossAndGradients(rows, x, targets);
  const sample = (ownSide: number): Sample => {
    const value = network.lossOf(rows, x, targets);
    const sides = [ownSide, ...signsOf(network.kinkedOutputs, rows), ...network.lossSides(rows, targets)];
    return { value, sides };
  };
  const checked: CheckedParameter[] = [];
  for (const parameter of list) {
    const kinked = l1 !== 0 && parameter.kind === 'weight';
    for (const at of sampleOf(parameter.value.data.length, limit, random)) {
      checked.push(checkElement(parameter, at, kinked, sample));
    }
  }
  return checkOf(problem.name, checked);
}

/**
 * Puts a problem and kernels of float64 into a memory of their own. All parameters are 0.
 * @throws MlpError ExitCode.config if they are too large
 */
export function buildNetwork(
  problem: NetworkProblem,
  { scratchBytes, create }: KernelsRecipe,
): CheckedNetwork {
  const { spec, loss, lossParameters, l2, l1 = 0, labelSmoothing = 0, seed, rows, inputs, weights } = problem;
  const build = (allocator: Allocator, createKernels: (scratch: number) => Kernels): CheckedNetwork => {
    const scratch = allocator.block(scratchBytes);
    const kernels = createKernels(scratch);
    const options = { inputs, loss, lossParameters, l2, l1, labelSmoothing, capacity: rows, seed };
    const network = new Network(spec, options, kernels, allocator);
    const x = allocator.tensor(rows, inputs);
    const targets =
      problem.targets instanceof Int32Array
        ? { labels: allocator.ints(rows) }
        : { values: allocator.tensor(rows, problem.targets.length / rows) };
    return {
      network,
      x,
      targets: weights ? { ...targets, weights: allocator.tensor(rows, 1) } : targets,
    };
  };
  const plan = new ArenaPlan('float64');
  build(plan, () => referenceKernels('float64'));
  const arena = allocate(plan.bytes);
  const built = build(arena, (scratch) => create(arena.memory, scratch));
  fillBatch(built, problem);
  return built;
}

function fillBatch(network: CheckedNetwork, { x, targets, weights }: CheckedBatch): void {
  network.x.data.set(x);
  const target = 'labels' in network.targets ? network.targets.labels : network.targets.values;
  target.data.set(targets);
  if (weights) network.targets.weights?.data.set(weights);
}

const SMALLER_CHECK =
  'use fewer units: gradients are checked in float64; mlp params shows where the parameters are';

function allocate(bytes: number): Arena {
  requireMemory(bytes, SMALLER_CHECK);
  try {
    return Arena.ofSize('float64', bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw outOfMemory(bytes, 'the system does not have that much', SMALLER_CHECK);
  }
}

/** @param kinked whether the loss has a kink at 0, as with L1; `sample` is given the side of it */
function checkElement(
  parameter: Parameter,
  at: number,
  kinked: boolean,
  sample: (ownSide: number) => Sample,
): CheckedParameter {
  const { data } = parameter.value;
  const original = data[at];
  const numeric = numericDerivative((value) => {
    data[at] = value;
    return sample(kinked ? Math.sign(value) : 0);
  }, original);
  data[at] = original;
  return checkParameter(elementName(parameter, at), parameter.gradient.data[at], numeric);
}

/** `layers.0.weight[2][5]`, `layers.0.bias[5]` */
function elementName({ name, kind, columns }: Parameter, at: number): string {
  return kind === 'weight' ? `${name}[${Math.floor(at / columns)}][${at % columns}]` : `${name}[${at}]`;
}

/** All numbers below `length`, or `limit` different ones, in order. */
function sampleOf(length: number, limit: number, random: RandomState): number[] {
  if (length <= limit) return Array.from({ length }, (_, i) => i);
  const drawn = new Set<number>();
  while (drawn.size < limit) drawn.add(random.randint(0, length));
  return [...drawn].sort((a, b) => a - b);
}

function signsOf(outputs: readonly Tensor[], rows: number): number[] {
  const signs: number[] = [];
  for (const { data, columns } of outputs) {
    for (let i = 0; i < rows * columns; i++) signs.push(Math.sign(data[i]));
  }
  return signs;
}
