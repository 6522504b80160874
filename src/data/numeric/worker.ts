/** A worker of the reader pool: runs chunks of each task it is given, until none are left. */
import { parentPort, workerData } from 'node:worker_threads';
import { MlpError } from '../../errors.js';
import { Reader } from './chunkReader.js';
import { ChunkCounter, type ToWorker, taskRunner, type WorkerMessage, type WorkerSetup } from './tasks.js';

export function runWorker(
  { modules, file, format, tuning, rank }: WorkerSetup,
  tell: (message: WorkerMessage) => void,
): (message: ToWorker) => void {
  const reader = new Reader(modules, file, format, tuning, rank);
  return ({ id, task, counter: buffer }) => {
    const counter = new ChunkCounter(buffer);
    try {
      const run = taskRunner(reader, task);
      for (let index = counter.next(); index >= 0; index = counter.next()) {
        tell({ type: 'result', id, index, result: run(index) });
      }
      tell({ type: 'left', id });
    } catch (error) {
      // An error that crosses threads keeps its properties, not its class.
      if (!(error instanceof MlpError)) throw error;
      const { exitCode, message, hint } = error;
      tell({ type: 'failed', id, error: { exitCode, message, ...(hint !== undefined && { hint }) } });
    }
  };
}

if (parentPort) {
  const port = parentPort;
  port.on(
    'message',
    runWorker(workerData as WorkerSetup, (message) => port.postMessage(message)),
  );
}
