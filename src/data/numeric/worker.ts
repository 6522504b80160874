/** A worker of the reader pool. */
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../workerPool.js';
import { Reader } from './chunkReader.js';
import { type Results, type Task, taskRunner, type WorkerSetup } from './tasks.js';

const { modules, file, format, tuning, rank } = workerData as WorkerSetup & { readonly rank: number };
const reader = new Reader(modules, file, format, tuning, rank);
serveTasks((task: Task) => taskRunner(reader, task), memoryOf);

/** The cells of a chunk are moved, not copied. */
function memoryOf(result: Results[Task['kind']]): ArrayBuffer[] {
  if (typeof result !== 'object' || !('cells' in result) || !result.cells) return [];
  const arrays = result.cells.map((cells) => (cells.kind === 'numeric' ? cells.values : cells.codes));
  // Columns of numbers share one memory.
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}
