/** A sweep for a train config: the published space of the recipe, or what matters for other networks. */
import type { Setting, SpaceConfig } from '../spec/spaceConfig.js';
import type { SweepConfigInput } from '../spec/sweepConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import type { Task } from '../spec/words.js';

export interface SweepReason {
  readonly key: string;
  readonly text: string;
}

export interface SuggestedSweep {
  readonly sweep: SweepConfigInput;
  readonly reasons: readonly SweepReason[];
}

/** Trials of the published search over the recipe's space. */
const TRIALS = 50;

/** Runs of fewer epochs are not worth stopping early. */
const LEAST_EPOCHS = 10;

/**
 * @param config as the data complete it
 * @param hasRecipe whether the preset builds the network
 * @param base `base`, the path of the config from the sweep's folder
 */
export function suggestSweep(
  config: TrainConfig,
  { task, hasRecipe, base }: { task: Task; hasRecipe: boolean; base: string },
): SuggestedSweep {
  const common = { base, method: 'tpe', trials: TRIALS, metric: 'validation_loss' } as const;
  if (hasRecipe) {
    return {
      sweep: { ...common, space: recipeSpace(task) },
      reasons: [
        {
          key: 'space',
          text: 'the search space of the recipe (Holzmüller, Grinsztajn and Steinwart 2024), for its network and its training',
        },
      ],
    };
  }
  const { epochs = 0, schedule } = config.training;
  // A schedule that ends with the run makes the metric of early epochs say little.
  const stops = epochs >= LEAST_EPOCHS && schedule.type === 'constant';
  const minEpochs = Math.max(1, Math.round(epochs / 9));
  const reasons = [
    { key: 'space', text: 'the settings that matter most: learning rate, batch size, regularisation, width' },
    ...(stops ? [{ key: 'stop', text: `trials that are behind after ${minEpochs} epochs are stopped` }] : []),
  ];
  return {
    sweep: {
      ...common,
      space: networkSpace(config),
      ...(stops && { stop: { type: 'halving', factor: 3, minEpochs } }),
    },
    reasons,
  };
}

/**
 * Table of the paper's random search over RealMLP, with the weight decay that suits log loss, and
 * bins in place of its PL embedding.
 */
function recipeSpace(task: Task): SpaceConfig {
  return {
    'training.optimizer.learningRate': { log: [0.02, 0.3] },
    'training.optimizer.weightDecay': { choice: [0, 0.02, 0.2] },
    'recipe.hidden': { choice: [[256, 256, 256], [64, 64, 64, 64, 64], [512]] },
    'recipe.activation': { choice: ['relu', 'selu', 'mish'] },
    'recipe.dropout': { choice: [0, 0.15, 0.3] },
    'recipe.embedding': { choice: ['none', 'pbld', 'periodic', 'piecewise-linear'] },
    'recipe.embeddingStd': { log: [0.05, 0.5] },
    'recipe.scale': { choice: [true, false] },
    ...(task !== 'regression' && { 'training.labelSmoothing': { choice: [0, 0.1] } }),
  };
}

/** How far a sweep goes below and above the config's own learning rate. */
const RATE_FACTORS = [1 / 30, 30];

function networkSpace({ network, training }: TrainConfig): SpaceConfig {
  const { learningRate } = training.optimizer;
  const [low, high] = RATE_FACTORS.map((factor) => Number((learningRate * factor).toPrecision(1)));
  const { layers } = network;
  const isOutput = (i: number) => layers.slice(i + 1).every(({ type }) => type !== 'linear');
  // A residual fixes the width of the layers around it.
  const isFixed = layers.some(({ type }) => type === 'residual');
  return {
    'training.optimizer.learningRate': { log: [low, high] },
    'training.batchSize': { int: [16, 256], log: true },
    'training.l2': { choice: [0, { log: [1e-6, 1e-2] }] },
    ...Object.fromEntries(
      layers.flatMap((layer, i): [string, Setting][] => {
        const path = `network.layers[${i}]`;
        if (layer.type === 'dropout') return [[`${path}.rate`, { float: [0, 0.5] }]];
        const isHidden = layer.type === 'linear' && !isOutput(i) && !isFixed;
        return isHidden ? [[`${path}.units`, widthsAround(layer.units)]] : [];
      }),
    ),
  };
}

/** From a quarter to twice as many units. */
function widthsAround(units: number): Setting {
  return { int: [Math.max(1, Math.round(units / 4)), units * 2], log: true };
}
