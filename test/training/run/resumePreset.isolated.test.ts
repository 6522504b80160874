/** Resuming a run whose config depends on its data. */
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { loadDatasets } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import { loadTrainConfig } from '../../../src/spec/loadConfig.js';
import { resume, train } from '../../../src/training/train.js';
import { folderOf, SMALL_CSV } from '../../support/cli.js';

vi.mock('../../../src/data/dataset/loadDataset.js', async (original) => {
  const { loadDatasets, ...rest } = await original<object & { loadDatasets: () => unknown }>();
  return { ...rest, loadDatasets: vi.fn(loadDatasets) };
});

afterEach(() => void vi.mocked(loadDatasets).mockClear());

/** A run of a preset, and its config with these overrides. */
async function finished() {
  const folder = folderOf({
    'config.json': { preset: 'tabular', data: { train: 'data.csv', target: 'y' } },
    'data.csv': SMALL_CSV,
  });
  const short = ['network.members=1', 'training.epochs=2'];
  const load = (...overrides: string[]) =>
    loadTrainConfig(join(folder, 'config.json'), [...short, ...overrides]);
  const directory = join(folder, 'run');
  await train(load(), { directory });
  vi.mocked(loadDatasets).mockClear();
  return { directory, load };
}

it('reads the data once', async () => {
  const { directory, load } = await finished();
  const { result } = await resume(load(), directory);
  expect(result.epochs).toBe(2);
  expect(loadDatasets).toHaveBeenCalledTimes(1);
});

it('compares the config with that of the run once the data are known', async () => {
  const { directory, load } = await finished();
  await expect(resume(load('training.batchSize=7'), directory)).rejects.toMatchObject({
    exitCode: ExitCode.config,
    message: expect.stringContaining('training.batchSize: found 7, expected 16 as in'),
  });
  const longer = await resume(load('training.epochs=3'), directory, { mayExtend: true });
  expect(longer.result.epochs).toBe(3);
  expect(loadTrainConfig(join(directory, 'config.json')).config.training).toMatchObject({
    epochs: 3,
    batchSize: 16,
  });
});
