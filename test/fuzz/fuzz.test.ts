/** A few inputs of each fuzzer, from a fixed seed. `npm run fuzz` runs more, from others. */
import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../support/fixtures.js';

const INPUTS = 1;
const FUZZERS = ['models', 'runs', 'configs', 'csv', 'parquet', 'jsonl', 'caches', 'several'];

function fuzz(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [projectPath('test/fuzz/main.mjs'), ...args], (error, stdout, stderr) => {
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) });
    });
  });
}

describe('the fuzzers', () => {
  it('find nothing in a few inputs', { timeout: 300_000 }, async () => {
    const { stdout, stderr, code } = await fuzz(
      '--only',
      FUZZERS.join(),
      '--inputs',
      `${INPUTS}`,
      '--seed',
      '1',
    );
    expect(stderr).toBe('');
    for (const name of FUZZERS) expect(stdout).toContain(`${name}: ${INPUTS} input`);
    expect(stdout).toMatch(/^seed 1: nothing failed$/m);
    expect(code).toBe(0);
  });

  it('say how they are used', async () => {
    const { code, stderr } = await fuzz('--only', 'houses');
    expect(stderr).toContain('usage: npm run fuzz -- [options]');
    expect(code).toBe(64);
  });
});
