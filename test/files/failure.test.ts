import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { writeFailure } from '../../src/files/failure.js';

const PATH = join('a', 'b.csv');

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it did not work`), { code });
}

describe('writeFailure', () => {
  it.each<[code: string, exitCode: ExitCode, found: string]>([
    ['ENOENT', 73, 'found no folder a to write it in'],
    ['ENOTDIR', 73, 'found no folder a to write it in'],
    ['EEXIST', 73, 'found something that is there already, expected nothing'],
    ['EISDIR', 73, 'found a directory, expected a file to write'],
    ['ENOTEMPTY', 73, 'found a directory, expected a file to write'],
    ['ENAMETOOLONG', 73, 'found a name that is too long for the file system'],
    ['EACCES', 77, 'no permission to write here'],
    ['EPERM', 77, 'no permission to write here'],
    ['EROFS', 77, 'no permission to write here'],
    ['ENOSPC', 74, 'found no more room on the disk'],
    ['EDQUOT', 74, 'found no more room in the quota'],
    ['EFBIG', 74, 'found it to grow longer than a file may be'],
    ['EIO', 74, 'writing failed: EIO: it did not work'],
  ])('%s: %i', (code, exitCode, found) => {
    const cause = systemError(code);
    const failure = writeFailure(PATH, cause);
    expect(failure).toMatchObject({ exitCode, message: `${PATH}: ${found}`, cause });
  });

  it('ends the hint with what else the user can do', () => {
    const hint = (code: string, otherwise?: string) => writeFailure(PATH, systemError(code), otherwise).hint;
    expect(hint('ENOSPC')).toBe('make room');
    expect(hint('ENOSPC', 'name another')).toBe('make room, or name another');
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
