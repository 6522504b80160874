import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/cli.js';
import { projectPath } from './support/fixtures.js';

const EXPECTED: Record<string, RegExp> = {
  'xor.mjs': /^0 xor 0 = no \(.*\n0 xor 1 = yes .*\n1 xor 0 = yes .*\n1 xor 1 = no /,
  'labels.mjs': /^3 is even: false \(0.\d\d\), large: false [\s\S]*10 is even: true .*large: true /,
  'csv.mjs': /accuracy on held-out rows: (1.00|0.9\d)\na flower: setosa\n$/,
  'gradcheck.mjs':
    /^37 parameters, largest relative error \d.\de-1\d\n[\s\S]*w: right\nb: manual 0.5, expected 0.59/,
  'predict-loop.mjs': /^completed: R² 0.9\d[\s\S]*data.rows\[0\].size: found "large", expected a number\n$/,
};

it('has an expectation for every example', () => {
  expect(
    readdirSync(projectPath('examples'))
      .filter((file) => file.endsWith('.mjs'))
      .sort(),
  ).toEqual(Object.keys(EXPECTED).sort());
});

it.each(Object.entries(EXPECTED))('examples/%s prints what it promises', async (file, expected) => {
  const program = projectPath(`examples/${file}`);
  const { stdout } = await promisify(execFile)(process.execPath, [program, temporaryFolder()]);
  expect(stdout).toMatch(expected);
});
