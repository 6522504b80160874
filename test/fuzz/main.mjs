/**
 * Fuzzes the command line: damages inputs at random, runs the commands on them, and demands a documented exit code, a clean
 * message, an end within seconds, bounded memory, and that nothing else is written: `node test/fuzz/main.mjs --help`.
 */
import { randomInt } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCaches } from './caches.mjs';
import { OwnProcess, SharedProcess } from './commands.mjs';
import { createConfigs } from './configs.mjs';
import { createModels } from './models.mjs';
import { runProperties } from './properties.mjs';
import { createRuns } from './runs.mjs';
import { createSeveral } from './several.mjs';
import { createCsv, createJsonLines, createParquet } from './tables.mjs';
import { MOST_HASHED, runInput } from './trial.mjs';

const FUZZERS = {
  models: createModels,
  runs: createRuns,
  configs: createConfigs,
  csv: createCsv,
  parquet: createParquet,
  jsonl: createJsonLines,
  caches: createCaches,
  several: createSeveral,
};
const NAMES = [...Object.keys(FUZZERS), 'properties'];
const USAGE = `usage: npm run fuzz -- [options] [test paths of the property tests]
  --minutes <n>   for all together (default 10)
  --only <names>  some of ${NAMES.join(',')} (default all)
  --seed <n>      of the first input, which has the next one and so on (default: random)
  --inputs <n>    so many for each, however long they take`;

/** A fuzzer gets so long before the next one has its turn. */
const TURN_MS = 30_000;

function readOptions() {
  const { values, positionals } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      only: { type: 'string', default: NAMES.join() },
      seed: { type: 'string' },
      inputs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  const inputs = values.inputs === undefined ? Number.POSITIVE_INFINITY : Number(values.inputs);
  const only = positionals.length > 0 ? ['properties'] : values.only.split(',');
  const isSound =
    minutes > 0 &&
    Number.isInteger(seed) &&
    seed >= 0 &&
    inputs > 0 &&
    only.every((name) => NAMES.includes(name));
  return { minutes, seed, inputs, only, positionals, isSound, help: values.help };
}

/** One fuzzer: its inputs, and what was found with them. */
class Fuzzing {
  inputs = 0;
  commands = 0;
  /** Commands that ended with 0: the damage was none to them. */
  done = 0;
  megabytes = 0;
  seconds = 0;
  failures = [];
  #baseline;

  constructor(name, seed, folder, shared) {
    this.name = name;
    this.seed = seed;
    this.folder = folder;
    this.shared = shared;
  }

  async prepare() {
    const samples = join(this.folder, 'samples');
    mkdirSync(samples, { recursive: true });
    this.fuzzer = await FUZZERS[this.name](samples, this.shared, this.#inputFolder);
    const { faults } = await runInput(this.fuzzer, undefined, this.#inputFolder, this.shared);
    if (faults.length > 0) throw new Error(`${this.name}: ${faults.join('\n')}`);
  }

  get #inputFolder() {
    return join(this.folder, 'input');
  }

  /** Runs inputs until the time is over or there are enough. */
  async run(milliseconds, most) {
    const start = performance.now();
    while (this.inputs < most && performance.now() - start < milliseconds) {
      const seed = (this.seed + this.inputs) % 2 ** 31;
      this.inputs++;
      const { faults, megabytes, commands, done } = await runInput(
        this.fuzzer,
        seed,
        this.#inputFolder,
        this.shared,
      );
      this.commands += commands;
      this.done += done;
      this.megabytes = Math.max(this.megabytes, megabytes);
      if (faults.length > 0) await this.#confirm(seed, faults);
    }
    this.seconds += (performance.now() - start) / 1000;
  }

  /** Runs an input again, each command in a process of its own: what counts is what a user meets. */
  async #confirm(seed, faults) {
    this.#baseline ??= (
      await runInput(this.fuzzer, undefined, this.#inputFolder, new OwnProcess(this.shared.env))
    ).megabytes;
    const own = await runInput(
      this.fuzzer,
      seed,
      this.#inputFolder,
      new OwnProcess(this.shared.env, this.#baseline),
    );
    const isConfirmed = own.faults.length > 0;
    // The memory of a process that goes on holds what earlier commands have left.
    if (!isConfirmed && faults.every((fault) => /: it took \d+ MB$/.test(fault))) return;
    const kept = join(tmpdir(), 'mlp-fuzz', `${this.name}-${seed}`);
    rmSync(kept, { recursive: true, force: true });
    await runInput(
      { ...this.fuzzer, make: async (...args) => ({ ...(await this.fuzzer.make(...args)), commands: [] }) },
      seed,
      this.#inputFolder,
      this.shared,
    );
    cpSync(this.#inputFolder, kept, { recursive: true, verbatimSymlinks: true, filter: isCopied });
    this.failures.push({ seed, faults: isConfirmed ? own.faults : faults, isConfirmed, kept });
    const where = isConfirmed ? '' : ' (only in a process that runs many commands)';
    console.log(
      `${this.name}: seed ${seed}${where}:\n  ${(isConfirmed ? own.faults : faults).join('\n  ')}\n` +
        `  the input is kept in ${kept}\n  repeat it with: ${this.#repeat(seed)}`,
    );
  }

  #repeat(seed) {
    return `npm run fuzz -- --only ${this.name} --inputs 1 --seed ${seed}`;
  }

  report() {
    const per = this.seconds > 0 ? `, ${(this.inputs / this.seconds).toFixed(1)} a second` : '';
    return (
      `${this.name}: ${this.inputs} inputs${per}, ${this.commands} commands, ${this.done} of them ended with 0, ` +
      `at most ${this.megabytes.toFixed()} MB, ${this.failures.length} failed`
    );
  }
}

/** Neither sockets nor pipes can be copied, and the holes of a file would be filled. */
function isCopied(path) {
  const stats = lstatSync(path);
  return (stats.isFile() && stats.size <= MOST_HASHED) || stats.isDirectory() || stats.isSymbolicLink();
}

async function main() {
  const options = readOptions();
  if (options.help || !options.isSound) {
    (options.help ? console.log : console.error)(USAGE);
    process.exitCode = options.help ? 0 : 64;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'mlp-fuzzing-'));
  const temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  const env = { ...process.env, NO_COLOR: '', TMPDIR: temporary };
  delete env.FORCE_COLOR;
  const shared = new SharedProcess(env);
  let failed = 0;
  const end = performance.now() + options.minutes * 60_000;
  const left = () =>
    options.inputs < Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : end - performance.now();
  try {
    const fuzzers = [];
    for (const name of options.only) {
      if (name === 'properties') continue;
      const fuzzing = new Fuzzing(name, options.seed, folder, shared);
      await fuzzing.prepare();
      fuzzers.push(fuzzing);
    }
    const isAll = options.only.includes('properties');
    let turn = 0;
    do {
      for (const fuzzing of fuzzers) {
        const turn = options.inputs < Number.POSITIVE_INFINITY ? left() : Math.min(TURN_MS, left());
        if (turn <= 0) continue;
        await fuzzing.run(turn, options.inputs);
        if (options.inputs === Number.POSITIVE_INFINITY) console.error(fuzzing.report());
      }
      if (isAll && left() > 0) {
        if (runProperties((options.seed + turn) % 2 ** 31, options.positionals)) failed++;
        turn++;
      }
    } while (options.inputs === Number.POSITIVE_INFINITY && left() > 0);
    for (const fuzzing of fuzzers) {
      console.log(fuzzing.report());
      failed += fuzzing.failures.length;
    }
    const leftovers = readdirSync(temporary);
    if (leftovers.length > 0) {
      console.log(`left in the folder of temporary files: ${leftovers.slice(0, 10).join(', ')}`);
      failed++;
    }
  } finally {
    await shared.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`seed ${options.seed}: ${failed === 0 ? 'nothing failed' : `${failed} failed`}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
