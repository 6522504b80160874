/** Several trainings at once in one process: of a sweep, or of the folds of a cross-validation. */
import { availableParallelism } from 'node:os';
import type { TrainConfig } from '../spec/trainConfig.js';
import { counted } from '../text.js';

/** A training, to be started when there is room. It ends early when the signal is aborted. */
export type Job = (signal: AbortSignal) => Promise<void>;

export interface Parallel {
  /** How many runs train at once. */
  readonly atOnce: number;
  /** Of each run. */
  readonly threads: number;
}

/**
 * As many runs at once as their threads find processors. The threads of a run don't depend on how
 * many run at once, because the bits of a BLAS depend on them: "auto" is one, which wastes none.
 * @param asked how many runs at once, whatever the machine has
 * @param processors those that this process may use
 */
export function planParallel(
  threads: TrainConfig['threads'],
  asked?: number,
  processors = availableParallelism(),
): Parallel {
  const own = threads === 'auto' ? 1 : threads;
  return { atOnce: asked ?? Math.max(1, Math.floor(processors / own)), threads: own };
}

/** A sentence about threads that find no processor. Twice as many are no harm. */
export function threadsWarning(asked: TrainConfig['threads']): string | undefined {
  const processors = availableParallelism();
  if (asked === 'auto' || asked <= 2 * processors) return undefined;
  return (
    `threads is ${asked}, but this machine has ${counted(processors, 'processor')}: ` +
    'threads that wait for a processor make the run slower ("auto" chooses)'
  );
}

/**
 * Runs jobs in the order in which they come, so many at a time, until there are no more or the
 * signal is aborted. If one fails, so do all: the others are told to end, and no more are started.
 * @throws what the first job that failed has thrown, when all have ended
 */
export async function runJobs(
  jobs: Iterable<Job> | AsyncIterable<Job>,
  { atOnce, signal }: { readonly atOnce: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const iterator = Symbol.asyncIterator in jobs ? jobs[Symbol.asyncIterator]() : jobs[Symbol.iterator]();
  const faults: unknown[] = [];
  const lane = async () => {
    while (!either.aborted) {
      try {
        const { done, value: job } = await iterator.next();
        if (done || either.aborted) return;
        await job(either);
      } catch (error) {
        faults.push(error);
        failure.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await iterator.return?.();
  if (faults.length > 0) throw faults[0];
}
