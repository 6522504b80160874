import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/commands.js';
import { mlpHere } from '../support/cli.js';

const program = createProgram();

/** The lines below the last heading of a help text. */
function examplesOf(help: string): string[] {
  const lines = help.trimEnd().split('\n');
  return lines.slice(lines.indexOf('Examples:') + 1);
}

async function helpOf(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await mlpHere([...command, '--help']);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('mlp --help', () => {
  it('lists every command with a summary, and the exit codes', async () => {
    const help = await helpOf();
    for (const command of program.commands) {
      expect(help).toMatch(new RegExp(`^ {2}${command.name()} .*  ${command.summary()}$`, 'm'));
    }
    expect(help).toMatch(/^Exit codes:\n {2}0 done, 1 a check failed, 64 /m);
  });
});

describe.each(program.commands.map((command) => [command.name(), command] as const))(
  'mlp %s',
  (name, command) => {
    it('describes itself in sentences, and every argument and option in words', () => {
      expect(command.description()).toMatch(/^[A-Z].*\.$/);
      for (const { description } of [...command.registeredArguments, ...command.options]) {
        expect(description).not.toBe('');
      }
    });

    it('ends its help with two or three examples that fit 80 columns', async () => {
      const help = await helpOf(name);
      expect(await mlpHere(['help', name])).toMatchObject({ code: 0, stdout: help });
      const examples = examplesOf(help);
      expect([2, 3]).toContain(examples.length);
      for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      for (const line of examples) {
        const [, words, comment] = line.match(/^ {2}(?:.* \| )?mlp (.*?)(?: > \S+)? +# (.+)$/) ?? [];
        expect(comment, line).toBeTruthy();
        const [first, ...args] = words.split(' ');
        expect(first).toBe(name);
        // The parser knows every option, and the number of arguments fits.
        const { operands, unknown } = command.parseOptions(args);
        const required = command.registeredArguments.filter((argument) => argument.required).length;
        expect(unknown).toEqual([]);
        expect(operands.length).toBeGreaterThanOrEqual(required);
        const isOpen = command.registeredArguments.some((argument) => argument.variadic);
        const most = isOpen ? Number.POSITIVE_INFINITY : command.registeredArguments.length;
        expect(operands.length).toBeLessThanOrEqual(most);
      }
    });
  },
);

describe('a wrong command line', () => {
  it.each([
    [['trian'], "error: unknown command 'trian'\nhint: did you mean train? see mlp --help\n"],
    [
      ['train', 'a.json', '--sett', 'x'],
      "error: unknown option '--sett'\nhint: did you mean --set? see mlp train --help\n",
    ],
    [['predict', 'run'], "error: missing required argument 'data.csv'\nhint: see mlp predict --help\n"],
    [
      ['evaluate', 'run', '--split', 'all'],
      "error: option '--split <name>' argument 'all' is invalid. Allowed choices are train, validation, test.\n" +
        'hint: see mlp evaluate --help\n',
    ],
  ])('%j gets an error and a hint, and exit code 64', async (args, stderr) => {
    expect(await mlpHere(args)).toEqual({ code: 64, stdout: '', stderr });
  });
});
