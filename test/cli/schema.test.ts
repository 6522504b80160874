import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mlpHere } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const shipped = (name: string) => readFileSync(projectPath(`schema/${name}`), 'utf8');

describe('mlp schema', () => {
  it.each([
    [[], 'config.schema.json'],
    [['config'], 'config.schema.json'],
    [['network'], 'network.schema.json'],
    [['sweep'], 'sweep.schema.json'],
    [['--json'], 'config.schema.json'],
    [['network', '--json', '--no-color'], 'network.schema.json'],
  ])('%j prints the very text of %s', async (args, name) => {
    expect(await mlpHere(['schema', ...args])).toEqual({ code: 0, stdout: shipped(name), stderr: '' });
  });

  it.each([
    ['netwrok', 'hint: did you mean "network"?\n'],
    ['\u001b[2J', ''],
  ])('refuses the unknown kind %j', async (kind, hint) => {
    expect(await mlpHere(['schema', kind])).toEqual({
      code: 64,
      stdout: '',
      stderr: `error: unknown schema ${JSON.stringify(kind)}; expected one of config, network, sweep\n${hint}`,
    });
  });

  it('refuses a second argument', async () => {
    const { code, stdout, stderr } = await mlpHere(['schema', 'config', 'network']);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^error: too many arguments/);
  });
});
