/** Measures how well networks of mlp's defaults predict, beside boosted trees and other networks: node bench/quality/run.js --help. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { env, execPath, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { BASELINE, decodeSplit, parseCsv, scorePredictions, tables } from './scores.js';

const USAGE = `usage: node bench/quality/run.js --data <folder> [options]
  --data <folder>         the sets: index.json and CSVs, plain or gzipped; without an index the last column is the target
  --only <a,b>            contenders, of mlp, sklearn-mlp, sklearn-hgb, lightgbm, catboost, realmlp (default: all)
  --sets <a,b>            names of sets (default: all); the smallest is measured first
  --seeds <0,1,2>         of each contender (default 0)
  --threads <n>           of each contender (default 1)
  --mlp <bin/mlp.js>      the mlp to measure (default: this one)
  --label <name>          what the table calls it (default: mlp, and its options)
  --config-set <key=value>  passed to mlp train as --set; may be repeated
  --init <option>         passed to mlp init, such as --init=--preset --init=plain; may be repeated
  --cache <file>          results, one JSON a line; nothing in it is measured again (default: quality.jsonl in the temporary folder)
  --again                 measures again
  --table                 only prints the tables, of all that is in the cache or of --only and --sets`;

const PYTHON = env.PYTHON ?? (platform === 'win32' ? 'python' : 'python3');
const SCRIPT = fileURLToPath(new URL('contenders.py', import.meta.url));
/** Fewer different numbers than this are classes, where no index says what the target is. */
const FEW_LEVELS = 21;
/** Makes a Node process report its CPU seconds, those of its threads included, on file descriptor 3. */
const REPORT_CPU = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, String((user + system) / 1e6));
});`)}`;

function readOptions() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      data: text,
      only: text,
      sets: text,
      seeds: { ...text, default: '0' },
      threads: { ...text, default: '1' },
      mlp: { ...text, default: fileURLToPath(new URL('../../bin/mlp.js', import.meta.url)) },
      label: text,
      'config-set': { ...text, multiple: true, default: [] },
      init: { ...text, multiple: true, default: [] },
      cache: { ...text, default: join(tmpdir(), 'quality.jsonl') },
      again: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || (!values.table && !values.data)) {
    console.log(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  const { 'config-set': configSets, ...rest } = values;
  return {
    ...rest,
    configSets,
    only: values.only?.split(','),
    sets: values.sets?.split(','),
    seeds: values.seeds.split(',').map(Number),
    threads: Number(values.threads),
    label: values.label ?? ['mlp', ...values.init, ...configSets].join(' '),
  };
}

/** The sets of a folder, the smallest first: `{ name, file, target, task, rows, columns, test }`. */
function listSets(folder) {
  const index = join(folder, 'index.json');
  const sets = existsSync(index)
    ? JSON.parse(readFileSync(index, 'utf8'))
    : readdirSync(folder)
        .filter((file) => /\.csv(\.gz)?$/.test(file))
        .map((file) => ({ name: file.replace(/\.csv(\.gz)?$/, ''), file }));
  return sets.map((set) => describe(folder, set)).sort((a, b) => a.rows * a.columns - b.rows * b.columns);
}

function describe(folder, set) {
  const [header, ...rows] = readTable(join(folder, set.file));
  const target = set.target ?? header.cells.at(-1);
  const column = header.cells.indexOf(target);
  if (column < 0) throw new Error(`${set.file}: found no column "${target}"`);
  const levels = new Set(rows.map(({ cells }) => cells[column]));
  const isNumber = [...levels].every((level) => level !== '' && Number.isFinite(Number(level)));
  const task = set.task ?? (isNumber && levels.size >= FEW_LEVELS ? 'regression' : 'classification');
  return { ...set, target, task, folder, rows: rows.length, columns: header.cells.length - 1 };
}

function readTable(path) {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return parseCsv(text.replace(/^\uFEFF/, '')).filter((record) => record.text !== '');
}

/** Writes train.csv and test.csv of a set, and gives their paths, the true targets, and a hash of both. */
async function prepare(set, scratch) {
  const folder = join(scratch, set.name);
  mkdirSync(folder, { recursive: true });
  const [header, ...rows] = readTable(join(set.folder, set.file));
  const train = join(folder, 'train.csv');
  const test = join(folder, 'test.csv');
  const write = (path, records) =>
    writeFileSync(path, [header, ...records].map(({ text }) => `${text}\n`).join(''));
  let testRows = rows;
  if (set.testFile) {
    write(train, rows);
    testRows = readTable(join(set.folder, set.testFile)).slice(1);
  } else {
    const isTest = set.test
      ? decodeSplit(set.test, rows.length)
      : await askForSplit(set, train, () => write(train, rows));
    testRows = rows.filter((_, row) => isTest[row]);
    write(
      train,
      rows.filter((_, row) => !isTest[row]),
    );
  }
  write(test, testRows);
  const column = header.cells.indexOf(set.target);
  const hash = createHash('sha256').update(readFileSync(train)).update(readFileSync(test));
  return {
    ...set,
    folder,
    train,
    test,
    truth: testRows.map(({ cells }) => cells[column]),
    hash: hash.digest('hex').slice(0, 8),
  };
}

/** scikit-learn's split, where the folder does not say which rows are for the test. */
async function askForSplit({ target, task, rows }, path, writeAll) {
  writeAll();
  const { test } = await askPython({ do: 'split', train: path, target, task });
  const chosen = new Set(test);
  return Array.from({ length: rows }, (_, row) => chosen.has(row));
}

/** Runs a program to its end. @throws Error with its last line where it fails */
function run(command, args, { input = '', cwd, threads = 1 } = {}) {
  const pools = Object.fromEntries(
    ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'].map((name) => [name, String(threads)]),
  );
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd, stdio: Array(4).fill('pipe'), env: { ...env, ...pools } });
    const output = ['', '', '', ''];
    for (const i of [1, 2, 3]) {
      child.stdio[i].setEncoding('utf8');
      child.stdio[i].on('data', (text) => {
        output[i] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const [, stdout, stderr, cpu] = output;
      const wallSeconds = (performance.now() - started) / 1e3;
      if (code === 0) resolve({ stdout, wallSeconds, cpuSeconds: Number(cpu) });
      else
        reject(
          new Error(
            `${signal ?? `exit code ${code}`}: ${stderr.trimEnd().split('\n').slice(-4).join(' | ')}`,
          ),
        );
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

async function askPython(request, options) {
  const { stdout } = await run(PYTHON, [SCRIPT], { input: JSON.stringify(request), ...options });
  return JSON.parse(stdout);
}

/** init, train and predict as a user calls them; the seconds are those of init and train, Node's start included. */
async function runMlp({ mlp, init, configSets, threads }, { folder, train, test, target, task }, seed) {
  const call = (args) => run(execPath, ['--import', REPORT_CPU, mlp, ...args], { cwd: folder, threads });
  const config = join(folder, 'config.json');
  const model = join(folder, 'run');
  rmSync(model, { recursive: true, force: true });
  const sets = [`seed=${seed}`, ...configSets].flatMap((setting) => ['--set', setting]);
  const begun = await call(['init', train, '--target', target, '-o', config, '--force', ...init]);
  const trained = await call([
    'train',
    config,
    '--run',
    model,
    '--threads',
    String(threads),
    '--json',
    ...sets,
  ]);
  const predicted = await call(['predict', model, test, '--json']);
  const rows = predicted.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const seconds = {
    wallSeconds: begun.wallSeconds + trained.wallSeconds,
    cpuSeconds: begun.cpuSeconds + trained.cpuSeconds,
  };
  if (task === 'regression') return { ...seconds, values: rows.map(({ prediction }) => Number(prediction)) };
  const classes = Object.keys(rows[0].probabilities).sort();
  return {
    ...seconds,
    labels: rows.map(({ prediction }) => String(prediction)),
    classes,
    probabilities: rows.map(({ probabilities }) => classes.map((name) => probabilities[name])),
  };
}

/** Tells builds of mlp apart: its version, and a hash of all that it runs. */
function versionOf(mlp) {
  const root = dirname(dirname(resolve(mlp)));
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'dist'), { recursive: true }).sort())
    if (/\.(js|wasm)$/.test(name)) hash.update(readFileSync(join(root, 'dist', name)));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return `${version} ${hash.digest('hex').slice(0, 8)}`;
}

/** Who takes part: `{ contender, isOurs, version, measure(set, seed) }`. */
async function findContenders(options) {
  const wanted = (name) => options.only?.includes(name) ?? true;
  const contenders = [];
  if (wanted('mlp')) {
    const mlp = { ...options, mlp: resolve(options.mlp) };
    const version = [versionOf(mlp.mlp), ...options.init, ...options.configSets].join(' ');
    const measure = (set, seed) => runMlp(mlp, set, seed);
    contenders.push({ contender: options.label, isOurs: true, version, measure });
  }
  const { threads } = options;
  const others = options.only?.every((name) => name === 'mlp') ? {} : await askPython({ do: 'versions' });
  for (const [contender, { version, unavailable }] of Object.entries(others)) {
    if (!wanted(contender)) continue;
    if (unavailable) console.error(`${contender}: left out, not installed: ${unavailable}`);
    const measure = ({ folder, train, test, target, task }, seed) =>
      askPython({ do: 'run', contender, train, test, target, task, seed, threads }, { cwd: folder, threads });
    if (!unavailable) contenders.push({ contender, isOurs: false, version, measure });
  }
  for (const name of options.only ?? [])
    if (name !== 'mlp' && !others[name]) throw new Error(`--only: found no contender "${name}"`);
  return contenders;
}

/** All results of a cache, the last one of each measurement. */
function readCache(path) {
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [keyOf(result), result]));
}

function keyOf({ contender, version, set, hash, seed, threads }) {
  return JSON.stringify([contender, version, set, hash, seed, threads]);
}

function describeScores(scores) {
  return Object.entries(scores)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ');
}

async function measureAll(options) {
  const sets = listSets(options.data).filter(({ name }) => options.sets?.includes(name) ?? true);
  if (sets.length === 0) throw new Error(`--sets: found none of them in ${options.data}`);
  const scratch = join(tmpdir(), `quality-${process.pid}`);
  const results = [];
  try {
    const prepared = [];
    for (const set of sets) prepared.push(await prepare(set, scratch));
    for (const { measure, ...who } of await findContenders(options)) {
      // Without bagging nothing in LightGBM is random.
      for (const seed of who.contender === BASELINE ? [0] : options.seeds) {
        for (const set of prepared) {
          const what = { ...who, set: set.name, hash: set.hash, seed, threads: options.threads };
          // Another run may have measured it meanwhile.
          const known = options.again ? undefined : readCache(options.cache).get(keyOf(what));
          if (known) {
            results.push(known);
            continue;
          }
          const place = `${set.name}, ${who.contender}, seed ${seed}`;
          try {
            const { wallSeconds, cpuSeconds, ...predictions } = await measure(set, seed);
            const scores = scorePredictions(set.truth, predictions);
            const result = { ...what, scores, cpuSeconds, wallSeconds, date: new Date().toISOString() };
            // One short line at once, so that several runs may share a cache.
            appendFileSync(options.cache, `${JSON.stringify(result)}\n`);
            results.push(result);
            console.error(`${place}: ${describeScores(scores)}, ${cpuSeconds.toFixed(1)} s of CPU`);
          } catch (error) {
            console.error(`${place}: failed: ${error.message}`);
          }
        }
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return results;
}

const options = readOptions();
const measured = options.table ? [] : await measureAll(options);
const sets = options.sets ?? (options.table ? undefined : measured.map(({ set }) => set));
const cached = [...readCache(options.cache).values()].filter(({ contender, isOurs, set }) => {
  if (!(sets?.includes(set) ?? true)) return false;
  if (options.table) return options.only?.includes(isOurs ? 'mlp' : contender) ?? true;
  // What others reached before is beside what was measured now.
  return !isOurs;
});
const isNew = new Set(measured.map(keyOf));
console.log(tables([...cached.filter((result) => !isNew.has(keyOf(result))), ...measured]));
