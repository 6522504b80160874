/**
 * The program of all commands. A new one needs an entry in `trainCommands.ts` or `useCommands.ts`, and a
 * module with a function `run` beside this file.
 */
import { Command } from 'commander';
import { ExitCode, MlpError } from '../errors.js';
import { nearest } from '../spec/messages.js';
import { printable } from '../text.js';
import { version } from '../version.js';
import { MAX_UNPACKED } from './commandParts.js';
import { addTrainCommands } from './trainCommands.js';
import { addUseCommands } from './useCommands.js';

const READS_DATA = [
  'inspect',
  'init',
  'train',
  'crossvalidate',
  'sweep',
  'ensemble',
  'report',
  'repro',
  'evaluate',
  'predict',
  'export',
  'gradcheck',
  'doctor',
];

/** @param name of the command to run: the program has no other one, if there is such a command */
export function createProgram(name?: string): Command {
  const program = new Command('mlp')
    .description(
      'Train a multilayer perceptron from a JSON config and a CSV file, and see every number behind it.',
    )
    .version(version(), '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .exitOverride()
    .hook('preAction', (_, command) => requirePaths(command))
    .addHelpText(
      'after',
      `
Exit codes:
  0 done, 1 a check failed, 64 wrong usage, 65 bad data, 66 input not found,
  69 backend unavailable, 70 internal error, 73 cannot create the output,
  74 read or write error, 75 busy (try again), 77 permission denied,
  78 bad config, 129 terminal closed, 130 interrupted, 143 terminated

Examples:
  mlp init houses.csv --target price  # writes houses.json
  mlp train houses.json               # trains, and writes runs/houses-1
  mlp evaluate runs/houses-1          # scores rows the network has not seen`,
    );

  addTrainCommands(program, name);
  addUseCommands(program, name);
  if (program.commands.length === 0) return createProgram();

  program.helpCommand('help [command]', 'show the help of a command');

  for (const command of program.commands) {
    command
      .optionsGroup('Common options:')
      .option('--json', 'print only JSON on standard output')
      .option('--no-color', 'print without colours')
      .option('--debug', 'print the stack trace of an error');
    if (READS_DATA.includes(command.name())) command.addOption(MAX_UNPACKED);
  }
  for (const command of [program, ...program.commands]) {
    command
      .helpOption('-h, --help', 'show this help')
      .configureOutput({ outputError: (text, write) => write(usageMessage(text, command)) });
  }
  return program;
}
/**
 * An unset variable of a shell gives an empty text, which would name the working directory.
 * @throws MlpError ExitCode.usage
 */
function requirePaths(command: Command): void {
  const options = command.options.filter((option) => /<(?:dir|file|run|config\.json)>/.test(option.flags));
  const given = [
    ...command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
    ...options.map((option) => [option.long, command.getOptionValue(option.attributeName())]),
  ];
  for (const [name, value] of given) {
    if (![value].flat().includes('')) continue;
    throw new MlpError(ExitCode.usage, `${name}: found an empty text, expected a path`);
  }
}

/** Commander's message in our form: `error: …` and a hint. */
function usageMessage(text: string, command: Command): string {
  const [, message = text, similar] = /^(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(text.trim()) ?? [];
  const help = `see ${command.parent ? 'mlp ' : ''}${command.name()} --help`;
  const unknown = /^error: unknown \w+ '(.*)'$/.exec(message)?.[1];
  // Commander takes --seed for --set.
  const isNear =
    similar &&
    (unknown === undefined || nearest(unknown, similar.replace('one of ', '').split(', ')) !== undefined);
  const isKey = unknown?.startsWith('--') && command.options.some(({ long }) => long === '--set');
  const meant = isNear
    ? `did you mean ${similar}? `
    : isKey
      ? '--set <key>=<value> sets a key of the config; '
      : '';
  return `${printable(message)}\nhint: ${meant}${help}\n`;
}
