/** Damaged run directories: the content of every file, and its type. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKSUM_LINE_BYTES, withChecksum } from '../../dist/training/run/checkpoints.js';
import { damage, openSocket, writeMine } from './folders.mjs';
import { mutateModel } from './models.mjs';
import { mutateBytes, wordsOf } from './random.mjs';
import { CONFIGS, once, projectPath, requireDone, trainSample } from './samples.mjs';

const EXTEND = ['--extend', '--set', 'training.epochs=4'];
const RESUMES = {
  again: ['train', 'config.json', '--resume', 'r', '--json'],
  longer: ['train', 'config.json', '--resume', 'r', ...EXTEND],
  // Never longer than that, whatever the damaged config says.
  own: ['train', 'r/config.json', '--resume', 'r', ...EXTEND, '--set', 'threads=1'],
};
const PREDICT = ['predict', 'r', 'data.csv', '--json'];
const CALIBRATE = ['calibrate', 'r', '--json'];
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
const STRAYS = [
  'lock',
  'lock.takeover',
  '.config.json.1.00000000.partial',
  'checkpoint/step-9.checkpoint',
  'notes.txt',
];

export async function createRuns(folder, processes) {
  const socket = await openSocket(folder);
  const sampleOf = once(async (name) => {
    const { config, folder: trained } = await trainSample(folder, processes, name);
    const sample = join(folder, `run-${name}`);
    cpSync(trained, sample, { recursive: true });
    writeFileSync(join(sample, 'r/rejected.csv'), 'file,line,reason\n');
    return { folder: sample, config, ends: await endsOf(sample, processes) };
  });
  const words = wordsOf(JSON.parse(readFileSync(projectPath('schema/config.schema.json'), 'utf8')));
  const forge = (random, path, bytes) => forgedCheckpoint(random, path, bytes, words);
  const how = { socket, words, strays: STRAYS, forge };
  let current;

  return {
    async make(random, input, isSound) {
      current = { ...(await sampleOf(random.pick(Object.keys(CONFIGS)))), isForged: false };
      cpSync(current.folder, input, { recursive: true });
      writeMine(input);
      if (isSound) return { commands: [...READERS, RESUMES.again, RESUMES.longer] };
      if (random.oneIn(4))
        for (const name of ['model.safetensors', 'run.json']) rmSync(join(input, 'r', name));
      for (let left = random.mutations(); left > 0; left--) {
        if (damage(random, input, 'r', how)) current.isForged = true;
      }
      const resume = random.pick(Object.values(RESUMES));
      const commands = random.oneIn(3)
        ? [random.pick(READERS), random.pick(READERS)]
        : [random.oneIn(8) ? CALIBRATE : random.pick(READERS), resume];
      return { commands };
    },
    owned: (args) =>
      args.includes('-o')
        ? ['page.html']
        : args.includes('--resume') || ['report', 'calibrate'].includes(args[0])
          ? ['r']
          : [],
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

/** A checkpoint whose checksum fits another state, as a stranger can write one. */
export function forgedCheckpoint(random, path, bytes, words) {
  const isCheckpoint = path.endsWith('.checkpoint') && bytes.length > CHECKSUM_LINE_BYTES;
  if (!isCheckpoint || random.oneIn(3)) return undefined;
  return Buffer.concat(withChecksum([stateOf(random, bytes, words)]));
}

/** The state in a checkpoint, damaged. */
function stateOf(random, bytes, words) {
  const state = bytes.subarray(CHECKSUM_LINE_BYTES);
  if (random.oneIn(4)) return mutateBytes(random, state);
  return mutateModel(random, state, [state], words);
}

/** What a command has done to the directory, and whether it ended where it should. */
function checkRun({ args, result, before, after, folder }, { ends, config, isForged }) {
  const isResume = args.includes('--resume');
  const found = [];
  if (args === CALIBRATE) return checkCalibrated(result, before, after);
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

/** A temperature is kept in the model, or nothing is changed. */
function checkCalibrated({ code }, before, after) {
  return [...before]
    .filter(([path, was]) => path.startsWith('r/') && after.get(path) !== was)
    .filter(([path]) => !(isLeftover(path) || (code === 0 && path === 'r/model.safetensors')))
    .map(([path, was]) => `exit code ${code}, but changed ${path}: ${was} before, ${after.get(path)} after`);
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
