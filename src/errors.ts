/** The error that a user should see, and the exit codes. Imports nothing. */

/** Exit codes after sysexits.h. Scripts rely on them: they don't change. */
export const ExitCode = {
  ok: 0,
  /** a check failed: gradcheck, params --max-params, repro, export */
  checkFailed: 1,
  /** the command line is wrong */
  usage: 64,
  /** the data is wrong */
  data: 65,
  /** an input file, or the working directory, is missing */
  noInput: 66,
  /** a requested backend or service is unavailable */
  unavailable: 69,
  /** a bug in mlp */
  internal: 70,
  /** an output can't be created */
  cantCreate: 73,
  /** reading or writing failed */
  io: 74,
  /** busy: try again */
  busy: 75,
  /** permission denied */
  noPermission: 77,
  /** a config, spec or graph file is wrong */
  config: 78,
  /** the terminal was closed */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * An error for the user: where, what was found, what was expected, and how to fix it.
 *
 *     throw new MlpError(ExitCode.data, 'iris.csv:7: column "petal": found "abc", expected a number')
 */
export class MlpError extends Error {
  override readonly name = 'MlpError';

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Runs a call whose errors are kept for their sentences alone. The stack takes two kilobytes of each and
 * longer than all else about a row that is left out.
 */
export function withoutStack<Result>(call: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return call();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The code of a system error (`ENOENT`, …); undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A file can't be read: ExitCode.noInput if missing or a directory, noPermission or io. */
export function readError(path: string, error: unknown): MlpError {
  const code = systemErrorCode(error);
  const options = { cause: error };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new MlpError(
        ExitCode.noInput,
        `${path}: ${missingFile(path)}`,
        'check the path; paths inside a config are relative to the config file',
        options,
      );
    case 'EISDIR':
      return new MlpError(
        ExitCode.noInput,
        `${path}: found a directory, expected a file`,
        undefined,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new MlpError(
        ExitCode.noPermission,
        `${path}: permission denied`,
        'make the file readable for the user who runs mlp',
        options,
      );
    default:
      return new MlpError(
        ExitCode.io,
        `${path}: reading failed: ${error instanceof Error ? error.message : String(error)}`,
        undefined,
        options,
      );
  }
}

/** Node.js reads each byte of a name that is not UTF-8 as U+FFFD, and then finds no such file. */
export function missingFile(path: string): string {
  return path.includes('\ufffd')
    ? 'found a name that is not UTF-8, expected a file with a name in UTF-8'
    : 'no such file';
}

/** Runs a check of a config on data instead: its MlpError gets ExitCode.data, with the same words. */
export function asDataError<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(ExitCode.data, error.message, error.hint, { cause: error });
  }
}
