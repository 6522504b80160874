import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireFree, writeNewFile } from '../../src/cli/newFile.js';
import { MlpError } from '../../src/errors.js';
import { folderOf } from '../support/cli.js';

function failure(action: () => void): [number, string] {
  try {
    action();
  } catch (error) {
    if (error instanceof MlpError) return [error.exitCode, error.message];
    throw error;
  }
  throw new Error('there was no error');
}

describe('a new file', () => {
  it('is written, and nothing beside it', () => {
    const folder = folderOf({});
    const path = join(folder, 'a.json');
    requireFree(path, false);
    writeNewFile(path, 'text', false);
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'text']);
  });

  it('never takes the place of another', () => {
    const folder = folderOf({ 'a.json': 'old' });
    const path = join(folder, 'a.json');
    for (const write of [() => requireFree(path, false), () => writeNewFile(path, 'new', false)]) {
      const [code, message] = failure(write);
      expect(code).toBe(73);
      expect(message).toContain('a.json: found a file that is there already, expected a new one');
    }
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'old']);
  });

  it('replaces another when forced to', () => {
    const folder = folderOf({ 'a.json': 'a longer old text' });
    const path = join(folder, 'a.json');
    requireFree(path, true);
    writeNewFile(path, 'new', true);
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['a.json'], 'new']);
    writeNewFile(join(folder, 'b.json'), 'also where there is none', true);
    expect(readdirSync(folder)).toEqual(['a.json', 'b.json']);
  });

  it.skipIf(process.platform === 'win32')('replaces what a link points to, and leaves the link', () => {
    const folder = folderOf({ 'a.json': 'old' });
    symlinkSync('a.json', join(folder, 'link.json'));
    writeNewFile(join(folder, 'link.json'), 'new', true);
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('new');
    expect(readdirSync(folder, { withFileTypes: true }).map((entry) => entry.isSymbolicLink())).toEqual([
      false,
      true,
    ]);
  });

  it('needs a folder, and is none', () => {
    const folder = folderOf({});
    const [code, message] = failure(() => writeNewFile(join(folder, 'no', 'a.json'), 'text', false));
    expect(code).toBe(73);
    expect(message).toContain('found no folder');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'file'), '');
    for (const force of [false, true]) {
      expect(failure(() => writeNewFile(join(folder, 'sub'), 'text', force))[0]).toBe(73);
    }
    expect(readdirSync(folder)).toEqual(['sub']);
  });
});
