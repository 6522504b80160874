/**
 * Kills processes that work on a study, at random moments, until the study is done, and compares it with one that nobody
 * touched: node bench/sweepKills.js --help. It ends with 1 if any file differs, apart from times.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomState } from '../dist/random/randomState.js';
import { runUntil } from './runUntil.js';
import { filesOfStudy, firstDifference } from './study.js';

const USAGE = `usage: node bench/sweepKills.js [options]
  --kills <n>   how often a process is killed (default 200)
  --seed <n>    of the moments (default 0)`;

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const MLP = pathOf('../bin/mlp.js');

const BASE = {
  network: { layers: [32, 'relu', { type: 'dropout', rate: 0.2 }, 10] },
  data: { train: pathOf('../data/digits.csv'), target: 'digit' },
  training: { epochs: 9, batchSize: 32, optimizer: { type: 'adam', learningRate: 0.003 } },
  deterministic: true,
};

/** Some of the trials diverge, and some have a network that does not fit. */
const SPACE = {
  'training.optimizer': {
    choice: [
      { type: 'adam', learningRate: 0.001 },
      { type: 'adam', learningRate: 0.01 },
      { type: 'sgd', learningRate: 1e30 },
    ],
  },
  'network.layers[3].units': { choice: [10, 7] },
  'network.layers[0].units': { int: [8, 64] },
  'training.l2': { choice: [0, { log: [1e-6, 1e-2] }] },
};

const HALVING = { type: 'halving', factor: 3, minEpochs: 1 };
const SWEEPS = {
  'with halving': { trials: 30, space: SPACE, stop: HALVING },
  'to the end': { trials: 30, space: SPACE, pending: 6 },
};

/** Of the kills, so many come while a process starts; the others within this share of the time that a study takes. */
const EARLY = 0.2;
const WINDOW = 0.5;
/** So many processes work on a study at once. */
const CREWS = [1, 2];

function readOptions() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const [kills, seed] = [Number(values.kills), Number(values.seed)];
  if (!Number.isInteger(kills) || kills < 1)
    throw new Error(`--kills: found "${values.kills}", expected a whole number from 1`);
  if (!Number.isInteger(seed) || seed < 0)
    throw new Error(`--seed: found "${values.seed}", expected a whole number from 0`);
  return { kills, seed, help: values.help };
}

class Kills {
  kills = 0;
  studies = 0;
  faults = [];

  constructor(folder, { kills, seed }) {
    this.folder = folder;
    this.limit = kills;
    this.random = new RandomState(seed);
  }

  /** The study of each sweep that nobody touches, with one, four and eight trials at once. */
  async prepare() {
    await writeFile(join(this.folder, 'base.json'), JSON.stringify(BASE));
    this.sweeps = [];
    for (const [name, sweep] of Object.entries(SWEEPS)) {
      const file = join(this.folder, `${name}.json`);
      await writeFile(file, JSON.stringify({ base: 'base.json', ...sweep }));
      const study = join(this.folder, `${name} untouched`);
      const { beginMs, trainMs } = await this.whole(file, study, ['--parallel', '2']);
      const expected = filesOfStudy(study);
      for (const atOnce of ['1', '4', '8']) {
        const other = join(this.folder, `${name}, ${atOnce} at once`);
        await this.whole(file, other, ['--parallel', atOnce]);
        this.compare(other, expected, 'untouched');
      }
      this.sweeps.push({ name, file, expected, beginMs, trainMs });
      const seconds = [beginMs, trainMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
      console.error(
        `${name}: ${seconds[0]} to begin, ${seconds[1]} to train; 1, 2, 4 and 8 at once are compared`,
      );
    }
  }

  async whole(file, study, args) {
    const result = await start(['sweep', file, '--run', study, ...args]);
    if (result.code !== 0) throw new Error(`${study} failed with ${result.code}: ${result.stderr}`);
    return result;
  }

  /** When to kill: milliseconds after the process was started, or after it said that it trains. */
  moment({ beginMs, trainMs }) {
    if (this.random.rand() < EARLY) return { from: 'spawn', ms: this.random.uniform(0, beginMs) };
    return { from: 'start', ms: this.random.uniform(0, trainMs * WINDOW) };
  }

  /** A study on which processes are killed until one comes to the end. */
  async study() {
    const sweep = this.sweeps[this.studies % this.sweeps.length];
    const { name, expected } = sweep;
    const crew = CREWS[Math.floor(this.studies / this.sweeps.length) % CREWS.length];
    const study = join(this.folder, `study-${this.studies++}`);
    const workers = Array.from({ length: crew }, (_, i) => this.worker(sweep, study, i === 0));
    const ends = await Promise.all(workers);
    if (ends.every(Boolean)) this.compare(study, expected, `${name}, ${crew} processes`);
    await rm(study, { recursive: true, force: true });
  }

  /** Starts a process again and again until one is not killed. Whether that one came to the end. */
  async worker(sweep, study, isFirst) {
    const isThere = () => existsSync(join(study, 'study.log'));
    while (!isFirst && !isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
    for (;;) {
      const moment = this.kills < this.limit ? this.moment(sweep) : undefined;
      const { code, signal, stderr } = await start(
        ['sweep', sweep.file, isThere() ? '--resume' : '--run', study],
        moment,
      );
      if (signal === 'SIGKILL') {
        this.kills++;
        continue;
      }
      if (code !== 0) this.fault(`${study}: exit code ${code}: ${stderr.trim()}`);
      return code === 0;
    }
  }

  compare(study, expected, what = '') {
    const path = firstDifference(filesOfStudy(study), expected);
    if (path !== undefined) this.fault(`${study} (${what}): ${path} differs`);
  }

  fault(what) {
    this.faults.push(what);
    console.error(what);
  }
}

/** Runs a command to its end, or to that moment. */
function start(args, moment) {
  return runUntil([MLP, ...args], moment, 'stderr');
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'mlp-sweep-kills-'));
  try {
    const trial = new Kills(folder, options);
    await trial.prepare();
    while (trial.kills < options.kills) {
      await trial.study();
      console.error(`${trial.kills} kills in ${trial.studies} studies`);
    }
    const { kills, studies, faults } = trial;
    console.log(
      `${kills} kills in ${studies} studies of 30 trials, seed ${options.seed}: ${faults.length} studies or processes out of order.`,
    );
    if (faults.length > 0) process.exitCode = 1;
  } finally {
    if (process.exitCode !== 1) await rm(folder, { recursive: true });
    else console.error(`kept ${folder}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}\n${USAGE}`);
  process.exitCode = 1;
}
