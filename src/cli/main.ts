/** The process: its streams, its errors and its exit code. */
import { CommanderError } from 'commander';
import { ExitCode } from '../errors.js';
import { createProgram } from './commands.js';
import { guardStreams, printError } from './output.js';

export async function main(): Promise<void> {
  const args = process.argv.slice(2);
  process.on('uncaughtException', (error) => {
    process.exitCode = printError(error, args.includes('--debug'));
    process.exit();
  });
  guardStreams();
  const exitCode = await runProgram(args);
  // Otherwise a failed stream may have set a code already.
  if (exitCode !== ExitCode.ok) process.exitCode = exitCode;
}

/** Runs a command line, and prints its error. A failed check sets `process.exitCode` itself. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return (process.exitCode ?? ExitCode.ok) as ExitCode;
  } catch (error) {
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    return printError(error, args.includes('--debug'));
  }
}
