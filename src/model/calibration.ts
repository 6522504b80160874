/**
 * Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017): the logits of a classifier divided by one
 * number T, so that its probabilities are as often right as they say. No ranking of classes changes.
 */
import type { FloatArray } from '../kernels/kernels.js';
import { fusedLoss } from '../network/loss.js';
import { memberPrefix } from '../network/parameters.js';
import { networksOf } from '../spec/widths.js';
import type { Model, ReadingModel } from './load.js';

/**
 * The tensors that predict. With a temperature, the weights and biases of the last layer are divided by
 * it, in each member: the file keeps those that were trained.
 */
export function predictingTensors(model: Model): Model['tensors'] {
  const { temperature, tensors } = model;
  if (temperature === undefined) return tensors;
  const last = lastLinear(model);
  const scaled = new Map(tensors);
  for (let member = 0; member < networksOf(model.network); member++) {
    const layer = `${memberPrefix(model.network, member)}layers.${last}.`;
    for (const [name, data] of tensors) {
      if (name.startsWith(layer)) scaled.set(name, data.map((value) => value / temperature) as FloatArray);
    }
  }
  return scaled;
}

/** The number of the last layer if it is linear, so that its parameters scale the logits; else undefined. */
export function lastLinear({ network }: Pick<Model, 'network'>): number | undefined {
  const { layers } = network;
  const last = layers.length - (fusedLoss(layers) === undefined ? 1 : 2);
  return layers[last]?.type === 'linear' ? last : undefined;
}

/** Whether a model has probabilities that a temperature can scale. */
export function hasProbabilities({ classes, labelValues }: ReadingModel): boolean {
  return classes !== undefined || labelValues !== undefined;
}

const LEAST = 0.05;
const MOST = 20;
const TOLERANCE = 1e-4;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature of the least loss, from 0.05 to 20, by golden-section search over its logarithm: the
 * loss of one network is convex in 1/T.
 * @param lossAt the mean loss of held-out rows at a temperature
 */
export async function fitTemperature(
  lossAt: (temperature: number) => Promise<number> | number,
): Promise<number> {
  const at = (logarithm: number) => lossAt(Math.exp(logarithm));
  let [low, high] = [Math.log(LEAST), Math.log(MOST)];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [ofLeft, ofRight] = [await at(left), await at(right)];
  while (high - low > TOLERANCE) {
    if (ofLeft <= ofRight) {
      [high, right, ofRight] = [right, left, ofLeft];
      left = high - GOLDEN * (high - low);
      ofLeft = await at(left);
    } else {
      [low, left, ofLeft] = [left, right, ofRight];
      right = low + GOLDEN * (high - low);
      ofRight = await at(right);
    }
  }
  return Number(Math.exp((low + high) / 2).toPrecision(4));
}
