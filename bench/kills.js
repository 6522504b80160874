/**
 * Kills training runs at random moments, resumes them, and compares where they end with a run that nobody touched. Kills
 * evaluations of the finished runs, and sends several processes to one run directory: node bench/kills.js --help.
 * It ends with 1 if a checkpoint is corrupt or missing, a run ends elsewhere, an evaluation changes a run, or a process is
 * not refused; with a naive writer, if nothing of the kind is found.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomState } from '../dist/random/randomState.js';
import { CheckpointStore } from '../dist/training/run/checkpoints.js';
import { runUntil } from './runUntil.js';

const USAGE = `usage: node bench/kills.js [options]
  --kills <n>    how often a process is killed (default 1000)
  --seed <n>     of the moments (default 0)
  --crowds <n>   how often 2, 6 and 20 processes meet in one run directory (default 5)
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

/** Every other run is killed so soon that it is resumed ten times and more. */
const SHORT_WINDOW = 0.08;
const MANY_RESUMES = 10;
/** Of each run that came to its end, so many evaluations are killed. */
const EVALUATIONS = 2;
/** As many processes start at once in one run directory. */
const CROWDS = [2, 6, 20];
const BUSY = 75;
const NOT_EMPTY = 73;

/** Kills between two lines of progress. */
const TOLD_EVERY = 50;

function readOptions() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '0' },
      crowds: { type: 'string', default: '5' },
      naive: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { kills, seed, crowds } = values;
  const options = { ...values, kills: Number(kills), seed: Number(seed), crowds: Number(crowds) };
  if (!Number.isInteger(options.kills) || options.kills < 1)
    throw new Error(`--kills: found "${values.kills}", expected a whole number from 1`);
  for (const name of ['seed', 'crowds']) {
    if (Number.isInteger(options[name]) && options[name] >= 0) continue;
    throw new Error(`--${name}: found "${values[name]}", expected a whole number from 0`);
  }
  return options;
}

class Trial {
  kills = 0;
  runs = 0;
  /** Kills that came before the first checkpoint, and that left a half-written file. */
  before = 0;
  within = 0;
  /** Kills of a process that resumed its run for the tenth time or later, and of evaluations. */
  late = 0;
  evaluations = 0;
  /** Processes that met in one run directory, and those that were refused. */
  met = 0;
  refused = 0;
  faults = {
    'corrupt checkpoints': [],
    'missing checkpoints': [],
    'other ends': [],
    'changes by evaluate': [],
    'processes out of order': [],
  };

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
    const evaluation = await this.start(['evaluate', run, '--json']);
    const { model: _, data: __, ...scores } = JSON.parse(evaluation.stdout);
    Object.assign(this, { beginMs, trainMs, evaluateMs: evaluation.ms, scores: JSON.stringify(scores) });
  }

  /** A run that is killed until it comes to its end, or can't go on. */
  async run() {
    const run = join(this.folder, `run-${this.runs++}`);
    const window = this.runs % 2 === 0 ? SHORT_WINDOW : WINDOW;
    let newest = -1;
    for (let resumes = -1; ; resumes++) {
      const isThere = existsSync(join(run, 'config.json'));
      const moment = this.kills < this.limit ? this.moment(window) : undefined;
      const result = await this.train(isThere ? ['--resume', run] : ['--run', run], moment);
      if (result.signal !== 'SIGKILL') {
        if (this.compare(run, result)) await this.evaluate(run);
        break;
      }
      this.kills++;
      if (resumes >= MANY_RESUMES - 1) this.late++;
      newest = await this.inspect(run, newest);
      if (newest === undefined) break;
    }
    await rm(run, { recursive: true, force: true });
  }

  /** When to kill: milliseconds after the process was started, or after it said that it trains. */
  moment(window) {
    if (this.random.rand() < EARLY) return { from: 'spawn', ms: this.random.uniform(0, this.beginMs) };
    return { from: 'start', ms: this.random.uniform(0, this.trainMs * window) };
  }

  /** Runs `mlp train` to its end, or to that moment. */
  train(args, moment) {
    return this.start(['train', this.config, '--json', ...args], moment);
  }

  /** Runs a command to its end, or to that moment. */
  start(args, moment) {
    return runUntil([...this.preload, MLP, ...args], moment, 'stdout');
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

  /** Whether a run has ended where the untouched one did. */
  compare(run, { code, stdout, stderr }) {
    if (code !== 0) return this.fault('other ends', `${run}: exit code ${code}: ${stderr.trim()}`);
    const found = endOf(run, stdout);
    const others = Object.entries(this.expected).filter(([what, value]) => found[what] !== value);
    for (const [what] of others) this.fault('other ends', `${run}: other ${what}`);
    return others.length === 0;
  }

  /** Kills evaluations of a finished run, which must change nothing, and lets one come to its end. */
  async evaluate(run) {
    const before = filesOf(run);
    const requireSame = (when) => {
      if (filesOf(run) !== before) this.fault('changes by evaluate', `${run}: other files ${when}`);
    };
    for (let i = 0; i < EVALUATIONS && this.kills < this.limit; i++) {
      const moment = { from: 'spawn', ms: this.random.uniform(0, this.evaluateMs) };
      const { signal } = await this.start(['evaluate', run, '--json'], moment);
      requireSame('after a kill');
      if (signal !== 'SIGKILL') continue;
      this.kills++;
      this.evaluations++;
    }
    const { code, stdout, stderr } = await this.start(['evaluate', run, '--json']);
    requireSame('after an evaluation');
    if (code !== 0) return this.fault('changes by evaluate', `${run}: exit code ${code}: ${stderr.trim()}`);
    const { model: _, data: __, ...scores } = JSON.parse(stdout);
    if (JSON.stringify(scores) !== this.scores) this.fault('changes by evaluate', `${run}: other scores`);
  }

  /**
   * Several processes start in one run directory at once: a new one, or that of a killed process. One of them trains, and
   * the others are refused. Whoever comes later may resume the run, whose end stays the same.
   */
  async crowd(size, isResumed) {
    const run = join(this.folder, `crowd-${this.met}`);
    if (isResumed) await this.train(['--run', run], { from: 'start', ms: this.trainMs * WINDOW });
    const args = existsSync(join(run, 'config.json')) ? ['--resume', run] : ['--run', run];
    const results = await Promise.all(Array.from({ length: size }, () => this.train(args)));
    this.met += size;
    const done = results.filter(({ code }) => code === 0);
    if (done.length === 0) this.fault('processes out of order', `${run}: none of ${size} has ended with 0`);
    for (const { code, stderr } of results) {
      if (code === 0) continue;
      this.refused++;
      // A process that comes after the end of a new run finds its files.
      const isRefused =
        (code === BUSY && /using it, expected none|keeps changing/.test(stderr)) ||
        (code === NOT_EMPTY && args[0] === '--run' && /is not empty/.test(stderr));
      if (!isRefused) this.fault('processes out of order', `${run}: exit code ${code}: ${stderr.trim()}`);
    }
    for (const result of done) this.compare(run, result);
    await rm(run, { recursive: true, force: true });
  }

  fault(kind, what) {
    this.faults[kind].push(what);
    console.error(`${kind}: ${what}`);
    return false;
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
    'layers.csv': read('layers.csv'),
    // The last column is the time that each epoch took.
    'epochs.csv without its seconds': read('epochs.csv').replace(/,[^,\n]*$/gm, ''),
  };
}

/** All files of a run, with their bytes. */
function filesOf(run) {
  const entries = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return JSON.stringify(paths.map((path) => [path, readFileSync(path, 'latin1')]));
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
    for (let turn = 0; turn < options.crowds && !options.naive; turn++) {
      for (const size of CROWDS) await trial.crowd(size, turn % 2 === 1);
    }
    const { kills, runs, before, within, late, evaluations, met, refused, faults } = trial;
    const counts = Object.entries(faults).map(([kind, list]) => `${list.length} ${kind}`);
    console.log(
      `${kills} kills in ${runs} runs${options.naive ? ' with a naive writer' : ''}, seed ${options.seed}: ` +
        `${before} before the first checkpoint, ${within} left one half-written, ${late} in the tenth resume or later, ` +
        `${evaluations} in evaluate. ${met} processes met in run directories, ${refused} were refused. ${counts.join(', ')}.`,
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
