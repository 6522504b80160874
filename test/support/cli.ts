import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import { projectPath } from './fixtures.js';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** What stdin holds; nothing if left out. */
  input?: string | Uint8Array;
  /** Whether a training writes its page, which takes longer than many a training of the tests. */
  report?: boolean;
  /** Whether nobody reads stdout, as behind `| head -0`. */
  closeStdout?: boolean;
  /** Called with all of stderr so far, whenever there is more; `kill` sends a signal. */
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the built command line, as a shell would, with pipes for its streams. */
export function mlp(
  args: readonly string[],
  { cwd, env, input, report, closeStdout, onStderr }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [projectPath('bin/mlp.js'), ...withoutPage(args, report)], {
      cwd: cwd ?? temporaryFolder(),
      env: { ...process.env, NO_COLOR: '', ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
    child.stdin?.end(input);
    if (closeStdout) child.stdout.destroy();
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Runs the command line within this process, which takes a tenth of the time: where neither stdin nor signals matter, nor what becomes of
 * the streams. One at a time, for a process has one folder and one environment.
 */
export function mlpHere(
  args: readonly string[],
  options: Pick<CliOptions, 'cwd' | 'env' | 'report'> = {},
): Promise<CliResult> {
  const result = before.then(() => runHere(withoutPage(args, options.report), options));
  before = result.catch(() => undefined);
  return result;
}

function withoutPage(args: readonly string[], report = false): readonly string[] {
  return args[0] === 'train' && !report ? [...args, '--no-report'] : args;
}

let before: Promise<unknown> = Promise.resolve();

async function runHere(
  args: readonly string[],
  { cwd, env = {} }: Pick<CliOptions, 'cwd' | 'env'>,
): Promise<CliResult> {
  const before = { cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode };
  const texts = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation(((text: string, ...rest: unknown[]) => {
      texts[name] += text;
      const done = rest.at(-1);
      if (typeof done === 'function') done();
      return true;
    }) as typeof process.stdout.write),
  );
  process.chdir(cwd ?? temporaryFolder());
  Object.assign(process.env, { NO_COLOR: '' }, env);
  delete process.env.FORCE_COLOR;
  process.exitCode = undefined;
  try {
    const { runProgram } = await import('../../src/cli/main.js');
    const code = await runProgram(args);
    return { code, ...texts };
  } finally {
    for (const spy of spies) spy.mockRestore();
    // In place: modules that import env from node:process keep the object that they have.
    for (const name of ['NO_COLOR', 'FORCE_COLOR', ...Object.keys(env)])
      restoreVariable(name, before.env[name]);
    process.exitCode = before.exitCode;
    process.chdir(before.cwd);
  }
}

function restoreVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** An empty folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlp-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files (texts, or values as JSON) into an empty folder and gives its path. */
export function folderOf(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const text =
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A small data file of two classes that a network learns at once. */
export const SMALL_CSV = [
  'a,b,y',
  ...Array.from({ length: 20 }, (_, i) => `${i % 2 ? i : -i},${(i * 7) % 5},${i % 2 ? 'yes' : 'no'}`),
].join('\n');

/** A config for it, with other keys on top. */
export function smallConfig(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    network: { layers: [4, 'tanh', 1] },
    data: { train: 'data.csv', target: 'y' },
    training: { epochs: 3, batchSize: 8 },
    ...changes,
  };
}

/** An `onStderr` that sends a signal once a line is there. */
export function stopAt(line: RegExp, signal: NodeJS.Signals): NonNullable<CliOptions['onStderr']> {
  let isSent = false;
  return (text, kill) => {
    if (isSent || !line.test(text)) return;
    isSent = true;
    kill(signal);
  };
}
