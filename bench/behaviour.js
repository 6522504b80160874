/**
 * Records what every command does with the shipped configs, and compares another build with the record: for a
 * refactoring that must change no result.
 *
 *     node bench/behaviour.js record FILE [--quick]     of this build
 *     node bench/behaviour.js compare FILE              exits 1 where a result differs
 *
 * Results are `--json` documents, exit codes, the files of a run directory (times left out), weights by their hash. What is
 * printed for people is not compared. FILE.runs keeps the recorded run directories: a later build must evaluate, resume and
 * reproduce them as the recording build did.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MLP = join(ROOT, 'bin/mlp.js');
/** Keys whose values are times, paths of the recording, facts of the machine, or sentences for people. */
const UNSTABLE = new Set(
  ['seconds', 'trainSeconds', 'samplesPerSecond', 'run', 'version', 'node', 'path', 'configSha256'].concat([
    'warnings',
    'warning',
    'message',
    'reason',
    'reasons',
    'note',
    'notes',
    'choices',
    'evidence',
    '$schema',
  ]),
);

/** One command line: its exit code and its JSON lines without what a clock decides. */
function run(folder, ...args) {
  const { status, stdout } = spawnSync(process.execPath, [MLP, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  let output;
  try {
    output = [JSON.parse(stdout)];
  } catch {
    output = lines.map((line) => (line.startsWith('{') ? JSON.parse(line) : line));
  }
  return { status, output: stable(output, folder) };
}

function stable(value, folder) {
  if (typeof value === 'string') return value.replaceAll(folder, '').replaceAll(ROOT, '');
  if (Array.isArray(value)) return value.map((item) => stable(item, folder));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !UNSTABLE.has(key))
      .map(([key, item]) => [key, stable(item, folder)]),
  );
}

/** The files that a run leaves, as hashes; the columns of times and keys that name the machine left out. */
function runFiles(directory) {
  const files = {};
  for (const name of [
    'config.json',
    'steps.csv',
    'epochs.csv',
    'model.safetensors',
    'run.json',
    'predictions.csv',
  ]) {
    const file = join(directory, name);
    if (!existsSync(file)) continue;
    let bytes = readFileSync(file);
    if (name === 'epochs.csv') bytes = bytes.toString().replace(/,[^,\n]*$/gm, '');
    if (name === 'run.json') bytes = JSON.stringify(stable(JSON.parse(bytes), directory));
    if (name === 'config.json') bytes = JSON.stringify(withoutPaths(JSON.parse(bytes)));
    files[name] = hash(bytes);
  }
  return files;
}

/** The paths of a written config are relative to its run directory. */
function withoutPaths(config) {
  for (const key of ['train', 'validation', 'test']) {
    if (typeof config.data?.[key] === 'string') config.data[key] = basename(config.data[key]);
  }
  return config;
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

const ADDITIONS = {
  iris: [
    [],
    [
      '--set',
      'training.optimizer={"type":"sgd","learningRate":0.1,"momentum":0.9,"nesterov":true}',
      '--set',
      'training.l2=0.01',
    ],
    ['--set', 'training.optimizer={"type":"adamw","learningRate":0.01}', '--set', 'training.l1=0.001'],
    ['--set', 'training.optimizer={"type":"rmsprop","learningRate":0.01,"centered":true,"momentum":0.5}'],
    ['--set', 'training.optimizer={"type":"adagrad","learningRate":0.1}', '--set', 'training.clipNorm=0.5'],
    ['--set', 'training.schedule={"type":"one-cycle"}', '--set', 'training.batches="with-replacement"'],
    ['--set', 'training.schedule={"type":"warm-up","epochs":3,"after":{"type":"cosine"}}', '--threads', '2'],
    [
      '--set',
      'training.schedule={"type":"reduce-on-plateau"}',
      '--set',
      'training.earlyStopping={"patience":3}',
    ],
    [
      '--set',
      'network.layers=[16,"batch-norm","gelu",{"type":"residual","layers":[16,"layer-norm","silu"]},{"type":"dropout","rate":0.2},3,"softmax"]',
    ],
    [
      '--set',
      'network.layers=[12,"elu",12,"leaky-relu",12,"softplus",3]',
      '--set',
      'dtype="float64"',
      '--threads',
      '3',
    ],
    [
      '--set',
      'data.test=0.2',
      '--set',
      'data.weights="balanced"',
      '--set',
      'data.standardize="minmax"',
      '--set',
      'training.batchSize=24',
    ],
    ['--set', 'data.validation=0', '--set', 'training.keep="last"'],
  ],
  diabetes: [
    [],
    [
      '--set',
      'data.target=["progression","bmi"]',
      '--set',
      'network.layers=[8,"tanh",2]',
      '--set',
      'data.test=0.1',
    ],
  ],
  wine: [[], ['--set', 'data.exclude=["ash","hue"]', '--set', 'dtype="float64"']],
  'breast-cancer': [['--set', 'network.layers=[64,"relu",32,"sigmoid",1,"sigmoid"]']],
  digits: [['--set', 'training.epochs=3']],
  'homework/toy': [[], ['--set', 'dtype="float64"']],
};
const BACKENDS = [
  ['--deterministic'],
  ['--backend', 'reference', '--threads', '1'],
  ['--backend', 'blas', '--threads', '1'],
];

function mixedTable(folder) {
  const colours = ['red', 'green', 'blue', '', 'grey'];
  const rows = Array.from({ length: 240 }, (_, i) => {
    const amount = i % 11 === 0 ? '' : ((i * 7919) % 1000) / 10;
    return [i, colours[(i * i) % 5], amount, (i * 31) % 17, i % 3 === 0 ? 'yes' : 'no'].join(',');
  });
  writeFileSync(join(folder, 'mixed.csv'), `id,colour,amount,count,label\n${rows.join('\n')}\n`);
  const config = {
    network: { layers: [8, 'relu', 1] },
    data: { train: 'mixed.csv', target: 'label', exclude: ['id'], validation: 0.25, missing: 'mean' },
    training: { epochs: 12, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.02 } },
  };
  writeFileSync(join(folder, 'mixed.json'), JSON.stringify(config));
}

function behaviour(keep, quick) {
  const folder = mkdtempSync(join(tmpdir(), 'behaviour-'));
  const record = {};
  for (const name of ['configs', 'data', 'schema'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  mixedTable(folder);
  const backends = quick ? BACKENDS.slice(0, 1) : BACKENDS;
  let runs = 0;
  const trained = (config, additions, backend) => {
    const name = `run-${runs++}`;
    const result = run(folder, 'train', config, ...additions, ...backend, '--run', name, '--json');
    record[['train', config, ...additions, ...backend].join(' ')] = result;
    const directory = join(folder, name);
    if (result.status !== 0) return;
    const data = config === 'mixed.json' ? 'mixed.csv' : `data/${basename(config, '.json')}.csv`;
    if (existsSync(join(folder, data))) {
      const predicted = run(folder, 'predict', name, data, '-o', join(name, 'predictions.csv'));
      record[`predict ${name}`] = { status: predicted.status };
      record[`predict --json ${name}`] = hash(JSON.stringify(run(folder, 'predict', name, data, '--json')));
      record[`evaluate ${name} file`] = run(folder, 'evaluate', name, data, '--json');
    }
    record[`evaluate ${name}`] = run(folder, 'evaluate', name, '--json');
    record[`files ${name}`] = runFiles(directory);
    if (backend === BACKENDS[0]) {
      record[`repro ${name}`] = run(folder, 'repro', name, '--json').status;
      if (keep) cpSync(directory, join(keep, name), { recursive: true });
    }
  };
  for (const backend of backends) {
    for (const [config, variants] of Object.entries(ADDITIONS)) {
      for (const additions of quick ? variants.slice(-1) : variants) {
        trained(`configs/${config}.json`, additions, backend);
      }
    }
    trained('mixed.json', [], backend);
    if (quick) continue;
    trained('mixed.json', ['--set', 'data.missing="indicator"', '--threads', '2'], backend);
    trained('mixed.json', ['--set', 'data.missing="median"', '--set', 'data.standardize=false'], backend);
  }
  for (const name of readdirSync(join(folder, 'data')).filter((file) => file.endsWith('.csv'))) {
    const [header] = readFileSync(join(folder, 'data', name), 'utf8').split('\n');
    const target = header.split(',').at(-1).trim();
    record[`inspect ${name}`] = hash(JSON.stringify(run(folder, 'inspect', `data/${name}`, '--json')));
    const { status } = run(folder, 'init', `data/${name}`, '--target', target, '-o', `${name}.json`);
    record[`init ${name}`] = {
      status,
      config: JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')),
    };
  }
  for (const name of readdirSync(join(folder, 'configs/gradcheck'))) {
    record[`gradcheck ${name}`] = run(folder, 'gradcheck', `configs/gradcheck/${name}`, '--json');
  }
  record['gradcheck iris'] = run(folder, 'gradcheck', 'configs/iris.json', '--json');
  if (!quick) record.gradcheck = run(folder, 'gradcheck', '--json');
  record.params = run(folder, 'params', 'configs/specs/30-1024-512-1.json', '--json');
  for (const name of ['config', 'network'])
    record[`schema ${name}`] = run(folder, 'schema', name, '--json').status;
  for (const args of [
    ['params', 'missing.json'],
    ['params', 'configs/iris.json', '--max-params', '3'],
    ['train', 'configs/iris.json', '--set', 'training.epohs=3'],
    ['train', 'configs/iris.json', '--set', 'data.target="nothing"'],
    ['train', 'configs/iris.json', '--set', 'training.optimizer.learningRate=1e30'],
    ['evaluate', 'configs'],
    ['predict', 'configs/iris.json', 'data/iris.csv'],
    ['nonsense'],
  ]) {
    record[`fails: ${args.join(' ')}`] = run(folder, ...args).status;
  }
  rmSync(folder, { recursive: true });
  return record;
}

/** What this build makes of recorded run directories: scores, resumption to a later end, reproduction. */
function recordedRuns(kept) {
  const record = {};
  const folder = mkdtempSync(join(tmpdir(), 'behaviour-'));
  for (const name of ['configs', 'data']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  mixedTable(folder);
  for (const name of readdirSync(kept).sort()) {
    cpSync(join(kept, name), join(folder, name), { recursive: true });
    record[`kept evaluate ${name}`] = run(folder, 'evaluate', name, '--json');
    record[`kept repro ${name}`] = run(folder, 'repro', name, '--json').status;
    const config = join(folder, name, 'config.json');
    const { epochs } = JSON.parse(readFileSync(config, 'utf8')).training;
    if (epochs) {
      const more = ['--set', `training.epochs=${epochs + 2}`, '--resume', name, '--extend', '--json'];
      const { status, output } = run(folder, 'train', config, ...more);
      record[`kept resume ${name}`] = { status, end: output.at(-1) };
    }
  }
  rmSync(folder, { recursive: true });
  return record;
}

const [mode, file, ...flags] = process.argv.slice(2);
if (!['record', 'compare'].includes(mode) || file === undefined) {
  console.error('usage: node bench/behaviour.js record|compare FILE [--quick]');
  process.exit(64);
}
const kept = `${resolve(file)}.runs`;
if (mode === 'record') {
  rmSync(kept, { recursive: true, force: true });
  const quick = flags.includes('--quick');
  const record = { quick, ...behaviour(kept, quick), ...recordedRuns(kept) };
  writeFileSync(file, `${JSON.stringify(record, null, 1)}\n`);
  console.log(`${Object.keys(record).length} results recorded in ${file}`);
} else {
  const before = JSON.parse(readFileSync(file, 'utf8'));
  const after = { quick: before.quick, ...behaviour(undefined, before.quick), ...recordedRuns(kept) };
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const different = [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  for (const key of different) {
    const show = (value) => (JSON.stringify(value) ?? 'nothing').slice(0, 2000);
    console.log(`${key}\n  before ${show(before[key])}\n  after  ${show(after[key])}`);
  }
  console.log(`${keys.size} results, ${different.length} different`);
  process.exitCode = different.length > 0 ? 1 : 0;
}
