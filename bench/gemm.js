/**
 * The rate of the matrix product of the wasm kernels on one thread, in GFLOP/s: the peak of the innermost loop (a product of three
 * tiles over data in the first cache), 512³, and the products of a step of 30→1024→512→1.
 * After `npm run build`: node bench/gemm.js [rounds [pattern of names]]. Rounds are interleaved, and the best of each counts, by CPU time.
 */
import { detectFeatures } from '../dist/kernels/wasm/loader.js';
import { prepareProduct, productMemory } from './engine/product.js';

const ROUNDS = Number(process.argv[2] ?? 20);
const ONLY = process.argv[3] ?? '';
const ROUND_FLOPS = 4e7;

/** [name, form, m, n, k] */
function shapes(dtype) {
  const width = dtype === 'float32' ? 12 : 6;
  const list = [
    // Few enough rows that nothing is packed: three tiles, all in the first cache.
    ['peak of the tile, in L1', 'NN', 12, width, 256],
    ['512x512x512', 'NN', 512, 512, 512],
    ['512x512x512 TN', 'TN', 512, 512, 512],
    ['512x512x512 NT', 'NT', 512, 512, 512],
  ];
  for (const batch of [32, 256]) {
    for (const [inputs, units] of [
      [30, 1024],
      [1024, 512],
      [512, 1],
    ]) {
      const name = `${inputs}->${units}, batch ${batch}`;
      list.push([`${name}, forward`, 'NN', batch, units, inputs]);
      list.push([`${name}, dW`, 'TN', inputs, units, batch]);
      list.push([`${name}, dX`, 'NT', batch, inputs, units]);
    }
  }
  list.push(
    ['784->50, batch 200, forward', 'NN', 200, 50, 784],
    ['784->50, batch 200, dW', 'TN', 784, 50, 200],
  );
  list.push(['50->10, batch 200, forward', 'NN', 200, 10, 50], ['4->10, batch 5, forward', 'NN', 5, 10, 4]);
  return list;
}

for (const dtype of ['float32', 'float64']) {
  const builds = detectFeatures().relaxedSimd ? [false, true] : [false];
  const cases = [];
  for (const relaxed of builds) {
    const setup = { choice: { backend: 'wasm', relaxed }, threads: 1 };
    for (const [name, form, m, n, k] of shapes(dtype)) {
      if (!name.match(ONLY)) continue;
      const calls = Math.ceil(ROUND_FLOPS / (2 * m * n * k));
      const task = { dtype, form, m, n, k };
      const multiply = prepareProduct(setup, task, productMemory(setup, task), 0);
      cases.push({ name, flops: 2 * m * n * k * calls, run: () => multiply(calls), best: 0 });
    }
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const item of cases) {
      const start = process.cpuUsage();
      item.run();
      const { user, system } = process.cpuUsage(start);
      // The first round is the engine's, to compile.
      if (round > 0) item.best = Math.max(item.best, item.flops / (user + system) / 1e3);
    }
  }
  console.log(`${dtype}, Node ${process.version}, GFLOP/s${builds.length > 1 ? ', plain and relaxed' : ''}`);
  const half = cases.length / builds.length;
  for (let i = 0; i < half; i++) {
    const rates = builds.map((_, j) => cases[i + j * half].best.toFixed(1).padStart(7));
    console.log(`  ${cases[i].name.padEnd(34)}${rates.join('')}`);
  }
}
