/** A product by several threads: this file is also the threads' own script. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { prepareProduct, productMemory } from './product.js';

/** @returns a function that computes the product so many times in all threads, and settles when the last one is through */
export async function startProducts(setup, task) {
  const memory = productMemory(setup, task);
  const workers = Array.from(
    { length: setup.threads },
    (_, rank) => new Worker(new URL(import.meta.url), { workerData: { setup, task, memory, rank } }),
  );
  const answers = () => Promise.all(workers.map(nextMessage));
  await answers();
  return async (calls) => {
    const done = answers();
    for (const worker of workers) worker.postMessage(calls);
    await done;
  };
}

function nextMessage(worker) {
  return new Promise((resolve, reject) => {
    const settle = (end) => (value) => {
      worker.off('message', onMessage).off('error', onError);
      end(value);
    };
    const onMessage = settle(resolve);
    const onError = settle(reject);
    worker.on('message', onMessage).on('error', onError);
  });
}

if (!isMainThread) {
  const { setup, task, memory, rank } = workerData;
  const run = prepareProduct(setup, task, memory, rank);
  parentPort.on('message', (calls) => {
    run(calls);
    parentPort.postMessage('done');
  });
  parentPort.postMessage('ready');
}
