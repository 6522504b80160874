/** Runs the command line of this process. */
import { guardStreams, printError } from './output.js';
import { runProgram } from './program.js';

const args = process.argv.slice(2);

process.on('uncaughtException', (error) => {
  process.exitCode = printError(error, args.includes('--debug'));
  process.exit();
});

guardStreams();
// A failing stream may have set a code of its own meanwhile.
const exitCode = await runProgram(args);
if (exitCode !== 0) process.exitCode = exitCode;
