import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { schemaPath } from '../../src/cli/initOutput.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { folderOf, mlpHere, SMALL_CSV, temporaryFolder } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

/** Writes a small network out, which trains in an instant. */
const PLAIN = ['--preset', 'plain'];

/** The validation metrics that `mlp train` ends with. */
async function train(config: string, cwd: string): Promise<Record<string, number>> {
  const { code, stdout, stderr } = await mlpHere(['train', config, '--json', '--run', 'run'], { cwd });
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').validation;
}

function readConfig(folder: string, name: string) {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

describe('mlp init', () => {
  const rows = (cells: (i: number) => string) =>
    Array.from({ length: 30 }, (_, i) => `${cells(i)}\n`).join('');
  const plain = (i: number) => `${i},${(i * 7) % 11},${i % 2 ? 'yes' : 'no'}`;

  it.each([
    ['skipLines', `Station,5\nOperator\na,b,y\n${rows(plain)}`, { skipLines: 2 }, 'data.skipLines 2'],
    ['skipRows', `a,b,y\nmm,s,-\n${rows(plain)}`, { skipRows: 1 }, 'data.skipRows 1'],
    [
      'quote',
      `a,b,y\n${rows((i) => `${(i * 7) % 11},'x, ${i % 3}',${i % 2 ? 'yes' : 'no'}`)}`,
      { quote: "'" },
      'data.quote "\'"',
    ],
    [
      'badRows',
      `a,b,y\n${rows((i) => (i === 9 ? '1,2' : plain(i)))}`,
      { badRows: 'skip' },
      'data.badRows "skip", which leaves out 1 row',
    ],
  ])('finds the key that reads a file of another notation: %s', async (_, content, keys, said) => {
    const folder = folderOf({ 'data.csv': content });
    const { code, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], { cwd: folder });
    expect(code).toBe(0);
    expect(stderr).toContain(`read with ${said}`);
    expect(readConfig(folder, 'data.json').data).toMatchObject(keys);
    await train('data.json', folder);
  });

  const mixed = (cell: (i: number) => string | number) => (i: number) =>
    `${cell(i)},${(i * 7) % 11},${i % 2 ? 'yes' : 'no'}`;
  const later = 300;

  it.each([
    [
      'tickets',
      60,
      mixed((i) => (i % 4 ? 113_000 + i : `PC ${i}`)),
      { exclude: ['a'] },
      'data.exclude: "a", since it mixes numbers and texts such as "PC 0", which hardly repeat',
    ],
    [
      'codes',
      60,
      mixed((i) => ['007', '012', 'X12', '101'][i % 4]),
      { categories: ['a'] },
      'data.categories: "a", since it holds 45 numbers and 15 other cells, such as "X12"',
    ],
    [
      'scores',
      60,
      mixed((i) => (i % 12 === 5 ? 'n.b.' : i % 12 === 7 ? 'NA' : i / 10)),
      { missingValues: { a: ['n.b.', 'NA'] }, missing: { a: 'indicator' } },
      'data.missingValues: "a" holds 50 numbers and 5 other cells, such as "n.b.", which stand for missing values',
    ],
    [
      'percentages',
      60,
      mixed((i) => (i % 12 === 5 ? 'n.b.' : `${i}%`)),
      { numbers: { a: { strip: '%' } }, missingValues: { a: ['n.b.'] }, missing: { a: 'indicator' } },
      'data.missingValues: "a" holds 55 numbers and 5 other cells, such as "n.b.", which stand for missing values',
    ],
    [
      'letters first, numbers later',
      later,
      mixed((i) => (i < 100 ? `AB${i % 3}` : i % 5)),
      { categories: ['a'] },
      'data.categories: "a", since it holds 200 numbers and 100 other cells, such as "AB0"',
    ],
    [
      'a notation that comes later',
      later,
      mixed((i) => (i > 250 && i % 9 === 0 ? '>100' : i % 97)),
      { numbers: { a: { strip: '>' } } },
      'found ">100", expected a number: read with data.numbers {"a":{"strip":">"}}',
    ],
  ])('reads a column of numbers and other text: %s', async (_, count, row, keys, said) => {
    const rows = Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');
    const folder = folderOf({ 'data.csv': `a,b,y\n${rows}` });
    const { code, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], { cwd: folder });
    expect([code, stderr]).toEqual([0, expect.stringContaining(said)]);
    const { data } = readConfig(folder, 'data.json');
    expect(data).toMatchObject(keys);
    expect(data).not.toHaveProperty('badRows');
    await train('data.json', folder);
  });

  it('reads a column as text in all files if it is mixed in one', async () => {
    const numbers = Array.from({ length: 30 }, (_, i) => `${i % 5},${(i * 7) % 11},yes\n`).join('');
    const texts = Array.from({ length: 30 }, (_, i) => `${(i * 7) % 11},${i % 5 ? i % 5 : 'X1'},no\n`).join(
      '',
    );
    const folder = folderOf({ 'one.csv': `a,b,y\n${numbers}`, 'two.csv': `b,a,y\n${texts}` });
    const { code } = await mlpHere(
      ['init', 'one.csv', 'two.csv', '--target', 'y', '-o', 'c.json', ...PLAIN],
      {
        cwd: folder,
      },
    );
    expect([code, readConfig(folder, 'c.json').data.categories]).toEqual([0, ['a']]);
    await train('c.json', folder);
  });

  it('takes a target of numbers and text for classes', async () => {
    const rows = Array.from(
      { length: 80 },
      (_, i) => `${i % 8},${(i * 7) % 11},${['0', '1', '2', '3+'][i % 4]}\n`,
    );
    const folder = folderOf({ 'data.csv': `a,b,y\n${rows.join('')}` });
    const { code } = await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], { cwd: folder });
    expect([code, readConfig(folder, 'data.json').data.task]).toEqual([0, 'multiclass']);
    await train('data.json', folder);
  });

  it('keeps the error if no key helps, or too many rows would be left out', async () => {
    const folder = folderOf({ 'data.csv': `a,b,y\n${rows((i) => (i % 4 ? plain(i) : '1,2'))}` });
    const { code, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], { cwd: folder });
    expect(code).toBe(65);
    expect(stderr).toContain('data.csv:2: found 2 fields, expected 3');
  });

  it('leaves network and training to the preset, which the run writes out', async () => {
    const folder = folderOf({ 'data.csv': `a,b,y\n${rows(plain)}` });
    const { code, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y'], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining('preset: tabular, ')]);
    const config = readConfig(folder, 'data.json');
    expect(Object.keys(config).filter((key) => key !== '$schema')).toEqual(['preset', 'network', 'data']);
    const short = ['--set', 'training.epochs=2', '--set', 'network.members=6', '--run', 'run'];
    const ran = await mlpHere(['train', 'data.json', ...short, '--json'], { cwd: folder });
    expect([ran.code, ran.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    const written = readConfig(folder, 'run/config.json');
    expect(written).not.toHaveProperty('preset');
    expect(written.network.members).toEqual({ count: 2, kind: 'batch-ensemble', networks: 6 });
    expect(written.network.layers.at(-1).units).toBe(1);
    expect(written.data.validation).toMatchObject({ folds: 6 });
    expect(written.training).toMatchObject({
      epochs: 2,
      batchSize: 30,
      optimizer: { beta2: 0.95 },
      keepMonitor: 'validation_calibrated_loss',
    });
    expect(written.data.standardize).toBe('robust');
    // The same config, with the preset, goes on with the run; and the run repeats itself.
    const again = await mlpHere(['train', 'data.json', ...short.slice(0, 4), '--resume', 'run'], {
      cwd: folder,
    });
    expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect((await mlpHere(['repro', 'run'], { cwd: folder })).code).toBe(0);
    const counted = await mlpHere(['params', 'data.json', '--json'], { cwd: folder });
    expect(JSON.parse(counted.stdout).members).toEqual({ count: 2, kind: 'batch-ensemble', networks: 5 });
  });

  it('names all files in a config that trains', async () => {
    const rows = SMALL_CSV.trimEnd().split('\n');
    const folder = folderOf({
      'part-1.csv': `${rows.slice(0, 11).join('\n')}\n`,
      'part-2.csv': `${[rows[0], ...rows.slice(11)].join('\n')}\n`,
    });
    for (const paths of [['part-1.csv', 'part-2.csv'], ['part-*.csv']]) {
      const made = await mlpHere(['init', ...paths, '--target', 'y', '-o', 'c.json', '--force', ...PLAIN], {
        cwd: folder,
      });
      expect([made.code, readConfig(folder, 'c.json').data.train]).toEqual([
        0,
        paths.length > 1 ? paths : paths[0],
      ]);
      const { code } = await mlpHere(['train', 'c.json', '--set', 'training.epochs=1'], { cwd: folder });
      expect(code).toBe(0);
    }
  });

  it('writes a config, says why, and what to do next', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    const { code, stdout, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], {
      cwd: folder,
    });
    expect([code, stdout]).toEqual([0, 'wrote data.json\nnext: mlp train data.json\n']);
    expect(readFileSync(join(folder, 'data.json'), 'utf8')).toMatchInlineSnapshot(`
      "{
        "network": { "layers": [16, "relu", 1] },
        "data": {
          "train": "data.csv",
          "target": "y",
          "standardize": true,
          "validation": 0.2
        },
        "training": {
          "epochs": 200,
          "batchSize": 16,
          "optimizer": { "type": "adam", "learningRate": 0.005 },
          "schedule": { "type": "exponential", "gamma": 0.985 },
          "l2": 0.1
        }
      }
      "
    `);
    expect(stderr).toMatchInlineSnapshot(`
      "network.layers: 16, relu, 1, since it is wide enough for 2 inputs and 1 output, and 65 parameters are within 10 for each of the 20 rows
      data.target: "y", with 2 classes: one output
      data.standardize: true, since deviations range from 1.41 to 11.1, and a network learns best from mean 0 and deviation 1
      data.validation: 0.2, since 4 rows held out, each class in proportion, show overfitting
      training.epochs: 200, since with 1 step each that is 200 steps
      training.batchSize: 16, since there are 16 rows to train on
      training.optimizer: adam from 0.005 on, since few rows give few steps
      training.schedule: exponential with 0.985, since a rate that falls to a twentieth lets the last epochs settle
      training.l2: 0.1, since 16 rows are easily memorised
      "
    `);
  });

  it.each([
    ['iris', 'species', 'accuracy', 0.9],
    ['wine', 'cultivar', 'accuracy', 0.9],
    ['breast-cancer', 'diagnosis', 'accuracy', 0.93],
    ['digits', 'digit', 'accuracy', 0.93],
    // Ordinary least squares reach 0.33 on this split.
    ['diabetes', 'progression', 'r2', 0.35],
  ])('writes a config that learns %s', async (name, target, metric, least) => {
    const folder = temporaryFolder();
    const data = projectPath(`data/${name}.csv`);
    expect((await mlpHere(['init', data, '--target', target, ...PLAIN], { cwd: folder })).code).toBe(0);
    expect((await train(`${name}.json`, folder))[metric]).toBeGreaterThanOrEqual(least);
  });

  it('writes a config that trains on all that a table may hold', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const yes = i % 7 < 3;
      const city = ['Paris', 'Rome', ''][i % 20 === 0 ? 2 : i % 2];
      const split = i % 5 === 0 ? 'val' : 'train';
      return [
        1000 + i,
        yes ? 5 + (i % 3) : i % 4,
        i % 9 === 0 ? 'NA' : i % 11,
        city,
        'kg',
        i % 4,
        split,
        yes ? 'ja' : 'nein',
      ];
    });
    const header = 'id;length;age;city;unit;zone;split;y';
    const folder = folderOf({ 'data.csv': [header, ...rows.map((row) => row.join(';'))].join('\n') });
    expect((await mlpHere(['init', 'data.csv', '--target', 'y', ...PLAIN], { cwd: folder })).code).toBe(0);
    expect(readConfig(folder, 'data.json').data).toEqual({
      train: 'data.csv',
      target: 'y',
      delimiter: ';',
      exclude: ['id', 'unit'],
      categories: ['zone'],
      missing: { age: 'indicator', city: 'indicator' },
      standardize: true,
      validation: { column: 'split', value: 'val' },
    });
    expect((await train('data.json', folder)).accuracy).toBeGreaterThan(0.9);
  });

  it('takes a number for the target where there is no header', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV.slice(SMALL_CSV.indexOf('\n') + 1) });
    expect((await mlpHere(['init', 'data.csv', '--target', '2', ...PLAIN], { cwd: folder })).code).toBe(0);
    expect(readConfig(folder, 'data.json').data).toMatchObject({ target: 2, header: false });
    await train('data.json', folder);
  });

  it('writes paths relative to the config, with slashes', async () => {
    const folder = folderOf({ 'my data.csv': SMALL_CSV });
    mkdirSync(join(folder, 'my configs'));
    const output = join('my configs', 'small.json');
    const { stdout } = await mlpHere(['init', 'my data.csv', '--target', 'y', '-o', output, ...PLAIN], {
      cwd: folder,
    });
    expect(stdout).toBe(`wrote ${output}\nnext: mlp train "${output}"\n`);
    const { config, directory } = loadTrainConfig(join(folder, output));
    expect(config.data.train).toBe('../my data.csv');
    expect(existsSync(join(directory, `${config.data.train}`))).toBe(true);
  });

  it('prints the config on standard output for -o -, and writes nothing', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    const { stdout, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y', '-o', '-', ...PLAIN], {
      cwd: folder,
    });
    expect(JSON.parse(stdout).data).toMatchObject({ train: 'data.csv', target: 'y' });
    expect(stderr).toContain('network.layers: ');
    expect([existsSync(join(folder, 'data.json')), existsSync(join(folder, '-'))]).toEqual([false, false]);
  });

  it('prints path, config and reasons as JSON', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    const args = ['init', 'data.csv', '--target', 'y', '--json'];
    const { code, stdout, stderr } = await mlpHere([...args, '-o', 'c.json'], { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
    const { path, config, reasons, ...others } = JSON.parse(stdout);
    expect([path, others]).toEqual(['c.json', {}]);
    expect(config).toEqual(readConfig(folder, 'c.json'));
    expect(reasons).toContainEqual({ key: 'data.target', text: '"y", with 2 classes: one output' });
    expect(JSON.parse((await mlpHere([...args, '-o', '-'], { cwd: folder })).stdout).path).toBeNull();
  });

  it('never overwrites a file unless it is told to', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'data.json': 'mine' });
    const args = ['init', 'data.csv', '--target', 'y'];
    const { code, stdout, stderr } = await mlpHere(args, { cwd: folder });
    expect([code, stdout]).toEqual([73, '']);
    expect(stderr).toBe(
      'error: data.json: found an existing file, expected a new one\n' +
        'hint: name another file with -o, or overwrite it with --force\n',
    );
    expect(readFileSync(join(folder, 'data.json'), 'utf8')).toBe('mine');
    expect((await mlpHere([...args, '--force'], { cwd: folder })).code).toBe(0);
    expect(readConfig(folder, 'data.json').data.target).toBe('y');
  });

  it('never overwrites the data, whatever it is told', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    const args = ['init', 'data.csv', '--target', 'y', '--force', '-o', './data.csv'];
    const { code, stderr } = await mlpHere(args, { cwd: folder });
    expect([code, stderr]).toEqual([64, expect.stringContaining('which is the data itself')]);
    expect(readFileSync(join(folder, 'data.csv'), 'utf8')).toBe(SMALL_CSV);
  });

  it('proposes a target where none is given', async () => {
    const folder = folderOf({
      'data.csv': SMALL_CSV.replace('a,b,y', 'a,Class,c'),
      'none.csv': '1,2\n3,4\n5,6\n',
    });
    const named = await mlpHere(['init', 'data.csv'], { cwd: folder });
    expect([named.code, named.stdout]).toEqual([64, '']);
    expect(named.stderr).toBe(
      'error: --target: missing, expected the column of data.csv to predict: one of "a", "Class", "c"\n' +
        'hint: --target Class is likely\n',
    );
    const unnamed = await mlpHere(['init', 'none.csv'], { cwd: folder });
    expect(unnamed.code).toBe(64);
    expect(unnamed.stderr).toContain('a column number from 0 to 1\nhint: --target 1 is likely\n');
    expect(existsSync(join(folder, 'data.json'))).toBe(false);
  });

  it.each([
    ['a target that is not there', 'a,b,class\n1,2,x\n2,3,z\n', 'clas', 64, 'did you mean "class"?'],
    ['a target that is always the same', 'a,y\n1,x\n2,x\n3,x\n', 'y', 65, 'found a single value in all rows'],
    ['nothing to learn from', 'unit,y\nkg,1\nkg,2\nkg,3\n', 'y', 65, 'found no column to learn from'],
    ['a ragged row', 'a,y\n1,x\n2\n', 'y', 65, 'data.csv:3: '],
  ])('refuses %s, and writes nothing', async (_, csv, target, code, message) => {
    const folder = folderOf({ 'data.csv': csv });
    const result = await mlpHere(['init', 'data.csv', '--target', target], { cwd: folder });
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
    expect(existsSync(join(folder, 'data.json'))).toBe(false);
  });

  it('says which file or folder is not there', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    expect((await mlpHere(['init', 'no.csv', '--target', 'y'], { cwd: folder })).code).toBe(66);
    const args = ['init', 'data.csv', '--target', 'y', '-o', join('no', 'c.json')];
    expect((await mlpHere(args, { cwd: folder })).code).toBe(73);
  });

  it('lets no escape code of a column reach the terminal', async () => {
    const csv = SMALL_CSV.replace('a,b,y', '\u001b[2Ja,b,y').replaceAll(/^-?\d+,/gm, '7,');
    const folder = folderOf({ 'data.csv': csv });
    const { code, stdout, stderr } = await mlpHere(['init', 'data.csv', '--target', 'y'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stderr).toContain('data.exclude: "\\u001b[2Ja"');
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

describe('schemaPath', () => {
  it.each([
    ['/src/mlp/configs', '/src/mlp', '../schema/config.schema.json'],
    ['/src/mlp', '/src/mlp', './schema/config.schema.json'],
    [
      '/home/a/project',
      '/home/a/project/node_modules/mlp-train',
      './node_modules/mlp-train/schema/config.schema.json',
    ],
    [
      '/home/a/project/configs/small',
      '/home/a/project/node_modules/mlp-train',
      '../../node_modules/mlp-train/schema/config.schema.json',
    ],
    ['/home/a/other', '/home/a/project/node_modules/mlp-train', undefined],
    ['/home/a', '/home/a/project/node_modules/mlp-train', undefined],
    ['/home/a', '/usr/lib/node_modules/mlp-train', undefined],
    ['/src/..mlp', '/src/mlp', undefined],
    ['/src/mlp/..configs', '/src/mlp', '../schema/config.schema.json'],
  ])('from %s to %s it is %s', (folder, packageFolder, expected) => {
    expect(schemaPath(resolve(folder), 'config.schema.json', resolve(packageFolder))).toBe(expected);
  });
});
