/** Messages that must not mislead: what is unreadable is not missing, and a hint helps. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

const files = { 'config.json': smallConfig(), 'data.csv': SMALL_CSV };

describe('what the system does not tell', () => {
  // Like a directory without permission, but for root too.
  it.each([
    ['evaluate', 'model.safetensors', ['evaluate', 'run']],
    ['evaluate', 'model.safetensors', ['evaluate', 'run/model.safetensors', 'data.csv']],
    ['predict', 'model.safetensors', ['predict', 'run', 'data.csv']],
    ['train --resume', 'config.json', ['train', 'config.json', '--resume', 'run']],
  ])('is not missing for %s', async (_, name, args) => {
    const cwd = folderOf(files);
    const run = join(cwd, 'run');
    await mlpHere(['train', 'config.json', '--run', 'run'], { cwd });
    rmSync(join(run, name));
    symlinkSync(name, join(run, name));
    const { code, stderr } = await mlpHere(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringContaining('ELOOP') });
  });
});

describe('an empty path', () => {
  it.each([
    [['train', ''], 'config.json'],
    [['train', 'config.json', '--run', ''], '--run'],
    [['train', 'config.json', '--resume='], '--resume'],
    [['inspect', 'data.csv', ''], 'data.csv'],
    [['predict', '', 'data.csv'], 'run'],
    [['init', 'data.csv', '-o', ''], '--output'],
  ])('is named: %j', async (args, name) => {
    const { code, stderr } = await mlpHere(args, { cwd: folderOf(files) });
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: `error: ${name}: found an empty text, expected a path\n`,
    });
  });
});

describe('a file name that is not UTF-8', () => {
  it.each([
    ['train', 'a\ufffd.json'],
    ['inspect', 'a\ufffd.csv'],
    ['evaluate', 'a\ufffd'],
  ])('is named by %s', async (command, name) => {
    const { code, stderr } = await mlpHere([command, name]);
    expect(code).toBe(66);
    expect(stderr).toMatch(/^error: a\ufffd\S*: found a name that is not UTF-8/);
  });
});

describe('an unknown key', () => {
  it.each([
    ['training.lr=0.1', 'did you mean "training.optimizer.learningRate"?'],
    ['training.wd=0.1', 'did you mean "training.optimizer.weightDecay"?'],
    ['training.bs=8', 'did you mean "batchSize"?'],
    ['training.batch=8', 'did you mean "batchSize"?'],
    ['training.n_epochs=8', 'did you mean "epochs"?'],
    ['network.hidden=8', 'did you mean "layers"?'],
    ['hidden=8', 'did you mean "network.layers"?'],
    ['network.act="relu"', 'an activation is a layer of its own: "layers": [8, "relu", 3]'],
    ['training.dropout=0.1', 'dropout is a layer: {"type": "dropout", "rate": 0.5}'],
    ['data.sep=";"', 'did you mean "delimiter"?'],
    ['data.val_split=0.1', 'did you mean "validation"?'],
    ['training.optimizer={"type":"sgd","wd":1}', '"weightDecay" belongs to another type of optimizer'],
    ['training.loss="mse"', 'did you mean "mean-squared-error"?'],
    ['network.layers=[4,"lrelu",1]', 'did you mean "leaky-relu"?'],
    ['training.l3=1', undefined],
    ['training.constructor=1', undefined],
    ['data.note=1', undefined],
  ])('%s', async (set, hint) => {
    const { code, stderr } = await mlpHere(['train', 'config.json', '--set', set], { cwd: folderOf(files) });
    expect(code).toBe(78);
    expect(stderr.split('\n')[1]).toBe(hint === undefined ? '' : `hint: ${hint}`);
  });

  it('of the command line is not taken for another one', async () => {
    const { stderr } = await mlpHere(['train', 'config.json', '--seed', '1']);
    expect(stderr).toContain('hint: --set <key>=<value> sets a key of the config; see mlp train --help');
    expect((await mlpHere(['train', 'config.json', '--resum', '1'])).stderr).toContain(
      'did you mean --resume?',
    );
  });
});

describe('advice', () => {
  it.each([
    ['float32', 'use fewer units or a smaller'],
    ['float64', 'use fewer units, "dtype": "float32" or a smaller'],
  ])('does not repeat what the config says: %s', async (dtype, hint) => {
    const args = [
      'train',
      'config.json',
      '--set',
      'network.layers=[1000000000,1]',
      '--set',
      `dtype=${dtype}`,
    ];
    expect((await mlpHere(args, { cwd: folderOf(files) })).stderr).toContain(`hint: ${hint}`);
  });

  it('for a row with too few fields speaks of lines above the table', async () => {
    const cwd = folderOf({ 'data.csv': 'Created,as,New\ncm-1,T\n1,2\n3,4\n' });
    const { stderr } = await mlpHere(['inspect', 'data.csv'], { cwd });
    expect(stderr).toContain('data.csv:2: found 2 fields, expected 3');
    expect(stderr).toContain('skip the lines above it (data.skipLines, --skip-lines)');
    expect(stderr).not.toContain('quotes');
  });

  it.each([
    ['predict', '--bad-rows blank leaves their predictions empty'],
    ['evaluate', '--bad-rows skip leaves such rows out'],
  ])('of %s names its own option', async (command, hint) => {
    const cwd = folderOf({ ...files, 'new.csv': `${SMALL_CSV}\n1,2,3,4\n` });
    await mlpHere(['train', 'config.json', '--run', 'run'], { cwd });
    const { code, stderr } = await mlpHere([command, 'run', 'new.csv'], { cwd });
    expect(code).toBe(65);
    expect(stderr).toContain(`hint: put a value that contains a comma in quotes; ${hint}`);
  });
});
