/** Our reading of CSVs as a contender, from the file to a standardised matrix: node bench/csv/ours.js <threads|auto>. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { argv } from 'node:process';

import { loadDataset } from '../../dist/data/dataset/loadDataset.js';

import { trainSchema } from '../../dist/spec/trainConfig.js';
import { serve } from '../peers/serve.js';
import { configOf } from './config.js';
import { checkOf } from './matrix.js';

const threads = argv[2] === 'auto' ? availableParallelism() : Number(argv[2]);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

// No rows are held out: the peers split nothing.
serve({ mlp: version }, (task) => {
  const config = trainSchema.parse(configOf(task, { validation: 0 }));
  return async (passes) => {
    let check;
    for (let pass = 0; pass < passes; pass++) {
      const { train, features } = await loadDataset(config, '.', undefined, { threads });
      check = checkOf(train.features, train.rows, features.columns);
    }
    return { steps: passes, check };
  };
});
