import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAST_BACKENDS } from '../support/backends.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const GRAPH = projectPath('configs/gradcheck/residual-relu.json');

interface Parameter {
  name: string;
  manual?: number;
  analytic: number;
  numeric: number;
  relativeError: number;
}

interface Result {
  passed: boolean;
  checks: { name: string; passed: boolean; maxRelativeError: number; parameters: Parameter[] }[];
}

describe('mlp gradcheck', () => {
  it('passes all built-in checks, with the numbers of the homework on the screen', async () => {
    const { code, stdout, stderr } = await mlpHere(['gradcheck']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^softmax with cross-entropy\n/);
    expect(stdout).toMatch(/yx += y1 \+ x0 += 0\.62\n/);
    expect(stdout).toContain('= 1·1·1·w1·1·1·x0\n');
    for (const [name, value] of [
      ['w0', -0.2],
      ['b0', -0.2],
      ['w1', 0.4],
      ['b1', 1],
    ]) {
      expect(stdout).toMatch(new RegExp(`${name} +${value} +±[\\d.]+ +${value} +${value} +[\\d.e-]+  ok`));
    }
    for (let n = 2; n <= 10; n++) expect(stdout).toContain(`softmax and cross-entropy, ${n} classes`);
    expect(stdout).toMatch(/all \d+ checks passed\n$/);
  });

  it('prints the contract as JSON, with relative errors of at most 1e-7 for smooth networks', async () => {
    const { code, stdout } = await mlpHere(['gradcheck', '--json']);
    const result = JSON.parse(stdout) as Result;
    expect([code, result.passed]).toEqual([0, true]);
    for (const { name, passed, maxRelativeError, parameters } of result.checks) {
      expect([name, passed]).toEqual([name, true]);
      expect(maxRelativeError).toBeLessThanOrEqual(1e-7);
      expect(parameters.length).toBeGreaterThan(0);
    }
    const manual = result.checks[0].parameters.filter((parameter) => parameter.manual !== undefined);
    expect(manual.map(({ name, manual }) => [name, manual])).toEqual([
      ['w0', -0.2],
      ['b0', -0.2],
      ['w1', 0.4],
      ['b1', 1],
    ]);
  });

  describe.each(FAST_BACKENDS.filter(({ name }) => !name.includes('relaxed')))(
    'on $name',
    ({ choice, skip }) => {
      const { backend } = choice;

      it.skipIf(skip)('passes all checks of networks', async () => {
        const { code, stdout, stderr } = await mlpHere(['gradcheck', '--json', '--backend', backend]);
        const { checks } = JSON.parse(stdout) as Result;
        expect([code, stderr, checks.filter(({ passed }) => !passed)]).toEqual([0, '', []]);
        expect(Math.max(...checks.map(({ maxRelativeError }) => maxRelativeError))).toBeLessThanOrEqual(1e-7);
      });

      it.skipIf(skip)("passes a config's check", async () => {
        const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
        const { code, stderr } = await mlpHere(['gradcheck', 'config.json', '--backend', backend], {
          cwd: folder,
        });
        expect(code).toBe(0);
        expect(stderr).toContain(
          `checking 17 of 17 parameters on 8 training rows, in float64 with ${backend} kernels`,
        );
      });
    },
  );

  it('grades a hand derivation, and names the value that is wrong', async () => {
    expect((await mlpHere(['gradcheck', GRAPH])).code).toBe(0);
    const graph = JSON.parse(readFileSync(GRAPH, 'utf8'));
    graph.manual.w1 = 0.3;
    const { code, stdout } = await mlpHere(['gradcheck', 'graph.json'], {
      cwd: folderOf({ 'graph.json': graph }),
    });
    expect(code).toBe(1);
    expect(stdout).toContain('w1: manual 0.3, expected 0.4');
    expect(stdout).toMatch(/1 of 1 check failed\n$/);
  });

  it("checks the network of a train config on the config's own data", async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { code, stdout, stderr } = await mlpHere(['gradcheck', 'config.json'], { cwd: folder });
    expect([code, stderr]).toEqual([
      0,
      'checking 17 of 17 parameters on 8 training rows, in float64 with reference kernels; --samples sets how many of each parameter\n',
    ]);
    expect(stdout).toContain('layers.0.weight[1][3]');
    const json = await mlpHere(['gradcheck', 'config.json', '--json', '--samples', '2'], { cwd: folder });
    const result = JSON.parse(json.stdout) as Result;
    expect(result.checks[0].parameters).toHaveLength(2 + 2 + 2 + 1);
    expect(result.checks[0].maxRelativeError).toBeLessThanOrEqual(1e-7);
  });

  it('grades with the tolerance that is asked for, and shows formulas', async () => {
    const graph = { inputs: { x: 3 }, nodes: { y: 'log(x)' }, output: 'y', manual: { x: 0.33, y: 'x/3' } };
    const cwd = folderOf({ 'graph.json': graph });
    expect((await mlpHere(['gradcheck', 'graph.json'], { cwd })).code).toBe(1);
    const { code, stdout } = await mlpHere(['gradcheck', 'graph.json', '--tolerance', '0.01'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/ x +0\.33 +±0\.0066 /);
    expect(stdout).toMatch(/ y +x\/3 = 1 +±0\.02 /);
    const json = await mlpHere(['gradcheck', 'graph.json', '--json'], { cwd });
    expect(JSON.parse(json.stdout).checks[0].parameters).toMatchObject([
      { name: 'x', manual: 0.33, passed: false },
      { name: 'y', manual: 1, manualText: 'x/3', passed: true },
    ]);
  });

  it('makes an exercise, which fails until it is solved', async () => {
    const cwd = folderOf({});
    const printed = await mlpHere(['gradcheck', '--exercise', '--seed', '3'], { cwd });
    expect([printed.code, printed.stderr]).toEqual([0, '']);
    expect(Object.values(JSON.parse(printed.stdout).manual)).toContain('?');

    const made = await mlpHere(['gradcheck', '--exercise', '--seed', '3', '-o', 'ex.json'], { cwd });
    expect([made.code, made.stdout]).toEqual([0, '']);
    expect(made.stderr).toBe('wrote ex.json\nreplace each "?" by a derivative; then mlp gradcheck ex.json\n');
    expect(readFileSync(join(cwd, 'ex.json'), 'utf8')).toBe(printed.stdout);
    const told = await mlpHere(['gradcheck', '--exercise', '--seed', '3', '--json', '-o', 'b.json'], { cwd });
    expect(JSON.parse(told.stdout)).toEqual({ path: 'b.json', exercise: JSON.parse(printed.stdout) });
    const open = await mlpHere(['gradcheck', 'ex.json'], { cwd });
    expect(open.code).toBe(1);
    expect(open.stdout).toContain('w0: no value by hand yet');

    const again = await mlpHere(['gradcheck', '--exercise', '--solution', '-o', 'ex.json'], { cwd });
    expect([again.code, again.stderr]).toEqual([73, expect.stringContaining('--force')]);
    const solved = ['gradcheck', '--exercise', '--seed', '3', '--solution', '-o', 'ex.json', '--force'];
    expect((await mlpHere(solved, { cwd })).code).toBe(0);
    expect((await mlpHere(['gradcheck', 'ex.json'], { cwd })).code).toBe(0);
  });

  it('prints a derivation as LaTeX, with the exit code of the check', async () => {
    const right = await mlpHere(['gradcheck', GRAPH, '--latex']);
    expect([right.code, right.stderr]).toEqual([0, '']);
    expect(right.stdout).toMatch(/\\documentclass\{article\}[\s\S]*\\end\{document\}\n$/);
    const graph = { inputs: { x: 3 }, nodes: { y: 'log(x)' }, output: 'y', manual: { x: 3 } };
    const wrong = await mlpHere(['gradcheck', 'graph.json', '--latex'], {
      cwd: folderOf({ 'graph.json': graph }),
    });
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('& wrong');
  });

  it('writes a page with the graph beside what it prints', async () => {
    const cwd = folderOf({});
    const { code, stdout, stderr } = await mlpHere(['gradcheck', GRAPH, '--report', 'page.html', '--json'], {
      cwd,
    });
    expect([code, stderr]).toEqual([0, 'wrote page.html\n']);
    expect(JSON.parse(stdout).passed).toBe(true);
    expect(readFileSync(join(cwd, 'page.html'), 'utf8')).toContain('<svg class="graph"');
    expect((await mlpHere(['gradcheck', GRAPH, '--report', 'page.html'], { cwd })).code).toBe(73);
  });

  it.each(['--latex', '--report=page.html'])('refuses %s for a network', async (option) => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlpHere(['gradcheck', 'config.json', option], { cwd });
    expect([code, stderr]).toEqual([64, expect.stringContaining('found a network, expected a graph file')]);
  });

  it.each([
    [['--latex'], 'found --latex without a graph file'],
    [['--report', 'x.html'], 'found --report without a graph file'],
    [[GRAPH, '--latex', '--json'], 'found --latex and --json, expected one of them'],
    [['--solution'], 'found --solution without --exercise'],
    [['--seed', '3'], 'found --seed without --exercise'],
    [['-o', 'x.json'], 'found -o without --exercise'],
    [['x.json', '--exercise'], 'found --exercise with x.json, expected one of them'],
    [['--exercise', '--seed', '-1'], "'-1'"],
    [['--exercise', '--seed', '4294967296'], "'4294967296'"],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await mlpHere(['gradcheck', ...args]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(message);
  });

  it.each([
    ['neither a graph nor a config', { 'x.json': { a: 1 } }, 78, 'x.json'],
    ['a file that is not there', {}, 66, 'x.json: no such file'],
    ['malformed JSON', { 'x.json': '{"inputs": }' }, 78, 'x.json:1:12'],
    [
      'an unknown name',
      { 'x.json': { inputs: { a: 1 }, nodes: { z: 'a + bb' }, output: 'z' } },
      78,
      'unknown name "bb"',
    ],
  ])('refuses %s', async (_, files, expected, message) => {
    const { code, stdout, stderr } = await mlpHere(['gradcheck', 'x.json'], { cwd: folderOf(files) });
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(message);
  });
});
