/**
 * Runs every property and mutation test again and again, each time from another random seed.
 *
 *     npm run fuzz                           for ten minutes
 *     npm run fuzz -- --minutes 60 test/data for an hour, the tests below test/data alone
 *     npm run fuzz -- --seed 285369865       once, from this seed: repeats a failure
 *
 * Exits 1 if a test failed; prints the command that repeats each failure.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const minutes = Number(values.minutes);
const onlySeed = values.seed === undefined ? undefined : Number(values.seed);
if (!(minutes > 0) || (onlySeed !== undefined && !(Number.isInteger(onlySeed) && onlySeed >= 0))) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed N] [test paths]');
  process.exit(64);
}

/** The tests that draw at random, below the paths asked for. */
const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => positionals.length === 0 || positionals.some((path) => file.startsWith(path)))
  .filter((file) => /fast-check|PROPERTY_SEED/.test(readFileSync(join(ROOT, file), 'utf8')));
if (files.length === 0) {
  console.error(`no property tests below ${positionals.join(', ')}`);
  process.exit(66);
}

const end = performance.now() + minutes * 60_000;
const failures = [];
let rounds = 0;
do {
  const seed = onlySeed ?? randomInt(2 ** 31);
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [VITEST, 'run', ...files], {
    cwd: ROOT,
    env: { ...process.env, MLP_PROPERTY_SEED: String(seed) },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (signal) process.exit(130);
  rounds++;
  const isFailure = status !== 0;
  if (isFailure) {
    const failed = [
      ...new Set(
        [...`${stdout}${stderr}`.matchAll(/FAIL .*?(test\/\S+\.test\.ts)/g)].map(([, file]) => file),
      ),
    ];
    const repeat = `npm run fuzz -- --seed ${seed} ${failed.join(' ')}`.trim();
    failures.push(repeat);
    console.log(`${stdout}${stderr}\nfailed with seed ${seed}; repeat it with\n    ${repeat}`);
  } else {
    console.log(`round ${rounds}: seed ${seed}, ${files.length} files passed`);
  }
} while (onlySeed === undefined && performance.now() < end);

console.log(`${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${failures.length} failed`);
for (const repeat of failures) console.log(`    ${repeat}`);
process.exitCode = failures.length > 0 ? 1 : 0;
