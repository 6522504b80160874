import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { folderOf, mlp, mlpHere } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const IRIS = projectPath('data/iris.csv');

const MIXED = [
  'id;height;city;smoker',
  ...Array.from({ length: 40 }, (_, i) => {
    const height = i === 7 ? '' : 160 + ((i * 37) % 41);
    return `${i + 1};${height};${['Rome', 'Oslo', 'Lima'][(i % 7) % 3]};${i % 8 === 3 ? 'yes' : 'no'}`;
  }),
].join('\n');

describe('odd cells', () => {
  const content = 'a,b,y\n1,2,p\n2,INF,q\n3,4,p\n,5,q\n4,2.2.2,p\nTotal,9,q\n';

  it('are named with their line and what helps, and belong to no figure', async () => {
    const folder = folderOf({ 'data.csv': content });
    const { code, stdout } = await mlpHere(['inspect', 'data.csv', '--target', 'y', '--json'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const { rows, columns, warnings } = JSON.parse(stdout);
    expect(rows).toBe(6);
    expect(columns).toMatchObject([
      { kind: 'integer', missing: 1, range: { min: 1, max: 4 }, odd: { cells: 1, text: 'Total' } },
      {
        kind: 'integer',
        missing: 0,
        range: { min: 2, max: 9 },
        odd: { cells: 2, location: 'data.csv:3: column "b"', text: 'INF' },
      },
      { kind: 'category' },
    ]);
    const odd = warnings.filter(({ kind }: { kind: string }) => kind === 'odd-cells');
    expect(odd.map(({ text }: { text: string }) => text)).toEqual([
      'data.csv:7: column "a": found "Total", expected numbers: data.badRows "skip" leaves such rows out, data.missingValues: {"a": ["Total"]} makes it a missing value',
      expect.stringContaining('data.csv:3: column "b": found "INF" and 1 more cell that is no number'),
    ]);
  });

  it('make init leave out their rows, and --exclude a column', async () => {
    const folder = folderOf({ 'data.csv': content + '1,2,p\n2,3,q\n'.repeat(10) });
    const init = async (...args: string[]) => {
      const all = ['init', 'data.csv', '--target', 'y', '-o', 'c.json', '--force', ...args];
      expect((await mlpHere(all, { cwd: folder })).code).toBe(0);
      return JSON.parse(readFileSync(join(folder, 'c.json'), 'utf8')).data;
    };
    expect(await init()).toMatchObject({ badRows: 'skip' });
    const once = ['--set', 'training.epochs=1', '--run', 'r'];
    expect((await mlpHere(['train', 'c.json', ...once], { cwd: folder })).code).toBe(0);
    expect(
      readFileSync(join(folder, 'r', 'rejected.csv'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(4);
    expect(await init('--exclude', 'b')).toMatchObject({ badRows: 'skip', exclude: ['b'] });
    const inspect = await mlpHere(['inspect', 'data.csv', '--exclude', 'a', '--json'], { cwd: folder });
    expect(JSON.parse(inspect.stdout).columns).toMatchObject([
      { name: 'b', index: 1 },
      { name: 'y', index: 2 },
    ]);
    for (const [args, problem] of [
      [['--exclude', 'z'], 'found no column "z"'],
      [['--target', 'y', '--exclude', 'y'], 'found the target "y"'],
    ] as const) {
      const { code, stderr } = await mlpHere(['inspect', 'data.csv', ...args], { cwd: folder });
      expect([code, stderr]).toEqual([64, expect.stringContaining(problem)]);
    }
  });
});

describe('mlp inspect', () => {
  it('shows the columns, the classes, and what to look at', async () => {
    const folder = folderOf({ 'people.csv': MIXED });
    const { code, stdout, stderr } = await mlpHere(['inspect', 'people.csv', '--target', 'smoker'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "people.csv: 40 rows, 4 columns, separated by semicolons, with a header

      column  kind              distinct  missing  min  max   mean  deviation  most frequent
      ──────────────────────────────────────────────────────────────────────────────────────────────────
      id      identifier              40        0    1   40  20.50      11.54
      height  integer                 39        1  160  200  180.6      11.79
      city    category                 3        0                              Rome 17, Oslo 12, Lima 11
      smoker  category, target         2        0                              no 35, yes 5

      target smoker: binary, 2 classes

      class  rows  share
      ──────────────────────────────────────────────────
      no       35  87.5%  ██████████████████████████████
      yes       5  12.5%  █████
      "
    `);
    expect(stderr).toMatchInlineSnapshot(`
      "people.csv: column "smoker" holds 2 different texts, taken as classes (binary); data.task decides
      warning: column "height" lacks 1 cell (2.5 %): data.missing says how to fill them
      warning: column "id" looks like an identifier: if so, name it in data.exclude
      "
    `);
  });

  it('shows the columns alone without a target', async () => {
    const { code, stdout, stderr } = await mlpHere(['inspect', IRIS]);
    expect([code, stderr]).toEqual([
      0,
      'warning: line 144 is a duplicate of line 103: duplicates in both training and test rows make the test score too good\n',
    ]);
    expect(stdout).toMatch(/iris\.csv: 150 rows, 5 columns, separated by commas, with a header\n/);
    expect(stdout).not.toContain('target');
  });

  it('prints all of it as one JSON document', async () => {
    const folder = folderOf({ 'people.csv': MIXED });
    const { code, stdout, stderr } = await mlpHere(
      ['inspect', 'people.csv', '--target', 'smoker', '--json'],
      {
        cwd: folder,
      },
    );
    expect([code, stderr]).toEqual([0, '']);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({
      path: 'people.csv',
      rows: 40,
      dialect: { delimiter: ';', header: true },
      duplicateRows: 0,
      target: {
        name: 'smoker',
        index: 3,
        task: 'binary',
        classes: [
          { name: 'no', rows: 35 },
          { name: 'yes', rows: 5 },
        ],
      },
    });
    expect(summary.columns.map(({ name, kind }: Record<string, unknown>) => [name, kind])).toEqual([
      ['id', 'identifier'],
      ['height', 'integer'],
      ['city', 'category'],
      ['smoker', 'category'],
    ]);
    expect(summary.columns[1]).toMatchObject({ missing: 1, distinct: 39, range: { min: 160, max: 200 } });
    expect(summary.warnings.map(({ kind }: { kind: string }) => kind)).toEqual(['missing', 'identifier']);
  });

  it('says the same of a gzip and of a file with quotes', async () => {
    const text = readFileSync(IRIS, 'utf8');
    const folder = folderOf({
      'plain.csv': text,
      'packed.csv': gzipSync(text),
      'quoted.csv': text.replaceAll('setosa', '"setosa"'),
    });
    const read = async (file: string) => {
      const { stdout } = await mlpHere(['inspect', file, '--target', 'species', '--json'], { cwd: folder });
      return { ...JSON.parse(stdout), path: '' };
    };
    const plain = await read('plain.csv');
    expect(await read('packed.csv')).toEqual(plain);
    expect(await read('quoted.csv')).toEqual(plain);
  });

  it('takes the target by number where there is no header', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${Math.sin(i * i)},${i % 3}`).join('\n');
    const folder = folderOf({ 'rows.csv': rows });
    const { stdout } = await mlpHere(['inspect', 'rows.csv', '--target', '1', '--json'], { cwd: folder });
    const { dialect, rows: count, target } = JSON.parse(stdout);
    expect([dialect.header, count, target.name, target.task]).toEqual([false, 30, '1', 'multiclass']);
  });

  it('takes the dialect from its options', async () => {
    const folder = folderOf({ 'odd.csv': '# made by hand\n1\ta,b\n# more\n2\tc,d\n3\ta,b\n' });
    const options = ['--delimiter', 'tab', '--no-header', '--comment', '#', '--json'];
    const { stdout } = await mlpHere(['inspect', 'odd.csv', ...options], { cwd: folder });
    const { dialect, rows, columns } = JSON.parse(stdout);
    expect([dialect, rows]).toEqual([{ delimiter: '\t', header: false, comment: '#' }, 3]);
    expect(columns[1].frequent).toEqual([
      { name: 'a,b', rows: 2 },
      { name: 'c,d', rows: 1 },
    ]);
    const named = folderOf({ 'years.csv': '2001,2002\n3,4\n5,6\n' });
    const header = await mlpHere(['inspect', 'years.csv', '--header', '--target', '2002', '--json'], {
      cwd: named,
    });
    expect(JSON.parse(header.stdout).target.name).toBe('2002');
  });

  it('never lets a name or a level reach the terminal raw', async () => {
    const folder = folderOf({
      'evil.csv': `\u001b[2Ja,y\n${'1,\u001b]0;owned\u0007\n2,\u001b[31m\n'.repeat(12)}`,
    });
    const { code, stdout, stderr } = await mlpHere(['inspect', 'evil.csv', '--target', 'y'], { cwd: folder });
    expect(code).toBe(0);
    for (const text of [stdout, stderr]) expect(text.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f]/);
    expect(stdout).toContain('\\u001b[2Ja');
  });

  it.each([
    [
      ['--target', 'specis'],
      64,
      /^error: --target: found no column "specis" in .*\nhint: did you mean "species"\?\n$/,
    ],
    [
      ['--target', '9'],
      64,
      /found no column "9".*\nhint: a file with a header needs a name; --no-header treats its first line as data/,
    ],
    [
      ['--target', 'species,petal width (cm)'],
      64,
      /hint: name one of them here; for several, write the config by hand: "target": \["a", "b"\]/,
    ],
    [
      ['--no-header', '--target', '4'],
      65,
      /iris\.csv:1: column 0: found "sepal length \(cm\)", expected a number/,
    ],
    [['--delimiter', 'x'], 64, /argument 'x' is invalid. expected , ; \| tab or whitespace/],
    [['--comment', '12'], 64, /argument '12' is invalid. expected one character, such as #/],
    [['--comment', ','], 64, /--comment: found ",", which may also be the delimiter/],
    [['--comment', ',', '--delimiter', ','], 64, /--comment: found ",", the delimiter, expected another/],
  ])('refuses %j', async (options, exitCode, message) => {
    const { code, stdout, stderr } = await mlpHere(['inspect', IRIS, ...options]);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(message);
  });

  it('refuses a target that no file without a header can have', async () => {
    const folder = folderOf({ 'rows.csv': '1,2\n3,4\n5,6\n' });
    const refused = async (...options: string[]) =>
      (await mlpHere(['inspect', 'rows.csv', ...options], { cwd: folder })).stderr;
    expect(await refused('--target', '2')).toContain(
      `--target: found "2", expected a column number from 0 to 1 in rows.csv`,
    );
    expect(await refused('--no-header', '--target', 'y')).toContain(
      'hint: the file has no header, so its columns have no names',
    );
  });

  it('joins several files and patterns, of any format', async () => {
    const folder = folderOf({
      '1.csv': 'a,c,y\n1,red,no\n2,blue,yes\n1,red,no\n',
      '2.jsonl': '{"y": "yes", "a": 4, "c": "red"}\n{"y": "no", "a": 1, "c": "red"}\n',
    });
    for (const paths of [['1.csv', '2.jsonl'], ['*.*']]) {
      const { stdout } = await mlpHere(['inspect', ...paths, '--json'], { cwd: folder });
      const { path, rows, columns, warnings } = JSON.parse(stdout);
      expect([path, rows]).toEqual(['1.csv and 1 more file', 5]);
      expect(columns[0]).toMatchObject({ distinct: 3, range: { min: 1, max: 4 } });
      expect(warnings[0].text).toMatch(
        /2 rows are duplicates of earlier rows \(1\.csv:4 is a duplicate of 1\.csv:2\)/,
      );
    }
    const missing = await mlpHere(['inspect', '1.csv', 'none.csv'], { cwd: folder });
    expect([missing.code, missing.stdout]).toEqual([66, '']);
  });

  it('takes little memory for JSON Lines of very many columns', async () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `"${i.toString(16)}":${i % 10}`);
    const rows = Array.from({ length: 59 }, (_, i) => `{"0":${i % 2}}\n`);
    const folder = folderOf({ 'wide.jsonl': `{${names.join(',')}}\n${rows.join('')}` });
    const { code, stdout } = await mlp(['inspect', 'wide.jsonl', '--target', '0', '--json'], {
      cwd: folder,
      // Of the heap, in MB; the process takes some 130 more.
      env: { NODE_OPTIONS: '--max-old-space-size=40' },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).columns).toHaveLength(30_000);
  });

  it('fails as train does where the file is not there or can not be trusted', async () => {
    const folder = folderOf({ 'ragged.csv': 'a,b\n1,2\n3\n' });
    expect((await mlpHere(['inspect', 'none.csv'], { cwd: folder })).code).toBe(66);
    const ragged = await mlpHere(['inspect', 'ragged.csv'], { cwd: folder });
    expect([ragged.code, ragged.stdout]).toEqual([65, '']);
    expect(ragged.stderr).toContain('ragged.csv:3: found 1 field, expected 2');
  });
});
