/** Whole processes as a contender: how long Node takes from its start to its end. */
import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { median } from './statistics.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const LEAST_RUNS = 3;

/** Has the methods of a Child, but starts a process for every single run. */
export class Startup {
  async hello() {
    return { versions: { Node: process.version } };
  }

  async measure({ args }, seconds) {
    const times = [];
    const begin = performance.now();
    while (times.length < LEAST_RUNS || performance.now() - begin < seconds * 1e3) {
      const start = performance.now();
      const { status, stderr } = spawnSync(execPath, args, {
        cwd: PROJECT,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      times.push(performance.now() - start);
      if (status !== 0) throw new Error(`node ${args.join(' ')}: exit code ${status}: ${stderr}`);
    }
    // The median: a start that met another process counts for nothing.
    return { msPerStep: median(times), steps: times.length };
  }

  close() {}
}
