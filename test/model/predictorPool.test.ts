import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { rowsIn } from '../../src/data/featureMatrix.js';
import { ExitCode } from '../../src/errors.js';
import { ensembleOf } from '../../src/model/ensemble.js';
import { Inference } from '../../src/model/inference.js';
import type { ModelContent } from '../../src/model/model.js';
import { PassThread } from '../../src/model/pool/passThread.js';
import { PredictorPool, type ThreadCount } from '../../src/model/pool/predictorPool.js';
import { RandomState } from '../../src/random/randomState.js';
import { rejection } from '../data/files.js';
import { BINARY, CONTENT, modelOf, networkOf } from './models.js';

const INPUTS = 6;
const CAPACITY = 16;

function normals(rows: number): Float32Array {
  const random = new RandomState(5);
  return Float32Array.from({ length: rows * INPUTS }, () => random.randn());
}

const hex = (values: Float64Array | Float32Array) => Buffer.from(values.slice().buffer).toString('hex');

const open: PredictorPool[] = [];
afterEach(async () => {
  for (const pool of open.splice(0)) await pool.close();
});

/** A pool all of whose threads have started. */
async function poolOf(
  model: Parameters<typeof PredictorPool.create>[0],
  threads: number,
): Promise<PredictorPool> {
  const pool = PredictorPool.create(model, { threads, capacity: CAPACITY });
  open.push(pool);
  while (pool.threads < threads) await nextTurn();
  return pool;
}

/** The bits of what is predicted for each row; all rows are written to the inputs of all networks. */
async function bitsOf(pool: PredictorPool, features: Float32Array, from = 0): Promise<string[]> {
  const rows = features.length / INPUTS;
  const chunks = Array.from({ length: Math.ceil((rows - from) / pool.capacity) }, (_, i) => {
    const first = from + i * pool.capacity;
    return { first, rows: Math.min(pool.capacity, rows - first) };
  });
  const found: string[] = [];
  for await (const { rows: count, logits } of pool.inOrder(chunks, (chunk, { parts }) => {
    const own = features.subarray(chunk.first * INPUTS, (chunk.first + chunk.rows) * INPUTS);
    for (const { x } of parts) x.data.set(own);
    return chunk;
  })) {
    const numbers = pool.predictions(count);
    for (let row = 0; row < count; row++) {
      const { outputs, width } = pool;
      const own = logits.data.subarray(row * outputs, (row + 1) * outputs) as Float32Array;
      found.push(`${hex(own)} ${hex(numbers.subarray(row * width, (row + 1) * width))}`);
    }
  }
  return found;
}

const MEMBERS: ModelContent = {
  ...BINARY,
  network: { ...networkOf([20, { type: 'selu' }, 1]), members: 3 },
};

describe('a pool of threads', () => {
  const ensemble = () =>
    ensembleOf('e', [
      { model: modelOf(CONTENT), weight: 2 },
      { model: modelOf({ ...CONTENT, network: networkOf([7, 'relu', 3]) }), weight: 1 },
    ]);

  it.each([
    ['a network', () => modelOf(CONTENT)],
    ['members', () => modelOf(MEMBERS)],
    ['an ensemble', ensemble],
  ])('predicts a row with the same bits on any number of threads, wherever it is: %s', async (_, make) => {
    const model = make();
    // The last chunk has 5 rows of 16.
    const features = normals(20 * CAPACITY + 5);
    const alone = await bitsOf(await poolOf(model, 1), features);
    expect(new Set(alone).size).toBe(20 * CAPACITY + 5);
    const several = await poolOf(model, 2);
    expect(several.threads).toBe(2);
    expect(await bitsOf(several, features)).toEqual(alone);
    expect(await bitsOf(several, features, 7)).toEqual(alone.slice(7));
  });

  it('passes the rows of a fold through the members that are trained without it', async () => {
    const model = modelOf(MEMBERS);
    const features = normals(90);
    const folds = [40, 30, 20];
    const logitsOf = async (threads: number) => {
      const pool = await poolOf(model, threads);
      const found: [number, number, string][] = [];
      for await (const { first, rows, logits } of pool.passes(rowsIn(features, INPUTS), folds))
        found.push([first, rows, hex(logits.data)]);
      return found;
    };
    const alone = await logitsOf(1);
    expect(alone.map(([first, rows]) => [first, rows])).toEqual([
      ...[0, 16].map((first) => [first, 16]),
      [32, 8],
      [40, 16],
      [56, 14],
      [70, 16],
      [86, 4],
    ]);
    const inference = Inference.create(model, CAPACITY);
    inference.x.data.set(features.subarray(70 * INPUTS, 86 * INPUTS));
    expect(alone[5][2]).toBe(hex(inference.forward(16, [2]).data as Float32Array));
    expect(await logitsOf(2)).toEqual(alone);
  });

  it('hands out the rows before an error first, and takes rows again after it', async () => {
    const pool = await poolOf(modelOf(BINARY), 3);
    const seen: number[] = [];
    const read = (function* () {
      for (let i = 0; i < 9; i++) yield i;
      throw new Error('the tenth');
    })();
    const pass = async () => {
      for await (const { item } of pool.inOrder(read, (item) => ({ item, rows: 1 }))) seen.push(item);
    };
    await expect(pass()).rejects.toThrow('the tenth');
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await bitsOf(pool, normals(50))).toEqual(
      await bitsOf(await poolOf(modelOf(BINARY), 1), normals(50)),
    );
  });

  it('frees its predictors where the rest is not wanted', async () => {
    const pool = await poolOf(modelOf(BINARY), 2);
    for (let i = 0; i < 10; i++)
      for await (const _ of pool.inOrder([1, 2, 3, 4, 5], (rows) => ({ rows }))) break;
    expect(await bitsOf(pool, normals(50))).toHaveLength(50);
  });

  it.each<[ThreadCount, number]>([
    ['auto', 1],
    [1, 1],
  ])('starts no thread for little work: %s', async (threads, expected) => {
    const pool = PredictorPool.create(modelOf(CONTENT), { threads });
    open.push(pool);
    await bitsOf(pool, normals(2000));
    expect(pool.threads).toBe(expected);
  });

  it('starts only as many threads as there is memory for: what they write fits into 256 MB', () => {
    const plain = (units: number) => ({ type: 'linear', units, init: { type: 'zeros' } });
    const poolOfUnits = (units: number) =>
      PredictorPool.create(modelOf({ ...BINARY, network: networkOf([plain(units), 'relu', plain(1)]) }), {
        threads: 2,
      });
    open.push(poolOfUnits(1000), poolOfUnits(100_000));
    expect(open.map(({ mostThreads }) => mostThreads)).toEqual([2, 1]);
  });
});

describe('a thread that fails', () => {
  const fails = (code: string) =>
    new PassThread({ networks: [] }, new URL(`data:text/javascript,${encodeURIComponent(code)}`));

  it.each([
    ['at its start', 'throw new Error("no room")', 'no room'],
    ['without a word', 'process.exit(0)', 'it ended before its work was done'],
  ])('ends what waits for it with an error: %s', async (_, code, reason) => {
    const thread = fails(code);
    const { exitCode, message, hint } = await rejection(thread.pass({ network: 0, buffer: 0 }));
    expect(exitCode).toBe(ExitCode.internal);
    expect(message).toBe(`a thread that predicts failed: ${reason}`);
    expect(hint).toContain('--threads 1');
    expect((await rejection(thread.pass({ network: 0, buffer: 0 }))).message).toBe(message);
    await thread.close();
  });
});
