import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { partialPath, removeLeftovers } from '../../src/files/partial.js';
import { folderOf } from '../support/cli.js';
import { endedPid } from './processes.js';

describe('partialPath', () => {
  it('is hidden, in the same folder, says whose it is, and is never the same', () => {
    const path = partialPath(join('run', 'model.safetensors'));
    expect(path).toMatch(/^run.\.model\.safetensors\.\d+\.[0-9a-f]{8}\.partial$/);
    expect(path).toContain(`.${process.pid}.`);
    expect(partialPath(join('run', 'model.safetensors'))).not.toBe(path);
  });
});

describe('removeLeftovers', () => {
  it('takes away what processes left that have ended, and one of our PID before us', async () => {
    const folder = folderOf({
      [`.a.csv.${endedPid()}.0123abcd.partial`]: '',
      [`.a.csv.${process.pid}.0123abcd.partial`]: '',
    });
    await removeLeftovers(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves what a living process writes, and files of other names', async () => {
    const others = [
      `.a.csv.${process.ppid}.0123abcd.partial`,
      `.a.csv.${endedPid()}.0123abcd.partial.csv`,
      '.a.csv.partial',
      'a.csv',
    ].sort();
    const folder = folderOf(Object.fromEntries(others.map((name) => [name, ''])));
    await removeLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual(others);
  });
});
