/**
 * Compares samplers on cheap functions, after a number of trials, by how far the best value lies above
 * the least one: the geometric mean over seeds.
 *
 *   node bench/sweep/compare.js [--seeds 30] [--trials 50] [--python PYTHON]
 *
 * PYTHON has Optuna; without it, only ours are compared. Each sampler runs with one trial at a time and
 * with four: then it does not know the results of the last three.
 */
import { parseArgs } from 'node:util';
import { checkSweep } from '../../dist/spec/sweepConfig.js';
import { Space } from '../../dist/sweep/space.js';
import { FUNCTIONS } from './functions.js';
import { bestValues, optunaSampler, ownSampler } from './samplers.js';

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '30' },
    trials: { type: 'string', default: '50' },
    python: { type: 'string' },
  },
});

/** Smaller distances count as this one: they are all found. */
const LEAST_DISTANCE = 1e-4;

function geometricMean(numbers) {
  const logs = numbers.map((x) => Math.log(Math.max(x, LEAST_DISTANCE)));
  return Math.exp(logs.reduce((sum, x) => sum + x, 0) / numbers.length);
}

async function distanceOf(sampler, { space: settings, value, least }, lag) {
  const space = Space.of(checkSweep({ space: settings }).sweep.space);
  const evaluate = (point) =>
    value(Object.fromEntries(space.settingsOf(point).map(({ path, value }) => [path, value])));
  const distances = [];
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    const trials = Number(options.trials);
    const best = await bestValues(sampler, { space, evaluate, seed, trials, lag });
    distances.push(best.at(-1) - least);
  }
  return geometricMean(distances);
}

const samplers = [
  ...['tpe', 'random'].map(ownSampler),
  ...(options.python
    ? ['optuna', 'optuna independent', 'optuna random'].map((name) => optunaSampler(name, options.python))
    : []),
];
const names = Object.keys(FUNCTIONS);
console.log(['sampler', 'at once', ...names, 'mean', 'ms a trial'].join('\t'));
for (const lag of [1, 4]) {
  for (const sampler of samplers) {
    const start = performance.now();
    const distances = [];
    for (const name of names) distances.push(await distanceOf(sampler, FUNCTIONS[name], lag));
    const trials = names.length * Number(options.seeds) * Number(options.trials);
    const figures = [...distances, geometricMean(distances)].map((x) => x.toPrecision(3));
    console.log(
      [sampler.name, lag, ...figures, ((performance.now() - start) / trials).toFixed(2)].join('\t'),
    );
  }
}
for (const sampler of samplers) sampler.close();
