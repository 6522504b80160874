/** All that threads of a team share besides the arena: the barrier, the command and its result. */
import type { Share } from '../../kernels/share.js';

export const Command = { train: 1, evaluate: 2, evaluateAll: 3, evaluateTest: 4, state: 5, stop: 6 } as const;
export type Command = (typeof Command)[keyof typeof Command];

/** Int32 words, each on its own cache line, so that waiting for one does not slow down another. */
const Word = {
  arrived: 0,
  phase: 1,
  /** How many threads sleep at the barrier. */
  sleepers: 2,
  /** 1 once a thread has failed: the others must not wait for it. */
  failed: 3,
  /** Counts the commands; threads without work sleep on it. */
  generation: 4,
  command: 5,
  /** How many steps to take, and the step before which all stop. */
  steps: 6,
  stopAt: 7,
  /** 1 if the main thread wants the team to stop after the current step; 2 to stop for good. */
  stopRequested: 8,
  done: 9,
  /** Of a run with several ranks: the greatest such request of all. */
  agreed: 10,
  /** The step from which the first thread is alone; NEVER if none. */
  aloneFrom: 11,
  /** What the resting threads are called to; they sleep on it. */
  call: 12,
  /** How many of them are at hand. */
  atHand: 13,
  /** The step in which they join. */
  joinAt: 14,
} as const;

/** Threads rest; come up to the first thread's steps; take the next one with it; or have nothing more to do. */
const Call = { rest: 0, come: 1, join: 2, end: 3 } as const;
const NEVER = 2 ** 31 - 1;

const WORDS_OF_LINE = 16;
const LINES = 15;
const WORD_BYTES = LINES * WORDS_OF_LINE * Int32Array.BYTES_PER_ELEMENT;
/** After the words, as float64: the samples, all steps that the first thread has taken, the losses, the learning rates. */
const SAMPLES = 0;
const TAKEN = 1;
const LOSSES = 2;

/** How long a sleeping thread waits before it checks whether another has failed. */
const LOOK_MILLISECONDS = 100;
/** Most barriers take microseconds, so a thread looks this often (some 20 µs) before it sleeps. */
const SPINS = 4000;

/** Thrown at the barrier in all other threads when one has failed. The main thread knows why. */
export class TeamBroken extends Error {
  override readonly name = 'TeamBroken';
}

/** A share whose size is 1 while the first thread is alone. */
export interface TeamShare extends Share {
  size: number;
}

export class Control {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  /** The last command that this thread has seen. */
  #generation = 0;
  readonly losses: Float64Array;
  readonly learningRates: Float64Array;

  /** @param source the buffer of another thread's Control, or the most steps that a command has */
  constructor(source: SharedArrayBuffer | number) {
    this.buffer =
      typeof source === 'number' ? new SharedArrayBuffer(WORD_BYTES + 8 * (LOSSES + 2 * source)) : source;
    this.#words = new Int32Array(this.buffer, 0, WORD_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#numbers = new Float64Array(this.buffer, WORD_BYTES);
    const steps = (this.#numbers.length - LOSSES) / 2;
    this.losses = this.#numbers.subarray(LOSSES, LOSSES + steps);
    this.learningRates = this.#numbers.subarray(LOSSES + steps);
    if (typeof source === 'number') this.#set(Word.aloneFrom, NEVER);
  }

  // For the main thread.

  give(command: Command, steps = 0): void {
    this.#set(Word.command, command);
    this.#set(Word.steps, steps);
    this.#set(Word.stopAt, steps);
    this.#set(Word.stopRequested, 0);
    this.#set(Word.done, 0);
    this.#set(Word.agreed, 0);
    this.#numbers[SAMPLES] = 0;
    if (command === Command.stop) this.#call(Call.end);
    this.#wake(Word.generation);
  }

  requestStop(forGood = false): void {
    this.#set(Word.stopRequested, forGood ? 2 : Math.max(1, this.requested));
  }

  /** Frees all that wait, because a thread has failed. */
  fail(): void {
    this.#set(Word.failed, 1);
    this.#wake(Word.phase);
    this.#call(Call.end);
    this.#wake(Word.generation);
  }

  get done(): number {
    return this.#get(Word.done);
  }

  get samples(): number {
    return this.#numbers[SAMPLES];
  }

  // For the threads of the team.

  /** Sleeps until there is a command after the last. */
  awaitCommand(): void {
    const word = Word.generation * WORDS_OF_LINE;
    while (this.#get(Word.generation) === this.#generation) {
      Atomics.wait(this.#words, word, this.#generation);
    }
    this.#throwIfFailed();
    this.#generation = this.#get(Word.generation);
  }

  get command(): Command {
    return this.#get(Word.command) as Command;
  }

  get steps(): number {
    return this.#get(Word.steps);
  }

  /** Whether to take the step (from 0). A barrier ensures the same answer in every thread. */
  continues(step: number): boolean {
    return step < this.#get(Word.stopAt);
  }

  /** Called by the first thread before a step: relays a request to stop after that step. */
  relayStop(step: number): void {
    if (this.#get(Word.stopRequested) !== 0) this.#set(Word.stopAt, step + 1);
  }

  get requested(): number {
    return this.#get(Word.stopRequested);
  }

  /** Called by the first thread during a step: all ranks stop after it. */
  agreeToStop(request: number): void {
    this.#set(Word.agreed, request);
    this.#set(Word.stopAt, this.done + 1);
  }

  get agreed(): number {
    return this.#get(Word.agreed);
  }

  /** Called by the first thread after a step. */
  record(step: number, loss: number, rows: number): void {
    this.losses[step] = loss;
    this.#numbers[SAMPLES] += rows;
    this.#set(Word.done, step + 1);
  }

  /** Called by the first thread before a step, not the last of a command: it will take those after it alone. */
  rest(step: number): void {
    this.#set(Word.atHand, 0);
    this.#set(Word.call, Call.rest);
    this.#set(Word.aloneFrom, step + 1);
  }

  /** Whether the first thread takes the step alone. */
  rests(step: number): boolean {
    return step >= this.#get(Word.aloneFrom);
  }

  /** Called by the first thread while it is alone: the others shall come. @param taken all steps so far */
  come(taken: number): void {
    this.#numbers[TAKEN] = taken;
    if (this.#get(Word.call) === Call.rest) this.#call(Call.come);
  }

  /** Called by the first thread while it is alone, before a step: whether all others are there and take it, too. */
  join(step: number, others: number): boolean {
    if (this.#get(Word.atHand) < others) return false;
    this.#set(Word.aloneFrom, NEVER);
    this.#set(Word.joinAt, step);
    this.#call(Call.join);
    return true;
  }

  /**
   * Sleeps until all take the steps again.
   * @param comeTo brings this thread's state up to so many steps of the run
   * @returns the step of the command that comes next; undefined if the team ends
   */
  awaitJoin(comeTo: (taken: number) => void): number | undefined {
    const word = Word.call * WORDS_OF_LINE;
    let isAtHand = false;
    for (let spins = 0; ; spins++) {
      const call = this.#get(Word.call);
      this.#throwIfFailed();
      if (call === Call.end) return undefined;
      if (call !== Call.rest) comeTo(this.#numbers[TAKEN]);
      if (call === Call.join) break;
      if (call === Call.come && !isAtHand) {
        isAtHand = true;
        spins = 0;
        Atomics.add(this.#words, Word.atHand * WORDS_OF_LINE, 1);
      }
      if (!isAtHand || spins > SPINS) Atomics.wait(this.#words, word, call, LOOK_MILLISECONDS);
    }
    this.#generation = this.#get(Word.generation);
    return this.#get(Word.joinAt);
  }

  /**
   * A thread's rank, with the barrier.
   * @param crowded more threads than processors: spinning would delay the threads waited for
   */
  share(rank: number, size: number, crowded: boolean): TeamShare {
    const words = this.#words;
    const arrived = Word.arrived * WORDS_OF_LINE;
    const phase = Word.phase * WORDS_OF_LINE;
    const sleepers = Word.sleepers * WORDS_OF_LINE;
    const spins = crowded ? 1 : SPINS;
    const sleep = (current: number): void => {
      Atomics.add(words, sleepers, 1);
      while (Atomics.load(words, phase) === current) {
        this.#throwIfFailed();
        Atomics.wait(words, phase, current, LOOK_MILLISECONDS);
      }
      Atomics.sub(words, sleepers, 1);
    };
    const share = {
      rank,
      size,
      sync() {
        if (share.size === 1) return;
        const current = Atomics.load(words, phase);
        if (Atomics.add(words, arrived, 1) === share.size - 1) {
          Atomics.store(words, arrived, 0);
          Atomics.add(words, phase, 1);
          if (Atomics.load(words, sleepers) > 0) Atomics.notify(words, phase);
          return;
        }
        for (let i = 0; i < spins; i++) if (Atomics.load(words, phase) !== current) return;
        sleep(current);
      },
    };
    return share;
  }

  #throwIfFailed(): void {
    if (this.#get(Word.failed) !== 0) throw new TeamBroken('another thread of the team has failed');
  }

  #call(call: number): void {
    this.#set(Word.call, call);
    Atomics.notify(this.#words, Word.call * WORDS_OF_LINE);
  }

  #get(word: number): number {
    return Atomics.load(this.#words, word * WORDS_OF_LINE);
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#words, word * WORDS_OF_LINE, value);
  }

  /** Increments a counter that others sleep on, and wakes them. */
  #wake(word: number): void {
    Atomics.add(this.#words, word * WORDS_OF_LINE, 1);
    Atomics.notify(this.#words, word * WORDS_OF_LINE);
  }
}
