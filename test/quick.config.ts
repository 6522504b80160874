import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * The quick loop, `npm run test:quick`: the tests that start no process and no thread and take less than a second.
 * They run the sources; only the WebAssembly modules come from the last build.
 */
const SLOW = [
  'test/{cli,export,files,fuzz}/**',
  'test/{docs,examples,library}.test.ts',
  'test/data/{numeric,source}/**',
  'test/data/{cases,cell,memory}.test.ts',
  'test/data/csv/{dialect,properties,readTable,writeCsv}.test.ts',
  'test/data/dataset/{dataset,shipped,trust}.test.ts',
  'test/data/profile/{equalCells,shipped}.test.ts',
  'test/gradcheck/{plantedBugs,graphFile,check,builtin,configs,networkCheck}.test.ts',
  'test/kernels/wasm/{functions,kernels,product}.test.ts',
  'test/kernels/{normalization,dropout}.test.ts',
  'test/kernels/blas/**',
  'test/kernels/native/product.test.ts',
  'test/model/**',
  'test/report/confusion.test.ts',
  'test/training/{engine,run}/**',
  'test/training/{dropout,normalization,optimizer,testSplit,weights,monitored,earlyStopping}.test.ts',
];

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/**/*.isolated.test.ts', ...SLOW],
    setupFiles: ['test/support/matchers.ts', 'test/support/properties.ts', 'test/support/settled.ts'],
    isolate: false,
    maxWorkers: '100%',
  },
});
