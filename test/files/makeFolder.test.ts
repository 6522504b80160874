import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/files/makeFolder.js';
import { folderOf } from '../support/cli.js';

describe('a folder', () => {
  it('is made with those around it, and left alone where it is', () => {
    const cwd = folderOf({});
    makeFolder(join(cwd, 'a/b/c'), 0o700);
    writeFileSync(join(cwd, 'a/b/c/kept'), '');
    makeFolder(join(cwd, 'a/b/c'));
    expect(existsSync(join(cwd, 'a/b/c/kept'))).toBe(true);
    if (process.platform !== 'win32') expect(statSync(join(cwd, 'a/b')).mode & 0o777).toBe(0o700);
  });

  it('is not made in place of a file, below one, or through a link to nothing', () => {
    const cwd = folderOf({ file: '' });
    expect(() => makeFolder(join(cwd, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(cwd, 'file/a'))).toThrow(/EEXIST|ENOTDIR|ENOENT/);
    symlinkSync(join(cwd, 'nothing'), join(cwd, 'link'));
    expect(() => makeFolder(join(cwd, 'link'))).toThrow('EEXIST');
    mkdirSync(join(cwd, 'real'));
    symlinkSync(join(cwd, 'real'), join(cwd, 'good'));
    makeFolder(join(cwd, 'good/a'));
    expect(existsSync(join(cwd, 'real/a'))).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'is refused, not tried for ever, where the system makes none',
    () => {
      expect(() => makeFolder('/proc/mlp/run')).toThrow('ENOENT');
    },
  );
});
