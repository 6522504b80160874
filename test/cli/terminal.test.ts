/** What reaches a terminal, and what happens when it, or the working directory, goes away. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning } from '../../src/files/process.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const TITLE = '\x1b]0;owned\x07\x1b[31m';
/** All that a terminal obeys, and what changes the direction of reading. */
const HOSTILE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** A class and a column of hostile names. */
const HOSTILE_CSV = [
  'a,k\u202e,y',
  ...Array.from({ length: 20 }, (_, i) => `${i},\x9b2J${i % 3},${i % 2 ? `"c${TITLE}"` : 'd\u009b31m'}`),
].join('\n');

describe('nothing hostile reaches the terminal', () => {
  it.each([
    [['train', `x${TITLE}.json`]],
    [['train', `x${TITLE}.json`, '--json']],
    [['train', `x${TITLE}.json`, '--set', `${TITLE}=1`]],
    [['train', `x${TITLE}.json`, '--run', `r${TITLE}`]],
    [['gradcheck', `x${TITLE}.json`]],
    [['params', `x${TITLE}.json`]],
    [['inspect', 'hostile.csv']],
    [['inspect', 'hostile.csv', '--json']],
    [['inspect', 'hostile.csv', '--target', TITLE]],
    [['init', 'hostile.csv', '--target', 'y', '-o', '-']],
    [['train', `--x${TITLE}`]],
    [['train', `--x\n${TITLE}`]],
    [['params', 'x', '--batch', TITLE]],
    [['evaluate', 'x', '--split', TITLE]],
    [[`x${TITLE}`]],
    [['help', TITLE]],
    [['schema', TITLE]],
    [['inspect', `${TITLE}.csv`, '--debug']],
    [['evaluate', TITLE]],
  ])('%j', async (args) => {
    const data = { train: 'hostile.csv', target: 'y' };
    const config = smallConfig({ data, training: { epochs: 2 } });
    const cwd = folderOf({ 'hostile.csv': HOSTILE_CSV, [`x${TITLE}.json`]: config });
    const { stdout, stderr } = await mlpHere(args, { cwd });
    expect(stdout + stderr).not.toMatch(HOSTILE);
    expect(stdout + stderr).not.toBe('');
  });

  it('from predictions on a terminal; a file gets the cells as they are', async () => {
    const data = { train: 'hostile.csv', target: 'y', exclude: ['k\u202e'] };
    const cwd = folderOf({ 'hostile.csv': HOSTILE_CSV, 'config.json': smallConfig({ data }) });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const args = ['predict', 'r', 'hostile.csv', '--keep', 'all'];
    expect((await mlpHere([...args, '--json'], { cwd })).stdout).not.toMatch(HOSTILE);
    await mlpHere([...args, '-o', 'out.csv'], { cwd });
    expect(readFileSync(join(cwd, 'out.csv'), 'utf8')).toContain(`c${TITLE}`);
    const { isTTY } = process.stdout;
    onTestFinished(() => {
      process.stdout.isTTY = isTTY;
    });
    process.stdout.isTTY = true;
    const { stdout } = await mlpHere(args, { cwd });
    expect(stdout).not.toMatch(HOSTILE);
    expect(stdout.split('\n')).toHaveLength(22);
  });
});

describe.runIf(process.platform === 'linux')('what goes away', () => {
  it('is the working directory: the error names it', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    mkdirSync(join(cwd, 'gone'));
    const command = 'cd gone && rmdir ../gone && "$0" "$1" train "$2/config.json" --run "$2/r"';
    const args = [process.execPath, projectPath('bin/mlp.js'), cwd];
    const { status, stderr } = spawnSync('sh', ['-c', command, ...args], { cwd, encoding: 'utf8' });
    expect(stderr).toContain('error: the working directory no longer exists\nhint: change to a directory');
    expect(status).toBe(66);
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;

  it.runIf(hasScript).each([
    ['', 'both streams'],
    [' > out', 'stderr alone'],
    [' 2> out', 'stdout alone'],
  ])('is the terminal%s: the run saves what it has, and ends (%s)', async (redirect) => {
    const training = { epochs: 1_000_000, batchSize: 8 };
    const cwd = folderOf({ 'config.json': smallConfig({ training }), 'data.csv': SMALL_CSV });
    const command = `exec '${process.execPath}' '${projectPath('bin/mlp.js')}' train config.json --run r${redirect}`;
    const terminal = spawn('script', ['-qc', command, '/dev/null'], { cwd, stdio: 'pipe' });
    terminal.stdout.resume();
    const checkpoints = join(cwd, 'r', 'checkpoint');
    while (!existsSync(checkpoints) || readdirSync(checkpoints).length === 0) await sleep(50);
    const { pid } = JSON.parse(readFileSync(join(cwd, 'r', 'lock'), 'utf8'));
    terminal.kill('SIGKILL');
    await once(terminal, 'close');
    while (isRunning(pid)) await sleep(50);
    expect(existsSync(join(cwd, 'r', 'lock'))).toBe(false);
    expect(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')).toContain('"status": "interrupted"');
  });
});
