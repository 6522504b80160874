import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

interface Rate {
  backend: string;
  threads: number;
  size: number;
  library?: string;
  set?: string;
  gflops: Record<string, number>;
}

/**
 * No BLAS, whatever this machine has: MLP_BLAS names a text file, and nothing else is looked at. No machine code
 * either: MLP_NATIVE is a mistake. And no time: by this clock, a second product is enough.
 */
function withoutBlas() {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 60;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
  const folder = folderOf({
    'notes.txt': 'not a library\n',
    'config.json': smallConfig(),
    'data.csv': SMALL_CSV,
  });
  return { folder, options: { cwd: folder, env: { MLP_BLAS: join(folder, 'notes.txt'), MLP_NATIVE: 'no' } } };
}

/** A rate is measured: whatever it is, it is a number above zero. */
function expectRates(rates: readonly Rate[]): void {
  for (const { gflops, size, threads } of rates) {
    expect(Object.keys(gflops)).toEqual(['float32', 'float64']);
    for (const value of [...Object.values(gflops), size, threads]) {
      expect(value).toBeGreaterThan(0);
      expect(Number.isFinite(value)).toBe(true);
    }
  }
}

describe('mlp doctor', () => {
  it('prints as JSON what there is, every BLAS, and a rate for each backend', async () => {
    const { code, stdout, stderr } = await mlpHere(['doctor', '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const {
      mlp: version,
      node,
      platform,
      arch,
      cpu,
      memoryBytes,
      wasm,
      blas,
      native,
      auto,
      rates,
    } = JSON.parse(stdout);
    expect([node, platform, arch]).toEqual([process.versions.node, process.platform, process.arch]);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(cpu.model).not.toBe('');
    expect(cpu.available).toBeGreaterThan(0);
    expect(memoryBytes).toBeGreaterThan(0);
    expect(wasm.simd).toBe(true);

    expectRates(rates);
    const alone: Rate[] = rates.filter(({ threads }: Rate) => threads === 1);
    const expected = ['reference', 'wasm', ...(wasm.relaxedSimd ? ['wasm'] : [])];
    const paths = blas.found.map(({ path }: { path: string }) => path);
    expect(alone.map(({ backend }) => backend)).toEqual([
      ...[...expected, ...paths.map(() => 'blas')],
      ...native.sets.map(() => 'native'),
    ]);
    expect(alone.flatMap(({ set }) => set ?? [])).toEqual(native.sets);
    expect(alone.flatMap(({ library }) => library ?? [])).toEqual(paths);
    const together: Rate[] = rates.filter(({ threads }: Rate) => threads > 1);
    expect(together.map(({ backend, threads }) => [backend, threads])).toEqual(
      cpu.available > 1 ? [[auto.large.backend, cpu.available]] : [],
    );
  });

  it('shows why what MLP_BLAS names cannot be used, and goes on without', async () => {
    const { folder, options } = withoutBlas();
    const { code, stdout } = await mlpHere(['doctor', '--json'], options);
    expect(code).toBe(0);
    const { blas, native, auto, rates } = JSON.parse(stdout);
    expect(native).toEqual({ sets: [], reason: expect.stringContaining('MLP_NATIVE: found "no"') });
    expect(blas.named).toBe(join(folder, 'notes.txt'));
    expect(blas.found).toEqual([]);
    expect(blas.unusable).toMatchObject([{ path: join(folder, 'notes.txt'), reason: 'not a library' }]);
    expect(auto.large.backend).toBe('wasm');
    expectRates(rates);
    expect(new Set(rates.map(({ backend }: Rate) => backend))).toEqual(new Set(['reference', 'wasm']));
  });

  it('prints the same for people: a line for each fact, and the rates as a table', async () => {
    const { folder, options } = withoutBlas();
    const { code, stdout, stderr } = await mlpHere(['doctor'], options);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Node      ${process.versions.node} (V8 `);
    expect(stdout).toContain('BLAS      MLP_BLAS names an unusable library; others are not searched for\n');
    expect(stdout).toContain(
      `unusable  ${join(folder, 'notes.txt')}\n          not a library: found some other file`,
    );
    expect(stdout).toContain('native    none: MLP_NATIVE: found "no", expected 0, 1, avx512, avx2 or neon\n');
    expect(stdout).toContain('bfloat16  none: MLP_NATIVE: found "no", expected 0,');
    expect(stdout).toMatch(/^kernels +product +threads +float32 +float64$/m);
    expect(stdout).toMatch(/^reference +128×128×128 +1 +\d+\.\d +\d+\.\d$/m);
    expect(stdout).toMatch(/^wasm +256×256×256 +1 +\d+\.\d +\d+\.\d$/m);
  });

  it('tells what auto takes for a config and why, whatever the config asks for', async () => {
    const { folder, options } = withoutBlas();
    const asking = folderOf({
      'config.json': smallConfig({ backend: 'reference', threads: 3 }),
      'data.csv': SMALL_CSV,
    });
    const json = await mlpHere(['doctor', 'config.json', '--json'], { ...options, cwd: asking });
    expect([json.code, json.stderr]).toEqual([0, '']);
    // 16 training rows in batches of 8: the larger product is 8×2×4, and there are 12 + 5 parameters.
    expect(JSON.parse(json.stdout).config).toMatchObject({
      path: 'config.json',
      backend: 'wasm',
      reason: 'small products',
      largestProduct: 8 * 2 * 4,
      threads: 1,
      stepOperations: 6 * 17 * 8,
      asked: { backend: 'reference', threads: 3, deterministic: false },
    });
    const { stdout } = await mlpHere(['doctor', join(asking, 'config.json')], { ...options, cwd: folder });
    expect(stdout).toContain('asks for backend reference, threads 3\n');
    expect(stdout).toContain('because the largest product of a step, 64 multiply-adds,');
    expect(stdout).toMatch(/ 1 thread\n +because /);
  });

  it('tells a missing BLAS and a deterministic config apart', async () => {
    const { options } = withoutBlas();
    const network = { layers: [400, 'relu', 400, 'relu', 1] };
    const folder = folderOf({
      'large.json': smallConfig({ network }),
      'same.json': smallConfig({ network, deterministic: true }),
      'data.csv': SMALL_CSV,
    });
    const reason = async (config: string) => {
      const { stdout } = await mlpHere(['doctor', config, '--json'], { ...options, cwd: folder });
      const { backend, reason: found } = JSON.parse(stdout).config;
      return [backend, found];
    };
    expect(await reason('large.json')).toEqual(['wasm', 'no BLAS']);
    expect(await reason('same.json')).toEqual(['wasm', 'deterministic']);
  });

  it('fails as train does where the config is not there or wrong', async () => {
    const folder = folderOf({ 'config.json': smallConfig({ backend: 'cuda' }), 'data.csv': SMALL_CSV });
    const wrong = await mlpHere(['doctor', 'config.json'], { cwd: folder });
    expect([wrong.code, wrong.stdout]).toEqual([78, '']);
    expect(wrong.stderr).toContain('backend');
    expect((await mlpHere(['doctor', 'none.json'], { cwd: folder })).code).toBe(66);
  });
});
