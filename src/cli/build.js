/**
 * Lets Node compile the program: node src/cli/build.js, part of `npm run build`. Runs a few commands, and keeps what was
 * compiled for them where bin/load.js finds it, functions that they have called included.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const { COMPILED, load, scriptOf, scripts } = createRequire(import.meta.url)('../../bin/load.js');
const SELF = fileURLToPath(import.meta.url);
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

if (process.argv.length > 2) {
  process.on('exit', () => {
    for (const [name, script] of scripts) keep(name, script);
  });
  load('program/main.cjs').main();
} else {
  const files = readdirSync(join(PROJECT, 'dist'), { recursive: true });
  for (const name of files.filter((file) => basename(file) === 'thread.cjs')) keep(name, scriptOf(name));
  runCommands();
}

/** Each in a process of its own, which begins with what those before it have compiled. */
function runCommands() {
  const folder = mkdtempSync(join(PROJECT, 'dist/build-'));
  const run = join(folder, 'run');
  const commands = [
    ['params', 'configs/specs/30-1024-512-1.json'],
    ['inspect', 'data/iris.csv'],
    ['init', 'data/iris.csv', '--target', 'species', '-o', join(folder, 'config.json')],
    ['train', 'configs/iris.json', '--run', run],
    ['predict', run, 'data/iris.csv'],
    ['evaluate', run, 'data/iris.csv'],
  ];
  // Without compiled code, commands only start later: what fails here is for the tests to find.
  for (const args of commands) {
    spawnSync(process.execPath, [SELF, ...args], { cwd: PROJECT, stdio: 'ignore' });
  }
  rmSync(folder, { recursive: true });
}

function keep(name, script) {
  const path = join(COMPILED, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, script.createCachedData());
}
