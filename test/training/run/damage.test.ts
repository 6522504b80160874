import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHECKSUM_LINE_BYTES, CheckpointStore } from '../../../src/training/run/checkpoints.js';
import { temporaryFolder } from '../../support/cli.js';
import { contentOf, load } from './content.js';

/** Checkpoints of steps 8 and 12, of which the newer can be overwritten. */
async function rewritable() {
  const folder = temporaryFolder();
  const store = new CheckpointStore(folder);
  for (const step of [8, 12]) await store.save(step, contentOf(step));
  const path = join(folder, 'step-12.checkpoint');
  const whole = readFileSync(path);
  const fd = openSync(path, 'r+');
  onTestFinished(() => closeSync(fd));
  const write = (bytes: Uint8Array) => {
    ftruncateSync(fd, bytes.length);
    writeSync(fd, bytes, 0, bytes.length, 0);
  };
  return { folder, path, whole, write };
}

/** Whether the damage is noticed, and told in one sentence. */
async function expectDamage(folder: string, path: string, what: string): Promise<void> {
  const { step, warnings } = await load(folder);
  expect(step, what).toBe(8);
  expect(warnings, what).toEqual([expect.stringMatching(/: found .*, expected .*: using step-8$/)]);
  expect(warnings[0].startsWith(`${path}: found `), what).toBe(true);
}

describe('a checkpoint of which', () => {
  it('any byte has changed is not believed', async () => {
    const { folder, path, whole, write } = await rewritable();
    for (let at = 0; at < whole.length; at++) {
      // A single bit, a different one each time; all of them where the checksum itself is struck.
      for (const mask of at < CHECKSUM_LINE_BYTES ? [0xff, 1 << (at % 8)] : [1 << (at % 8)]) {
        const bytes = Buffer.from(whole);
        bytes[at] ^= mask;
        write(bytes);
        await expectDamage(folder, path, `byte ${at} xor ${mask}`);
      }
    }
    write(whole);
    expect(await load(folder)).toMatchObject({ step: 12, warnings: [] });
  });

  it('the end is missing is not believed, wherever it is cut', async () => {
    const { folder, path, whole, write } = await rewritable();
    for (let length = 0; length < whole.length; length++) {
      write(whole.subarray(0, length));
      await expectDamage(folder, path, `${length} bytes`);
    }
  });

  it('more follows is not believed', async () => {
    const { folder, path, whole, write } = await rewritable();
    write(Buffer.concat([whole, Buffer.alloc(1)]));
    await expectDamage(folder, path, 'a zero behind');
    write(Buffer.concat([whole, whole]));
    await expectDamage(folder, path, 'twice');
  });

  it('only zeros were written is not believed', async () => {
    const { folder, path, whole, write } = await rewritable();
    write(Buffer.alloc(whole.length));
    await expectDamage(folder, path, 'zeros');
    write(
      Buffer.concat([
        whole.subarray(0, CHECKSUM_LINE_BYTES),
        Buffer.alloc(whole.length - CHECKSUM_LINE_BYTES),
      ]),
    );
    await expectDamage(folder, path, 'a checksum and zeros');
  });
});
