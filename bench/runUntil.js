import { spawn } from 'node:child_process';

/**
 * Runs Node with arguments to its end, or kills it at a moment: so many milliseconds after its spawn, or
 * after its start, which is when the first text comes from its stream `begins`.
 * @param {string[]} args
 * @param {{ from: 'spawn' | 'start', ms: number } | undefined} moment
 * @param {'stdout' | 'stderr'} begins
 */
export function runUntil(args, moment, begins) {
  return new Promise((resolve, reject) => {
    const spawned = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    let begun;
    let timer;
    const killAfter = (ms) => {
      timer = setTimeout(() => child.kill('SIGKILL'), ms);
    };
    if (moment?.from === 'spawn') killAfter(moment.ms);
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (text) => {
        if (stream === begins && begun === undefined) {
          if (moment?.from === 'start') killAfter(moment.ms);
          begun = performance.now();
        }
        texts[stream] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const now = performance.now();
      resolve({ code, signal, ...texts, ms: now - spawned, beginMs: begun - spawned, trainMs: now - begun });
    });
  });
}
