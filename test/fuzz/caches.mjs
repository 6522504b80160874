/** Damaged files of `data.cache`: their content, also with checksums that fit it, their type, and their folder. */
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CACHE_NAME } from '../../dist/data/cache/cacheFile.js';
import { damage, openSocket, writeMine } from './folders.mjs';
import { mutateBytes, mutateJson, wordsOf } from './random.mjs';
import { CONFIGS, CSV, once, projectPath, requireDone } from './samples.mjs';
import { snapshot } from './trial.mjs';

const TRAIN = ['train', 'config.json', '--run', 'r', '--json'];
const EVALUATE = ['evaluate', 't', '--json'];
const REPRO = ['repro', 't', '--json'];
const CROSSVALIDATE = ['crossvalidate', 'config.json', '--folds', '2', '--run', 'v', '--json'];
const LIST = ['cache', 'cache', '--json'];
const CLEAR = ['cache', 'cache', '--clear', '--json'];
/** Of `CONFIGS`. */
const SAMPLES = ['classes', 'regression', 'labels'];
const COMMANDS = [
  TRAIN,
  EVALUATE,
  REPRO,
  ['sweep', 'config.json', '--space', '{"training.l2":{"choice":[0,0.1]}}', '--trials', '2', '--run', 's'],
  CROSSVALIDATE,
  ['report', 't', '-o', 'page.html', '--force'],
  LIST,
  ['cache', 'cache'],
  CLEAR,
];
/** Longer than any of ours, without taking room on the disk. */
const SPARSE = [2 ** 20, 2 ** 32, 2 ** 40];
/** Of those who died while they wrote. */
const PARTIAL = `.${'0'.repeat(64)}.mlpcache.999999999.00000000.partial`;

export async function createCaches(folder, processes, input) {
  const socket = await openSocket(folder);
  const sampleOf = once((name) => makeSample(folder, input, name, processes));
  const words = wordsOf(JSON.parse(readFileSync(projectPath('schema/config.schema.json'), 'utf8')));
  const strays = ['notes.txt', `${'f'.repeat(64)}.mlpcache`, PARTIAL];
  const forge = (random, _path, bytes, others) =>
    random.oneIn(2) ? undefined : forged(random, bytes, others, words);
  let current;

  return {
    async make(random, input, isSound) {
      current = { ...(await sampleOf(random.pick(SAMPLES))), isForged: false };
      cpSync(current.folder, input, { recursive: true });
      writeMine(input);
      if (isSound) return { commands: [TRAIN, EVALUATE, REPRO, LIST, CLEAR] };
      for (let left = random.mutations(); left > 0; left--) {
        if (random.oneIn(12)) damageFolder(random, input);
        else if (damage(random, input, 'cache', { socket, words, strays, forge })) current.isForged = true;
      }
      return { commands: [random.pick(COMMANDS), random.oneIn(2) ? TRAIN : random.pick(COMMANDS)] };
    },
    owned: (args) => {
      const at = args.indexOf('--run');
      if (at > 0) return [args[at + 1], 'cache', 'elsewhere'];
      return args.includes('-o') ? ['page.html'] : args === CLEAR ? ['cache', 'elsewhere'] : [];
    },
    check: (trial) => checkCaches(trial, current),
  };
}

/** A config, a run `t` of it, and the caches of the commands; made in `input`, since a cache is of files by their paths. */
async function makeSample(folder, input, name, processes) {
  rmSync(input, { recursive: true, force: true });
  mkdirSync(input);
  writeFileSync(join(input, 'data.csv'), CSV);
  const config = { ...CONFIGS[name], threads: 1, deterministic: true };
  const write = (cache) =>
    writeFileSync(
      join(input, 'config.json'),
      JSON.stringify({ ...config, data: { ...config.data, ...cache } }),
    );
  write({});
  await requireDone(processes, TRAIN, input);
  const model = readFileSync(join(input, 'r/model.safetensors'));
  const { stdout } = await processes.run(['evaluate', 'r', '--json'], input);
  const scores = stdout.replace('"r/', '"t/');
  write({ cache: 'cache' });
  await requireDone(processes, ['train', 'config.json', '--run', 't'], input);
  const cached = readdirSync(join(input, 'cache'));
  const files = new Map(cached.map((file) => [file, readFileSync(join(input, 'cache', file))]));
  await requireDone(processes, CROSSVALIDATE, input);
  for (const run of ['r', 'v']) rmSync(join(input, run), { recursive: true });
  const sample = join(folder, `cache-${name}`);
  cpSync(input, sample, { recursive: true });
  return { folder: sample, model, scores, files };
}

/** The folder is a link, a file, or missing; or a file in it gets holes. */
function damageFolder(random, input) {
  const cache = join(input, 'cache');
  const files = [...snapshot(input)].filter(([path, type]) => /^cache\/.*,file .*,/.test(`${path},${type}`));
  if (files.length > 0 && random.oneIn(3))
    return truncateSync(join(input, random.pick(files)[0]), random.pick(SPARSE));
  const kind = random.below(4);
  const isThere = lstatSync(cache, { throwIfNoEntry: false })?.isDirectory();
  if (kind === 0 && isThere) {
    renameSync(cache, join(input, 'elsewhere'));
    return symlinkSync('elsewhere', cache);
  }
  rmSync(cache, { recursive: true, force: true });
  if (kind === 1) writeFileSync(cache, 'a file\n');
  if (kind === 2) symlinkSync('nowhere', cache);
}

const TRAILER = /^(mlp-cache 2 [0-9a-f]{64}) ([0-9a-f]{12}) ([0-9a-f]{12}) ([0-9a-f]{12}) [0-9a-f]{8}\n$/;
const TRAILER_BYTES = 'mlp-cache 2'.length + 65 + 3 * 13 + 9 + 1;

/** The parts of a cache; undefined if it is none. */
function partsOf(bytes) {
  const found = TRAILER.exec(bytes.subarray(-TRAILER_BYTES).toString('latin1'));
  if (!found) return undefined;
  const [arraysAt, textAt, blocksAt] = found.slice(2, 5).map((digits) => Number.parseInt(digits, 16));
  return {
    start: found[1],
    rows: bytes.subarray(0, arraysAt),
    arrays: bytes.subarray(arraysAt, textAt),
    text: bytes.toString('utf8', textAt, blocksAt),
  };
}

/** A cache with one part damaged, and checksums that fit. */
function forged(random, bytes, others, words) {
  const parts = partsOf(bytes);
  if (!parts) return undefined;
  const more = others.map(partsOf).filter((other) => other !== undefined);
  const kind = random.below(8);
  if (kind === 0) parts.rows = mutateBytes(random, parts.rows);
  else if (kind === 1) parts.arrays = mutateBytes(random, parts.arrays);
  else if (kind === 2)
    Object.assign(parts, { [random.pick(['rows', 'arrays', 'text'])]: undefined }, random.pick(more));
  else parts.text = mutateJson(random, parts.text, [...words, ...parts.text.match(/[\w-]{2,20}/g)]);
  const text = Buffer.from(parts.text);
  let [arraysAt, textAt] = [parts.rows.length, parts.rows.length + parts.arrays.length];
  if (kind === 3) textAt = random.below(textAt + text.length + 1);
  if (kind === 4) arraysAt = random.below(textAt + 1);
  return withTrailer(parts.start, Buffer.concat([parts.rows, parts.arrays, text]), arraysAt, textAt);
}

/** Of less than one block. */
function withTrailer(start, content, arraysAt, textAt) {
  const blocks = new Uint8Array(Uint32Array.of(crc32(content)).buffer);
  const hex = (value, digits) => value.toString(16).padStart(digits, '0');
  const places = [arraysAt, textAt, content.length].map((at) => hex(at, 12));
  const line = [start, ...places, `${hex(crc32(blocks), 8)}\n`].join(' ');
  return Buffer.concat([content, blocks, Buffer.from(line)]);
}

/** Whether results are those without a cache, and nothing but caches changed in its folder. */
function checkCaches({ args, result, before, after, folder }, { model, scores, files, isForged }) {
  const found = [];
  for (const [path, was] of before) {
    const name = /^(?:cache|elsewhere)\/(.*)$/.exec(path)?.[1];
    if (name === undefined || CACHE_NAME.test(name) || name === PARTIAL || after.get(path) === was) continue;
    found.push(`changed ${path}: ${was} before, ${after.get(path) ?? 'nothing'} after`);
  }
  if (isForged) return found;
  if ([EVALUATE, REPRO].includes(args) && result.code !== 0)
    found.push(`exit code ${result.code}: ${result.stderr}`);
  if (result.code !== 0) return found;
  if (args === EVALUATE && result.stdout !== scores) found.push('other scores than without a cache');
  if (args !== TRAIN) return found;
  if (!readFileSync(join(folder, 'r/model.safetensors')).equals(model))
    found.push('another model than without a cache');
  for (const [name, bytes] of files) {
    if (!readFileSync(join(folder, 'cache', name)).equals(bytes)) found.push(`${name} is not written anew`);
  }
  return found;
}
