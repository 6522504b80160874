/** Our reading of files as a contender, to a standardised matrix or a table: node bench/csv/ours.js <threads|auto>. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { argv } from 'node:process';

import { loadDataset } from '../../dist/data/dataset/loadDataset.js';
import { openTable, readWhole } from '../../dist/data/openTable.js';
import { trainSchema } from '../../dist/spec/trainConfig.js';
import { serve } from '../peers/serve.js';
import { configOf } from './config.js';
import { checkOf } from './matrix.js';

const threads = argv[2] === 'auto' ? availableParallelism() : Number(argv[2]);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

serve({ mlp: version }, (task) => (task.kind === 'table' ? tabling(task) : loading(task)));

function tabling({ path }) {
  return async (passes) => {
    let check;
    for (let pass = 0; pass < passes; pass++) {
      const source = await openTable(path, { delimiter: 'auto', header: 'auto' });
      const { rows, columns } = await readWhole(source, { threads });
      source.close();
      const middle = Math.floor(rows / 2);
      const ofColumn = ({ kind, values, levels }) => (kind === 'text' ? levels.length : values[middle]);
      check = columns.reduce((sum, column) => sum + ofColumn(column), 0);
    }
    return { steps: passes, check };
  };
}

// No rows are held out: the peers split nothing.
function loading(task) {
  const config = trainSchema.parse(configOf(task, { validation: 0 }));
  return async (passes) => {
    let check;
    for (let pass = 0; pass < passes; pass++) {
      const { train } = await loadDataset(config, '.', undefined, { threads });
      check = checkOf(train.features.read(0, train.rows), train.rows, train.features.columns);
    }
    return { steps: passes, check };
  };
}
