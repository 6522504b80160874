import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlp, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

describe('what goes to standard output', () => {
  it('comes out of a pipe whole, a megabyte of JSON too', async () => {
    const names = Array.from({ length: 4000 }, (_, i) => `column ${i}`);
    const row = (r: number) => names.map((_, i) => i + r / 2).join();
    const csv = [names.join(), row(0), row(1), row(2)].join('\n');
    const { code, stdout } = await mlp(['inspect', 'wide.csv', '--json'], {
      cwd: folderOf({ 'wide.csv': csv }),
    });
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(1e6);
    expect(JSON.parse(stdout).columns).toHaveLength(4000);
  });

  it.runIf(process.platform === 'linux')(
    'ends with 74 where a disk has no room for all, and the run goes on',
    async () => {
      const config = smallConfig({ training: { epochs: 300, batchSize: 16 } });
      const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
      const command = 'ulimit -f 64; exec "$0" "$@" > out.jsonl';
      const args = [projectPath('bin/mlp.js'), 'train', 'config.json', '--json', '--run', 'r'];
      const child = spawn('sh', ['-c', command, process.execPath, ...args], {
        cwd,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const [stderr] = await once(child.stderr.setEncoding('utf8'), 'data');
      expect(stderr).toMatch(/^error: stdout: writing failed: EFBIG/);
      expect(await once(child, 'close')).toEqual([74, null]);
      expect(readFileSync(join(cwd, 'r', 'run.json'), 'utf8')).toContain('"status": "completed"');
    },
  );
});
