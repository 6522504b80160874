/** What the system says when it can't write, told to the user. */
import { dirname } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';

/**
 * The MlpError of a file or folder that can't be written: 73 where it can't be created, 77 where that is not permitted, 74 where
 * writing fails. One that is an MlpError already is given back as it is.
 *
 * @param otherwise what else the user can do, as in "name another file with -o": the end of the hint, or all of it
 */
export function writeFailure(path: string, error: unknown, otherwise?: string): MlpError {
  if (error instanceof MlpError) return error;
  const failure = (exitCode: ExitCode, problem: string, remedy?: string) => {
    const hints = [remedy, otherwise].filter((hint) => hint !== undefined);
    const hint = hints.length === 0 ? undefined : hints.join(', or ');
    return new MlpError(exitCode, `${printable(path)}: ${problem}`, hint, { cause: error });
  };
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return failure(
        ExitCode.cantCreate,
        `found no folder ${printable(dirname(path))} to write it in`,
        'make the folder',
      );
    case 'EEXIST':
      return failure(ExitCode.cantCreate, 'found something that is there already, expected nothing');
    case 'EISDIR':
    case 'ENOTEMPTY':
      return failure(ExitCode.cantCreate, 'found a directory, expected a file to write');
    case 'ENAMETOOLONG':
      return failure(ExitCode.cantCreate, 'found a name that is too long for the file system');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failure(ExitCode.noPermission, 'no permission to write here');
    case 'ENOSPC':
      return failure(ExitCode.io, 'found no more room on the disk', 'make room');
    case 'EDQUOT':
      return failure(ExitCode.io, 'found no more room in the quota', 'make room');
    case 'EFBIG':
      return failure(
        ExitCode.io,
        'found it to grow longer than a file may be',
        'raise the limit (ulimit -f)',
      );
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return failure(ExitCode.io, `writing failed: ${printable(reason)}`);
    }
  }
}
