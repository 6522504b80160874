import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { ThreadPool } from '../../src/training/engine/threadPool.js';
import { type Job, planParallel, runJobs } from '../../src/training/parallel.js';
import { RunData } from '../../src/training/runData.js';
import { train } from '../../src/training/train.js';
import { folderOf } from '../support/cli.js';
import { partsOf } from '../support/datasets.js';
import { csvOf } from '../support/runs.js';

/** What jobs do: `+2` when the third starts, `-2` when it ends. */
function recorder() {
  const log: string[] = [];
  let running = 0;
  let most = 0;
  const job =
    (name: number, turns: number, fault?: Error): Job =>
    async (signal) => {
      log.push(`+${name}`);
      most = Math.max(most, ++running);
      for (let turn = 0; turn < turns && !signal.aborted; turn++) await nextTurn();
      running--;
      log.push(`-${name}`);
      if (fault) throw fault;
    };
  return { log, job, most: () => most };
}

describe('jobs', () => {
  it('start in their order, so many at a time, as soon as there is room', async () => {
    const { log, job, most } = recorder();
    await runJobs([job(0, 9), job(1, 2), job(2, 2), job(3, 1)], { atOnce: 2 });
    expect(log).toEqual(['+0', '+1', '-1', '+2', '-2', '+3', '-3', '-0']);
    expect(most()).toBe(2);
  });

  it('end when one fails, and its error is that of all', async () => {
    const { log, job } = recorder();
    const jobs = [job(0, 1000), job(1, 2, new Error('no')), job(2, 1)];
    await expect(runJobs(jobs, { atOnce: 2 })).rejects.toThrow('no');
    expect(log).toEqual(['+0', '+1', '-1', '-0']);
  });

  it('end when the signal is aborted, and no more are started', async () => {
    const { log, job } = recorder();
    const controller = new AbortController();
    const interrupt: Job = async () => controller.abort();
    await runJobs([job(0, 1000), interrupt, job(2, 1)], { atOnce: 2, signal: controller.signal });
    expect(log).toEqual(['+0', '-0']);
  });

  it('have as many threads whatever their number', () => {
    expect(planParallel('auto', 8)).toEqual({ atOnce: 8, threads: 1 });
    expect(planParallel(2, 3)).toEqual({ atOnce: 3, threads: 2 });
    expect(planParallel(1000)).toEqual({ atOnce: 1, threads: 1000 });
  });
});

describe('runs on the same data', () => {
  it('leave the bits that each leaves alone, in the memory of one dataset', async () => {
    const folder = folderOf({
      'config.json': {
        data: { train: 'data.csv', target: 'y' },
        network: { layers: [33, 'relu', { type: 'dropout', rate: 0.2 }, 3] },
        training: { epochs: 4, batchSize: 25, optimizer: { type: 'adam', learningRate: 0.01 } },
        threads: 1,
      },
      'data.csv': csvOf(131, 7, 'classes'),
    });
    const settings = [[], ['deterministic=true'], ['network.layers[0]=57'], ['training.l2=0.01']];
    const configs = settings.map((set) => loadTrainConfig(`${folder}/config.json`, set));
    const alone: string[] = [];
    // A pool of its own: threads of the usual one wait for a second.
    const first = new ThreadPool();
    for (const config of configs) alone.push((await train(config, { pool: first })).model.sha256);
    await first.close();

    const pool = new ThreadPool();
    const data = await RunData.read(configs[0], {});
    // Each config three times, so that regions and threads are used again.
    const together = configs.map(() => [] as string[]);
    const jobs = [0, 1, 2].flatMap(() =>
      configs.map(
        (config, i): Job =>
          async () => {
            const { model } = await train(config, { data, pool });
            together[i].push(model.sha256);
          },
      ),
    );
    const [{ memory }] = partsOf(data.dataset);
    const before = memory.buffer.byteLength;
    const [, , largest] = jobs;
    await largest(new AbortController().signal);
    const one = memory.buffer.byteLength - before;
    for (const _ of [1, 2]) await runJobs(jobs, { atOnce: 3 });
    data.close();
    await pool.close();
    expect(together).toEqual(alone.map((sha256, i) => new Array(i === 2 ? 7 : 6).fill(sha256)));
    // Room for three, and for gaps that depend on which run ends first: not for all 25.
    expect(memory.buffer.byteLength - before).toBeLessThan(8 * one);
    expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
  });
});
