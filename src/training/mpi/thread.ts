/** The thread that makes all calls of MPI: between teams it answers the main thread, in one it is the first. */
import type { MessagePort } from 'node:worker_threads';
import { ExitCode, MlpError } from '../../errors.js';
import { type Launch, openMpi } from './library.js';
import { type CallCount, Mpi } from './mpi.js';

export interface RankThreadSetup {
  readonly launch: Launch;
  readonly calls: CallCount;
  /** [1] in shared memory: becomes 1 once the thread has joined, or can't. */
  readonly joined: Int32Array;
  /** What it tells the others as it joins. */
  readonly member: Uint8Array;
}

export type RankRequest =
  | { readonly ask: 'tell'; readonly message: Uint8Array }
  | { readonly ask: 'abort'; readonly exitCode: number }
  | { readonly ask: 'finish' };

/** An error as it is sent between threads. */
export interface SentError {
  readonly name: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type RankAnswer =
  | {
      readonly type: 'joined';
      readonly rank: number;
      readonly size: number;
      readonly library: string;
      readonly members: readonly Uint8Array[];
    }
  | { readonly type: 'told'; readonly messages: readonly Uint8Array[] }
  | { readonly type: 'finished' }
  | { readonly type: 'refused'; readonly error: SentError };

/** @param run takes a place in a team, and returns when the team is done */
export function serveRanks<Setup extends object>(
  port: MessagePort,
  { launch, calls, joined, member }: RankThreadSetup,
  run: (setup: Setup, mpi: Mpi) => void,
): void {
  let mpi: Mpi;
  const answer = (give: () => RankAnswer) => {
    try {
      port.postMessage(give());
    } catch (error) {
      port.postMessage({ type: 'refused', error: sent(error) } satisfies RankAnswer);
    }
  };
  answer(() => {
    const library = openMpi(launch, process.env);
    mpi = new Mpi(library, calls);
    const members = mpi.tellAll(member);
    return { type: 'joined', rank: mpi.rank, size: mpi.size, library: library.version, members };
  });
  Atomics.store(joined, 0, 1);
  Atomics.notify(joined, 0);
  port.on('message', (request: RankRequest | Setup) => {
    if (!('ask' in request)) run(request, mpi);
    else {
      answer(() => {
        if (request.ask === 'tell') return { type: 'told', messages: mpi.tellAll(request.message) };
        if (request.ask === 'abort') mpi.abort(request.exitCode);
        else mpi.finish();
        return { type: 'finished' };
      });
    }
  });
}

export function sent(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof MlpError)) return { name: 'Error', exitCode: ExitCode.internal, message };
  return { name: error.constructor.name, exitCode: error.exitCode, message, hint: error.hint };
}
