import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ReaderPool } from '../../../src/data/numeric/readerPool.js';
import { TUNING } from '../../../src/data/numeric/workspace.js';
import { ExitCode } from '../../../src/errors.js';
import { Folder, rejection } from '../files.js';
import { withSource } from './support.js';

const folder = new Folder();
const content = `a,b\n${'1,2\n'.repeat(5000)}`;
const task = { kind: 'scan', kept: [] } as const;

/** A pool of two threads on that file, whose second thread runs a script. */
function withPool<T>(
  script: string | undefined,
  use: (pool: ReaderPool, units: number) => Promise<T>,
): Promise<T> {
  return withSource(folder, content, async (source, { dataStart, delimiter }) => {
    const tuning = { ...TUNING, chunkBytes: 4 };
    const pool = new ReaderPool({
      file: source,
      format: { delimiter, dataStart, columns: 2, trailing: 0 },
      threads: 2,
      tuning,
      ...(script !== undefined && { script: new URL(`data:text/javascript,${encodeURIComponent(script)}`) }),
    });
    try {
      await once(pool.workers[0], 'online');
      return await use(pool, 5000);
    } finally {
      await pool.close();
    }
  });
}

/** The second thread takes a unit of some task: on a busy machine, not of the first. */
async function runUntilItFails(pool: ReaderPool, units: number): Promise<never> {
  for (;;) {
    await pool.run(task, units, () => {});
    await nextTurn();
  }
}

/** Takes a unit of every task, and then: */
const takeUnitAnd = (act: string) => `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ id, counter }) => {
    Atomics.add(new Int32Array(counter), 0, 1);
    ${act}
  });`;

describe('ReaderPool', () => {
  it('hands over the results of all threads in the order of the chunks', async () => {
    await withPool(undefined, async (pool, units) => {
      const order: number[] = [];
      const isNumeric = await pool.run(task, units, (chunk, unit) => {
        expect(chunk).toMatchObject({ rows: 1 });
        order.push(unit);
      });
      expect(isNumeric).toBe(true);
      expect(order).toEqual(Array.from({ length: units }, (_, unit) => unit));
    });
  });

  it.each([
    ['ends', 'process.exit(3);'],
    ['throws', 'throw new Error("lost");'],
  ])('is an error rather than a wait where a thread %s', async (_, act) => {
    const error = await rejection(withPool(takeUnitAnd(act), runUntilItFails));
    expect(error.exitCode).toBe(ExitCode.internal);
    expect(error.message).toContain('thread 2 of 2');
  });

  it('passes on the error that a thread has met', async () => {
    const failed = "{ type: 'failed', id, error: { exitCode: 74, message: 'gone', hint: 'look' } }";
    const act = `parentPort.postMessage(${failed});`;
    const error = await rejection(withPool(takeUnitAnd(act), runUntilItFails));
    expect([error.exitCode, error.message, error.hint]).toEqual([74, 'gone', 'look']);
  });

  it('stops where any thread declines', async () => {
    const act = `
      parentPort.postMessage({ type: 'result', id, unit: 0, result: undefined });
      parentPort.postMessage({ type: 'left', id });`;
    expect(await withPool(takeUnitAnd(act), (pool, units) => pool.run(task, units, () => {}))).toBe(false);
  });

  it('streams what other threads read, in order, and no more than a few chunks ahead', async () => {
    await withPool(undefined, async (pool) => {
      let taken = 0;
      let read = 0;
      pool.workers[0].on('message', ({ type }) => {
        if (type === 'result') read++;
      });
      for await (const chunk of pool.stream(task, 100, 3)) {
        expect(chunk).toMatchObject({ rows: 1, begin: 4 + 4 * taken });
        // The other thread has the time to read all of them.
        for (let turn = 0; taken === 0 && (turn < 1000 || read < 4); turn++) await nextTurn();
        expect(read).toBeLessThanOrEqual(taken + 4);
        taken++;
      }
      expect(taken).toBe(100);
    });
  });

  it.each([
    ['ends', 'process.exit(3);'],
    ['fails', "parentPort.postMessage({ type: 'failed', id, error: { message: 'gone' } });"],
    ['declines', "parentPort.postMessage({ type: 'result', id, index: 1 });"],
  ])('ends a stream after the chunks before those that a thread has not, which %s', async (_, act) => {
    const first = "parentPort.postMessage({ type: 'result', id, index: 0, result: { rows: 7 } });";
    await withPool(takeUnitAnd(`${first} ${act}`), async (pool, units) => {
      const chunks: unknown[] = [];
      for await (const chunk of pool.stream(task, units, 3)) chunks.push(chunk);
      expect(chunks).toEqual([{ rows: 7 }]);
    });
  });

  it('closes at once while a thread is at work, and twice', async () => {
    await withPool(takeUnitAnd('for (;;);'), async (pool, units) => {
      const running = pool.run(task, units, () => {});
      running.catch(() => {});
      await pool.close();
      await pool.close();
    });
  });
});
