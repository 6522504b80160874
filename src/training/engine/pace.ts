/**
 * Whether all threads of a team take the next steps, or the first alone while the others sleep. No bit
 * depends on it, so it is a matter of time alone: of small steps, barriers may take most, and where other
 * processes keep the processors busy, each barrier may cost a time slice of theirs. How long a step takes
 * is measured both ways. The slower way is tried again from time to time, for a small part of the time.
 */

/** The first look at the other way comes so soon, and later ones after at most so long. */
const FIRST_MILLISECONDS = 4;
const MOST_MILLISECONDS = 4000;
/** A trial takes this part of the time since the last one, but at least so many steps. */
const TRIAL = 1 / 32;
const TRIAL_STEPS = 2;
/** The time that a trial has lost is at most about this part of the time until the next one. */
const LOST = 1 / 40;
/** A trial whose steps take so many times as long is ended at once. */
const HOPELESS = 4;
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
  /** Of a step, the way that is taken outside trials. */
  #usual = 0;
  #stay = FIRST_MILLISECONDS;
  #steps = 0;
  #milliseconds = 0;
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
    this.#steps = 0;
    this.#milliseconds = 0;
    this.#nextLook = 1;
    this.#last = this.#now();
  }

  /** Counts a step, which may change `isAlone`. */
  step(): void {
    if (this.#isPending || ++this.#steps < this.#nextLook) return;
    this.#add();
    const each = this.#milliseconds / this.#steps;
    this.#nextLook = this.#steps + (each < SHORT_MILLISECONDS ? STEPS_OF_LOOK : 1);
    if (this.#steps < TRIAL_STEPS && !(this.#isTrial && this.#isHopeless(each))) return;
    if (this.#isTrial) this.#endTrial(each);
    else if (this.#milliseconds >= this.#stay) {
      this.#usual = each;
      this.#isTrial = true;
      this.#turn();
    }
  }

  #isHopeless(each: number): boolean {
    return each > HOPELESS * this.#usual && this.#milliseconds > TRIAL * FIRST_MILLISECONDS;
  }

  #endTrial(each: number): void {
    if (this.#milliseconds < TRIAL * this.#stay && !this.#isHopeless(each)) return;
    this.#isTrial = false;
    if (each < FASTER * this.#usual) {
      this.#stay = FIRST_MILLISECONDS;
      return;
    }
    const lost = this.#milliseconds - this.#usual * this.#steps;
    this.#stay = Math.max(Math.min(2 * this.#stay, MOST_MILLISECONDS), lost / LOST);
    this.#turn();
  }

  #turn(): void {
    this.isAlone = !this.isAlone;
    this.#isPending = true;
  }

  #add(): void {
    const now = this.#now();
    this.#milliseconds += now - this.#last;
    this.#last = now;
  }
}
