/** One input: writes it, runs its commands, and says what is wrong with what they did. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../../dist/errors.js';
import { Random } from './random.mjs';

const DOCUMENTED = new Set(Object.values(ExitCode).filter((code) => code !== ExitCode.internal));
/** What must never reach a terminal raw: controls but tab and newline, C1, and marks of direction. */
const HOSTILE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** In bytes: a file with more has holes. */
export const MOST_HASHED = 2 ** 26;

/**
 * Everything below a folder, by path: the type, and the content as a hash. Links are not followed.
 * @returns {Map<string, string>}
 */
export function snapshot(folder, below = '', entries = new Map()) {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    entries.set(path, describe(join(folder, path), entry));
    if (entry.isDirectory()) snapshot(folder, path, entries);
  }
  return entries;
}

function describe(path, entry) {
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  if (!entry.isFile()) return 'special';
  const { size } = lstatSync(path);
  if (size > MOST_HASHED) return `file of ${size} bytes`;
  return `file of ${size} bytes, ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
}

/**
 * Runs the commands of an input in an empty folder.
 * @param fuzzer `make(random, folder, isSound)` writes the input and gives its `commands`, maybe later; `owned(args)`
 *   gives the paths that a command may write, and `check` finds more faults
 * @param seed of the damage; undefined for the input without any
 * @returns the faults as sentences, and the largest memory of a command in megabytes
 */
export async function runInput(fuzzer, seed, folder, processes) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const isSound = seed === undefined;
  const { commands } = await fuzzer.make(new Random(seed ?? 0), folder, isSound);
  const faults = [];
  let megabytes = 0;
  let done = 0;
  let run = 0;
  for (const args of commands) {
    const before = snapshot(folder);
    const result = await processes.run(args, folder);
    const after = snapshot(folder);
    megabytes = Math.max(megabytes, result.megabytes ?? 0);
    run++;
    if (result.code === 0) done++;
    const found = [
      ...result.faults,
      ...faultsOf(result, args, isSound),
      ...changes(before, after, fuzzer.owned?.(args) ?? []),
      ...(fuzzer.check?.({ args, result, before, after, folder }) ?? []),
    ];
    for (const fault of found) faults.push(`mlp ${args.join(' ')}: ${fault}`);
    if (found.length > 0 || fuzzer.isLast?.(args, result)) break;
  }
  return { faults, megabytes, commands: run, done };
}

function faultsOf({ code, stdout, stderr, faults }, args, isSound) {
  if (faults.length > 0) return [];
  const found = [];
  if (!DOCUMENTED.has(code)) found.push(`exit code ${code}: ${stderr.slice(0, 2000)}`);
  if (isSound && code !== 0) found.push(`a sound input gives exit code ${code}: ${stderr.slice(0, 2000)}`);
  if (code > 1 && !/^error: ./m.test(stderr) && !args.includes('blank'))
    found.push(`exit code ${code} without a message`);
  const hostile = HOSTILE.exec(stderr);
  if (hostile)
    found.push(
      `stderr has a raw U+${hostile[0].codePointAt(0).toString(16)}: ${JSON.stringify(stderr.slice(0, 500))}`,
    );
  if (code === 0 && args.includes('--json') && stdout.length < 2 ** 20 && !isJson(stdout))
    found.push(`no JSON: ${stdout.slice(0, 500)}`);
  return found;
}

/** One document, or one in each line. */
function isJson(text) {
  const parses = (part) => {
    try {
      JSON.parse(part);
      return true;
    } catch {
      return false;
    }
  };
  return (
    parses(text) ||
    text
      .trimEnd()
      .split('\n')
      .every((line) => line === '' || parses(line))
  );
}

/** What is other than before, apart from the paths that may be. */
function changes(before, after, owned) {
  const isOwned = (path) => owned.some((own) => path === own || path.startsWith(`${own}/`));
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => !isOwned(path) && before.get(path) !== after.get(path))
    .map(
      (path) =>
        `changed ${path}: ${before.get(path) ?? 'nothing'} before, ${after.get(path) ?? 'nothing'} after`,
    );
}
