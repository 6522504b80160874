/** Damaged folders: the content of any file in them, and its type. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { cut, mutateBytes, mutateJson } from './random.mjs';
import { snapshot } from './trial.mjs';

const MINE = 'a line of my own file\n'.repeat(100);
/** Of processes that run, that have ended, and of other computers. */
const LOCKS = ['{"pid":1}', `{"pid":${process.pid},"host":"x"}`, '{"pid":999999999,"host":"x"}'];

/** A folder beside the damaged one, which no command may touch, not even by a link that leads there. */
export function writeMine(input) {
  mkdirSync(join(input, 'mine'));
  for (const name of ['file', 'step-1.checkpoint', 'run.json'])
    writeFileSync(join(input, 'mine', name), MINE);
}

/** A socket in a folder: its path; undefined where there are none. */
export function openSocket(folder) {
  if (process.platform === 'win32') return undefined;
  const path = join(folder, 'socket');
  if (existsSync(path)) return path;
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.listen(path, () => resolve(path));
  });
}

/**
 * Damages a file in the folder `name` of an input, which `writeMine` has been to.
 * @param how `strays` are names of files that need not be there; `words` go into JSON; `forge(random, path,
 *   bytes, others)` may give what a stranger would write in place of a file, whose checksums fit
 * @returns whether a file was forged
 */
export function damage(random, input, name, { socket, words, strays, forge }) {
  const folder = join(input, name);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
  // Links are not followed: nothing outside of the input may be damaged.
  const entries = [...snapshot(folder)];
  const names = entries.map(([path]) => path);
  const isStray = random.oneIn(8) || names.length === 0;
  const path = join(folder, random.pick(isStray ? strays : names));
  // A damage before may have made a file or a link of the folder.
  if (!lstatSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return false;
  const files = entries.filter(([, type]) => /^file .*, /.test(type)).map(([file]) => join(folder, file));
  if (!files.includes(path) || random.below(3) === 0) {
    damageType(random, path, { input, folder, socket });
    return false;
  }
  const bytes = readFileSync(path);
  const others = files.map((file) => readFileSync(file));
  const forged = forge?.(random, path, bytes, others);
  writeFileSync(path, cut(forged ?? damagedContent(random, path, bytes, others, words)));
  return forged !== undefined;
}

function damagedContent(random, path, bytes, others, words) {
  const kind = random.below(path.endsWith('.json') ? 8 : 5);
  if (kind === 0) return Buffer.alloc(0);
  if (kind === 1) return random.pick(others);
  if (kind < 5) return mutateBytes(random, bytes, others);
  return Buffer.from(mutateJson(random, bytes.toString('utf8'), words));
}

function damageType(random, path, { input, folder, socket }) {
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
        join(
          input,
          random.pick(['mine', 'mine/file', 'mine/run.json', 'data.csv', folder.slice(input.length + 1)]),
        ),
        path,
      );
    case 9:
      return linkSync(join(input, 'mine/file'), path);
    case 10:
      return symlinkSync(random.pick(readdirSync(folder).concat('x')), path);
    default:
      return writeFileSync(path, random.pick([MINE, ...LOCKS]));
  }
}
