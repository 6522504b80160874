/** The property and mutation tests of the suite, from another seed. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from './samples.mjs';

const ROOT = projectPath('.');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** Beside much other work, a test takes far longer than in the suite. */
const TIMEOUT_MS = 3_600_000;

/** The tests that draw at random, below the paths asked for. */
function filesBelow(paths) {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file.replaceAll('\\', '/')}`)
    .filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)))
    .filter((file) => /fast-check|PROPERTY_SEED/.test(readFileSync(join(ROOT, file), 'utf8')));
}

/** Runs them once. Returns whether one failed, and prints how to repeat that. */
export function runProperties(seed, paths) {
  const files = filesBelow(paths);
  if (files.length === 0) throw new Error(`found no property tests below ${paths.join(', ')}`);
  const { status, stdout, stderr, signal } = spawnSync(
    process.execPath,
    [VITEST, 'run', `--testTimeout=${TIMEOUT_MS}`, ...files],
    {
      cwd: ROOT,
      env: { ...process.env, MLP_PROPERTY_SEED: String(seed) },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (signal) process.exit(130);
  if (status === 0) {
    console.log(`properties: seed ${seed}, ${files.length} files passed`);
    return false;
  }
  const output = `${stdout}${stderr}`;
  const failed = new Set([...output.matchAll(/FAIL .*?(test\/\S+\.test\.ts)/g)].map(([, file]) => file));
  console.log(
    `${output}\nproperties: failed with seed ${seed}\n` +
      `  repeat it with: npm run fuzz -- --inputs 1 --seed ${seed} ${[...failed].join(' ')}`.trimEnd(),
  );
  return true;
}
