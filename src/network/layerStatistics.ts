/** What each layer does to rows, and how steep the loss is in its parameters: to see where a network is stuck. */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { Network } from './network.js';

export interface LayerStatistics {
  /** `layers.2`; of an activation with the linear layer before it, each has its own. */
  readonly layer: string;
  /** √Σg² over its parameters, of all members, in the last step; missing without parameters. */
  readonly gradientNorm?: number;
  /** Of its outputs; missing where the layer after it is computed in the same pass. */
  readonly outputs?: Moments;
}

export interface Moments {
  readonly mean: number;
  /** The square root of the mean squared distance from the mean. */
  readonly deviation: number;
  /** The share of outputs that are 0: of a relu, those that pass no gradient on. */
  readonly zeros: number;
}

/**
 * The layers in the order of the forward pass; of an ensemble, over all members.
 * @param x [rows, inputs] what the outputs are computed from, in evaluation
 */
export function layerStatistics(
  kernels: Kernels,
  network: Network,
  rows: number,
  x: Tensor,
): LayerStatistics[] {
  const squares = new Map<string, number>();
  for (const { name, gradient } of network.parameters.list) {
    const layer = withoutMember(name).replace(/\.[^.]+$/, '');
    const own = kernels.sumOfSquares(gradient.rows * gradient.columns, gradient);
    squares.set(layer, (squares.get(layer) ?? 0) + own);
  }
  const sums = new Map<string, Sums>();
  network.observe(rows, x, (name, y) => {
    const layer = withoutMember(name);
    const own = sums.get(layer) ?? new Sums();
    own.add(rows * y.columns, y);
    sums.set(layer, own);
  });
  return [...new Set([...squares.keys(), ...sums.keys()])].sort(byNumbers).map((layer) => {
    const square = squares.get(layer);
    const outputs = sums.get(layer)?.moments;
    return {
      layer,
      ...(square !== undefined && { gradientNorm: Math.sqrt(square) }),
      ...(outputs && { outputs }),
    };
  });
}

class Sums {
  #count = 0;
  #mean = 0;
  /** Σ(y − mean)² */
  #squares = 0;
  #zeros = 0;

  /** Of these first, then of all (Chan, Golub and LeVeque): without cancellation, and without a division for each. */
  add(count: number, { data }: Tensor): void {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += data[i];
      if (data[i] === 0) this.#zeros++;
    }
    const mean = sum / count;
    let squares = 0;
    for (let i = 0; i < count; i++) squares += (data[i] - mean) ** 2;
    const distance = mean - this.#mean;
    const share = count / (this.#count + count);
    this.#squares += squares + distance * distance * this.#count * share;
    this.#mean += distance * share;
    this.#count += count;
  }

  get moments(): Moments {
    const count = this.#count;
    return { mean: this.#mean, deviation: Math.sqrt(this.#squares / count), zeros: this.#zeros / count };
  }
}

/** `members.3.layers.0.weight` is `layers.0.weight` of each network. */
function withoutMember(name: string): string {
  return name.replace(/^members\.\d+\./, '');
}

/** `layers.10` after `layers.2`; a residual block after its own layers. */
function byNumbers(a: string, b: string): number {
  const [own, other] = [a, b].map((name) => (name.match(/\d+/g) ?? []).map(Number));
  const at = own.findIndex((number, i) => number !== other[i]);
  if (at < 0) return 0;
  return at < other.length ? own[at] - other[at] : -1;
}
