/**
 * The command line: commands, their dispatch, and the one place that turns an error into a message and an exit code.
 * A command's own modules are loaded when it runs, so that the small ones start fast.
 */
import { Command, CommanderError } from 'commander';
import { ExitCode } from '../errors.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { gradcheckCommand } from './gradcheck.js';
import { initCommand } from './init.js';
import { inspectCommand } from './inspect.js';
import { printError } from './output.js';
import { paramsCommand } from './params.js';
import { predictCommand } from './predict.js';
import { reproCommand } from './repro.js';
import { schemaCommand } from './schema.js';
import { trainCommand } from './train.js';
import { version } from './version.js';

function createProgram(): Command {
  const program = new Command('mlp')
    .description(
      'Train a multilayer perceptron from a JSON spec and a CSV file, and see every number behind it.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 a check did not pass, 64 usage, 65 bad data, 66 input missing, 69 unavailable,' +
        "\n70 internal error, 73 can't create output, 74 I/O failure, 75 busy, 77 permission, 78 bad config," +
        '\n130 interrupted, 143 terminated.',
    );
  const commands = [
    trainCommand(),
    evaluateCommand(),
    predictCommand(),
    paramsCommand(),
    gradcheckCommand(),
    doctorCommand(),
    reproCommand(),
    schemaCommand(),
    inspectCommand(),
    initCommand(),
  ];
  for (const command of commands) {
    command
      .option('--json', 'print JSON on stdout, and nothing else there')
      .option('--no-color', 'print without colours')
      .option('--debug', 'print the stack of an error')
      .copyInheritedSettings(program);
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError: (text, write) => write(usageMessage(text, command)) });
  }
  return program;
}

/** Commander's message in our form: `error: …` and a hint. */
function usageMessage(text: string, command: Command): string {
  const [message, suggestion] = text.trim().split('\n');
  const help = `${command.parent ? 'mlp ' : ''}${command.name()} --help`;
  const asked = suggestion?.match(/^\(Did you mean (.*)\?\)$/)?.[1];
  return `${message}\nhint: ${asked ? `did you mean ${asked}? ` : ''}${help} lists what there is\n`;
}

/**
 * Runs a command line, `args` without the names of the program, and prints what is wrong with it.
 * @returns the exit code; a command that prints its results and then fails has set it in `process.exitCode`
 */
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
