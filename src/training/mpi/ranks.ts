/**
 * The processes that train a run together, as the main thread of one of them sees them. A thread of its
 * own makes the calls of MPI; this one hears signals, and ends the process if a call takes too long.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { ExitCode, MlpError } from '../../errors.js';
import { counted, printable } from '../../text.js';
import { startThread } from '../engine/threadPool.js';
import type { RankPlace } from './exchange.js';
import type { Launch } from './library.js';
import type { RankAnswer, RankRequest, RankThreadSetup, SentError } from './thread.js';

/** The longest time, in seconds, for the first calls; for a later one, unless MLP_MPI_TIMEOUT says another. */
const FIRST_SECONDS = 60;
const LATER_SECONDS = 600;
/** How long a rank that is to stop waits for the others: a launcher that ends a run kills soon after. */
const STOP_SECONDS = 10;
const LOOK_MILLISECONDS = 250;

/**
 * UCX, below MPICH and Open MPI, tries its hooks by growing and cutting the heap: a thread that allocates
 * at that moment loses the end of it (seen in 1 of 20 starts). And V8 has a use for SIGSEGV.
 */
const QUIET = { UCX_MEM_EVENTS: 'no', UCX_ERROR_SIGNALS: '' };

/** What each rank tells of itself when it joins. */
interface Member {
  readonly host: string;
  /** Processors that it may use, which ones, and those that the host has. */
  readonly processors: number;
  readonly allowed: string;
  readonly ofHost: number;
}

/** The ranks of a run, for whoever reports it. */
export interface RankFacts {
  readonly count: number;
  readonly hosts: number;
  readonly library: string;
  /** Whose order sums of gradients have. */
  readonly sums: 'ordered' | 'library';
  /** How ranks are bound to processors, in words. */
  readonly binding: string;
}

/** A rank could not begin, or all do the same: every rank throws it. */
export class CommonError extends MlpError {}

export interface RanksOptions {
  readonly allreduce: boolean;
  /** Told why the process ends, which it does right after. */
  readonly fail: (error: MlpError) => void;
}

export class Ranks {
  readonly place: RankPlace;
  readonly library: string;
  /** How many processors each rank may use: the least of all, so that each has as many threads. */
  readonly processors: number;
  readonly #thread: Worker;
  readonly #members: readonly Member[];
  readonly #asked = new AbortController();
  readonly #agreed = new AbortController();
  readonly #watch: NodeJS.Timeout;
  /** Whether this rank has told how it has prepared. */
  hasAgreed = false;
  hasLeft = false;
  #isLent = false;

  /**
   * Joins the other processes.
   * @returns undefined if this is the only one, as its launcher said
   * @throws MlpError ExitCode.unavailable without a library that fits, or if MPI knows of fewer processes
   */
  static async join(launch: Launch, options: RanksOptions): Promise<Ranks | undefined> {
    const calls = new Int32Array(new SharedArrayBuffer(4));
    const isJoined = new Int32Array(new SharedArrayBuffer(4));
    const workerData: RankThreadSetup = { launch, calls, joined: isJoined, member: encoded(ownMember()) };
    for (const [name, value] of Object.entries(QUIET)) process.env[name] ??= value;
    const thread = startThread(workerData, { resourceLimits: {} });
    // MPI patches functions of the C library as it starts: no other thread is to be in one.
    if (Atomics.wait(isJoined, 0, 0, FIRST_SECONDS * 1000) === 'timed-out') {
      options.fail(tooLate(FIRST_SECONDS));
      exitAtOnce(ExitCode.unavailable);
    }
    let ranks: Ranks | undefined;
    let joined: Joined | undefined;
    try {
      joined = await answerOf(thread, 'joined');
      requireAll(joined, launch);
      if (joined.size > 1) ranks = new Ranks(thread, calls, joined, options);
      return ranks;
    } finally {
      if (!ranks) {
        const left = joined && ask(thread, { ask: 'finish' }, 'finished').catch(() => undefined);
        await Promise.race([left, delay(1000)]);
        await thread.terminate();
      }
    }
  }

  private constructor(
    thread: Worker,
    calls: Int32Array,
    { rank, library, members: told }: Joined,
    options: RanksOptions,
  ) {
    const members = told.map((bytes) => decoded<Member>(bytes));
    this.#thread = thread;
    this.#members = members;
    this.library = library;
    this.place = { rank, hosts: members.map(({ host }) => printable(host)), allreduce: options.allreduce };
    this.processors = Math.min(...members.map((member) => shareOf(member, members)));
    const seconds = Number(process.env.MLP_MPI_TIMEOUT ?? LATER_SECONDS);
    this.#watch = watchCalls(calls, options.fail, seconds > 0 ? seconds : LATER_SECONDS, this);
  }

  get size(): number {
    return this.#members.length;
  }

  /** Aborted when all ranks stop after the same step. */
  get signal(): AbortSignal {
    return this.#agreed.signal;
  }

  /** Aborted when this rank wants that. */
  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  /** Asks all ranks to stop, with the next step. */
  askToStop(): void {
    this.#asked.abort();
  }

  stop(): void {
    this.#agreed.abort();
  }

  get facts(): RankFacts {
    const { hosts, allreduce } = this.place;
    return {
      count: this.size,
      hosts: new Set(hosts).size,
      library: this.library,
      sums: allreduce ? 'library' : 'ordered',
      binding: this.#binding(),
    };
  }

  #binding(): string {
    const tightest = this.#members.reduce((least, one) => (one.processors < least.processors ? one : least));
    const { processors, ofHost, host } = tightest;
    if (processors === ofHost) return 'not bound to processors';
    const local = this.#members.filter((member) => member.host === host).length;
    const wants = processors === 1 && local < ofHost;
    const advice = this.library.startsWith('Open MPI')
      ? 'try --bind-to none, or --map-by slot:PE=<processors>'
      : 'try --bind-to with more of them';
    return `bound to ${processors} of ${counted(ofHost, 'processor')}${wants ? `: ${advice}` : ''}`;
  }

  /**
   * Tells the others how this rank has prepared, and returns when all have. Each rank calls it once.
   * @param own what must be the same on all ranks that tell it, in words, by what it is; or why this
   * rank can't begin
   * @returns what the first has told
   * @throws CommonError on all ranks
   */
  async agree(
    own: { readonly same: Readonly<Record<string, string>> } | { readonly error: unknown },
  ): Promise<Readonly<Record<string, string>>> {
    this.hasAgreed = true;
    const given: Prepared = 'error' in own ? { error: plainError(own.error) } : own;
    const all = await tell<Prepared>(this.#thread, given);
    const failed = all.findIndex(({ error }) => error !== undefined);
    if (failed >= 0) {
      const { exitCode, message, hint } = all[failed].error as SentError;
      // The first prints: what it says of itself needs no name.
      const isCommon = failed === 0 || all.every(({ error }) => error?.message === message);
      throw new CommonError(exitCode, isCommon ? message : `${this.nameOf(failed)}: ${message}`, hint);
    }
    const [first, ...others] = all.map(({ same }) => same ?? {});
    for (const [i, other] of others.entries()) {
      const what = Object.keys(other).find((key) => first[key] !== other[key]);
      if (what === undefined) continue;
      throw new CommonError(
        what === 'data' ? ExitCode.data : ExitCode.unavailable,
        `${this.nameOf(i + 1)}: ${what}: found ${other[what]}, expected ${first[what]} as on ${this.nameOf(0)}`,
        HINTS[what],
      );
    }
    return first;
  }

  nameOf(rank: number): string {
    return `rank ${rank} of ${this.size} on ${this.place.hosts[rank]}`;
  }

  /** Gives the thread its place as the first of a team. */
  take(setup: object): Worker {
    this.#isLent = true;
    this.#thread.postMessage(setup);
    return this.#thread;
  }

  /** Takes the thread back. */
  keep(): void {
    this.#isLent = false;
    for (const event of ['message', 'error', 'exit']) this.#thread.removeAllListeners(event);
  }

  /**
   * Waits for the others, and leaves MPI. May be called again.
   * @param seconds the longest time to wait, if not all of them may come
   * @returns whether all came
   */
  async leave(seconds?: number): Promise<boolean> {
    if (this.hasLeft) return true;
    const left = ask(this.#thread, { ask: 'finish' }, 'finished').then(() => true);
    const late = seconds === undefined ? [] : [delay(seconds * 1000, false)];
    if (!(await Promise.race([left, ...late]))) return false;
    clearInterval(this.#watch);
    this.hasLeft = true;
    await this.#thread.terminate();
    return true;
  }

  /** Ends all ranks, this one too. */
  async abort(exitCode: ExitCode): Promise<never> {
    // In the middle of a team's command, its thread hears nothing.
    if (!this.#isLent) {
      const given = ask(this.#thread, { ask: 'abort', exitCode }, 'finished').catch(() => undefined);
      await Promise.race([given, delay(1000)]);
    }
    exitAtOnce(exitCode);
  }
}

type Joined = Extract<RankAnswer, { type: 'joined' }>;

interface Prepared {
  readonly same?: Readonly<Record<string, string>>;
  readonly error?: SentError;
}

const HINTS: Readonly<Record<string, string>> = {
  data: 'each host must read the same files; copy them, or use a file system that all hosts share',
  config: 'each host must read the same config',
  checkpoint: 'each host must see the same run directory',
  'checkpoint of the refit': 'each host must see the same run directory',
  kernels: '--backend wasm is on every host; --deterministic rounds alike on every processor',
  mlp: 'install the same version on each host',
  node: 'install the same version on each host',
};

function plainError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof MlpError)
    return { name: error.name, exitCode: error.exitCode, message, hint: error.hint };
  return { name: 'Error', exitCode: ExitCode.internal, message: `internal error: ${message}` };
}

/** N processes that each see one rank would train N times the same, into one directory. */
function requireAll({ size, library }: Joined, { size: started = size, by }: Launch): void {
  if (size === started) return;
  throw new MlpError(
    ExitCode.unavailable,
    `${by} started ${started} processes, but ${library} knows of ${size}: its library is not the launcher's`,
    by === 'srun'
      ? 'srun --mpi=list shows what srun offers: --mpi=pmix for Open MPI, --mpi=pmi2 for MPICH; MLP_MPI=none trains in each process by itself'
      : 'MLP_MPI=<path> names the library that belongs to the launcher',
  );
}

function ownMember(): Member {
  let allowed = '';
  try {
    allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  } catch {
    // Only Linux says which.
  }
  return { host: hostname(), processors: availableParallelism(), allowed, ofHost: cpus().length };
}

/** Ranks of a host that may use the same processors share them. */
function shareOf({ host, allowed, processors }: Member, members: readonly Member[]): number {
  const sharing = members.filter((other) => other.host === host && other.allowed === allowed).length;
  return Math.max(1, Math.floor(processors / sharing));
}

async function tell<Message>(thread: Worker, message: Message): Promise<Message[]> {
  const { messages } = await ask(thread, { ask: 'tell', message: encoded(message) }, 'told');
  return messages.map((told) => decoded<Message>(told));
}

function encoded(message: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

function decoded<Message>(bytes: Uint8Array): Message {
  return JSON.parse(new TextDecoder().decode(bytes)) as Message;
}

function ask<Type extends RankAnswer['type']>(thread: Worker, request: RankRequest, type: Type) {
  const answer = answerOf(thread, type);
  thread.postMessage(request);
  return answer;
}

function answerOf<Type extends RankAnswer['type']>(
  thread: Worker,
  type: Type,
): Promise<Extract<RankAnswer, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
      settled();
    };
    thread.on('message', (answer: RankAnswer) => {
      if (answer.type === type) settle(() => resolve(answer as Extract<RankAnswer, { type: Type }>));
      if (answer.type !== 'refused') return;
      const { exitCode, message, hint } = answer.error;
      settle(() => reject(new MlpError(exitCode, message, hint)));
    });
    thread.on('error', (error) => settle(() => reject(error)));
    thread.on('exit', () => settle(() => reject(new Error('the thread of MPI ended'))));
  });
}

/** Ends the process if a call of MPI does not return: another rank may have died, or wait for something else. */
function watchCalls(
  calls: Int32Array,
  fail: RanksOptions['fail'],
  seconds: number,
  ranks: Pick<Ranks, 'asked' | 'signal'>,
): NodeJS.Timeout {
  let last = -1;
  let since = performance.now();
  return setInterval(() => {
    const now = Atomics.load(calls, 0);
    const isWaiting = now % 2 === 1;
    if (now !== last || !isWaiting) {
      last = now;
      since = performance.now();
      return;
    }
    const waited = (performance.now() - since) / 1000;
    const isStopping = ranks.asked.aborted && !ranks.signal.aborted;
    if (waited < (isStopping ? Math.min(STOP_SECONDS, seconds) : seconds)) return;
    const error = isStopping
      ? new MlpError(
          ExitCode.unavailable,
          `the other ranks did not stop within ${STOP_SECONDS} seconds`,
          'the last checkpoint is kept',
        )
      : tooLate(seconds);
    fail(error);
    exitAtOnce(error.exitCode);
  }, LOOK_MILLISECONDS);
}

function tooLate(seconds: number): MlpError {
  return new MlpError(
    ExitCode.unavailable,
    `MPI: waited ${seconds} seconds for the other ranks, expected all of them`,
    'see whether each host has started its ranks; MLP_MPI_TIMEOUT=<seconds> waits longer while training',
  );
}

/** Ends the process even while a thread is in a call that does not return: Node.js would wait for it. */
function exitAtOnce(exitCode: ExitCode): never {
  try {
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    koffi.load(null).func('void _exit(int code)')(exitCode);
  } catch {
    // No C library of this kind.
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}
