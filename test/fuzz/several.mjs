/** Damaged folders of several runs: studies, cross-validations and ensembles. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toCanonicalJson } from '../../dist/spec/json.js';
import { damage, openSocket, writeMine } from './folders.mjs';
import { cut, mutateJson, wordsOf } from './random.mjs';
import { forgedCheckpoint } from './runs.mjs';
import { CONFIGS, CSV, once, projectPath, requireDone } from './samples.mjs';

const SPACE = {
  'training.optimizer.learningRate': { log: [0.001, 0.1] },
  'training.l2': { choice: [0, { log: [1e-6, 0.01] }] },
  'network.layers[0].units': { int: [2, 6] },
};
const SWEEP = { base: 'config.json', space: SPACE, trials: 4, pending: 2 };
const SWEEPS = {
  'to the end': SWEEP,
  'with halving': { ...SWEEP, method: 'random', stop: { type: 'halving', factor: 2 } },
};
const CONFIG = {
  ...CONFIGS.regression,
  data: { ...CONFIGS.regression.data, validation: 0.2 },
  training: { ...CONFIGS.regression.training, epochs: 3 },
  threads: 1,
  deterministic: true,
};
const STRAYS = {
  s: [
    'study.log.lock',
    'study.log.lock.takeover',
    '.study.log.1.00000000.partial',
    'trial-4',
    'trial-9',
    'best.json',
  ],
  v: ['lock', 'fold-3', 'predictions.csv', '.predictions.csv.1.00000000.partial'],
  e: ['member-3.safetensors', 'notes.txt'],
};
/** Never longer than that, whatever a damaged config says. */
const SHORT = ['--set', 'training.epochs=3', '--set', 'threads=1'];

const GO_ON = ['sweep', 'sweep.json', '--resume', 's', '--json'];
const REVALIDATE = ['crossvalidate', 'config.json', '--folds', '2', '--resume', 'v', '--json'];
const PREDICT = ['predict', 'e', 'data.csv', '--json'];
const reports = (folder) => [
  ['report', folder, '--json'],
  ['report', folder, '-o', 'page.html', '--force'],
  ['runs', folder, '--json'],
];
/** By the damaged folder, or with a damaged sweep. The first one must end as it does in an undamaged folder, or fail. */
const COMMANDS = {
  s: [
    GO_ON,
    ['sweep', 'sweep.json', '--resume', 's', '--trials', '5'],
    ['sweep', 's/sweep.json', '--resume', 's', '--trials', '5', ...SHORT],
    ['train', 's/best.json', '--run', 'b', ...SHORT],
    ['ensemble', 's', '-o', 'new', '--json'],
    ['runs', 's', '--sort', 'validation_loss'],
    ...reports('s'),
  ],
  v: [REVALIDATE, ['ensemble', 'v', '-o', 'new', '--json'], ...reports('v')],
  '.': [
    ['sweep', 'sweep.json', '--run', 'new', '--trials', '2', ...SHORT],
    ['sweep', 'sweep.json', '--resume', 's', '--trials', '4'],
  ],
  e: [
    PREDICT,
    ['evaluate', 'e', 'data.csv', '--json'],
    ['export', 'e', '--to', 'onnx', '-o', 'out.onnx', '--force', '--json'],
    ['export', 'e', '--to', 'js', '-o', '-'],
  ],
};

export async function createSeveral(folder, processes) {
  const socket = await openSocket(folder);
  const sampleOf = once((name) => makeSample(join(folder, `several ${name}`), SWEEPS[name], processes));
  const schemas = ['config', 'sweep'].map((name) =>
    JSON.parse(readFileSync(projectPath(`schema/${name}.schema.json`), 'utf8')),
  );
  const words = schemas.flatMap(wordsOf);
  const forge = (random, path, bytes) => forged(random, path, bytes, words);
  let current;

  return {
    async make(random, input, isSound) {
      current = { ...(await sampleOf(random.pick(Object.keys(SWEEPS)))), isForged: false };
      cpSync(current.folder, input, { recursive: true });
      writeMine(input);
      if (isSound) return { commands: Object.values(COMMANDS).map(([first]) => first) };
      const name = random.pick(['s', 's', 'v', 'e', '.']);
      if (name === '.') {
        for (let left = random.mutations(); left > 0; left--)
          mutateSweep(random, join(input, 'sweep.json'), words);
        return { commands: COMMANDS[name] };
      }
      if (name === 's' && !random.oneIn(3)) stopEarly(random, join(input, 's/study.log'));
      for (let left = random.mutations(); left > 0; left--)
        if (damage(random, input, name, { socket, words, strays: STRAYS[name], forge }))
          current.isForged = true;
      const [first, ...rest] = COMMANDS[name];
      return { commands: [random.pick(rest), random.oneIn(2) ? first : random.pick(rest)] };
    },
    owned: (args) => {
      const [command, path] = args;
      const at = Math.max(args.indexOf('--resume'), args.indexOf('--run'));
      if (at >= 0) return [args[at + 1]];
      if (command === 'report') return args.includes('-o') ? ['page.html'] : [`${path}/report.html`];
      return ['new', 'out.onnx'].filter((name) => args.includes(name));
    },
    check: (trial) => checkSeveral(trial, current),
  };
}

async function makeSample(folder, sweep, processes) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'data.csv'), CSV);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
  writeFileSync(join(folder, 'sweep.json'), JSON.stringify(sweep));
  await requireDone(processes, ['sweep', 'sweep.json', '--run', 's'], folder);
  await requireDone(processes, ['crossvalidate', 'config.json', '--folds', '2', '--run', 'v'], folder);
  await requireDone(processes, ['ensemble', 'v', '-o', 'e'], folder);
  const { stdout: predictions } = await processes.run(PREDICT, folder);
  const folds = readFileSync(join(folder, 'v/predictions.csv'));
  return { folder, predictions, folds };
}

/** What a stranger writes, whose checksums fit, or who knows what a journal holds. */
function forged(random, path, bytes, words) {
  if (path.endsWith('ensemble.json') && !random.oneIn(3)) {
    try {
      const { checksum: _, ...content } = JSON.parse(mutateJson(random, bytes.toString('utf8'), words));
      const checksum = createHash('sha256').update(toCanonicalJson(content)).digest('hex');
      return Buffer.from(JSON.stringify({ ...content, checksum }));
    } catch {
      return undefined;
    }
  }
  if (path.endsWith('study.log')) return Buffer.from(mutateJournal(random, bytes.toString('utf8'), words));
  return forgedCheckpoint(random, path, bytes, words);
}

function mutateSweep(random, path, words) {
  const text = mutateJson(random, readFileSync(path, 'utf8'), words);
  writeFileSync(path, cut(Buffer.from(text)));
}

/** As a kill leaves a journal; what came of its trials lies in their directories. */
function stopEarly(random, path) {
  const text = readFileSync(path, 'utf8');
  const start = text.indexOf('mlp:sweep');
  writeFileSync(path, text.slice(0, start + random.below(text.length - start)));
}

/** The lines of a journal after a mutation. */
function mutateJournal(random, text, words) {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  switch (random.below(6)) {
    case 0:
      return text.slice(0, random.below(text.length + 1));
    case 1:
      return lines.toSpliced(at, 1).join('\n');
    case 2:
      return lines
        .toSpliced(random.below(lines.length), 0, ...Array(1 + random.small(1000)).fill(lines[at]))
        .join('\n');
    default:
      return lines.with(at, mutateJson(random, lines[at], words)).join('\n');
  }
}

function checkSeveral({ args, result, folder }, { predictions, folds, isForged }) {
  if (result.code !== 0 || isForged) return [];
  if (args === PREDICT && result.stdout !== predictions)
    return ['other predictions than the undamaged ensemble'];
  if (args === REVALIDATE && !readFileSync(join(folder, 'v/predictions.csv')).equals(folds))
    return ['other predictions of the folds than the undamaged cross-validation'];
  return [];
}
