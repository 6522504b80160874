/**
 * csv-parse as a contender: node bench/csv/csvParse.js <fill|alone>. `fill` fills the matrix that we do, and standardises it; `alone` parses with
 * the options of our own reading and drops the records.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { parseOptions } from '../../dist/data/csv/csvParse.js';
import { serve } from '../peers/serve.js';
import { checkOf, standardize } from './matrix.js';

/** Bytes of the file that are parsed before the clock runs, until all is compiled: `fill` takes part in no round that warms up. */
const WARM_UP = 2 ** 24;

async function prepareFilling({ path, targetColumn, rows, features }) {
  const fill = async (end) => {
    const matrix = new Float32Array(rows * features);
    let i = 0;
    // The beginning of a file may end within a row.
    const parser = parse({ from: 2, relax_column_count: end !== undefined });
    // Faster than a handler of records, which is told with each where it stood.
    parser.on('data', (cells) => {
      for (let j = 0; j < cells.length; j++) if (j !== targetColumn) matrix[i++] = Number(cells[j]);
    });
    await pipeline(createReadStream(path, { end }), parser);
    standardize(matrix, rows, features);
    return checkOf(matrix, rows, features);
  };
  await fill(WARM_UP);
  return () => fill(undefined);
}

async function prepareParsing({ path }) {
  return async () => {
    const parser = parse(parseOptions({ delimiter: ',' }));
    parser.resume();
    await pipeline(createReadStream(path), parser);
  };
}

const { version } = JSON.parse(
  readFileSync(new URL('../../node_modules/csv-parse/package.json', import.meta.url)),
);

serve({ 'csv-parse': version }, async (task) => {
  const pass = argv[2] === 'fill' ? await prepareFilling(task) : await prepareParsing(task);
  return async (passes) => {
    let check;
    for (let i = 0; i < passes; i++) check = await pass();
    return { steps: passes, check };
  };
});
