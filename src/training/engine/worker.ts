/** A thread of a team: builds its view of the run over the shared memory, and obeys commands. */
import { parentPort, workerData } from 'node:worker_threads';
import { isInFile } from '../../data/dataset/dataset.js';
import type { Evaluation } from '../../evaluation/metrics.js';
import { createKernels } from '../../kernels/create.js';
import { RandomState } from '../../random/randomState.js';
import { RankExchange, type RankPlace } from '../mpi/exchange.js';
import type { Mpi } from '../mpi/mpi.js';
import { type RankThreadSetup, type SentError, sent, serveRanks } from '../mpi/thread.js';
import { type ReaderSetup, readBatches } from '../readAhead.js';
import type { Evaluations, Trainer, TrainerState } from '../step.js';
import { assembleIn, type RunMemory, type RunSetup } from './allocate.js';
import { Command, Control, TeamBroken, type TeamShare } from './control.js';
import type { StepsDone } from './engine.js';
import { Pace } from './pace.js';

export interface WorkerSetup {
  readonly run: RunSetup;
  readonly place: RunMemory;
  readonly control: SharedArrayBuffer;
  readonly rank: number;
  readonly crowded: boolean;
  /** Whether another thread reads the batches of rows in a file. */
  readonly readsAhead: boolean;
  readonly state: TrainerState;
  /** Whether the thread waits for another team after this one. */
  readonly isKept: boolean;
  /** Of a run with several processes. */
  readonly ranks?: RankPlace;
}

/**
 * Messages to the main thread: all say that they are ready, and that they are free for another team;
 * the first reports each result.
 */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'free' }
  | { readonly type: 'trained'; readonly steps: StepsDone }
  | { readonly type: 'evaluated'; readonly evaluations: Evaluations }
  | { readonly type: 'tested'; readonly evaluation: Evaluation | undefined }
  | { readonly type: 'state'; readonly state: TrainerState }
  | { readonly type: 'failed'; readonly error: SentError };

/** What a thread of a team needs to take steps. */
interface Stepper {
  readonly trainer: Trainer;
  readonly control: Control;
  readonly share: TeamShare;
  readonly threads: number;
  readonly exchange: RankExchange | undefined;
  /** Of the first thread, where all others may rest. */
  readonly pace: Pace | undefined;
}

/**
 * @param mpi of the first thread of a run with several processes
 * @param pace when others than the first thread rest
 */
export function runWorker(
  setup: WorkerSetup,
  tell: (message: WorkerMessage) => void,
  mpi?: Mpi,
  pace = new Pace(),
): void {
  const { run, place, rank, crowded, readsAhead } = setup;
  const { dtype } = run.config;
  const control = new Control(setup.control);
  const share = control.share(rank, run.threads, crowded);
  const random = RandomState.fromState(setup.state.random);
  const kernelsIn = (memory: WebAssembly.Memory, scratch: number) =>
    createKernels(run.choice, dtype, memory, scratch, share);
  const exchange = setup.ranks && new RankExchange(setup.ranks, share, control, place.memory, mpi);
  const trainer = assembleIn(run, place, random, { kernelsIn, share, readsAhead, exchange });
  trainer.restore(setup.state);
  const stepper = {
    ...{ trainer, control, share, exchange },
    threads: run.threads,
    pace: rank === 0 && mayRest(setup) ? pace : undefined,
  };
  /** Reports a result once all threads are done: only then may the next command be given. */
  const finish = (message: WorkerMessage): void => {
    share.sync();
    if (rank === 0) tell(message);
  };

  tell({ type: 'ready' });
  let isCompared = false;
  for (;;) {
    control.awaitCommand();
    switch (control.command) {
      case Command.train: {
        if (!isCompared) exchange?.compare(trainer, true);
        isCompared = true;
        const steps = takeSteps(stepper);
        if (!steps) return;
        finish({ type: 'trained', steps });
        break;
      }
      case Command.evaluate:
      case Command.evaluateAll:
        exchange?.compare(trainer, false);
        finish({
          type: 'evaluated',
          evaluations: trainer.evaluate(control.command === Command.evaluateAll),
        });
        break;
      case Command.evaluateTest:
        finish({ type: 'tested', evaluation: trainer.evaluateTest() });
        break;
      case Command.state:
        finish({ type: 'state', state: trainer.state() });
        break;
      case Command.stop:
        return;
    }
  }
}

/**
 * Whether a team may let all but one of its threads rest: the bits of a BLAS depend on their number, and
 * rows in a file and other ranks want all of them in each step.
 */
function mayRest({ run, place, ranks }: WorkerSetup): boolean {
  return run.threads > 1 && run.choice.backend !== 'blas' && !isInFile(place.matrix) && !ranks;
}

/** Undefined if the team has ended while this thread was resting. */
function takeSteps(stepper: Stepper): StepsDone | undefined {
  const { exchange, control, pace } = stepper;
  const before = exchange?.milliseconds ?? 0;
  pace?.begin();
  const steps = takeOwnSteps(stepper);
  pace?.end();
  if (!exchange || !steps) return steps;
  return { ...steps, exchange: { milliseconds: exchange.milliseconds - before, stops: control.agreed > 1 } };
}

function takeOwnSteps(stepper: Stepper): StepsDone | undefined {
  const { trainer, control, share, exchange, pace } = stepper;
  const { learningRates } = control;
  const isFirst = share.rank === 0;
  const start = performance.now();
  let samples = 0;
  let step = 0;
  for (; control.continues(step); step++) {
    // With other ranks, all have to stop after the same step.
    if (isFirst && !exchange) control.relayStop(step);
    if (pace) changePace(stepper, pace, step);
    else if (!isFirst && control.rests(step)) {
      const next = control.awaitJoin((taken) => trainer.comeTo(taken));
      if (next === undefined) return undefined;
      step = next;
    }
    const rows = trainer.nextBatchRows;
    const loss = trainer.trainStep(learningRates[step]);
    if (!Number.isFinite(loss)) {
      return { done: step, brokenLoss: loss, samples, milliseconds: performance.now() - start };
    }
    samples += rows;
    if (isFirst) control.record(step, loss, rows);
    if (!trainer.isFinite) {
      return { done: step + 1, brokenParameters: true, samples, milliseconds: performance.now() - start };
    }
    pace?.step();
  }
  return { done: step, samples, milliseconds: performance.now() - start };
}

/** Before a step of the first thread: lets the others rest after it, or calls them. */
function changePace({ trainer, control, share, threads }: Stepper, pace: Pace, step: number): void {
  if (share.size > 1) {
    if (control.rests(step)) {
      share.size = 1;
      pace.changed();
    } else if (pace.isAlone && control.continues(step + 1)) control.rest(step);
  } else if (!pace.isAlone) {
    control.come(trainer.steps);
    if (control.join(step, threads - 1)) {
      share.size = threads;
      pace.changed();
    }
  }
}

if (parentPort) {
  const port = parentPort;
  const run = (setup: WorkerSetup, mpi?: Mpi) => {
    const tell = (message: WorkerMessage) => port.postMessage(message);
    try {
      runWorker(setup, tell, mpi);
    } catch (error) {
      // The thread that failed says why; the others only end. That of MPI stays, to leave the other ranks.
      if (mpi && !(error instanceof TeamBroken)) tell({ type: 'failed', error: sent(error) });
      else if (!(error instanceof TeamBroken)) throw error;
    }
    if (setup.isKept) tell({ type: 'free' });
    // Nothing is left to wait for.
    else port.unref();
  };
  const first: WorkerSetup | RankThreadSetup | ReaderSetup | undefined = workerData;
  if (first && 'slots' in first) readBatches(first);
  else if (first && 'launch' in first) serveRanks<WorkerSetup>(port, first, run);
  else {
    port.on('message', (setup: WorkerSetup) => run(setup));
    if (first) run(first);
  }
}
