/** What is wrong with a spec is wrong with the config; in a model file it is the data. */
import { ExitCode, MlpError } from '../errors.js';

/** What `check` returns; an MlpError that it throws becomes one of the data (65), its words unchanged. */
export function asDataError<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(ExitCode.data, error.message, error.hint, { cause: error });
  }
}
