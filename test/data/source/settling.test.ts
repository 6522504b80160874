import { openSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openBytes } from '../../../src/data/source/source.js';
import { StoredFile } from '../../../src/data/source/storedFile.js';
import { settleFiles } from '../../support/settling.js';
import { Folder } from '../files.js';

beforeAll(() => settleFiles(true));
afterAll(() => settleFiles(false));
afterEach(() => void vi.useRealTimers());

const folder = new Folder();

/** Makes it so many milliseconds since the file was written. */
function writtenAgo(milliseconds: number): string {
  const path = folder.write('new.csv', 'a,y\n1,2\n');
  const now = Math.floor(statSync(path).ctimeMs) + milliseconds;
  vi.useFakeTimers({ toFake: ['Date'], now });
  return path;
}

/** Whether it is done without waiting for a timer. */
async function isDoneAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  for (let i = 0; i < 100; i++) await Promise.resolve();
  return isDone;
}

describe('a file that was written a moment ago', () => {
  it.each([
    [0, false],
    [14, false],
    [15, true],
  ])('is left alone until the clock has gone on: after %i ms', async (milliseconds, expected) => {
    const path = writtenAgo(milliseconds);
    const file = new StoredFile('new.csv', openSync(path, 'r'), path);
    const settled = file.settle();
    expect(await isDoneAtOnce(settled)).toBe(expected);
    await settled;
    file.close();
  });

  it.each([true, false])('is let settle before it is read, if its hash is wanted: %s', async (isHashed) => {
    const path = writtenAgo(0);
    const opened = openBytes(path, isHashed ? { keep: (stored) => stored?.close() } : {});
    expect(await isDoneAtOnce(opened)).toBe(!isHashed);
    (await opened).close();
  });
});
