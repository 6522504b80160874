import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BINARY, modelBytes } from '../model/models.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

const CSV = 'age,city,size\n30,Bern,1\n,Oslo,2.5\n61,Paris,0\n';

interface Module {
  readonly columns: readonly string[];
  predict(row: Record<string, unknown>): { prediction: string; probabilities: Record<string, number> };
}

async function moduleIn(folder: string, name: string): Promise<Module> {
  return import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href);
}

describe('mlp export --to js', () => {
  it('writes a module that predicts what mlp predict prints, from cells as text', async () => {
    const folder = folderOf({ 'model.safetensors': modelBytes(BINARY), 'data.csv': CSV });
    const { code, stdout } = await mlpHere(['export', 'model.safetensors', '--to', 'js'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wrote model\.mjs \(.*\) and model\.d\.mts \(.*\)\n/);
    expect(stdout).toMatch(
      /on 200 made-up rows the largest difference from mlp predict is \d(?:\.\d)?e-(?:7|8|9)/,
    );

    const module = await moduleIn(folder, 'model.mjs');
    expect(module.columns).toEqual(['age', 'city', 'size']);
    const predicted = await mlpHere(['predict', 'model.safetensors', 'data.csv', '--json'], { cwd: folder });
    const [, ...rows] = CSV.trimEnd().split('\n');
    const expected = predicted.stdout.trimEnd().split('\n');
    for (const [i, row] of rows.entries()) {
      const [age, city, size] = row.split(',');
      const { prediction, probabilities } = JSON.parse(expected[i]);
      const found = module.predict({ age, city, size: Number(size) });
      expect(found.prediction).toBe(prediction);
      expect(found.probabilities.yes).toBeCloseTo(probabilities.yes, 6);
    }
  });

  it('says what is wrong with a row', async () => {
    const folder = folderOf({ 'model.safetensors': modelBytes(BINARY) });
    await mlpHere(['export', 'model.safetensors', '--to', 'js', '-o', 'other.js'], { cwd: folder });
    expect(readdirSync(folder).sort()).toEqual(['model.safetensors', 'other.d.ts', 'other.js']);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const { predict } = await moduleIn(folder, 'other.js');
    expect(() => predict({ age: 1, city: 'Bern' })).toThrow('found no "size" in the row, expected one');
    expect(() => predict({ age: 'x', city: 'Bern', size: 1 })).toThrow('"age": found "x", expected a number');
    expect(() => predict({ age: 1, city: 'Bern', size: null })).toThrow('"size": found a missing value');
    expect(predict({ age: 'NA', city: 'Bern', size: 1 })).toEqual(
      predict({ age: null, city: 'Bern', size: 1 }),
    );
  });

  it('compares with rows of the training file, and tells so in JSON', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig() });
    await mlpHere(['train', 'config.json', '--run', 'run'], { cwd: folder });
    const { code, stdout, stderr } = await mlpHere(['export', 'run', '--to', 'js', '--json'], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([0, '']);
    const { files, columns, check } = JSON.parse(stdout);
    expect(files[0].bytes).toBe(readFileSync(join(folder, 'run.mjs')).length);
    expect(columns).toEqual([
      { name: 'a', kind: 'number' },
      { name: 'b', kind: 'number' },
    ]);
    expect(check).toMatchObject({
      by: 'the module itself',
      rows: { data: 20, madeUp: 200 },
      decidedOtherwise: 0,
    });
    expect(check.largestDifference).toBeLessThan(1e-6);
  });

  it('replaces no file without --force, and writes none of two', async () => {
    const folder = folderOf({ model: modelBytes(BINARY), 'model.d.mts': 'mine' });
    const refused = await mlpHere(['export', 'model', '--to', 'js'], { cwd: folder });
    expect([refused.code, refused.stderr.split('\n').at(-3)]).toEqual([
      73,
      'error: model.d.mts: found an existing file, expected a new one',
    ]);
    expect(existsSync(join(folder, 'model.mjs'))).toBe(false);
    const forced = await mlpHere(['export', 'model', '--to', 'js', '--force'], { cwd: folder });
    expect(forced.code).toBe(0);
    expect(readFileSync(join(folder, 'model.d.mts'), 'utf8')).toContain(
      'readonly "age": number | string | null',
    );
  });

  it('prints the module to standard output, and nothing else', async () => {
    const folder = folderOf({ model: modelBytes(BINARY) });
    const { code, stdout } = await mlpHere(['export', 'model', '--to', 'js', '-o', '-'], { cwd: folder });
    expect([code, readdirSync(folder)]).toEqual([0, ['model']]);
    expect(stdout).toMatch(/^\/\/ A binary model of mlp.*export function predictBatch\(rows\) \{.*\}\n$/s);
  });

  it.each([
    [['--to', 'pmml'], "option '--to <format>' argument 'pmml' is invalid"],
    [[], "required option '--to <format>' not specified"],
    [['--to', 'js', '-o', 'model.txt'], 'found model.txt, expected a name that ends in .mjs or .js'],
  ])('refuses %s', async (args, message) => {
    const folder = folderOf({ model: modelBytes(BINARY) });
    const { code, stderr } = await mlpHere(['export', 'model', ...args], { cwd: folder });
    expect(code).toBe(64);
    expect(stderr).toContain(message);
  });
});

describe('mlp export --to onnx', () => {
  it('writes one file, and says how it was checked', async () => {
    const folder = folderOf({ 'model.safetensors': modelBytes(BINARY) });
    const { code, stdout } = await mlpHere(['export', 'model.safetensors', '--to', 'onnx'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^wrote model\.onnx \(.*\)\nchecked by the nodes of the file, run by plain loops \(not by onnxruntime\): on 200 made-up rows/,
    );
    const bytes = readFileSync(join(folder, 'model.onnx'));
    // ModelProto: ir_version 8, producer_name mlp
    expect([...bytes.subarray(0, 7)]).toEqual([8, 8, 0x12, 3, ...Buffer.from('mlp')]);
    expect(bytes.includes('layers.0.weight')).toBe(true);
    const again = await mlpHere(['export', 'model.safetensors', '--to', 'onnx', '-o', 'b.onnx'], {
      cwd: folder,
    });
    expect(again.code).toBe(0);
    expect(readFileSync(join(folder, 'b.onnx')).equals(bytes)).toBe(true);
  });

  it.each([
    [['--to', 'js', '--raw'], '--raw: found --to js, expected --to onnx'],
    [['--to', 'onnx', '--raw', '--inputs', 'columns'], '--raw: found --inputs besides it'],
    [['--to', 'onnx', '--inputs', 'matrix'], '--to onnx: --inputs matrix: found the column "city" of text'],
  ])('refuses %s', async (args, message) => {
    const folder = folderOf({ model: modelBytes(BINARY) });
    const { code, stderr } = await mlpHere(['export', 'model', ...args], { cwd: folder });
    expect(code).toBe(64);
    expect(stderr).toContain(message);
  });
});

describe('mlp export to other languages', () => {
  it.each([
    ['numpy', ['model.npz', 'model.py']],
    ['pytorch', ['model.npz', 'model.py']],
    ['npz', ['model.npz']],
    ['c', ['model.c']],
  ])('writes the files of %s, and says that they were not run', async (format, files) => {
    const folder = folderOf({ 'model.safetensors': modelBytes(BINARY) });
    const { code, stdout } = await mlpHere(['export', 'model.safetensors', '--to', format], { cwd: folder });
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([...files, 'model.safetensors']);
    expect(stdout).toMatch(/\nchecked by the (?:weights|steps)/);
    expect(stdout).toMatch(/the largest difference from mlp predict is \d(?:\.\d)?e-(?:7|8|9)/);
  });

  it('prints one file, but not a script without its weights', async () => {
    const folder = folderOf({ model: modelBytes(BINARY) });
    const printed = await mlpHere(['export', 'model', '--to', 'c', '-o', '-'], { cwd: folder });
    expect([printed.code, printed.stdout.includes('int mlp_predict(')]).toEqual([0, true]);
    const refused = await mlpHere(['export', 'model', '--to', 'numpy', '-o', '-'], { cwd: folder });
    expect([refused.code, refused.stderr.split('\n').at(-3)]).toEqual([
      64,
      'error: --output: found -, expected a file: numpy is more than one file',
    ]);
  });

  it('exports an ensemble, and checks it on the training file of its first run', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig() });
    for (const [i, name] of ['a', 'b'].entries()) {
      await mlpHere(['train', 'config.json', '--run', name, '--set', `seed=${i}`], { cwd: folder });
    }
    await mlpHere(['ensemble', 'a', 'b', '-o', 'both'], { cwd: folder });
    for (const format of ['js', 'onnx', 'numpy', 'c']) {
      const { code, stdout, stderr } = await mlpHere(['export', 'both', '--to', format, '--json'], {
        cwd: folder,
      });
      expect([code, stderr]).toEqual([0, '']);
      const { check } = JSON.parse(stdout);
      expect(check.rows).toEqual({ data: 20, madeUp: 200 });
      expect(check.largestDifference).toBeLessThan(1e-6);
    }
    const { predict } = await moduleIn(folder, 'both.mjs');
    const predicted = await mlpHere(['predict', 'both', 'data.csv', '--json'], { cwd: folder });
    const [first] = predicted.stdout.split('\n');
    const [a, b] = SMALL_CSV.split('\n')[1].split(',');
    expect(predict({ a, b }).probabilities.yes).toBeCloseTo(JSON.parse(first).probabilities.yes, 6);
  });
});
