import { expect, it } from 'vitest';
import { loadDataset } from '../src/data/dataset/loadDataset.js';
import { loadTrainConfig } from '../src/spec/loadConfig.js';
import { LocalEngine } from '../src/training/engine/engine.js';
import { runTraining } from '../src/training/loop.js';
import { planTraining } from '../src/training/plan.js';
import { folderOf } from './support/cli.js';

/** The smoke test: all of it, from a file to a trained network, in well under two seconds. `npx vitest run test/tiny` */
it('learns exclusive or', async () => {
  const folder = folderOf({
    'xor.csv': 'a,b,y\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n',
    'config.json': {
      network: { layers: [8, 'tanh', 1] },
      data: { train: 'xor.csv', target: 'y', validation: 0 },
      training: { epochs: 200, batchSize: 4, optimizer: { type: 'adam', learningRate: 0.05 } },
    },
  });
  const loaded = loadTrainConfig(`${folder}/config.json`);
  const { config, directory } = loaded;
  const dataset = await loadDataset(config, directory);
  const plan = planTraining(loaded, dataset);
  const choice = { backend: 'reference', relaxed: false } as const;
  const { train } = await runTraining(LocalEngine.start({ config, plan, choice }, dataset));
  expect(train.metrics).toMatchObject({ accuracy: 1 });
  expect(train.metrics.loss).toBeLessThan(0.05);
});
