/** Damaged run directories: the content of every file, and its type. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { CHECKSUM_LINE_BYTES, withChecksum } from '../../dist/training/run/checkpoints.js';
import { mutateModel } from './models.mjs';
import { cut, mutateBytes, mutateJson, wordsOf } from './random.mjs';
import { projectPath, requireDone, trainSamples } from './samples.mjs';
import { snapshot } from './trial.mjs';

const EXTEND = ['--extend', '--set', 'training.epochs=4'];
const RESUMES = {
  again: ['train', 'config.json', '--resume', 'r', '--json'],
  longer: ['train', 'config.json', '--resume', 'r', ...EXTEND],
  // Never longer than that, whatever the damaged config says.
  own: ['train', 'r/config.json', '--resume', 'r', ...EXTEND, '--set', 'threads=1'],
};
const PREDICT = ['predict', 'r', 'data.csv', '--json'];
const READERS = [
  PREDICT,
  ['evaluate', 'r', '--json'],
  ['evaluate', 'r', '--split', 'train'],
  ['evaluate', 'r', 'data.csv'],
  ['repro', 'r', '--json'],
  ['params', 'r/config.json', '--json'],
  ['runs', '.', '--json'],
  ['runs', '.', '--sort', 'validation_loss'],
  ['report', 'r', '--json'],
  ['report', 'r', '-o', 'page.html', '--force'],
  ['report', '.', '-o', 'page.html', '--force'],
];
const MINE = 'a line of my own file\n'.repeat(100);

export async function createRuns(folder, processes) {
  const socket = await openSocket(join(folder, 'socket'));
  const samples = [];
  for (const { name, config, folder: trained } of await trainSamples(folder, processes)) {
    const sample = join(folder, `run-${name}`);
    cpSync(trained, sample, { recursive: true });
    writeFileSync(join(sample, 'r/rejected.csv'), 'file,line,reason\n');
    samples.push({ folder: sample, config, ends: await endsOf(sample, processes) });
  }
  const words = wordsOf(JSON.parse(readFileSync(projectPath('schema/config.schema.json'), 'utf8')));
  let current;

  return {
    make(random, input, isSound) {
      current = { ...random.pick(samples), isForged: false };
      cpSync(current.folder, input, { recursive: true });
      mkdirSync(join(input, 'mine'));
      for (const name of ['file', 'step-1.checkpoint', 'run.json'])
        writeFileSync(join(input, 'mine', name), MINE);
      if (isSound) return { commands: [...READERS, RESUMES.again, RESUMES.longer] };
      if (random.oneIn(4))
        for (const name of ['model.safetensors', 'run.json']) rmSync(join(input, 'r', name));
      for (let left = random.mutations(); left > 0; left--) {
        if (damage(random, input, socket, words)) current.isForged = true;
      }
      const resume = random.pick(Object.values(RESUMES));
      const commands = random.oneIn(3)
        ? [random.pick(READERS), random.pick(READERS)]
        : [random.pick(READERS), resume];
      return { commands };
    },
    owned: (args) =>
      args.includes('-o') ? ['page.html'] : args.includes('--resume') || args[0] === 'report' ? ['r'] : [],
    check: (trial) => checkRun(trial, current),
  };
}

/** What an undamaged directory gives, by the name of the command. */
async function endsOf(sample, processes) {
  const { stdout } = await processes.run(PREDICT, sample);
  const ends = { model: readFileSync(join(sample, 'r/model.safetensors')), predictions: stdout };
  for (const [name, args] of Object.entries(RESUMES)) {
    const copy = `${sample}-${name}`;
    cpSync(sample, copy, { recursive: true });
    await requireDone(processes, args, copy);
    ends[name] = readFileSync(join(copy, 'r/model.safetensors'));
  }
  return ends;
}

function openSocket(path) {
  if (process.platform === 'win32') return undefined;
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.listen(path, () => resolve(path));
  });
}

/** Damages a file of the run. Returns whether it is a checkpoint now whose checksum fits another state. */
function damage(random, input, socket, words) {
  const run = join(input, 'r');
  // Links are not followed: nothing outside of the input may be damaged.
  const names = [...snapshot(run).keys()];
  const name = random.oneIn(8)
    ? random.pick([
        'lock',
        'lock.takeover',
        '.config.json.1.00000000.partial',
        'checkpoint/step-9.checkpoint',
        'notes.txt',
      ])
    : names.length > 0
      ? random.pick(names)
      : 'notes.txt';
  const path = join(run, name);
  // A damage before may have made a file or a link of the folder.
  if (!lstatSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return false;
  const isPlain = names.includes(name) && name !== 'checkpoint' && !isSpecial(path);
  if (isPlain && random.below(3) > 0) {
    const paths = names.map((other) => join(run, other));
    return damageContent(random, path, paths, words);
  }
  damageType(random, path, { input, run, socket });
  return false;
}

function isSpecial(path) {
  const entry = readdirSync(join(path, '..'), { withFileTypes: true }).find(({ name }) =>
    path.endsWith(`/${name}`),
  );
  return !entry?.isFile();
}

function damageContent(random, path, paths, words) {
  const bytes = readFileSync(path);
  const others = paths.filter((other) => !isSpecial(other)).map((other) => readFileSync(other));
  const isJson = path.endsWith('.json');
  const kind = random.below(isJson ? 8 : 5);
  let changed;
  if (kind === 0) changed = Buffer.alloc(0);
  else if (kind === 1) changed = random.pick(others);
  else if (kind < 5) changed = mutateBytes(random, bytes, others);
  else changed = Buffer.from(mutateJson(random, bytes.toString('utf8'), words));
  const isCheckpoint = path.endsWith('.checkpoint') && bytes.length > CHECKSUM_LINE_BYTES;
  // A stranger can write a checksum that fits.
  const isForged = isCheckpoint && !random.oneIn(3);
  if (isForged) changed = Buffer.concat(withChecksum([stateOf(random, bytes, words)]));
  writeFileSync(path, cut(changed));
  return isForged;
}

/** The state in a checkpoint, damaged. */
function stateOf(random, bytes, words) {
  const state = bytes.subarray(CHECKSUM_LINE_BYTES);
  if (random.oneIn(4)) return mutateBytes(random, state);
  return mutateModel(random, state, [state], words);
}

function damageType(random, path, { input, run, socket }) {
  const aside = join(input, 'mine', 'aside');
  if (existsSync(path) && !existsSync(aside) && random.oneIn(4)) {
    // The true file, but by a link.
    renameSync(path, aside);
    return symlinkSync(aside, path);
  }
  const kind = random.below(12);
  if (kind === 0 && process.getuid?.() !== 0) return chmodSync(path, 0);
  rmSync(path, { recursive: true, force: true });
  switch (kind) {
    case 1:
      return mkdirSync(path);
    case 2:
      mkdirSync(path);
      return writeFileSync(join(path, 'notes.txt'), MINE);
    case 3:
      return execFileSync('mkfifo', [path]);
    case 4:
      return socket === undefined ? undefined : linkSync(socket, path);
    case 5:
      return symlinkSync(join(input, 'mine/nothing'), path);
    case 6:
      return symlinkSync(path, path);
    case 7:
      return symlinkSync(
        random.pick(['/dev/zero', '/dev/null', '/dev/full', '/dev/stdin', '/proc/self/mem']),
        path,
      );
    case 8:
      return symlinkSync(
        join(input, random.pick(['mine', 'mine/file', 'mine/run.json', 'data.csv', 'r'])),
        path,
      );
    case 9:
      return linkSync(join(input, 'mine/file'), path);
    case 10:
      return symlinkSync(random.pick(readdirSync(run).concat('x')), path);
    default:
      return writeFileSync(
        path,
        random.pick([MINE, '{"pid":1}', `{"pid":${process.pid},"host":"x"}`, '{"pid":999999999,"host":"x"}']),
      );
  }
}

/** What a command has done to the directory, and whether it ended where it should. */
function checkRun({ args, result, before, after, folder }, { ends, config, isForged }) {
  const isResume = args.includes('--resume');
  const found = [];
  if (
    result.code === 0 &&
    args === PREDICT &&
    !/warning|note|earlier version/.test(result.stderr) &&
    result.stdout !== ends.predictions
  ) {
    found.push('other predictions than the undamaged model, without a word');
  }
  if (
    result.code === 0 &&
    args[0] === 'repro' &&
    existsSync(join(folder, 'r/model.safetensors')) &&
    !readFileSync(join(folder, 'r/model.safetensors')).equals(ends.model)
  ) {
    found.push('repro is content with a damaged model');
  }
  if (!isResume) return found;
  for (const [path, was] of before) {
    const is = after.get(path);
    if (is === was || !path.startsWith('r/')) continue;
    // Steps were taken by then: a directory lies in place of the next checkpoint, which the config comes before, or
    // a stranger's state has a checksum that fits.
    const isLate = /checkpoint\/step-\d+\.checkpoint: found a directory/.test(result.stderr);
    const isCut = /training diverged/.test(result.stderr) && path !== 'r/config.json';
    if ((result.code === 0 || isLate || isCut) && isReplaced(path)) continue;
    if (is === undefined && isLeftover(path)) continue;
    found.push(`exit code ${result.code}, but changed ${path}: ${was} before, ${is ?? 'nothing'} after`);
  }
  const name = Object.keys(RESUMES).find((key) => RESUMES[key] === args);
  // A schedule, and the best weights, mean another run after another checkpoint.
  // A checksum is no signature: nobody can tell that weights are not those of the run.
  const isSame =
    !isForged && (name === 'again' || (name === 'longer' && config.training.schedule === undefined));
  if (result.code === 0 && isSame && !readFileSync(join(folder, 'r/model.safetensors')).equals(ends[name])) {
    found.push('ended in another model than an undamaged run');
  }
  return found;
}

/** Whether a run writes the file: at its end, or as it goes on. */
function isReplaced(path) {
  return /^r\/((model\.safetensors|report\.html|(run|config)\.json|rejected\.csv|refit)|(refit\/)?((steps|epochs|layers)\.csv|checkpoint(\/step-\d+\.checkpoint)?))$/.test(
    path,
  );
}

function isLeftover(path) {
  return /\.partial$|\/lock$|\/lock\.takeover$/.test(path);
}
