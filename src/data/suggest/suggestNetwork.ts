/** Suggests the network and its training, by rules of thumb for small and medium tables. */

import type { Task } from '../../spec/words.js';
import { counted } from '../../text.js';
import type { Reason, SuggestedConfig } from './reasons.js';

export interface Sizes {
  readonly task: Task;
  /** Columns of the feature matrix: a category has one for each level. */
  readonly inputs: number;
  readonly outputs: number;
  /** Rows that have a target. */
  readonly rows: number;
  readonly trainRows: number;
}

/** With this many rows: a second hidden layer, a smaller learning rate, and no L2. */
const MANY_ROWS = 10_000;

const WIDTH = { least: 8, usual: 16, usualOfMany: 64, most: 256 };
/** Weights and biases that a row can support, with the help of L2. */
const PARAMETERS_PER_ROW = 10;

/** Small networks settle in about this many steps. */
const STEPS = 1000;
const EPOCHS = [10, 20, 30, 50, 100, 200];
const BATCH = { least: 16, most: 256 };
const LEARNING_RATE = { usual: 0.005, ofMany: 0.002 };
/** The share of the learning rate that the schedule leaves at the end. */
const LAST_RATE = 0.05;
/** λ times the number of training rows. Quantities are noisier than classes. */
const L2 = { classes: 2, quantity: 30 };

/**
 * Suggests hidden layers of relu. The first is as wide as inputs and outputs together, rounded up
 * to a power of two between 16 (64 for 10,000 rows and more) and 256. From 10,000 rows on, a second
 * one has half its width. Both are halved, down to 8, while there are more than ten parameters for
 * each row.
 */
export function suggestLayers({ inputs, outputs, rows }: Sizes): {
  layers: (number | string)[];
  reason: Reason;
} {
  const isDeep = rows >= MANY_ROWS;
  const asked = Math.max(inputs + outputs, isDeep ? WIDTH.usualOfMany : WIDTH.usual);
  const wanted = Math.min(2 ** Math.ceil(Math.log2(asked)), WIDTH.most);
  const widthsOf = (width: number) => (isDeep ? [width, width / 2] : [width]);
  const parametersOf = (width: number) => countParameters([inputs, ...widthsOf(width), outputs]);
  let width = wanted;
  while (width > WIDTH.least && parametersOf(width) > PARAMETERS_PER_ROW * rows) width /= 2;

  const layers = [...widthsOf(width).flatMap((units) => [units, 'relu']), outputs];
  const parameters = counted(parametersOf(width), 'parameter');
  const wide = `${counted(inputs, 'input')} and ${counted(outputs, 'output')}`;
  const budget = `${PARAMETERS_PER_ROW} for each of the ${counted(rows, 'row')}`;
  const why =
    parametersOf(width) > PARAMETERS_PER_ROW * rows
      ? `it is the smallest for ${wide}, though ${parameters} are more than ${budget}`
      : width < wanted
        ? `${wide} call for more units than ${counted(rows, 'row')} can support; ${parameters} are within ${budget}`
        : `it is wide enough for ${wide}, and ${parameters} are within ${budget}`;
  return { layers, reason: { key: 'network.layers', text: `${layers.join(', ')}, since ${why}` } };
}

/**
 * Suggests the training.
 *
 * - A batch is the power of two up to the root of the training rows, from 16 to 256: small enough
 *   for many steps, large enough to be fast.
 * - Epochs (10, 20, 30, 50, 100 or 200) are the fewest that give 1000 steps.
 * - Adam starts with 0.005, from 10,000 rows on with 0.002. The rate falls by the same factor each
 *   epoch, to a twentieth at the end.
 * - Below 10,000 rows L2 is 2 / rows for classes and 30 / rows for quantities, by the training
 *   rows.
 */
export function suggestTraining({ task, rows, trainRows }: Sizes): {
  training: SuggestedConfig['training'];
  reasons: Reason[];
} {
  const isLarge = rows >= MANY_ROWS;
  const root = 2 ** Math.floor(Math.log2(Math.sqrt(trainRows)));
  const batchSize = Math.min(Math.max(root, BATCH.least), BATCH.most, trainRows);
  const stepsPerEpoch = Math.ceil(trainRows / batchSize);
  const epochs = EPOCHS.find((count) => count * stepsPerEpoch >= STEPS) ?? EPOCHS[EPOCHS.length - 1];
  const learningRate = isLarge ? LEARNING_RATE.ofMany : LEARNING_RATE.usual;
  const gamma = Number((LAST_RATE ** (1 / epochs)).toPrecision(3));
  const l2 = isLarge
    ? 0
    : Number(((task === 'regression' ? L2.quantity : L2.classes) / trainRows).toPrecision(1));
  const perEpoch = `${counted(stepsPerEpoch, 'step')} each`;
  return {
    training: {
      epochs,
      batchSize,
      optimizer: { type: 'adam', learningRate },
      schedule: { type: 'exponential', gamma },
      ...(l2 > 0 && { l2 }),
    },
    reasons: [
      {
        key: 'training.epochs',
        text: `${epochs}, since with ${perEpoch} that is ${counted(epochs * stepsPerEpoch, 'step')}`,
      },
      {
        key: 'training.batchSize',
        text: `${batchSize}, since there are ${counted(trainRows, 'row')} to train on`,
      },
      {
        key: 'training.optimizer',
        text: `adam from ${learningRate} on, since ${isLarge ? 'many rows give many steps' : 'few rows give few steps'}`,
      },
      {
        key: 'training.schedule',
        text: `exponential with ${gamma}, since a rate that falls to a twentieth lets the last epochs settle`,
      },
      ...(l2 > 0
        ? [{ key: 'training.l2', text: `${l2}, since ${counted(trainRows, 'row')} are easily memorised` }]
        : []),
    ],
  };
}

/** Weights and biases of linear layers between these widths. */
function countParameters(widths: readonly number[]): number {
  return widths.slice(1).reduce((sum, units, i) => sum + (widths[i] + 1) * units, 0);
}
