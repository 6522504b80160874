/** The process: its streams, its errors and its exit code. */
import { CommanderError } from 'commander';
import { ExitCode, MlpError } from '../errors.js';
import { createProgram } from './commands.js';
import { guardStreams, printError } from './output.js';

export async function main(): Promise<void> {
  const args = process.argv.slice(2);
  let hasEnded = false;
  process.on('exit', () => {
    // Nothing would ever settle a promise that is waited for.
    if (!hasEnded) process.exitCode ||= ExitCode.internal;
  });
  process.on('uncaughtException', (error) => {
    process.exitCode = printError(error, args.includes('--debug'));
    process.exit();
  });
  guardStreams();
  const exitCode = await runProgram(args);
  // Otherwise a failed stream may have set a code already.
  if (exitCode !== ExitCode.ok) process.exitCode = exitCode;
  hasEnded = true;
}

/** Runs a command line, and prints its error. A failed check sets `process.exitCode` itself. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  try {
    await createProgram(args[0]).parseAsync(args, { from: 'user' });
    return (process.exitCode ?? ExitCode.ok) as ExitCode;
  } catch (error) {
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    return printError(workingDirectoryError(error) ?? error, args.includes('--debug'));
  }
}

/** The error in place of another one that a deleted working directory explains. */
function workingDirectoryError(cause: unknown): MlpError | undefined {
  if (cause instanceof MlpError && !MISSING.has(cause.exitCode)) return undefined;
  try {
    process.cwd();
    return undefined;
  } catch {
    return new MlpError(
      ExitCode.noInput,
      'the working directory no longer exists',
      'change to a directory that exists, then run mlp again',
      { cause },
    );
  }
}

const MISSING: ReadonlySet<ExitCode> = new Set([
  ExitCode.noInput,
  ExitCode.internal,
  ExitCode.cantCreate,
  ExitCode.io,
]);
