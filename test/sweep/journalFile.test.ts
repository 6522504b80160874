import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendLines, lockJournal } from '../../src/sweep/journalFile.js';
import { endedPid } from '../files/processes.js';
import { folderWith } from '../spec/support.js';

describe('the file of a journal', () => {
  it('is made, and gets whole lines', async () => {
    const folder = folderWith({});
    const path = join(folder, 'study.log');
    await appendLines(path, ['{"a":1}', '{"b":"ü"}']);
    await appendLines(path, ['{"c":3}']);
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"b":"ü"}\n{"c":3}\n');
    expect(readdirSync(folder)).toEqual(['study.log']);
  });

  it.each([
    ['{"a":1}\n{"b', '{"a":1}\n'],
    ['{"b', ''],
    [`{"a":1}\n${'x'.repeat(200_000)}`, '{"a":1}\n'],
  ])('loses a torn last line before the next', async (torn, kept) => {
    const path = join(folderWith({ 'study.log': torn }), 'study.log');
    await appendLines(path, ['{}']);
    expect(readFileSync(path, 'utf8')).toBe(`${kept}{}\n`);
  });

  it('keeps the lines of all who append at once', async () => {
    const path = join(folderWith({}), 'study.log');
    const lines = Array.from({ length: 10 }, (_, i) => `${i}`);
    await Promise.all(lines.map((line) => appendLines(path, [line])));
    expect(readFileSync(path, 'utf8').trim().split('\n').sort()).toEqual(lines);
  });

  it('takes over the lock of an mlp that was killed', async () => {
    const deadPid = endedPid();
    const owner = `.study.log.${deadPid}.00000000.partial`;
    const identity = JSON.stringify({ pid: deadPid, host: hostname() });
    const folder = folderWith({ 'study.log': '', [owner]: identity });
    symlinkSync(owner, join(folder, 'study.log.lock'));
    await appendLines(join(folder, 'study.log'), ['1']);
    expect(readdirSync(folder)).toEqual(['study.log']);
  });

  it("waits for Optuna's lock, and takes over one that stays unchanged", async () => {
    const folder = folderWith({ 'study.log': '' });
    const path = join(folder, 'study.log');
    symlinkSync(path, `${path}.lock`);
    const lock = await lockJournal(path, { graceSeconds: 0.02 });
    expect(readFileSync(`${path}.lock`, 'utf8')).toContain(`"pid":${process.pid}`);
    lock.release();
    expect(readdirSync(folder)).toEqual(['study.log']);
  });

  it.each([
    ['an mlp', (path: string) => lockJournal(path), `process ${process.pid} on computer "${hostname()}"`],
    ['Optuna', (path: string) => symlinkSync(path, `${path}.lock`), 'another process'],
  ])('says once after a second that %s has the lock', async (_, lockFirst, name) => {
    const path = join(folderWith({ 'study.log': '' }), 'study.log');
    await lockFirst(path);
    const said: string[] = [];
    let slept = 0;
    const sleep = async (milliseconds: number) => {
      slept += milliseconds;
      if (slept < 1000) expect(said).toEqual([]);
      if (slept > 3000) rmSync(`${path}.lock`);
    };
    const lock = await lockJournal(path, { waits: (sentence) => said.push(sentence), sleep });
    lock.release();
    const until = 'a lock that does not change for 30 seconds is taken over';
    expect(said).toEqual([`waiting: ${name} has locked ${path}; ${until}`]);
  });

  it('takes over a link to a folder, which changes while it waits', async () => {
    const folder = folderWith({ 'study.log': '' });
    const path = join(folder, 'study.log');
    symlinkSync(folder, `${path}.lock`);
    let time = 1e9;
    const changes = setInterval(() => utimesSync(folder, time, time++), 1);
    const lock = await lockJournal(path, { graceSeconds: 0.05 });
    clearInterval(changes);
    lock.release();
    expect(readdirSync(folder)).toEqual(['study.log']);
  });

  it('does not wait for a lock that nobody will release', async () => {
    const folder = folderWith({ 'study.log': '', 'study.log.lock.takeover': 'x' });
    const path = join(folder, 'study.log');
    symlinkSync(path, `${path}.lock`);
    await expect(lockJournal(path, { graceSeconds: 0.02 })).rejects.toMatchObject({ exitCode: 75 });
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('does not wait for a takeover that is a link to nowhere', async () => {
    const folder = folderWith({ 'study.log': '' });
    const path = join(folder, 'study.log');
    symlinkSync(path, `${path}.lock`);
    symlinkSync('nowhere', `${path}.lock.takeover`);
    await expect(lockJournal(path, { graceSeconds: 0.02 })).rejects.toMatchObject({ exitCode: 73 });
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('leaves the lock of another alone that took ours over', async () => {
    const path = join(folderWith({ 'study.log': '' }), 'study.log');
    const lock = await lockJournal(path);
    const other = await lockJournal(path, { graceSeconds: 0.02 });
    lock.release();
    expect(existsSync(`${path}.lock`)).toBe(true);
    other.release();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('is refused as a link, and without a folder', async () => {
    const folder = folderWith({ other: '' });
    symlinkSync('other', join(folder, 'study.log'));
    await expect(appendLines(join(folder, 'study.log'), ['1'])).rejects.toMatchObject({ exitCode: 73 });
    await expect(appendLines(join(folder, 'none', 'study.log'), ['1'])).rejects.toMatchObject({
      exitCode: 73,
    });
    expect(readdirSync(folder).sort()).toEqual(['other', 'study.log']);
  });
});
