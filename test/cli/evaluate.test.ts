import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { evaluateFile } from '../../src/cli/evaluate.js';
import { evaluateRun } from '../../src/cli/evaluateRun.js';
import { type Evaluated, renderEvaluation } from '../../src/cli/evaluateText.js';
import { ExitCode } from '../../src/errors.js';
import { type Classification, crossEntropies, evaluateClasses } from '../../src/evaluation/classification.js';
import type { ModelContent } from '../../src/model/model.js';
import { plainStyle } from '../../src/report/style.js';
import type { RunSummary } from '../../src/training/run/summary.js';
import { modelBytes, networkOf } from '../model/models.js';
import { folderOf, mlp, mlpHere, temporaryFolder } from '../support/cli.js';

/** The logit is a − b. */
const BINARY: ModelContent = {
  network: networkOf([1], 2),
  task: 'binary',
  loss: 'binary-cross-entropy',
  header: true,
  features: [
    { kind: 'numeric', column: 'a', shift: 0, scale: 1 },
    { kind: 'numeric', column: 'b', shift: 0, scale: 1 },
  ],
  targets: ['y'],
  classes: ['no', 'yes'],
};

const { classes: _, ...QUANTITIES } = BINARY;

/** u is 10·(a + b), v is 5 + a − b. */
const REGRESSION: ModelContent = {
  ...QUANTITIES,
  network: networkOf([2], 2),
  task: 'regression',
  loss: 'mean-squared-error',
  targets: ['u', 'v'],
  targetStandardization: { mean: [0, 5], scale: [10, 1] },
};

const CSV = `a,b,side,y
2,0,train,yes
0,1,train,no
1,0,train,no
0,3,validation,no
3,1,validation,yes
1,2,validation,yes
5,1,test,yes
1,5,test,no
`;

const marked = (value: string) => ({ column: 'side', value });

const DATA = {
  train: '../data/rows.csv',
  target: 'y',
  standardize: false,
  validation: marked('validation'),
  test: marked('test'),
};

function modelFile(content: ModelContent): Buffer {
  const weight = content.classes ? [1, -1] : [1, 1, 1, -1];
  const units = weight.length / 2;
  return modelBytes(content, [
    { name: 'layers.0.weight', shape: [2, units], data: Float32Array.from(weight) },
    { name: 'layers.0.bias', shape: [units], data: new Float32Array(units) },
  ]);
}

/** A folder with `data/rows.csv` and a run that has trained on it. */
function folderOfRun(data: Record<string, unknown> = {}, csv = CSV): string {
  const config = {
    network: { layers: [1] },
    data: { ...DATA, exclude: ['side'], ...data },
    training: { epochs: 1 },
  };
  return folderWith({
    'data/rows.csv': csv,
    'run/config.json': JSON.stringify(config),
    'run/model.safetensors': modelFile(BINARY),
  });
}

function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const QUIET = { json: true, color: false };

const metricsOf = ({ result }: Evaluated) => result as Classification;

describe('mlp evaluate', () => {
  it('scores the rows that the run has held out, and says which', async () => {
    const folder = folderOfRun();
    const { code, stdout, stderr } = await mlpHere(['evaluate', 'run', '--split', 'validation'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^run\/config\.json:\d+:\d+: data\.train is outside of the run: reading \S+rows\.csv\n$/,
    );
    expect(stdout).toMatchInlineSnapshot(`
      "3 validation rows of data/rows.csv, scored by run/model.safetensors

      confusion matrix of the validation rows (columns: predicted class)
      actual         no     yes  total  recall
      ────────────────────────────────────────
      no              1       .      1  100.0%
      yes             1       1      2   50.0%
      ────────────────────────────────────────
      total           2       1      3
      precision   50.0%  100.0%          66.7%

      class             rows  precision  recall      F1  ROC AUC
      ──────────────────────────────────────────────────────────
      no                   1     0.5000  1.0000  0.6667   1.0000
      yes                  2     1.0000  0.5000  0.6667   1.0000
      ──────────────────────────────────────────────────────────
      macro average        3     0.7500  0.7500  0.6667
      weighted average     3     0.8333  0.6667  0.6667
      micro average        3     0.6667  0.6667  0.6667

      balanced accuracy 0.7500, Matthews 0.5000, PR AUC 1.000, Brier 0.1836, calibration error 0.2992
      accuracy 0.6667, ROC AUC 1.000, log loss 0.4963, loss 0.4963 (binary-cross-entropy)
      "
    `);
  });

  it('prints all numbers of a file as one JSON document', async () => {
    const folder = folderWith({ 'm.safetensors': modelFile(BINARY) });
    // Other columns in another order, the target first.
    const input = 'y;id;b;a\nyes;1;0;2\nno;2;1;0\nno;3;0;1\n';
    const { code, stdout, stderr } = await mlp(['evaluate', 'm.safetensors', '-', '--json'], {
      cwd: folder,
      input,
    });
    expect([code, stderr]).toEqual([0, '']);
    const loss = (Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(1))) / 3;
    expect(JSON.parse(stdout)).toEqual({
      model: 'm.safetensors',
      data: 'standard input',
      rows: 3,
      task: 'binary',
      loss: 'binary-cross-entropy',
      weighted: false,
      metrics: {
        loss: expect.closeTo(loss, 14),
        accuracy: 2 / 3,
        balancedAccuracy: 0.75,
        matthews: 0.5,
        logLoss: expect.closeTo(loss, 14),
        brier: expect.any(Number),
        rocAuc: 1,
        prAuc: 1,
        calibrationError: expect.any(Number),
      },
      averages: {
        macro: { precision: 0.75, recall: 0.75, f1: 2 / 3 },
        weighted: { precision: 5 / 6, recall: 2 / 3, f1: 2 / 3 },
        micro: { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3 },
      },
      classes: [
        { name: 'no', support: 2, predicted: 1, precision: 1, recall: 0.5, f1: 2 / 3, rocAuc: 1 },
        { name: 'yes', support: 1, predicted: 2, precision: 0.5, recall: 1, f1: 2 / 3, rocAuc: 1 },
      ],
      confusion: [
        [1, 1],
        [0, 1],
      ],
    });
  });

  it('shows the errors of each target in its own unit, and names the columns that it ignores', async () => {
    const folder = folderWith({
      'm.safetensors': modelFile(REGRESSION),
      'new.csv': 'a,b,u,v,note\n1,0,11,6,x\n0,1,8,4.5,x\n1,1,20,5,x\n',
    });
    const { code, stdout, stderr } = await mlpHere(['evaluate', 'm.safetensors', 'new.csv'], { cwd: folder });
    expect([code, stderr]).toEqual([0, 'ignoring a column that the model does not use: "note"\n']);
    expect(stdout).toMatchInlineSnapshot(`
      "3 rows of new.csv, scored by m.safetensors

      target      R²    RMSE     MAE
      ──────────────────────────────
      u       0.9359   1.291   1.000
      v       0.7857  0.2887  0.1667
      ──────────────────────────────
      mean    0.8608  0.7898  0.5833

      median absolute error 0.5000, mean absolute percentage error 7.5%
      R² 0.8608, RMSE 0.7898, MAE 0.5833, loss 0.05000 (mean-squared-error, of the standardized targets)
      "
    `);
  });

  it.each([
    [
      ['new.csv', '--split', 'train'],
      '--split: found train together with new.csv, expected only one of them',
    ],
    [['--comment', '#'], '--comment: found no data file with it, expected a CSV'],
  ])('refuses %j', async (options, message) => {
    const { code, stdout, stderr } = await mlpHere(['evaluate', 'run', ...options]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(`error: ${message}\n`);
  });

  it('counts a row of an unknown class as wrong, in a row of its own', async () => {
    const folder = folderOfRun();
    writeFileSync(join(folder, 'new.csv'), 'a,b,y\n1,2,yes\n1,2,noo\n');
    const { code, stdout, stderr } = await mlpHere(['evaluate', 'run', 'new.csv', '--json'], { cwd: folder });
    expect([code, stderr]).toEqual([
      0,
      'warning: new.csv: 1 row has a class that the model does not know ("noo"): counted as wrong, and left out of the loss\n',
    ]);
    const { rows, metrics, classes, confusion } = JSON.parse(stdout);
    expect([rows, metrics.accuracy <= 0.5, Number.isFinite(metrics.loss)]).toEqual([2, true, true]);
    expect(classes.map(({ name }: { name: string }) => name)).toEqual(['no', 'yes', '(unknown)']);
    expect(confusion[2][0] + confusion[2][1]).toBe(1);
  });
});

describe("a run's own rows", () => {
  const run = (folder: string, split?: 'train' | 'validation' | 'test') =>
    evaluateRun(join(folder, 'run'), { ...QUIET, ...(split && { split }) });

  it('are those of the test, else of the validation, else of the training', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const cases = [
      [{}, 'test', 2],
      [{ test: 0 }, 'validation', 3],
      [{ validation: 0, test: 0 }, 'train', 8],
    ] as const;
    for (const [data, side, rows] of cases) {
      const evaluated = await run(folderOfRun(data));
      expect(evaluated).toMatchObject({ split: side, data: { rows }, weighted: false });
    }
    expect(stderr.mock.calls.join()).toMatch(
      /warning: .*run has no held-out rows: these are the rows it was trained on$/m,
    );
    stderr.mockRestore();
  });

  it('are all asked for by name', async () => {
    const folder = folderOfRun();
    const accuracy = async (split: 'train' | 'validation' | 'test') =>
      metricsOf(await run(folder, split)).accuracy;
    expect([await accuracy('train'), await accuracy('validation'), await accuracy('test')]).toEqual([
      2 / 3,
      2 / 3,
      1,
    ]);
  });

  it('are not there where none were held out', async () => {
    await expect(run(folderOfRun({ test: 0 }), 'test')).rejects.toMatchObject({
      exitCode: ExitCode.usage,
      message: expect.stringMatching(
        /^--split: found test, but .*run has no test rows, expected validation or train$/,
      ),
    });
  });

  it('are weighted in the loss as in training, and nowhere else', async () => {
    const folder = folderOfRun({ weights: { yes: 3 } });
    const plain = metricsOf(await run(folderOfRun(), 'train'));
    const evaluated = await run(folder, 'train');
    const weighted = metricsOf(evaluated);
    expect(evaluated.weighted).toBe(true);
    const terms = crossEntropies([1, 0, 0], [2, -1, 1], 1);
    expect(weighted.loss).toBeCloseTo((3 * terms[0] + terms[1] + terms[2]) / 5, 14);
    expect({ ...weighted, loss: plain.loss }).toEqual(plain);
    const text = renderEvaluation(evaluated, { width: 80, style: plainStyle });
    expect(text).toMatch(/\(binary-cross-entropy, rows weighted as in training\)$/);
  });

  it('are refused where a file is not the one that run.json has the hash of', async () => {
    const folder = folderOfRun();
    const sha256 = createHash('sha256').update(CSV).digest('hex');
    const summary: RunSummary = {
      version: '1.0.0',
      node: 'v20.19.0',
      backend: 'wasm',
      relaxed: false,
      threads: 1,
      data: [{ key: 'data.train', path: '../data/rows.csv', sha256 }],
      configSha256: '',
      status: 'completed',
      steps: 1,
      weightsSha256: '',
    };
    writeFileSync(join(folder, 'run/run.json'), JSON.stringify(summary));
    expect(await run(folder)).toMatchObject({ split: 'test' });
    writeFileSync(join(folder, 'data/rows.csv'), CSV.replace('5,1', '5,2'));
    await expect(run(folder)).rejects.toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringMatching(
        /config\.json:\d+:\d+: data\.train: found .*rows\.csv with SHA-256 .*, expected SHA-256 /,
      ),
      hint: expect.stringContaining('the data changed after the training'),
    });
  });

  it('are refused where the data make other inputs than the model takes', async () => {
    await expect(run(folderOfRun({ standardize: true }))).rejects.toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining('data: found other columns, classes or scales than in the model'),
      hint: expect.stringContaining('mlp evaluate <run> <data.csv>'),
    });
  });

  it('are not known of a model file, of a folder without a config, and where they came from standard input', async () => {
    const folder = folderOfRun({ train: '-' });
    const file = join(folder, 'run/model.safetensors');
    await expect(evaluateRun(file, QUIET)).rejects.toMatchObject({
      exitCode: ExitCode.usage,
      message: `${file}: found a model file without data, expected a CSV to score`,
    });
    await expect(run(folder)).rejects.toMatchObject({
      exitCode: ExitCode.noInput,
      message: expect.stringContaining('data.train: the run read standard input'),
    });
    rmSync(join(folder, 'run/config.json'));
    await expect(run(folder)).rejects.toMatchObject({
      exitCode: ExitCode.noInput,
      hint: 'name the data to score: mlp evaluate <run> <data.csv>',
    });
  });
});

describe('the rows of a file', () => {
  it('are scored alike however many there are, and give what the run gives of the same rows', async () => {
    // More than two chunks of rows, and a part of one.
    const rows = Array.from({ length: 600 }, (_, i) => ({
      a: (i * 7) % 11,
      b: (i * 5) % 13,
      y: (i * i) % 3 === 1 ? 1 : 0,
    }));
    const lines = rows.map(({ a, b, y }) => `${a},${b},${y ? 'yes' : 'no'}`);
    const csv = `a,b,y\n${lines.join('\n')}\n`;
    const folder = folderOfRun({ validation: 0, test: 0, exclude: [] }, csv);
    const own = await evaluateRun(join(folder, 'run'), { ...QUIET, split: 'train' });
    const file = await evaluateFile(join(folder, 'run'), join(folder, 'data/rows.csv'), QUIET);
    expect(file.data.rows).toBe(600);
    expect(file.result).toEqual(own.result);

    const labels = rows.map(({ y }) => y);
    const logits = rows.map(({ a, b }) => a - b);
    const expected = evaluateClasses({
      labels,
      predicted: logits.map((h) => (h > 0 ? 1 : 0)),
      probabilities: logits.flatMap((h) => [1 / (1 + Math.exp(h)), 1 / (1 + Math.exp(-h))]),
      crossEntropies: crossEntropies(labels, logits, 1),
    });
    const { loss, logLoss, ...rest } = metricsOf(file);
    expect([loss, logLoss]).toBeAllclose([expected.loss, expected.logLoss], { relative: 1e-14 });
    expect(rest).toMatchObject({ ...rest, confusion: expected.confusion, rocAuc: expected.rocAuc });
  });

  it('need their target', async () => {
    const folder = folderOfRun();
    writeFileSync(join(folder, 'new.csv'), 'a,b,z\n1,2,yes\n');
    await expect(evaluateFile(join(folder, 'run'), join(folder, 'new.csv'), QUIET)).rejects.toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining('"y"'),
    });
  });

  it('may have lines above them and rows of units, unlike those of the training', async () => {
    const rows = '2,0,yes\n0,2,no\n';
    const folder = folderOf({
      model: modelBytes(BINARY),
      'plain.csv': `a,b,y\n${rows}`,
      'data.csv': `Title\nby us\na,b,y\nm,kg,\n${rows}`,
    });
    for (const command of ['evaluate', 'predict']) {
      const plain = await mlpHere([command, 'model', 'plain.csv', '--json'], { cwd: folder });
      const args = [command, 'model', 'data.csv', '--json', '--skip-lines', '2', '--skip-rows', '1'];
      const { code, stdout } = await mlpHere(args, { cwd: folder });
      expect([code, stdout.replace('data.csv', 'plain.csv')]).toEqual([0, plain.stdout]);
    }
    const { code, stderr } = await mlpHere(['evaluate', 'model', '--skip-lines', '2'], { cwd: folder });
    expect([code, stderr]).toEqual([64, expect.stringContaining('--skip-lines: found no data file with it')]);
  });

  it('are read with separators of their own', async () => {
    const folder = folderOfRun();
    writeFileSync(join(folder, 'new.csv'), '# by hand\na|b|y\n2|0|yes\n0|2|no\n');
    const options = { ...QUIET, comment: '#', delimiter: '|' };
    const evaluated = await evaluateFile(join(folder, 'run'), join(folder, 'new.csv'), options);
    expect([evaluated.data.rows, metricsOf(evaluated).accuracy]).toEqual([2, 1]);
  });
});

describe('the text', () => {
  it('says of which classes nothing is known, and that they are counted as 0', async () => {
    const folder = folderOfRun();
    writeFileSync(join(folder, 'new.csv'), 'a,b,y\n1,2,no\n3,4,no\n');
    const evaluated = await evaluateFile(join(folder, 'run'), join(folder, 'new.csv'), QUIET);
    const text = renderEvaluation(evaluated, { width: 80, style: plainStyle, ascii: true });
    expect(text.slice(text.indexOf('class '))).toMatchInlineSnapshot(`
      "class             rows  precision  recall      F1  ROC AUC
      ----------------------------------------------------------
      no                   2     1.0000  1.0000  1.0000        -
      yes                  0     0.0000  0.0000  0.0000        -
      ----------------------------------------------------------
      macro average        2     1.0000  1.0000  1.0000
      weighted average     2     1.0000  1.0000  1.0000
      micro average        2     1.0000  1.0000  1.0000
      no row is predicted as yes: precision counts as 0
      no row has class yes: recall counts as 0

      balanced accuracy 1.000, Matthews 0.000, PR AUC -, Brier 0.07233, calibration error 0.2689
      accuracy 1.000, ROC AUC -, log loss 0.3133, loss 0.3133 (binary-cross-entropy)"
    `);
  });
});
