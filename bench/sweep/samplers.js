/**
 * Compares samplers: ours, and Optuna's behind a pipe. A sampler is asked for the point of a trial, with
 * the results of all trials but the last `lag − 1`, which are still running.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { toOptuna } from '../../dist/sweep/optunaDistribution.js';
import { suggest } from '../../dist/sweep/sampler.js';

/** Our own sampler, by method. */
export function ownSampler(method) {
  return {
    name: method === 'tpe' ? 'mlp' : `mlp ${method}`,
    async open(space, seed) {
      const told = [];
      return {
        ask(trial, lag) {
          const history = told.map((observation) =>
            observation.trial <= trial - lag ? observation : { ...observation, state: 'pending' },
          );
          return suggest({ space, method, seed }, trial, history);
        },
        tell: (trial, point, value) =>
          told.push({
            trial,
            point,
            ...(Number.isFinite(value) ? { state: 'complete', value } : { state: 'failed' }),
          }),
      };
    },
    close() {},
  };
}

/** Optuna's samplers, by their name in optuna_peer.py. */
export function optunaSampler(name, python) {
  const peer = spawn(python, [fileURLToPath(new URL('optuna_peer.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const send = (message) => peer.stdin.write(`${JSON.stringify(message)}\n`);
  return {
    name,
    async open(space, seed) {
      const parameters = space.parameters.map(({ name, distribution, parent }) => ({
        name,
        distribution: toOptuna(distribution),
        parent,
      }));
      send({ open: name, seed, parameters });
      // A result is told when the trials that may not know it have been asked for.
      const waiting = [];
      return {
        async ask(trial, lag) {
          while (waiting.length >= lag) send(waiting.shift());
          send({ ask: trial });
          const { value } = await lines.next();
          return JSON.parse(value);
        },
        tell: (trial, _, value) =>
          waiting.push({ tell: trial, value: Number.isFinite(value) ? value : null }),
      };
    },
    close: () => peer.stdin.end(),
  };
}

/** The best value after each trial of a study, [trials]. */
export async function bestValues(sampler, { space, evaluate, seed, trials, lag }) {
  const study = await sampler.open(space, seed);
  const best = [];
  let least = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < trials; trial++) {
    const point = await study.ask(trial, lag);
    const value = await evaluate(point);
    study.tell(trial, point, value);
    least = Math.min(least, Number.isFinite(value) ? value : Number.POSITIVE_INFINITY);
    best.push(least);
  }
  return best;
}
