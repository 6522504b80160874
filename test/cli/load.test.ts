/** The program starts with code that the build has compiled, and as well without it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectPath } from '../support/fixtures.js';

/** Preloaded: tells at the end for how many files compiled code was taken, and for how many it was refused. */
const COUNT = `
  const { scripts } = require(${JSON.stringify(projectPath('bin/load.js'))});
  process.on('exit', () => {
    const refused = [...scripts.values()].map((script) => script.cachedDataRejected);
    const count = (value) => refused.filter((one) => one === value).length;
    process.stderr.write(JSON.stringify([count(false), count(true)]));
  });`;

/** What `mlp params` prints, and those counts. */
function params(...flags: string[]): { stdout: string; taken: number; refused: number } {
  const folder = mkdtempSync(join(tmpdir(), 'mlp-load-'));
  try {
    const count = join(folder, 'count.cjs');
    writeFileSync(count, COUNT);
    const command = [projectPath('bin/mlp.js'), 'params', projectPath('configs/specs/30-1024-512-1.json')];
    const { stdout, stderr } = spawnSync(process.execPath, ['--require', count, ...flags, ...command], {
      encoding: 'utf8',
    });
    const [taken, refused] = JSON.parse(stderr);
    return { stdout, taken, refused };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('starts with compiled code, and without where other flags of Node make it useless', () => {
  const compiled = params();
  expect(compiled.refused).toBe(0);
  expect(compiled.taken).toBeGreaterThan(5);
  expect(compiled.stdout).toContain('557,057');
  const anew = params('--no-lazy');
  expect(anew).toEqual({ stdout: compiled.stdout, taken: 0, refused: compiled.taken });
});

it('says what to do where nothing is built', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mlp-load-'));
  try {
    mkdirSync(join(folder, 'bin'));
    cpSync(projectPath('bin/mlp.js'), join(folder, 'bin/mlp.js'));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'bin/mlp.js'), '--version'],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
    expect(stderr).toBe(`error: mlp is not built\nhint: run npm run build in ${realpathSync(folder)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
