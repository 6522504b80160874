/** Writes the files: node bench/csv/files.js <name> <path>. */
import { spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, env, execPath } from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { RandomState } from '../../dist/random/randomState.js';
import { RECIPES } from './recipes.js';

const SELF = fileURLToPath(import.meta.url);

/**
 * The path of a CSV in `folder`, which is written unless it is there. A process of its own does it, to take its memory
 * along when it ends.
 */
export function csvFile(name, folder) {
  const { parquetOf } = RECIPES[name];
  if (parquetOf !== undefined) return parquetFile(csvFile(parquetOf, folder));
  const path = join(folder, `mlp-bench-${name}.csv`);
  if (!existsSync(path)) {
    console.error(`writing ${path}`);
    const { status, stderr } = spawnSync(execPath, [SELF, name, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`${path}: can't be written: ${stderr}`);
  }
  return path;
}

const WRITE_PARQUET =
  'import polars, sys; polars.read_csv(sys.argv[1]).write_parquet(sys.argv[2], compression="snappy")';

/** The same table as Parquet, by Polars. Without it there is no file, and all contenders fail at its tasks. */
function parquetFile(csv) {
  const path = csv.replace(/csv$/, 'parquet');
  if (existsSync(path)) return path;
  console.error(`writing ${path}`);
  const { status, stderr, error } = spawnSync(env.PYTHON ?? 'python3', ['-c', WRITE_PARQUET, csv, path]);
  if (status !== 0) console.error(`warning: ${path}: can't be written: ${error?.message ?? stderr}`);
  return path;
}

function* chunks({ source, repeats, columns, block, rows, draw }) {
  if (source !== undefined) {
    const content = gunzipSync(readFileSync(new URL(source, import.meta.url)));
    const body = content.indexOf('\n') + 1;
    yield content.subarray(0, body);
    for (let i = 0; i < repeats; i++) yield content.subarray(body);
    return;
  }
  yield `${columns.join(',')}\n`;
  const random = new RandomState(0);
  const drawn = Array.from({ length: block }, () => `${draw(random).join(',')}\n`);
  const bytes = Buffer.from(drawn.join(''));
  for (let row = 0; row < rows; row += block) yield bytes;
}

if (argv[1] === SELF) {
  const [, , name, path] = argv;
  // Under another name until it is whole: a run that is broken off leaves no half of a file to the next.
  await pipeline(Readable.from(chunks(RECIPES[name])), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
