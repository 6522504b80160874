/** A damaged model: whatever loads it says so. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/index.js';
import { withTexts } from '../model/models.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

/** A folder with a finished run `r`, and the path of its model. */
async function finishedRun() {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  expect(await mlpHere(['train', 'config.json', '--run', 'r'], { cwd })).toMatchObject({ code: 0 });
  return { cwd, model: join(cwd, 'r', 'model.safetensors') };
}

function zeroWeights(model: string): void {
  const bytes = readFileSync(model);
  writeFileSync(model, bytes.fill(0, bytes.length - 20, bytes.length - 4));
}

describe('a damaged model', () => {
  it('is refused by evaluate, predict and repro, in its run and as a copy', async () => {
    const { cwd, model } = await finishedRun();
    zeroWeights(model);
    copyFileSync(model, join(cwd, 'copy.safetensors'));
    for (const args of [
      ['evaluate', 'r'],
      ['evaluate', 'r', 'data.csv'],
      ['predict', 'r', 'data.csv'],
      ['repro', 'r'],
      ['evaluate', 'copy.safetensors', 'data.csv'],
      ['predict', 'copy.safetensors', 'data.csv'],
    ]) {
      const { code, stdout, stderr } = await mlpHere(args, { cwd });
      expect(code, args.join(' ')).toBe(65);
      expect(stdout, args.join(' ')).toBe('');
      expect(stderr).toMatch(/^error: .*\.safetensors: found content of checksum [0-9a-f]+, expected/m);
    }
    await expect(loadModel(model)).rejects.toThrow(/found content of checksum/);
  });

  it('is written anew by --resume, which warns', async () => {
    const { cwd, model } = await finishedRun();
    const before = readFileSync(model);
    zeroWeights(model);
    const resumed = await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd });
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toMatch(/^warning: .*found content of checksum .*: the run writes it anew$/m);
    expect(readFileSync(model)).toEqual(before);
    expect(await mlpHere(['repro', 'r'], { cwd })).toMatchObject({ code: 0 });
  });

  it('is not taken for another one: repro compares it with run.json', async () => {
    const { cwd, model } = await finishedRun();
    const longer = ['train', 'config.json', '--run', 'other', '--set', 'seed=5'];
    expect(await mlpHere(longer, { cwd })).toMatchObject({ code: 0 });
    copyFileSync(join(cwd, 'other', 'model.safetensors'), model);
    const repro = await mlpHere(['repro', 'r'], { cwd });
    expect(repro).toMatchObject({ code: 1 });
    expect(repro.stdout).toMatch(/^differs in model.safetensors: found SHA-256/);
    const evaluated = await mlpHere(['evaluate', 'r', 'data.csv'], { cwd });
    expect(evaluated.stderr).toContain('its weights are not those that run.json beside it tells of');
    rmSync(model);
    expect(await mlpHere(['repro', 'r'], { cwd })).toMatchObject({ code: 0 });
  });

  it('of an earlier version is compared with run.json, and loads with a note', async () => {
    const { cwd, model } = await finishedRun();
    writeFileSync(model, withTexts(readFileSync(model), { checksum: undefined }));
    for (const args of [
      ['predict', 'r', 'data.csv'],
      ['evaluate', 'r'],
      ['repro', 'r'],
    ]) {
      const { code, stderr } = await mlpHere(args, { cwd });
      expect(code, args.join(' ')).toBe(0);
      expect(stderr).toContain('an earlier version wrote it without a checksum');
    }
    expect((await loadModel(model)).notes).toHaveLength(1);
    zeroWeights(model);
    expect(await mlpHere(['predict', 'r', 'data.csv'], { cwd })).toMatchObject({ code: 65 });
  });
});
