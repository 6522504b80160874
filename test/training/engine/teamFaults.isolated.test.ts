import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ExitCode, MlpError } from '../../../src/errors.js';
import type { Team, TeamOptions } from '../../../src/training/engine/team.js';
import { csvOf, prepare, startTeam } from '../../support/runs.js';

/** The next team's thread of this rank can't be started; −1 for none. */
const startup = vi.hoisted(() => ({ failingRank: -1 }));

vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class FailingWorker extends actual.Worker {
    constructor(...[script, options]: ConstructorParameters<typeof Worker>) {
      if (options?.workerData.rank === startup.failingRank) throw new Error('no more threads');
      super(script, options);
    }
  }
  return { ...actual, Worker: FailingWorker };
});

const WASM = { backend: 'wasm', relaxed: false } as const;
const FAULTY = {
  script: new URL('../../support/threads/faulty.js', import.meta.url),
  resourceLimits: { maxOldGenerationSizeMb: 32 },
};
/** Within which a failure must end a run. */
const LIMIT = 5000;
const NEVER = 1_000_000;

function fault(kind: string, rank: number, step: number): void {
  vi.stubEnv('MLP_TEST_FAULT', kind);
  vi.stubEnv('MLP_TEST_RANK', String(rank));
  vi.stubEnv('MLP_TEST_STEP', String(step));
}

afterEach(() => {
  vi.unstubAllEnvs();
  startup.failingRank = -1;
});

/** A team with an epoch of a million steps before it. */
async function startLong(threads = 3, options: TeamOptions = FAULTY): Promise<Team> {
  const problem = await prepare(
    { network: { layers: [33, 'tanh', 3] }, training: { steps: NEVER, batchSize: 1 } },
    csvOf(200, 4, 'classes'),
  );
  // An epoch longer than any test: room for as many losses, and no rows beyond the few there are.
  const plan = { ...problem.plan, stepsPerEpoch: NEVER };
  return startTeam({ ...problem, plan }, WASM, threads, options);
}

const longEpoch = (team: Team) => team.train(new Float64Array(NEVER), new Float64Array(NEVER));

/** What a promise is rejected with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('resolved'),
    (error: unknown) => error,
  );
}

async function expectClosed(team: Team): Promise<void> {
  await team.close();
  expect(team.workers.map(({ threadId }) => threadId)).toEqual(team.workers.map(() => -1));
}

describe('a thread that fails in the middle of an epoch ends the run', () => {
  it.each([
    ['throws', 0, 'no more numbers'],
    ['throws', 2, 'no more numbers'],
    ['throws a string', 1, 'a string'],
    ['throws nothing', 1, 'undefined'],
    ['exits', 0, 'it ended before its work was done'],
    ['exits', 1, 'it ended before its work was done'],
    ['runs out of memory', 1, /memory limit/],
    ['overflows its stack', 0, /call stack/],
  ])('when it %s (rank %i)', { timeout: LIMIT }, async (kind, rank, reason) => {
    fault(kind, rank, 20);
    const team = await startLong();
    const error = (await failureOf(longEpoch(team))) as MlpError;
    expect(error).toBeInstanceOf(MlpError);
    expect(error.exitCode).toBe(ExitCode.internal);
    expect(error.message).toContain(`thread ${rank + 1} of 3 failed: `);
    expect(error.message).toMatch(reason);
    // And nothing can be asked of it any more.
    expect(await failureOf(team.train(new Float64Array(1), new Float64Array(1)))).toBe(error);
    expect(await failureOf(team.evaluate())).toBe(error);
    await expectClosed(team);
  });

  it.each([0, 1, 2])('when thread %i is terminated from outside', { timeout: LIMIT }, async (rank) => {
    const team = await startLong();
    const failure = failureOf(longEpoch(team));
    setImmediate(() => team.workers[rank].terminate());
    expect(String(await failure)).toContain(`thread ${rank + 1} of 3 failed: it ended before`);
    await expectClosed(team);
  });

  it('when it is the only one', { timeout: LIMIT }, async () => {
    fault('throws', 0, 3);
    const team = await startLong(1);
    expect(String(await failureOf(longEpoch(team)))).toContain('thread 1 of 1 failed: no more numbers');
    await expectClosed(team);
  });
});

describe('a thread that fails', () => {
  it.each(['throws', 'exits'])(
    'before it is ready (%s) leaves none behind',
    { timeout: LIMIT },
    async (kind) => {
      fault(kind, 1, -1);
      const error = await failureOf(startLong());
      expect(error).toBeInstanceOf(MlpError);
      expect(String(error)).toContain('thread 2 of 3 failed: ');
      expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
    },
  );

  it('to start at all leaves none behind', { timeout: LIMIT }, async () => {
    startup.failingRank = 2;
    const error = await failureOf(startLong());
    expect(error).toBeInstanceOf(MlpError);
    expect(String(error)).toContain('thread 3 of 3 failed: no more threads');
    expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
  });

  it('while nothing is asked of it says so at the next command', { timeout: LIMIT }, async () => {
    const team = await startLong();
    await team.workers[2].terminate();
    expect(String(await failureOf(team.evaluate()))).toContain('thread 3 of 3 failed');
    await expectClosed(team);
  });

  it('keeps the exit code of its error', { timeout: LIMIT }, async () => {
    const problem = await prepare({ network: { layers: [3] } });
    const choice = { backend: 'blas', relaxed: false, library: '/no/such/library.so' } as const;
    const error = (await failureOf(startTeam(problem, choice, 2))) as MlpError;
    expect([error.name, error.exitCode]).toEqual(['MlpError', ExitCode.unavailable]);
    expect(error.message).toContain('/no/such/library.so: found a BLAS that no longer works');
  });
});

describe('closing a team', () => {
  it('ends one in the middle of an epoch, and the epoch with it', { timeout: LIMIT }, async () => {
    const team = await startLong();
    const failure = failureOf(longEpoch(team));
    await expectClosed(team);
    expect(String(await failure)).toContain('the team was closed');
    expect(String(await failureOf(team.evaluate()))).toContain('the team is closed');
  });

  it('ends a thread that hears nothing', { timeout: LIMIT }, async () => {
    fault('waits for ever', 1, 2);
    const team = await startLong();
    const failure = failureOf(longEpoch(team));
    await expectClosed(team);
    expect(String(await failure)).toContain('the team was closed');
  });

  it('may be done twice', async () => {
    const team = await startLong(2);
    await Promise.all([team.close(), team.close()]);
    await expectClosed(team);
  });
});

describe('a team', () => {
  it('refuses more steps than an epoch has', async () => {
    const problem = await prepare({ network: { layers: [3] }, training: { epochs: 2, batchSize: 32 } });
    const team = await startTeam(problem, WASM, 1);
    await expect(team.train(new Float64Array(5), new Float64Array(5))).rejects.toThrow(
      'train: found 5 steps, expected at most 4',
    );
    await team.close();
  });
});
