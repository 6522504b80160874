/** A thread of a measurement. All multiply together; the first reports the fastest product. */
import { parentPort, workerData } from 'node:worker_threads';
import { Control } from '../training/engine/control.js';
import { multiply, type RateWorkerSetup } from './rate.js';

if (parentPort) {
  const { setup, memory, control, rank, crowded } = workerData as RateWorkerSetup;
  const share = new Control(control).share(rank, setup.threads, crowded);
  const seconds = multiply(setup, memory, share);
  if (rank === 0) parentPort.postMessage(seconds);
}
