/**
 * A process that runs one command line after another for its parent, and tells what came of each.
 * Starting a process takes a hundred times as long as a command on a small input.
 */
import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runProgram } from '../../dist/cli/main.js';

const MOST_KEPT = 2 ** 20;
/** Garbage of earlier commands must not count against a later one: it is collected after so many, or so much. */
const COMMANDS_PER_COLLECTION = 10;
const MOST_GARBAGE = 2 ** 26;

let commands = 0;
/** That were open after a command. */
let mostFiles = 0;

let texts = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (text, ...rest) => {
    if (texts[name].length < MOST_KEPT) texts[name] += text;
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
}

const faults = [];
process.on('uncaughtException', (error) => faults.push(`uncaught: ${error?.stack ?? error}`));
process.on('warning', (warning) => faults.push(`warning of Node: ${warning.stack ?? warning}`));

process.on('message', async ({ args, cwd }) => {
  texts = { stdout: '', stderr: '' };
  process.chdir(cwd);
  process.exitCode = undefined;
  let code;
  try {
    code = await runProgram(args);
  } catch (error) {
    faults.push(`thrown: ${error.stack}`);
  }
  const { heapUsed, external } = process.memoryUsage();
  if (++commands % COMMANDS_PER_COLLECTION === 0 || heapUsed + external > MOST_GARBAGE) globalThis.gc?.();
  // What a forgotten promise throws comes now.
  await nextTurn();
  let files = openFiles();
  if (files > mostFiles) {
    // The file of a cache is open until its matrix is collected.
    globalThis.gc?.();
    for (let turns = 0; turns < 3; turns++) await nextTurn();
    files = openFiles();
    mostFiles = Math.max(mostFiles, files);
  }
  process.send({ code, ...texts, faults: faults.splice(0), files });
});

function openFiles() {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

process.send('ready');
