/** Training runs in memory, for the tests of engines. */
import { onTestFinished } from 'vitest';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { type LoadOptions, loadDataset } from '../../src/data/dataset/loadDataset.js';
import type { KernelsChoice } from '../../src/kernels/create.js';
import type { Tensor } from '../../src/kernels/kernels.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import type { TrainConfig } from '../../src/spec/trainConfig.js';
import { type Engine, LocalEngine, type StepOptions } from '../../src/training/engine/engine.js';
import { Team, type TeamOptions } from '../../src/training/engine/team.js';
import { smallRuns, ThreadPool } from '../../src/training/engine/threadPool.js';
import { planTraining, type TrainingPlan } from '../../src/training/plan.js';
import { folderOf } from './cli.js';

export interface Problem {
  readonly config: TrainConfig;
  readonly plan: TrainingPlan;
  readonly dataset: Dataset;
}

/** `rows` rows of numbers that look random, `features` wide, and a target `y` that they say something of. */
export function csvOf(rows: number, features: number, target: 'classes' | 'values'): string {
  let state = 1;
  const next = () => {
    // Numerical Recipes' linear congruential generator
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const lines = Array.from({ length: rows }, (_, row) => {
    const x = Array.from({ length: features }, next);
    const y = x[0] - x[1] * x[2];
    // Each of three classes comes up, whatever the numbers are.
    const label = row < 3 ? row : y < -0.2 ? 0 : y < 0.2 ? 1 : 2;
    return [...x.map((value) => value.toFixed(4)), target === 'values' ? y.toFixed(4) : `c${label}`].join(
      ',',
    );
  });
  return [[...Array.from({ length: features }, (_, i) => `x${i}`), 'y'].join(','), ...lines].join('\n');
}

/** A config and its data, a CSV of odd sizes and three classes if none is given; `change` has the last word on the data. */
export async function prepare(
  config: Record<string, unknown>,
  csv: string = csvOf(131, 7, 'classes'),
  change: (dataset: Dataset) => Dataset = (dataset) => dataset,
  ranks = 1,
  options?: LoadOptions,
): Promise<Problem> {
  const folder = folderOf({
    'config.json': { data: { train: 'data.csv', target: 'y' }, ...config },
    'data.csv': csv,
  });
  const loaded = loadTrainConfig(`${folder}/config.json`);
  const dataset = change(await loadDataset(loaded.config, loaded.directory, undefined, options));
  return { config: loaded.config, plan: planTraining(loaded, dataset, ranks), dataset };
}

/** Threads that are held up wherever it must not matter; they serve one team after another. */
export const UNEVEN = {
  script: new URL('./threads/uneven.js', import.meta.url),
  pool: new ThreadPool({ milliseconds: 1000 }),
};

export function startTeam(
  { config, plan, dataset }: Problem,
  choice: KernelsChoice,
  threads: number,
  options: TeamOptions = { pool: smallRuns },
): Promise<Team> {
  return Team.start({ config, plan, choice, threads }, dataset, undefined, options);
}

/** The engine, which is closed when the test ends. */
export function closing<E extends Engine>(engine: E): E {
  onTestFinished(() => engine.close());
  return engine;
}

/** The plain kernels in this thread: what the rest is held to. */
export function startReference({ config, plan, dataset }: Problem): Engine {
  return LocalEngine.start({ config, plan, choice: { backend: 'reference', relaxed: false } }, dataset);
}

/** Takes steps, an epoch at a time as far as they go, and gives their losses. */
export async function trainSteps(
  engine: Engine,
  { config, plan }: Problem,
  steps: number,
  options?: StepOptions,
): Promise<number[]> {
  const losses: number[] = [];
  while (losses.length < steps) {
    const epoch = new Float64Array(Math.min(plan.stepsPerEpoch, steps - losses.length));
    const { done } = await engine.train(
      epoch,
      ratesOf(epoch, config.training.optimizer.learningRate),
      options,
    );
    losses.push(...epoch.subarray(0, done));
    if (done < epoch.length) break;
  }
  return losses;
}

/** The same learning rate for every step. */
export function ratesOf(losses: Float64Array, learningRate: number): Float64Array {
  return new Float64Array(losses.length).fill(learningRate);
}

/** All that a run leaves, as text that two runs have in common only where every bit is the same. */
export async function resultOf(engine: Engine, problem: Problem, steps: number): Promise<string> {
  const losses = await trainSteps(engine, problem, steps);
  const bitsOf = ({ data: { buffer, byteOffset, byteLength } }: Tensor) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64');
  const parameters = bitsOf(engine.parameters.values);
  const statistics = bitsOf(engine.statistics.values);
  return JSON.stringify({ losses, evaluations: await engine.evaluate(), parameters, statistics });
}
