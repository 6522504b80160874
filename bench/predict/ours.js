/** Our predictions of a CSV as a contender, as mlp predict makes them: node bench/predict/ours.js <threads|auto>. */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { openTable } from '../../dist/data/openTable.js';
import { loadModel } from '../../dist/model/load.js';
import { PredictorPool } from '../../dist/model/pool/predictorPool.js';
import { csvLines } from '../../dist/model/predictionLines.js';
import { modelRowsOf, requestFor } from '../../dist/model/rows.js';
import { serve } from '../peers/serve.js';

const threads = argv[2] === 'auto' ? 'auto' : Number(argv[2]);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

serve({ mlp: version }, ({ path, run, output }) => async (passes) => {
  let check;
  for (let pass = 0; pass < passes; pass++) {
    const model = loadModel(run);
    const file = await openTable(path, requestFor(model, {}, true));
    const rows = modelRowsOf(file, model, { targets: false });
    const lines = csvLines({ model, kept: [], names: file.names, delimiter: ',', guard: true });
    let text = lines.head;
    let sum = 0;
    await PredictorPool.use(model, { threads }, async (pool) => {
      for await (const chunk of rows.chunks(pool, [])) {
        const numbers = pool.predictions(chunk.rows);
        const labels = pool.labels(chunk.rows);
        for (let row = 0; row < chunk.rows; row++) {
          const own = numbers.subarray(row * pool.width, (row + 1) * pool.width);
          sum += own[pool.width - 1];
          text += lines.row([], own, labels.subarray(row, row + 1));
        }
      }
    });
    file.close();
    writeFileSync(output, text);
    check = sum / rows.rows;
  }
  return { steps: passes, check };
});
