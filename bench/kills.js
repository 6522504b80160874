/**
 * Kills training runs at random moments, lets them go on, and compares where they end with a run that nobody touched:
 * node bench/kills.js --help. It ends with 1 where a checkpoint is corrupt or missing, or a run ends elsewhere; with a naive writer, where
 * nothing of the kind is found.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomState } from '../dist/random/randomState.js';
import { CheckpointStore } from '../dist/training/run/checkpoints.js';

const USAGE = `usage: node bench/kills.js [options]
  --kills <n>    how often a process is killed (default 1000)
  --seed <n>     of the moments (default 0)
  --naive        checkpoints are written in place, as one would without a second thought`;

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const MLP = pathOf('../bin/mlp.js');
const NAIVE = new URL('../test/support/checkpoints/naive.js', import.meta.url).href;

/** Draws at every turn: batches, dropout; with the moments of Adam and the best weights so far to be kept. */
const CONFIG = {
  network: { layers: [256, 'relu', { type: 'dropout', rate: 0.2 }, 10] },
  data: { train: pathOf('../data/digits.csv'), target: 'digit' },
  training: {
    epochs: 5,
    batchSize: 32,
    optimizer: { type: 'adam', learningRate: 0.003 },
    schedule: { type: 'exponential', gamma: 0.9 },
    // All the time: most kills are to meet one that is being written.
    checkpointSeconds: 0.001,
  },
  threads: 1,
  deterministic: true,
};

/** Of the kills, so many come while a process starts: reads, takes the lock over, cuts the tables off. */
const EARLY = 0.2;
/** The others come within this share of the time that training takes: a run is killed several times before its end. */
const WINDOW = 0.5;

/** Kills between two lines of progress. */
const TOLD_EVERY = 50;

function readOptions() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '0' },
      naive: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const options = { ...values, kills: Number(values.kills), seed: Number(values.seed) };
  if (!Number.isInteger(options.kills) || options.kills < 1)
    throw new Error(`--kills: found "${values.kills}", expected a whole number from 1`);
  if (!Number.isInteger(options.seed) || options.seed < 0)
    throw new Error(`--seed: found "${values.seed}", expected a whole number from 0`);
  return options;
}

class Trial {
  kills = 0;
  runs = 0;
  /** Kills that came before the first checkpoint, and that left a half-written file. */
  before = 0;
  within = 0;
  faults = { 'corrupt checkpoints': [], 'missing checkpoints': [], 'other ends': [] };

  constructor(folder, { kills, seed, naive }) {
    this.folder = folder;
    this.limit = kills;
    this.random = new RandomState(seed);
    this.preload = naive ? ['--import', NAIVE] : [];
  }

  /** The run that nobody touches, and how long its process takes to begin and then to train. */
  async prepare() {
    this.config = join(this.folder, 'config.json');
    await writeFile(this.config, JSON.stringify(CONFIG));
    const run = join(this.folder, 'untouched');
    const { code, stderr, stdout, beginMs, trainMs } = await this.train(['--run', run]);
    if (code !== 0) throw new Error(`the untouched run failed with ${code}: ${stderr}`);
    this.expected = endOf(run, stdout);
    Object.assign(this, { beginMs, trainMs });
  }

  /** A run that is killed until it comes to its end, or can't go on. */
  async run() {
    const run = join(this.folder, `run-${this.runs++}`);
    let newest = -1;
    for (;;) {
      const isThere = existsSync(join(run, 'config.json'));
      const moment = this.kills < this.limit ? this.moment() : undefined;
      const result = await this.train(isThere ? ['--resume', run] : ['--run', run], moment);
      if (result.signal !== 'SIGKILL') {
        this.compare(run, result);
        break;
      }
      this.kills++;
      newest = await this.inspect(run, newest);
      if (newest === undefined) break;
    }
    await rm(run, { recursive: true, force: true });
  }

  /** When to kill: milliseconds after the process was started, or after it said that it trains. */
  moment() {
    if (this.random.rand() < EARLY) return { from: 'spawn', ms: this.random.uniform(0, this.beginMs) };
    return { from: 'start', ms: this.random.uniform(0, this.trainMs * WINDOW) };
  }

  /** Runs `mlp train` to its end, or to that moment. */
  train(args, moment) {
    return new Promise((resolve, reject) => {
      const spawned = performance.now();
      const child = spawn(process.execPath, [...this.preload, MLP, 'train', this.config, '--json', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let begun;
      let stdout = '';
      let stderr = '';
      let timer;
      const killAfter = (ms) => {
        timer = setTimeout(() => child.kill('SIGKILL'), ms);
      };
      if (moment?.from === 'spawn') killAfter(moment.ms);
      child.stdout.on('data', (text) => {
        if (begun === undefined && moment?.from === 'start') killAfter(moment.ms);
        begun ??= performance.now();
        stdout += text;
      });
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve({
          code,
          signal,
          stdout,
          stderr,
          beginMs: begun - spawned,
          trainMs: performance.now() - begun,
        });
      });
    });
  }

  /** Looks at what a kill has left: the step of the newest checkpoint, −1 before the first; undefined where the run can't go on. */
  async inspect(run, newest) {
    const folder = join(run, 'checkpoint');
    if (existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.partial'))) this.within++;
    let checkpoint;
    try {
      checkpoint = await new CheckpointStore(folder).load((warning) =>
        this.fault('corrupt checkpoints', warning),
      );
    } catch (error) {
      this.fault('corrupt checkpoints', error.message);
      return undefined;
    }
    const step = Number(/step-(\d+)/.exec(checkpoint?.path)?.[1] ?? -1);
    if (step < newest)
      this.fault('missing checkpoints', `${folder}: found step ${step}, expected ${newest} or later`);
    if (step < 0) this.before++;
    return step;
  }

  compare(run, { code, stdout, stderr }) {
    if (code !== 0) {
      this.fault('other ends', `${run}: exit code ${code}: ${stderr.trim()}`);
      return;
    }
    const found = endOf(run, stdout);
    for (const [what, value] of Object.entries(this.expected)) {
      if (found[what] !== value) this.fault('other ends', `${run}: other ${what}`);
    }
  }

  fault(kind, what) {
    this.faults[kind].push(what);
    console.error(`${kind}: ${what}`);
  }
}

/** All that must be the same: the hash that was printed, and the files of the run. */
function endOf(run, stdout) {
  const { weightsSha256 } = JSON.parse(stdout.trimEnd().split('\n').at(-1));
  const read = (name) => readFileSync(join(run, name), 'latin1');
  return {
    weightsSha256,
    'model.safetensors': read('model.safetensors'),
    'steps.csv': read('steps.csv'),
    // The last column is the time that each epoch took.
    'epochs.csv without its seconds': read('epochs.csv').replace(/,[^,\n]*$/gm, ''),
  };
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'mlp-kills-'));
  try {
    const trial = new Trial(folder, options);
    await trial.prepare();
    const { beginMs, trainMs } = trial;
    console.error(`the untouched run: ${beginMs.toFixed()} ms to begin, ${trainMs.toFixed()} ms to train`);
    for (let told = 0; trial.kills < options.kills; ) {
      await trial.run();
      if (trial.kills - told < TOLD_EVERY) continue;
      told = trial.kills;
      console.error(`${told} kills in ${trial.runs} runs`);
    }
    const { kills, runs, before, within, faults } = trial;
    const counts = Object.entries(faults).map(([kind, list]) => `${list.length} ${kind}`);
    console.log(
      `${kills} kills in ${runs} runs${options.naive ? ' with a naive writer' : ''}, seed ${options.seed}: ` +
        `${before} before the first checkpoint, ${within} left one half-written. ${counts.join(', ')}.`,
    );
    const isFaulty = Object.values(faults).some((list) => list.length > 0);
    if (isFaulty !== options.naive) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}\n${USAGE}`);
  process.exitCode = 1;
}
