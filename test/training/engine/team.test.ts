import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { KernelsChoice } from '../../../src/kernels/create.js';
import type { DType } from '../../../src/kernels/kernels.js';
import { findNative } from '../../../src/kernels/native/find.js';
import { LocalEngine, type StepProgress } from '../../../src/training/engine/engine.js';
import type { TeamOptions } from '../../../src/training/engine/team.js';
import { smallRuns, ThreadPool } from '../../../src/training/engine/threadPool.js';
import { runTraining } from '../../../src/training/loop.js';
import { FAST_BACKENDS } from '../../support/backends.js';
import { partsOf } from '../../support/datasets.js';
import {
  csvOf,
  type Problem,
  prepare,
  ratesOf,
  resultOf,
  startReference,
  startTeam,
  trainSteps,
  UNEVEN,
} from '../../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
const DTYPES = ['float32', 'float64'] as const;

const adam = { type: 'adam', learningRate: 0.01 };
const momentum = { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true };
const residual = { type: 'residual', layers: [17, 'gelu', 13] };

/** MLP_STRESS_RUNS=500 for a longer look, with the memory of the process on the screen. */
const SHORT_RUNS = Number(process.env.MLP_STRESS_RUNS ?? 5);

function note(where: string): void {
  if (!process.env.MLP_STRESS_RUNS) return;
  const { rss, heapUsed, external } = process.memoryUsage();
  const [r, h, e] = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 1e6));
  console.log(`${where}: resident ${r} MB, heap ${h} MB, external ${e} MB`);
}

/** Networks of odd widths; 131 rows, less a fifth, leave a tail behind batches of 25. */
const RUNS = [
  {
    name: 'a residual block, adam, L2',
    network: { layers: [13, 'tanh', residual, 'relu', 3] },
    training: { epochs: 3, batchSize: 25, optimizer: adam, l2: 0.01 },
  },
  {
    name: 'wide layers without a bias, momentum, batches with replacement',
    network: { layers: [{ type: 'linear', units: 131, bias: false }, 'silu', 65, 'elu', 3] },
    training: { epochs: 3, batchSize: 33, optimizer: momentum, batches: 'with-replacement', l2: 1e-4 },
  },
  {
    name: 'three members of an ensemble, with dropout',
    network: { layers: [9, 'relu', { type: 'dropout', rate: 0.3 }, 3], members: 3 },
    training: { epochs: 2, batchSize: 25, optimizer: adam },
  },
  {
    name: 'a batch ensemble behind an embedding, with dropout',
    network: {
      layers: ['numeric-embedding', 9, 'relu', { type: 'dropout', rate: 0.3 }, 7, 'gelu', 3],
      members: { count: 5, kind: 'batch-ensemble' },
    },
    training: { epochs: 2, batchSize: 25, optimizer: adam },
  },
  {
    name: 'a single layer, plain descent',
    network: { layers: [3] },
    training: { epochs: 3, batchSize: 7, optimizer: { type: 'sgd', learningRate: 0.1 } },
  },
  {
    name: 'a single row at a time',
    network: { layers: [9, 'sigmoid', 3] },
    training: { steps: 20, batchSize: 1, optimizer: adam },
  },
];

/** What a run with so many threads leaves. */
async function outcome(
  problem: Problem,
  threads: number,
  options: TeamOptions = {},
  choice: KernelsChoice = WASM,
): Promise<string> {
  const team = await startTeam(problem, choice, threads, { pool: smallRuns, ...options });
  try {
    return await resultOf(team, problem, problem.plan.steps);
  } finally {
    await team.close();
  }
}

// What float64 has of its own are the kernels, which are tested by themselves.
describe.each([
  { dtype: 'float32', sizes: [2, 3], repetitions: 6 },
  { dtype: 'float64', sizes: [4], repetitions: 2 },
])('a team on wasm, $dtype', ({ dtype, sizes, repetitions }) => {
  it.each(RUNS)('leaves the same bits for any number of threads: $name', async ({ network, training }) => {
    const problem = await prepare({ network, training, dtype });
    const { config, plan, dataset } = problem;
    const alone = LocalEngine.start({ config, plan, choice: WASM }, dataset);
    const expected = await resultOf(alone, problem, plan.steps);
    for (const threads of sizes) expect(await outcome(problem, threads), `${threads}`).toBe(expected);
  });

  it('leaves the same bits in every repetition', async () => {
    const problem = await prepare({ ...RUNS[0], name: undefined, dtype });
    const results = new Set<string>();
    for (let i = 0; i < repetitions; i++) {
      results.add(await outcome(problem, 2 + (i % 2)));
    }
    expect(results.size).toBe(1);
  });
});

describe('a team of threads that are held up wherever it must not matter', () => {
  it.each(RUNS)('leaves the same bits: $name', async ({ network, training }) => {
    const problem = await prepare({ network, training: { ...training, epochs: undefined, steps: 8 } });
    const expected = await outcome(problem, 1);
    expect(await outcome(problem, 3, UNEVEN)).toBe(expected);
  });

  it('evaluates a single layer, whose logits are the first thing to be written, as one thread does', async () => {
    const problem = await prepare(
      { network: { layers: [1] }, training: { epochs: 1, batchSize: 300 } },
      csvOf(1100, 5, 'values'),
    );
    const [one, team] = [await startTeam(problem, WASM, 1), await startTeam(problem, WASM, 2, UNEVEN)];
    const expected = await one.evaluate();
    for (let i = 0; i < 10; i++) expect(await team.evaluate()).toEqual(expected);
    await one.close();
    await team.close();
  });

  it('evaluates as many training rows as the config says, and all at the end', async () => {
    const start = async (rows: number, training: object) => {
      const csv = csvOf(1100, 5, 'values')
        .split('\n')
        .slice(0, rows + 1)
        .join('\n');
      const config = { network: { layers: [1] }, training: { epochs: 2, batchSize: 100, ...training } };
      const data = {
        train: 'data.csv',
        target: 'y',
        validation: 0,
        standardize: false,
        standardizeTarget: false,
      };
      return await prepare({ ...config, data }, csv);
    };
    const sampled = await start(1100, { evaluateRows: 300 });
    const [one, team] = [await startTeam(sampled, WASM, 1), await startTeam(sampled, WASM, 2, UNEVEN)];
    const [few, all] = [
      await startTeam(await start(300, {}), WASM, 1),
      await startTeam(await start(1100, {}), WASM, 1),
    ];
    const expected = await few.evaluate();
    expect(await one.evaluate(false)).toEqual(expected);
    expect(await team.evaluate(false)).toEqual(expected);
    expect(await team.evaluate(true)).toEqual(await all.evaluate());
    const { train } = await runTraining(one);
    expect(train).toEqual((await one.evaluate()).train);
    expect(train).toEqual((await runTraining(all)).train);
    for (const engine of [one, team, few, all]) await engine.close();
  });

  it('takes one command after another, however short', async () => {
    const problem = await prepare({ network: { layers: [5, 'relu', 3] }, training: { batchSize: 32 } });
    const [team, reference] = [await startTeam(problem, WASM, 3, UNEVEN), await startTeam(problem, WASM, 1)];
    const results = await Promise.all(
      [team, reference].map(async (engine) => {
        const all: unknown[] = [];
        for (let i = 0; i < 6; i++) {
          for (const steps of [0, 1, 2]) {
            const losses = new Float64Array(steps);
            const { done } = await engine.train(losses, ratesOf(losses, 0.01));
            all.push([done, ...losses]);
          }
          all.push(await engine.evaluate());
        }
        await engine.close();
        return all;
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });
});

describe('20 steps of a team', () => {
  const tolerance = { float32: 1e-4, float64: 1e-10 };
  const problemOf = (dtype: 'float32' | 'float64') =>
    prepare({
      network: { layers: [64, 'tanh', { type: 'residual', layers: [48, 'relu', 64] }, 33, 'gelu', 3] },
      training: { steps: 20, batchSize: 32, optimizer: { type: 'sgd', learningRate: 0.05 }, l2: 1e-3 },
      dtype,
    });
  /** The plain loops take longer than any backend: once for all of them. */
  const expected = new Map<DType, number[]>();
  const expectedOf = async (problem: Problem, dtype: DType) => {
    const losses = expected.get(dtype) ?? (await trainSteps(startReference(problem), problem, 20));
    expected.set(dtype, losses);
    return losses;
  };

  describe.each(FAST_BACKENDS)('$name', ({ choice, skip }) => {
    it.skipIf(skip).each(DTYPES)('has the losses of the reference, %s', async (dtype) => {
      const problem = await problemOf(dtype);
      const losses = await expectedOf(problem, dtype);
      expect(losses).toHaveLength(20);
      expect(losses[19]).toBeLessThan(0.95 * losses[0]);
      for (const threads of [1, 3]) {
        const team = await startTeam(problem, choice, threads);
        const found = await trainSteps(team, problem, 20);
        await team.close();
        expect(found).toBeAllclose(losses, { relative: tolerance[dtype] });
      }
    });
  });
});

const native = findNative({ arch: process.arch, env: {} });

describe.skipIf(native.sets.length === 0)(
  `a team on native${native.reason ? `: ${native.reason}` : ''}`,
  () => {
    it.each(DTYPES)(
      'leaves the same bits for 1 to 8 threads, held up or not, and every instruction set, %s',
      async (dtype) => {
        // Large enough for products to skip the zeros of relu.
        const network = { layers: [131, 'relu', { type: 'linear', units: 267, bias: false }, 'silu', 3] };
        const problem = await prepare({
          network,
          training: { steps: 3, batchSize: 65, optimizer: adam },
          dtype,
        });
        const { config, plan, dataset } = problem;
        const results = new Set<string>();
        for (const set of native.sets) {
          const choice = { backend: 'native', relaxed: false, set } as const;
          results.add(
            await resultOf(LocalEngine.start({ config, plan, choice }, dataset), problem, plan.steps),
          );
          for (const threads of [2, 3, 8]) results.add(await outcome(problem, threads, {}, choice));
          results.add(await outcome(problem, 3, UNEVEN, choice));
        }
        expect(results.size).toBe(1);
      },
    );

    it('leaves the same bits where threads are held up in what is done element by element', async () => {
      const ntk = (units: number) => ({ type: 'linear', units, parametrization: 'ntk' });
      const selu = { type: 'selu', parametric: true };
      const layers = ['scale', ntk(64), selu, { type: 'dropout', rate: 0.3 }, ntk(48), 'relu', ntk(3)];
      const problem = await prepare({
        network: { layers },
        training: { steps: 4, batchSize: 65, optimizer: adam },
        dtype: 'float32',
      });
      for (const set of native.sets) {
        const choice = { backend: 'native', relaxed: false, set } as const;
        expect(await outcome(problem, 3, UNEVEN, choice)).toBe(await outcome(problem, 1, {}, choice));
      }
    });

    it.each(DTYPES)('leaves the bits of wasm where it sums as wasm does, %s', async (dtype) => {
      const network = { layers: [131, 'relu', 67, 'silu', 3] };
      const training = { steps: 6, batchSize: 33, optimizer: adam };
      const problem = await prepare({ network, training, dtype });
      const expected = await outcome(problem, 2);
      for (const waits of [0, 1e6]) {
        expect(await outcome(problem, 3, {}, { ...WASM, exact: { waits } })).toBe(expected);
      }
    });
  },
);

describe('an interrupted team', () => {
  it('finishes the step at hand, and goes on as if nothing had been', async () => {
    const problem = await prepare(
      { network: { layers: [64, 'tanh', 3] }, training: { epochs: 1, batchSize: 1 } },
      csvOf(2000, 7, 'classes'),
    );
    const { stepsPerEpoch } = problem.plan;
    const uninterrupted = await startTeam(problem, WASM, 1);
    const expected = await trainSteps(uninterrupted, problem, stepsPerEpoch);
    await uninterrupted.close();

    for (const options of [undefined, UNEVEN]) {
      const team = await startTeam(problem, WASM, 3, options);
      const losses: number[] = [];
      for (let i = 0; i < 5; i++) {
        const rest = new Float64Array(stepsPerEpoch - losses.length);
        const controller = new AbortController();
        const running = team.train(rest, ratesOf(rest, 0.001), { signal: controller.signal });
        setImmediate(() => controller.abort());
        const { done, samples } = await running;
        expect([done >= 1, done < rest.length, samples]).toEqual([true, true, done]);
        losses.push(...rest.subarray(0, done));
      }
      await team.close();
      expect(losses).toEqual(expected.slice(0, losses.length));
    }
  });

  it('tells how far it has come meanwhile', async () => {
    const problem = await prepare({
      network: { layers: [9, 'tanh', 3] },
      training: { steps: 20, batchSize: 30, batches: 'with-replacement' },
    });
    // In one epoch, and so slowly that there is something to tell.
    const plan = { ...problem.plan, stepsPerEpoch: 20 };
    const team = await startTeam({ ...problem, plan }, WASM, 2, UNEVEN);
    const told: StepProgress[] = [];
    const losses = new Float64Array(20);
    await team.train(losses, ratesOf(losses, 0.01), { progress: (progress) => told.push(progress) });
    await team.close();
    expect(told.length).toBeGreaterThan(0);
    for (const { done, loss, samples } of told) {
      expect(loss).toBe(losses[done - 1]);
      expect(samples).toBeGreaterThanOrEqual(30 * done);
    }
    const steps = told.map(({ done }) => done);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });
});

describe('teams beside each other and one after another', () => {
  it('do not disturb each other in one process', async () => {
    const problem = await prepare({ ...RUNS[0], name: undefined });
    const other = await prepare({ ...RUNS[1], name: undefined, dtype: 'float64', seed: 7 });
    const alone = [await outcome(problem, 2), await outcome(other, 2)];
    const together = await Promise.all([outcome(problem, 2), outcome(other, 2)]);
    expect(together).toEqual(alone);
  });

  it('leave no thread and no memory behind, one after another', async () => {
    const problem = await prepare({ network: { layers: [64, 'relu', 3] }, training: { steps: 4 } });
    const results = new Set<string>();
    const [{ memory }] = partsOf(problem.dataset);
    const sizes = new Set<number>();
    for (let i = 0; i < SHORT_RUNS; i++) {
      const team = await startTeam(problem, WASM, 2, {});
      sizes.add(memory.buffer.byteLength);
      results.add(await resultOf(team, problem, 4));
      await team.close();
      expect(team.workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
      if (i % 100 === 0 || i === SHORT_RUNS - 1) note(`run ${i + 1}`);
    }
    expect(results.size).toBe(1);
    // Each run has taken the region of the one before.
    expect(sizes.size).toBe(1);
  });

  it('leave threads to a pool, as long as that says, and not those of a large run', async () => {
    const problem = await prepare({ network: { layers: [5, 'relu', 3] }, training: { steps: 4 } });
    const workersOf = async (pool: ThreadPool) => {
      const team = await startTeam(problem, WASM, 2, { pool });
      await team.close();
      return team.workers;
    };
    const pool = new ThreadPool();
    const workers = await workersOf(pool);
    expect(new Set(await workersOf(pool))).toEqual(new Set(workers));
    await pool.close();
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
    const short = await workersOf(new ThreadPool({ milliseconds: 1 }));
    await vi.waitFor(() => expect(short.map(({ threadId }) => threadId)).toEqual([-1, -1]));
    const large = await workersOf(new ThreadPool({ mostBytes: 1000 }));
    expect(large.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  it('take a thread that was started before its run was known, for a large run, too', async () => {
    const problem = await prepare({ ...RUNS[0], name: undefined });
    const expected = await outcome(problem, 2);
    for (const [mostBytes, isKept] of [
      [1e9, true],
      [1000, false],
    ] as const) {
      const pool = new ThreadPool({ mostBytes });
      pool.warm();
      pool.warm();
      const started = vi.spyOn(pool, 'take');
      expect(await outcome(problem, 2, { pool })).toBe(expected);
      const [first, second] = started.mock.results.map(({ value }) => value);
      expect([first === undefined, second === undefined]).toEqual([false, true]);
      expect(first.threadId >= 0).toBe(isKept);
      await pool.close();
      expect(first.threadId).toBe(-1);
      pool.warm();
      expect(pool.take({} as never)).toBeUndefined();
    }
  });

  it('cost no time while they have nothing to do', async () => {
    const problem = await prepare({ ...RUNS[0], name: undefined });
    const team = await startTeam(problem, WASM, 3);
    await trainSteps(team, problem, 4);
    await pause(50);
    const { user: userBefore, system: systemBefore } = process.cpuUsage();
    const start = performance.now();
    await pause(300);
    const { user, system } = process.cpuUsage();
    const share = (user + system - userBefore - systemBefore) / 1000 / (performance.now() - start);
    await team.close();
    // A thread that spins would take a whole processor.
    expect(share).toBeLessThan(0.3);
  });
});
