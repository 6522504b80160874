/** mlp evaluate: thresholds, the importance of columns, and the losses of rows. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf, mlpHere, smallConfig } from '../support/cli.js';

/** y depends on a alone; b is noise. */
const CSV = [
  'a,b,y',
  ...Array.from({ length: 60 }, (_, i) => {
    const a = ((i * 37) % 60) / 30 - 1;
    return `${a.toFixed(3)},${(i * 7) % 5},${a + ((i * 13) % 7) / 20 > 0.3 ? 'yes' : 'no'}`;
  }),
].join('\n');

const CONFIG = smallConfig({
  data: { train: 'data.csv', target: 'y', validation: 0.5 },
  training: { epochs: 20, batchSize: 8, optimizer: { type: 'adam', learningRate: 0.05 } },
});

describe('mlp evaluate', () => {
  let cwd: string;
  const evaluate = async (...args: string[]) => {
    const ran = await mlpHere(['evaluate', 'run', ...args], { cwd });
    return {
      ...ran,
      document: args.includes('--json') && ran.code === 0 ? JSON.parse(ran.stdout) : undefined,
    };
  };

  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'mlp-test-'));
    writeFileSync(join(cwd, 'data.csv'), CSV);
    writeFileSync(join(cwd, 'config.json'), JSON.stringify(CONFIG));
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'run'], { cwd });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  });

  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  it('finds the best threshold, which scores the rows in the same way when it is given', async () => {
    const { document } = await evaluate('--best-threshold', 'cost=1:4', '--json');
    const { best, steps, goal } = document.thresholds;
    expect(goal).toEqual({ by: 'cost', falsePositive: 1, falseNegative: 4 });
    expect(steps.map(({ threshold }: { threshold: number }) => threshold)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => tenth / 10),
    );
    expect(document.metrics.accuracy).toBe(best.accuracy);
    const [[, wrong], [missed]] = document.confusion;
    expect(best.cost).toBeCloseTo((wrong + 4 * missed) / 30, 12);
    const given = await evaluate('--threshold', String(best.threshold), '--json');
    expect(given.document.confusion).toEqual(document.confusion);
    expect((await evaluate('--best-threshold', 'f1')).stdout).toMatch(/^best 0\.\d+ .*\d$/m);
  });

  it('refuses a goal that it does not know, a second threshold, and other tasks', async () => {
    for (const args of [
      ['--best-threshold', 'profit'],
      ['--best-threshold', 'cost=0:0'],
      ['--best-threshold', 'f1', '--threshold', '0.5'],
    ]) {
      expect((await evaluate(...args)).code).toBe(64);
    }
    const folder = folderOf({
      'data.csv': CSV.replace(/yes$/gm, '1').replace(/no$/gm, '2.5'),
      'config.json': CONFIG,
    });
    const run = ['--set', 'data.task="regression"', '--set', 'training.epochs=1', '--run', 'r'];
    expect((await mlpHere(['train', 'config.json', ...run], { cwd: folder })).code).toBe(0);
    const other = await mlpHere(['evaluate', 'r', '--best-threshold', 'f1'], { cwd: folder });
    expect([other.code, other.stderr]).toEqual([64, expect.stringContaining('found no classes')]);
    const plain = await mlpHere(['evaluate', 'r'], { cwd: folder });
    expect(plain.stdout).toMatch(/^median absolute error \S+, mean absolute percentage error \S+%$/m);
  });

  it('tells which columns matter, the same each time', async () => {
    const { document } = await evaluate('--importance', '--json');
    const { columns, repeats, rows } = document.importance;
    expect([repeats, rows]).toEqual([5, 30]);
    const of = (name: string) => columns.find(({ column }: { column: string }) => column === name).mean;
    expect(of('a')).toBeGreaterThan(10 * Math.abs(of('b')));
    expect((await evaluate('--importance', '--json')).document.importance).toEqual(document.importance);
    expect((await evaluate('--importance')).stdout).toMatch(/^column shuffled .*\n.*\n *a .*\n *b /m);
    expect((await evaluate('data.csv', '--importance')).code).toBe(64);
  });

  it('writes the loss of each row, whose mean is the loss', async () => {
    const { document } = await evaluate('data.csv', '--losses', 'losses.csv', '--json');
    const [header, ...lines] = readFileSync(join(cwd, 'losses.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe('line,loss');
    const rows = lines.map((line) => line.split(',').map(Number));
    expect(rows.map(([line]) => line)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2));
    expect(rows.reduce((sum, [, loss]) => sum + loss, 0) / 60).toBeCloseTo(document.metrics.loss, 12);
    expect((await evaluate('data.csv', '--losses', 'losses.csv')).code).toBe(73);
    expect((await evaluate('data.csv', '--losses', 'losses.csv', '--force')).code).toBe(0);
    const own = await evaluate('--losses', 'own.csv', '--split', 'train', '--json');
    const [first, ...others] = readFileSync(join(cwd, 'own.csv'), 'utf8').trimEnd().split('\n');
    expect(first).toBe('row,loss');
    expect(others).toHaveLength(own.document.rows);
    const ofLine = new Map(rows.map(([line, loss]) => [line, loss]));
    for (const [row, loss] of others.map((text) => text.split(',').map(Number)))
      expect(loss).toBeCloseTo(ofLine.get(row + 1) ?? Number.NaN, 5);
    expect((await evaluate('missing.csv', '--losses', 'new.csv')).code).toBe(66);
    expect(() => readFileSync(join(cwd, 'new.csv'))).toThrow('ENOENT');
  });
});
