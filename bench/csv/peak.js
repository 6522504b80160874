/** The memory of whole processes as a contender: how much our reading, or our training, takes at most. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execArgv, execPath, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { configOf } from './config.js';

const pathOf = (script) => fileURLToPath(new URL(script, import.meta.url));

/** Has the methods of a Child, but starts a process for every figure. */
export class Peak {
  async hello() {
    return { versions: { Node: version } };
  }

  async measure(task) {
    const folder = mkdtempSync(join(tmpdir(), 'mlp-bench-peak-'));
    try {
      const config = join(folder, 'config.json');
      writeFileSync(config, JSON.stringify(configOf(task)));
      const program = task.reads
        ? [pathOf('loadOnce.js'), config]
        : [pathOf('../../bin/mlp.js'), 'train', config, '--run', join(folder, 'run'), '--json'];
      const { status, stderr, output } = spawnSync(
        execPath,
        [...execArgv, '--import', new URL('reportPeak.js', import.meta.url).href, ...program],
        { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
      );
      if (status !== 0) throw new Error(`${task.id}: exit code ${status}: ${String(stderr).trim()}`);
      return { megabytes: Number(output[3]) / 1e6 };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  close() {}
}
