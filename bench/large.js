/**
 * Trains, evaluates and predicts on a matrix that is larger than a WebAssembly memory, and measures the time and the peak
 * memory of each command: node bench/large.js --help. The files are made once and kept in the folder.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `usage: node bench/large.js --folder <dir> [options]
  --rows <n>       (default 1500000)
  --columns <n>    features, a multiple of 100 (default 1000)
  --steps <n>      of 200 rows (default 500)
  --format <f>     csv or parquet; npm install --no-save --prefix bench/peers hyparquet-writer (default csv)
  --set <k=v>      for mlp train, as often as needed`;

const MLP = fileURLToPath(new URL('../bin/mlp.js', import.meta.url));

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean' },
    folder: { type: 'string' },
    rows: { type: 'string', default: '1500000' },
    columns: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '500' },
    format: { type: 'string', default: 'csv' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
if (options.help || options.folder === undefined) {
  console.log(USAGE);
  process.exit(options.help ? 0 : 64);
}
const [rows, columns] = [Number(options.rows), Number(options.columns)];

/** A row is made of parts, drawn among these. */
const PART = 100;
const PARTS = 1000;
/** Rows that are made at a time. */
const CHUNK = 20_000;

/** Numerical Recipes' linear congruential generator. */
function* draws(seed) {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

const cells = draws(1);
const parts = Array.from({ length: PARTS }, () =>
  Float32Array.from({ length: PART }, () => Math.floor(cells.next().value * 100)),
);
/** Of each part of a row, its number. */
function* rowsOfParts() {
  const random = draws(2);
  for (let row = 0; row < rows; row++) {
    yield Array.from({ length: columns / PART }, () => Math.floor(random.next().value * PARTS));
  }
}
const labelOf = (row) => (parts[row[0]][0] + parts[row[0]][1] > 99 ? 1 : 0);
const names = Array.from({ length: columns }, (_, j) => `x${j}`);

function makeCsv(path) {
  const texts = parts.map((part) => part.join());
  const file = openSync(path, 'w');
  writeSync(file, `${names.join()},y\n`);
  let lines = [];
  const flush = () => {
    const bytes = Buffer.from(lines.join(''));
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    lines = [];
  };
  for (const row of rowsOfParts()) {
    lines.push(`${row.map((part) => texts[part]).join()},${labelOf(row)}\n`);
    if (lines.length === CHUNK) flush();
  }
  flush();
  closeSync(file);
}

async function makeParquet(path) {
  const peer = new URL('peers/node_modules/hyparquet-writer/src/node.js', import.meta.url);
  const { fileWriter, ParquetWriter } = await import(peer.href);
  const schema = [
    { name: 'root', num_children: columns + 1 },
    ...names.map((name) => ({ name, type: 'FLOAT', repetition_type: 'REQUIRED' })),
    { name: 'y', type: 'INT32', repetition_type: 'REQUIRED' },
  ];
  const writer = new ParquetWriter({ writer: fileWriter(path), schema, codec: 'UNCOMPRESSED' });
  let chunk = [];
  const flush = () => {
    const columnData = names.map((name, j) => ({
      name,
      data: Float32Array.from(chunk, (row) => parts[row[Math.floor(j / PART)]][j % PART]),
      encoding: 'PLAIN',
    }));
    writer.write({
      columnData: [...columnData, { name: 'y', data: Int32Array.from(chunk, labelOf), encoding: 'PLAIN' }],
    });
    chunk = [];
  };
  for (const row of rowsOfParts()) {
    chunk.push(row);
    if (chunk.length === CHUNK) flush();
  }
  if (chunk.length > 0) flush();
  writer.finish();
}

/** Runs a command, and says how long it took and how much memory it had at most. */
function measure(name, args, out = 'ignore') {
  const start = performance.now();
  const child = spawn(process.execPath, [MLP, ...args], { stdio: ['ignore', out, 'pipe'] });
  let [peak, anonymous] = [0, 0];
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const kilobytes = (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
      peak = Math.max(peak, kilobytes('VmHWM'));
      anonymous = Math.max(anonymous, kilobytes('RssAnon') + kilobytes('RssShmem'));
    } catch {}
  }, 50);
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      clearInterval(timer);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `${name}: ${seconds} s, at most ${(peak / 1e6).toFixed(2)} GB resident, ${(anonymous / 1e6).toFixed(2)} GB of it not from files`,
      );
      console.log(errors.replace(/^/gm, '  '));
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code}`));
    });
  });
}

const { folder, format } = options;
mkdirSync(folder, { recursive: true });
const data = join(folder, `${rows}x${columns}.${format}`);
if (!existsSync(data)) {
  const start = performance.now();
  const part = `${data}.part`;
  await (format === 'csv' ? makeCsv : makeParquet)(part);
  renameSync(part, data);
  console.log(`${data}: made in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
console.log(
  `${data}: ${(statSync(data).size / 1e9).toFixed(2)} GB; the matrix has ${((rows * columns * 4) / 1e9).toFixed(2)} GB`,
);
const config = join(folder, `${format}.json`);
writeFileSync(
  config,
  JSON.stringify({
    network: { layers: [50, 'relu', 1] },
    data: { train: data, target: 'y', validation: 0.02 },
    training: { steps: Number(options.steps), batchSize: 200, evaluateRows: 10_000 },
  }),
);
const run = join(folder, `run-${format}-${Date.now()}`);
const set = options.set.flatMap((assignment) => ['--set', assignment]);
await measure('train', ['train', config, '--run', run, '--no-report', ...set]);
await measure('evaluate', ['evaluate', run]);
await measure('predict', ['predict', run, data, '-o', join(run, 'predictions.csv')]);
