/** A worker of the reader pool. */
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../workerPool.js';
import { Reader } from './chunkReader.js';
import { type Task, taskRunner, type WorkerSetup } from './tasks.js';

const { modules, file, format, tuning, rank } = workerData as WorkerSetup & { readonly rank: number };
const reader = new Reader(modules, file, format, tuning, rank);
serveTasks((task: Task) => taskRunner(reader, task));
