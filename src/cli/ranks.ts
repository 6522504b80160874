/** A command as one of several processes: the first writes and prints, an error of one ends all. */
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode, MlpError } from '../errors.js';
import { Divergence } from '../training/divergence.js';
import { RanksDiffer } from '../training/mpi/exchange.js';
import type { Launch } from '../training/mpi/library.js';
import { CommonError, Ranks } from '../training/mpi/ranks.js';
import { printError } from './output.js';
import { ENDINGS } from './terminal.js';

/** Time for the rank that prints, before the launcher ends all because one has ended. */
const PRINTING_MILLISECONDS = 1000;
/** How long the first waits for the others where they may not know of an error. */
const LEAVING_SECONDS = 5;

/**
 * Joins the processes that were started together, calls `use`, and leaves them; prints an error once.
 * @param use is given them; nothing if the launcher has started only this one
 */
export async function withRanks(
  launch: Launch,
  allreduce: boolean,
  use: (ranks: Ranks | undefined) => Promise<void>,
): Promise<void> {
  const debug = process.argv.includes('--debug');
  let name = '';
  const fail = (error: unknown) => {
    if (!(error instanceof MlpError)) return printError(error, debug);
    const { exitCode, message, hint } = error;
    return printError(new MlpError(exitCode, name + message, hint, { cause: error }), debug);
  };
  let ranks: Ranks | undefined;
  try {
    ranks = await Ranks.join(launch, { allreduce, fail });
  } catch (error) {
    if (launch.isFirstOfHost) process.exitCode = fail(error);
    else {
      await delay(PRINTING_MILLISECONDS);
      process.exitCode = error instanceof MlpError ? error.exitCode : ExitCode.internal;
    }
    return;
  }
  if (!ranks) return use(undefined);
  const { rank } = ranks.place;
  if (rank > 0) name = `${ranks.nameOf(rank)}: `;
  try {
    await use(ranks);
    await ranks.leave();
  } catch (cause) {
    await endRanks(cause, ranks, fail);
  }
}

/** A place in work that lies on a disk. */
export interface Share {
  /** Those that this process may use. */
  readonly processors: number;
}

/** What processes do that need MPI only to learn where their work lies: from there on, locks divide it. */
export interface SharedWork {
  /** Of the first, which prints: calls `opened` once the others may join the work in a directory. */
  start(share?: Share & { readonly opened: (directory: string) => Promise<void> }): Promise<void>;
  /** Of the others. */
  join(
    directory: string,
    share: Share & { readonly name: string; readonly signal: AbortSignal },
  ): Promise<void>;
}

/** Shares work among the processes that were started together. */
export function shareWork(launch: Launch, work: SharedWork): Promise<void> {
  return withRanks(launch, false, async (ranks) => {
    if (!ranks) return work.start();
    const { processors, place } = ranks;
    if (place.rank === 0) {
      const opened = async (directory: string) => {
        await ranks.agree({ same: { directory } });
        await ranks.leave();
      };
      return work.start({ processors, opened });
    }
    const { directory } = await ranks.agree({ same: {} });
    await ranks.leave();
    const stop = new AbortController();
    for (const [signal] of ENDINGS) process.on(signal, () => stop.abort());
    return work.join(directory, { processors, name: ranks.nameOf(place.rank), signal: stop.signal });
  });
}

/** Ends the other ranks too, with one message: that of the first, unless only this one has failed. */
async function endRanks(cause: unknown, ranks: Ranks, fail: (error: unknown) => ExitCode): Promise<void> {
  if (ranks.hasLeft) {
    process.exitCode = fail(cause);
    return;
  }
  let error = cause;
  if (!ranks.hasAgreed) error = await ranks.agree({ error }).catch((common: unknown) => common);
  const isCommon = error instanceof CommonError || error instanceof RanksDiffer;
  if (!isCommon && !(error instanceof Divergence)) return ranks.abort(fail(error));
  // The exit code of the first is that of the launcher.
  if (ranks.place.rank > 0) {
    await ranks.leave();
    return;
  }
  const exitCode = fail(error);
  if (!(await ranks.leave(isCommon ? undefined : LEAVING_SECONDS))) await ranks.abort(exitCode);
  process.exitCode = exitCode;
}
