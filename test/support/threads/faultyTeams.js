/** Preloaded by `node --import`: each thread of a team is faulty.js instead. */
import { createRequire, syncBuiltinESMExports } from 'node:module';

const threads = createRequire(import.meta.url)('node:worker_threads');
const { Worker } = threads;
const FAULTY = new URL('faulty.js', import.meta.url);

threads.Worker = class extends Worker {
  constructor(script, options) {
    super(String(script).endsWith('/trainThread.js') ? FAULTY : script, options);
  }
};
syncBuiltinESMExports();
