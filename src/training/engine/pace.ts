/**
 * Whether all threads of a team take the next steps, or the first alone while the others sleep. No bit
 * depends on it, so it is a matter of time alone: of small steps, barriers may take most, and where other
 * processes keep the processors busy, each barrier may cost a time slice of theirs. How long a step takes
 * is measured both ways. The slower way is tried again from time to time, for a small part of the time.
 */

/** The first look at the other way comes after so long or so many steps: before, code is still being compiled. */
const START_MILLISECONDS = 100;
const START_STEPS = 64;
/** Later looks come after at least and at most so long. */
const LEAST_MILLISECONDS = 4;
const MOST_MILLISECONDS = 4000;
/** The first steps after a change do not count: a thread that has slept is late, and its caches are cold. */
const COLD_STEPS = 2;
/**
 * A trial takes this part of the time since the last one, but at least so many steps, and is compared with at least as many: during one
 * or two, other processes may have the processor.
 */
const TRIAL = 1 / 32;
const TRIAL_STEPS = 6;
/** The time that a trial has lost is at most about this part of the time until the next one. */
const LOST = 1 / 40;
/** A trial whose steps take so many times as long is ended at once, if it is not for a single time slice. */
const HOPELESS = 4;
const HOPELESS_MILLISECONDS = 16;
/** The other way is taken if it is faster by this: each change costs a little, too. */
const FASTER = 0.95;
/** The clock is read every so many of the shortest steps. */
const SHORT_MILLISECONDS = 0.02;
const STEPS_OF_LOOK = 32;

export class Pace {
  /** Whether the first thread shall be alone. */
  isAlone = false;
  readonly #now: () => number;
  #isTrial = false;
  /** Whether the change that `isAlone` asks for is still to come. */
  #isPending = false;
  /** Of a step, the way that is taken outside trials, on average and at least; 0 before the first trial. */
  #usual = 0;
  #usualLeast = 0;
  #stay = START_MILLISECONDS;
  #steps = 0;
  #milliseconds = 0;
  /** Of a step, between two looks at the clock. */
  #least = Number.POSITIVE_INFINITY;
  /** Steps at the last look. */
  #looked = 0;
  /** Steps since the change that do not count, and their time; 0 until they are over. */
  #coldSteps = 0;
  #coldMilliseconds = 0;
  #last = 0;
  #nextLook = 1;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Before the first step of some: the time since the last is not that of steps. */
  begin(): void {
    this.#last = this.#now();
  }

  /** After the last step of some. */
  end(): void {
    this.#add();
  }

  /** The change that `isAlone` asks for has happened. */
  changed(): void {
    this.#isPending = false;
    [this.#coldSteps, this.#coldMilliseconds] = [0, 0];
    this.#restart();
    this.#last = this.#now();
  }

  /** Counts a step, which may change `isAlone`. */
  step(): void {
    if (this.#isPending || ++this.#steps < this.#nextLook) return;
    this.#add();
    const each = this.#milliseconds / this.#steps;
    this.#nextLook = this.#steps + (each < SHORT_MILLISECONDS ? STEPS_OF_LOOK : 1);
    if (this.#coldSteps === 0 && !this.#isHopeless(each)) {
      if (this.#steps < COLD_STEPS) return;
      [this.#coldSteps, this.#coldMilliseconds] = [this.#steps, this.#milliseconds];
      this.#restart();
    } else if (this.#isTrial) this.#judge(each);
    else if (this.#isTime()) {
      this.#usual = each;
      this.#usualLeast = this.#least;
      this.#isTrial = true;
      this.#turn();
    }
  }

  #restart(): void {
    [this.#steps, this.#milliseconds, this.#nextLook, this.#looked] = [0, 0, 1, 0];
    this.#least = Number.POSITIVE_INFINITY;
  }

  /** Whether to try the other way. */
  #isTime(): boolean {
    if (this.#usual === 0 && this.#steps >= START_STEPS) return this.#milliseconds >= LEAST_MILLISECONDS;
    return this.#milliseconds >= this.#stay && this.#steps >= TRIAL_STEPS;
  }

  #isHopeless(each: number): boolean {
    return this.#isTrial && each > HOPELESS * this.#usual && this.#milliseconds > HOPELESS_MILLISECONDS;
  }

  /** Once the trial is long enough: keeps the way that is tried if it is faster, else returns to the usual one. */
  #judge(each: number): void {
    const isLong = this.#milliseconds >= TRIAL * this.#stay && this.#steps >= TRIAL_STEPS;
    if (!isLong && !this.#isHopeless(each)) return;
    this.#isTrial = false;
    if (each < FASTER * this.#usual) {
      this.#stay = LEAST_MILLISECONDS;
      return;
    }
    const [steps, milliseconds] = [
      this.#steps + this.#coldSteps,
      this.#milliseconds + this.#coldMilliseconds,
    ];
    const lost = milliseconds - this.#usual * steps;
    // A trial with a faster step than any was disturbed, perhaps by others for a moment: the next one comes no later.
    const wait = this.#least < FASTER * this.#usualLeast ? 1 : 2;
    this.#stay = Math.max(Math.min(wait * this.#stay, MOST_MILLISECONDS), lost / LOST);
    this.#turn();
  }

  #turn(): void {
    this.isAlone = !this.isAlone;
    this.#isPending = true;
  }

  #add(): void {
    const now = this.#now();
    this.#milliseconds += now - this.#last;
    if (this.#steps > this.#looked) {
      this.#least = Math.min(this.#least, (now - this.#last) / (this.#steps - this.#looked));
      this.#looked = this.#steps;
    }
    this.#last = now;
  }
}
