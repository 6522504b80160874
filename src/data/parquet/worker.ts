/** A worker that reads columns of a Parquet file. */
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../workerPool.js';
import { type ColumnResult, type ColumnTask, columnRunner, type WorkerSetup } from './columnPool.js';
import { ColumnReader } from './columnReader.js';

const { file, metadata } = workerData as WorkerSetup;
const reader = new ColumnReader(file, metadata);
serveTasks((task: ColumnTask) => columnRunner(reader, task), memoryOf);

/** A column of many rows is moved, not copied. */
function memoryOf(result: ColumnResult): ArrayBuffer[] {
  if ('error' in result) return [];
  const { column } = result;
  return [(column.kind === 'numeric' ? column.values : column.codes).buffer as ArrayBuffer];
}
