import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BINARY, modelBytes, REGRESSION } from '../model/models.js';
import { folderOf, mlp, mlpHere } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

/** More than two chunks, of which the last is not full. */
const ROWS = Array.from({ length: 600 }, (_, i) => ({
  id: `r${i}`,
  age: i % 5 === 0 ? '' : String(20 + ((i * 37) % 60)),
  city: ['Bern', 'Lyon', 'Oslo'][(i * 7) % 3],
  size: ((i * 13) % 101) / 8,
  kind: i % 2 === 0 ? 'no' : 'yes',
}));
type Row = (typeof ROWS)[number];

function csvOf(columns: readonly (keyof Row)[], rows: readonly Row[], delimiter = ','): string {
  const lines = rows.map((row) => columns.map((column) => row[column]).join(delimiter));
  return [columns.join(delimiter), ...lines, ''].join('\n');
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

const FEATURES = ['age', 'city', 'size'] as const;

describe('mlp predict', () => {
  it('says the same of a row wherever it stands, in whatever order its columns are', async () => {
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(['id', ...FEATURES], ROWS) });
    const first = await mlp(['predict', 'model', 'data.csv', '--keep', 'id'], { cwd: folder });
    expect([first.code, first.stderr]).toEqual([0, '']);
    const [header, ...lines] = linesOf(first.stdout);
    expect(header).toBe('id,prediction,probability_no,probability_yes');
    expect(lines).toHaveLength(ROWS.length);
    for (const line of lines) {
      const [, prediction, no, yes] = line.split(',');
      expect(prediction).toBe(Number(yes) > Number(no) ? 'yes' : 'no');
    }
    expect(new Set(lines.map((line) => line.split(',')[1]))).toEqual(new Set(['no', 'yes']));

    const shuffled = ROWS.map((_, i) => ROWS[(i * 137) % ROWS.length]);
    const second = await mlp(['predict', 'model', '-', '--keep', 'id'], {
      cwd: folder,
      input: csvOf(['size', 'kind', 'city', 'id', 'age'], shuffled, ';'),
    });
    expect([second.code, second.stderr]).toEqual([0, '']);
    const sorted = linesOf(second.stdout.replaceAll(';', ',')).slice(1).sort();
    expect(sorted).toEqual([...lines].sort());
  });

  it('predicts and scores the same on several threads', async () => {
    const cwd = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(['kind', ...FEATURES], ROWS) });
    for (const command of ['predict', 'evaluate']) {
      const [one, two] = await Promise.all(
        ['1', '2'].map((threads) => mlpHere([command, 'model', 'data.csv', '--threads', threads], { cwd })),
      );
      expect([one.code, one.stderr]).toEqual([0, '']);
      expect(two).toEqual(one);
    }
  });

  it('reads JSON Lines as a CSV of the same cells, and writes them', async () => {
    const jsonLines = ROWS.map((row) => `${JSON.stringify(row)}\n`).join('');
    const folder = folderOf({
      model: modelBytes(BINARY),
      'data.csv': csvOf(['id', ...FEATURES], ROWS),
      'data.jsonl': jsonLines.replaceAll(/"age":"(\d+)"/g, '"age":$1'),
    });
    const expected = await mlpHere(['predict', 'model', 'data.csv', '--keep', 'id', '--json'], {
      cwd: folder,
    });
    const args = ['predict', 'model', 'data.jsonl', '--keep', 'id', '-o'];
    const { code, stderr } = await mlpHere([...args, 'out.jsonl'], { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
    expect(readFileSync(join(folder, 'out.jsonl'), 'utf8')).toBe(expected.stdout);
    const refused = await mlpHere([...args, 'out.parquet'], { cwd: folder });
    expect([refused.code, refused.stderr]).toEqual([
      64,
      'error: --output: found out.parquet, expected a name that ends in .csv or .jsonl\nhint: predictions are written as CSV or JSON Lines\n',
    ]);
  });

  it('leaves predictions of bad rows empty if asked to, and exits with 65', async () => {
    const content = 'id,age,city,size\n1,30,Bern,1\n2,x,Bern,1\n3,30,Bern\n4,30,Oslo,\n5,30,Lyon,2\n';
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': content });
    const refused = await mlpHere(['predict', 'model', 'data.csv'], { cwd: folder });
    expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining('data.csv:3: column "age"')]);

    const args = ['predict', 'model', 'data.csv', '--bad-rows', 'blank', '--keep', 'id'];
    const csv = await mlpHere([...args, '-o', 'out.csv'], { cwd: folder });
    expect([csv.code, csv.stderr]).toEqual([
      65,
      expect.stringMatching(/^warning: data\.csv: 3 rows have no prediction: .*; first on line 3\n$/),
    ]);
    const lines = linesOf(readFileSync(join(folder, 'out.csv'), 'utf8'));
    expect(lines[0]).toBe('id,prediction,probability_no,probability_yes,reason');
    expect(lines[1]).toMatch(/^1,(?:yes|no),[\d.e-]+,[\d.e-]+,$/);
    expect(lines.slice(2, 5)).toEqual([
      '2,,,,"column ""age"": found ""x"", expected a number"',
      '3,,,,"found 3 fields, expected 4"',
      '4,,,,"column ""size"": found a missing value, expected a number"',
    ]);
    const json = await mlpHere([...args, '--json'], { cwd: folder });
    const documents = linesOf(json.stdout).map((line) => JSON.parse(line));
    expect(documents[1]).toEqual({
      columns: { id: '2' },
      prediction: null,
      reason: 'column "age": found "x", expected a number',
    });
    expect(documents.map(({ prediction }) => prediction === null)).toEqual([false, true, true, true, false]);
  });

  it('refuses to copy 20,000 columns of rows that have one cell', async () => {
    const columns = Array.from({ length: 20_000 }, (_, i) => i);
    const content = `id,age,city,size,${columns.map((i) => `c${i}`).join()}\n1,30,Bern,1,${columns.join()}\n${'5\n'.repeat(600)}`;
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': content });
    const args = ['predict', 'model', 'data.csv', '--bad-rows', 'blank', '-o', 'out.csv', '--keep'];
    const refused = await mlpHere([...args, 'all'], { cwd: folder });
    expect([refused.code, refused.stderr]).toEqual([
      65,
      expect.stringMatching(
        /^error: data\.csv: found 20,\d+ values for 20,004 columns of \d+ rows to copy, expected one for every 100 cells or more\nhint: name fewer columns in --keep\n$/,
      ),
    ]);
    expect(existsSync(join(folder, 'out.csv'))).toBe(false);
    expect((await mlpHere([...args, 'id'], { cwd: folder })).stdout).toBe('wrote out.csv: 601 rows\n');
  });

  it('predicts other rows as if bad ones were not there, whatever the chunks', async () => {
    const bad = ROWS.flatMap((row, i) =>
      i % 7 === 3 ? [{ ...row, size: 'x' as unknown as number }, row] : [row],
    );
    const folder = folderOf({
      model: modelBytes(REGRESSION),
      'good.csv': csvOf(FEATURES, ROWS),
      'bad.csv': csvOf(FEATURES, bad),
    });
    const good = await mlpHere(['predict', 'model', 'good.csv'], { cwd: folder });
    const found = await mlpHere(['predict', 'model', 'bad.csv', '--bad-rows', 'blank'], { cwd: folder });
    const kept = linesOf(found.stdout).filter((line) => line.endsWith(','));
    expect(kept).toEqual(
      linesOf(good.stdout)
        .slice(1)
        .map((line) => `${line},`),
    );
  });

  it('writes a header for a header, and nothing as JSON', async () => {
    const folder = folderOf({ model: modelBytes(REGRESSION), 'data.csv': 'size,city,age\n' });
    const csv = await mlpHere(['predict', 'model', 'data.csv'], { cwd: folder });
    expect([csv.code, csv.stdout, csv.stderr]).toEqual([0, 'prediction_u,prediction_v\n', '']);
    const json = await mlpHere(['predict', 'model', 'data.csv', '--json'], { cwd: folder });
    expect([json.code, json.stdout]).toEqual([0, '']);
  });

  it('says what it ignores, once', async () => {
    const folder = folderOf({
      model: modelBytes(REGRESSION),
      'data.csv': csvOf(['id', 'kind', ...FEATURES], ROWS),
    });
    const { code, stdout, stderr } = await mlpHere(['predict', 'model', 'data.csv'], { cwd: folder });
    expect([code, stderr]).toEqual([0, 'ignoring columns that the model does not use: "id", "kind"\n']);
    expect(stdout).toMatch(/^prediction_u,prediction_v\n(?:-?[\d.]+,-?[\d.]+\n){600}$/);
  });

  it('prints a JSON object for each row', async () => {
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(['id', ...FEATURES], ROWS) });
    const args = ['predict', 'model', 'data.csv', '--json', '--keep', 'all', '--threshold', '0'];
    const { code, stdout, stderr } = await mlpHere(args, { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
    const rows = linesOf(stdout).map((line) => JSON.parse(line));
    expect(rows).toHaveLength(ROWS.length);
    expect(rows[1]).toEqual({
      columns: { id: 'r1', age: ROWS[1].age, city: ROWS[1].city, size: String(ROWS[1].size) },
      prediction: 'yes',
      probabilities: { no: expect.any(Number), yes: expect.any(Number) },
    });
    expect(new Set(rows.map(({ prediction }) => prediction))).toEqual(new Set(['yes']));
  });

  it('writes a file whole, and over another one only when told to', async () => {
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(FEATURES, ROWS) });
    const args = ['predict', 'model', 'data.csv', '-o', 'out.csv'];
    expect(await mlpHere(args, { cwd: folder })).toEqual({
      code: 0,
      stdout: 'wrote out.csv: 600 rows\n',
      stderr: '',
    });
    const written = readFileSync(join(folder, 'out.csv'), 'utf8');
    expect(linesOf(written)).toHaveLength(601);

    const again = await mlpHere([...args, '--force', '--keep', 'size,age'], { cwd: folder });
    expect(again.code).toBe(0);
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toMatch(/^size,age,prediction/);
    expect(readdirSync(folder).sort()).toEqual(['data.csv', 'model', 'out.csv']);
  });

  it('leaves an old file as it was, and none of its own, where a row late in the data is wrong', async () => {
    const folder = folderOf({
      model: modelBytes(BINARY),
      'data.csv': `${csvOf(FEATURES, ROWS)}33,,2\n`,
      'old.csv': 'old',
    });
    const { code, stdout, stderr } = await mlpHere(
      ['predict', 'model', 'data.csv', '-o', 'old.csv', '--force'],
      {
        cwd: folder,
      },
    );
    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toMatch(/^error: data\.csv:602: column "city": found a missing value, expected a value\n/);
    expect(readdirSync(folder).sort()).toEqual(['data.csv', 'model', 'old.csv']);
    expect(readFileSync(join(folder, 'old.csv'), 'utf8')).toBe('old');
  });

  it.each([
    [['age', 'size'], [], 65, /^error: data\.csv: found no column "city".*\nhint: /],
    [
      FEATURES,
      ['--keep', 'age,cty'],
      64,
      /--keep: found no column "cty" in data\.csv.*\nhint: did you mean "city"\?/,
    ],
    [FEATURES, ['--threshold', '0.5'], 64, /--threshold: found a regression in model, expected 2 classes/],
  ] as const)('refuses columns %j with %j', async (columns, options, exitCode, message) => {
    const folder = folderOf({ model: modelBytes(REGRESSION), 'data.csv': csvOf(columns, ROWS.slice(0, 3)) });
    const { code, stdout, stderr } = await mlpHere(['predict', 'model', 'data.csv', ...options], {
      cwd: folder,
    });
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(message);
  });

  it('stops without a word where nobody reads on', async () => {
    const many = Array.from({ length: 20 }, () => ROWS).flat();
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(FEATURES, many) });
    const { code, stderr } = await mlp(['predict', 'model', 'data.csv'], { cwd: folder, closeStdout: true });
    expect([code, stderr]).toEqual([0, '']);
  });

  it.runIf(process.platform === 'linux').each([
    ['a full disk', 'exec > /dev/full', /^error: stdout: writing failed: ENOSPC/],
    // Some of a single write still fits.
    [
      'a file that is soon too long',
      'ulimit -f 8; exec > out.csv',
      /^error: stdout: the file exceeds the size limit/,
    ],
  ])('fails where standard output is %s', async (_, redirection, message) => {
    const folder = folderOf({ model: modelBytes(BINARY), 'data.csv': csvOf(FEATURES, ROWS) });
    const args = [process.execPath, projectPath('bin/mlp.js'), 'predict', 'model', 'data.csv'];
    const child = spawn('sh', ['-c', `${redirection}; exec "$0" "$@"`, ...args], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [stderr] = await once(child.stderr.setEncoding('utf8'), 'data');
    expect([await once(child, 'close'), stderr]).toEqual([[74, null], expect.stringMatching(message)]);
  });

  it.skipIf(process.platform === 'win32')('leaves nothing when it is terminated', async () => {
    const folder = folderOf({ model: modelBytes(BINARY) });
    // Waits for rows that never come.
    const child = spawn(
      process.execPath,
      [projectPath('bin/mlp.js'), 'predict', 'model', '-', '-o', 'out.csv'],
      {
        cwd: folder,
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    );
    while (readdirSync(folder).length < 2) await setTimeout(5);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([143, null]);
    expect(readdirSync(folder)).toEqual(['model']);
  });
});
