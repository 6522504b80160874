import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { partialPath, removeLeftovers, writeFailure, writeFolderAtomically } from '../../src/files/atomic.js';
import { rejection } from '../data/files.js';
import { folderOf, temporaryFolder } from '../support/cli.js';
import { endedPid } from './processes.js';

const PATH = join('a', 'b.csv');

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it did not work`), { code });
}

describe('writeFailure', () => {
  it('blames no folder that is there, as Linux does below /proc', () => {
    const { message } = writeFailure('a.csv', systemError('ENOENT'));
    expect(message).toBe('a.csv: the system makes no files in .');
  });

  it.each<[code: string, exitCode: ExitCode, found: string]>([
    ['ENOENT', 73, 'found no folder a, expected one'],
    ['ENOTDIR', 73, 'found no folder a, expected one'],
    ['EEXIST', 73, 'found an existing file or folder, expected none'],
    ['EISDIR', 73, 'found a directory, expected a file to write'],
    ['ENOTEMPTY', 73, 'found a directory, expected a file to write'],
    ['ENAMETOOLONG', 73, 'found a name that is too long for the file system'],
    ['EACCES', 77, 'no permission to write here'],
    ['EPERM', 77, 'no permission to write here'],
    ['EROFS', 77, 'no permission to write here'],
    ['ENOSPC', 74, 'the disk is full'],
    ['EDQUOT', 74, 'the disk quota is used up'],
    ['EFBIG', 74, 'the file exceeds the size limit'],
    ['EIO', 74, 'writing failed: EIO: it did not work'],
  ])('%s: %i', (code, exitCode, found) => {
    const cause = systemError(code);
    const failure = writeFailure(PATH, cause);
    expect(failure).toMatchObject({ exitCode, message: `${PATH}: ${found}`, cause });
  });

  it('ends the hint with what else the user can do', () => {
    const hint = (code: string, otherwise?: string) => writeFailure(PATH, systemError(code), otherwise).hint;
    expect(hint('ENOSPC')).toBe('free some space');
    expect(hint('ENOSPC', 'name another')).toBe('free some space, or name another');
    expect(hint('EACCES', 'name another')).toBe('name another');
    expect(hint('EACCES')).toBeUndefined();
  });

  it('leaves an error for the user as it is', () => {
    const error = new MlpError(ExitCode.data, 'something else');
    expect(writeFailure(PATH, error, 'name another')).toBe(error);
  });

  it('prints no name that a terminal would obey', () => {
    expect(writeFailure('\u001b[2J', 'a text').message).toBe('\\u001b[2J: writing failed: a text');
  });
});

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

describe('writeFolderAtomically', () => {
  const FILES = [['a.txt', ['one']] as const];

  it('makes a folder with all files, also where an empty one is', async () => {
    const folder = temporaryFolder();
    await writeFolderAtomically(join(folder, 'new'), FILES);
    mkdirSync(join(folder, 'empty'));
    await writeFolderAtomically(join(folder, 'empty'), FILES);
    expect(readFileSync(join(folder, 'new/a.txt'), 'utf8')).toBe('one');
    expect(readdirSync(join(folder, 'empty'))).toEqual(['a.txt']);
    expect(readdirSync(folder).sort()).toEqual(['empty', 'new']);
  });

  it('leaves what is there, and nothing of its own where it fails', async () => {
    const folder = folderOf({ file: 'mine' });
    mkdirSync(join(folder, 'full/of'), { recursive: true });
    function* failing() {
      yield FILES[0];
      throw new Error('no more');
    }
    for (const name of ['file', 'full']) {
      const error = await rejection(writeFolderAtomically(join(folder, name), FILES));
      expect(error).toMatchObject({ exitCode: ExitCode.cantCreate });
    }
    await rejection(writeFolderAtomically(join(folder, 'new'), failing()));
    expect(readdirSync(folder).sort()).toEqual(['file', 'full']);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('mine');
  });

  it('takes away what a killed process has left of the same folder, and no other', async () => {
    const folder = temporaryFolder();
    for (const name of ['new', 'other']) mkdirSync(join(folder, `.${name}.${process.pid}.0123abcd.partial`));
    await writeFolderAtomically(join(folder, 'new'), FILES);
    expect(readdirSync(folder).sort()).toEqual([`.other.${process.pid}.0123abcd.partial`, 'new']);
  });
});
