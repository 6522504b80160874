/**
 * Network mounts that do not answer. Opening a file there can wait for ever, where no signal ends the
 * call, so a process of its own asks the server first. Only Linux lists the mounts. Without a network
 * mount among them, a path costs nothing.
 */
import type * as ChildProcess from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';
import { isRunning } from './process.js';

/** Answered by a computer or a program that may be gone. */
const NETWORK =
  /^(?:9p|afs|beegfs|ceph|cifs|coda|glusterfs|gpfs|lustre|ncpfs|nfs4?|orangefs|smb\d?|smbfs|virtiofs|fuse(?:\..+)?)$/;

/** As many as Linux follows in a path. */
const MOST_LINKS = 40;

/** How long a mount may take to answer. */
const SECONDS = 10;
const STEP_MILLISECONDS = 5;

export interface Mounts {
  /** The type of each network mount, by where it is mounted. */
  readonly network: ReadonlyMap<string, string>;
  /** Asks each mount once. */
  answers(point: string): boolean;
}

/** @param text as in /proc/self/mountinfo; see proc_pid_mountinfo(5) */
export function networkMounts(text: string): Map<string, string> {
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [before, after = ''] = line.split(' - ');
    const point = before
      .split(' ')[4]
      ?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    const type = after.split(' ')[0];
    // The last mount at a place hides the others.
    if (point !== undefined) types.set(point, type);
  }
  return new Map([...types].filter(([, type]) => NETWORK.test(type)));
}

/**
 * Call this before a file that may come from a stranger is touched.
 * @param followsLast false for a call such as lstat, which does not follow a link at the end
 * @throws MlpError ExitCode.io if the path, or a link in it, leads to a mount that does not answer
 */
export function requireAnswer(path: string, followsLast = true, mounts: Mounts = systemMounts()): void {
  if (mounts.network.size === 0) return;
  const rest = (isAbsolute(path) ? path : `${process.cwd()}/${path}`).split('/');
  let at = '/';
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift() as string;
    if (name === '' || name === '.') continue;
    at = name === '..' ? dirname(at) : join(at, name);
    const type = mounts.network.get(at);
    if (type !== undefined && !mounts.answers(at)) throw noAnswer(path, at, type);
    const target = rest.length > 0 || followsLast ? linkAt(at) : undefined;
    if (target === undefined) continue;
    // The system refuses such a path.
    if (++links > MOST_LINKS) return;
    rest.unshift(...target.split('/'));
    at = isAbsolute(target) ? '/' : dirname(at);
  }
}

/** Whether there is something at `path`, links followed. */
export function exists(path: string): boolean {
  requireAnswer(path);
  return existsSync(path);
}

function noAnswer(path: string, point: string, type: string): MlpError {
  return new MlpError(
    ExitCode.io,
    `${printable(path)}: found ${printable(point)}, a mount of type ${printable(type)} that did not answer within ${SECONDS} seconds`,
    'mount it again, or copy the file to a local disk',
  );
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

let known: Mounts | undefined;

function systemMounts(): Mounts {
  if (known !== undefined) return known;
  let text = '';
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    // Not Linux.
  }
  const answered = new Map<string, boolean>();
  known = {
    network: networkMounts(text),
    answers(point) {
      const answer = answered.get(point) ?? answersWithin(SECONDS, 'stat', ['-f', '--', point]);
      answered.set(point, answer);
      return answer;
    },
  };
  return known;
}

/**
 * Whether a command ends in time, whatever it says: `stat -f` asks the server, where plain `stat` may
 * answer from a cache. One that waits for a dead server may survive SIGKILL, so nobody waits for it.
 */
export function answersWithin(seconds: number, command: string, args: readonly string[]): boolean {
  // Loaded only where it is needed: that takes some milliseconds.
  const { spawn } = createRequire(import.meta.url)('node:child_process') as typeof ChildProcess;
  const child = spawn(command, args, { cwd: '/', detached: true, stdio: 'ignore' });
  // Without the command nothing is known.
  child.on('error', () => {});
  child.unref();
  const { pid } = child;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + seconds * 1000;
  while (pid !== undefined && isRunning(pid)) {
    if (performance.now() > end) {
      child.kill('SIGKILL');
      return false;
    }
    Atomics.wait(sleeper, 0, 0, STEP_MILLISECONDS);
  }
  return true;
}
