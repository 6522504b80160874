/**
 * `numpy.random.RandomState` for integer seeds, streams that NumPy froze (NEP 19). Integers,
 * doubles and permutations are bit-equal; normals use Math.log, up to 2 ulp from the C library's.
 */
import { Mt19937, STATE_WORDS } from './mt19937.js';

/** The state of a generator as plain data that survives JSON, for checkpoints. */
export interface RandomStateSnapshot {
  /** The generator's 624 words, each in [0, 2³²). */
  words: number[];
  /** How many of them have been drawn, 0 to 624. */
  position: number;
  /** The second normal of the last pair, or null if it has been drawn. */
  cachedNormal: number | null;
}

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;
const MAX_INT32_RANGE = 2 ** 31;

export class RandomState {
  readonly #generator = new Mt19937();
  #cachedNormal = 0;
  #hasCachedNormal = false;

  /** @throws RangeError unless seed is an integer in [0, 2³²), as `numpy.random.RandomState(seed)` */
  constructor(seed: number) {
    requireInteger('seed', seed, 0, TWO_32 - 1);
    this.#generator.seed(seed);
  }

  /** @throws RangeError for a snapshot that no generator can have made */
  static fromState(snapshot: RandomStateSnapshot): RandomState {
    const { words, position, cachedNormal } = snapshot;
    requireInteger('number of state words', words.length, STATE_WORDS, STATE_WORDS);
    for (const word of words) requireInteger('state word', word, 0, TWO_32 - 1);
    requireInteger('state position', position, 0, STATE_WORDS);
    if (cachedNormal !== null && !Number.isFinite(cachedNormal)) {
      throw new RangeError(`cached normal: found ${cachedNormal}, expected a finite number or null`);
    }
    const random = new RandomState(0);
    random.#generator.words.set(words);
    random.#generator.position = position;
    random.#hasCachedNormal = cachedNormal !== null;
    random.#cachedNormal = cachedNormal ?? 0;
    return random;
  }

  /** A copy of the state; later draws do not change it. */
  state(): RandomStateSnapshot {
    return {
      words: Array.from(this.#generator.words),
      position: this.#generator.position,
      cachedNormal: this.#hasCachedNormal ? this.#cachedNormal : null,
    };
  }

  /** A double in [0, 1) with 53 random bits, as `rand()` and `random_sample()`. */
  rand(): number {
    const high = this.#generator.nextInt32() >>> 5;
    const low = this.#generator.nextInt32() >>> 6;
    return (high * 67108864 + low) / TWO_53;
  }

  /** @throws RangeError if high − low is not finite; the result is in [low, high) */
  uniform(low: number, high: number): number {
    const range = high - low;
    if (!Number.isFinite(range)) {
      throw new RangeError(`uniform: found the range ${low} to ${high}, expected a finite one`);
    }
    return low + range * this.rand();
  }

  /** Marsaglia's polar form of Box and Muller (SIAM Review 6(3), 1964), which draws pairs. */
  randn(): number {
    if (this.#hasCachedNormal) {
      this.#hasCachedNormal = false;
      return this.#cachedNormal;
    }
    let x1: number;
    let x2: number;
    let squaredRadius: number;
    do {
      x1 = 2 * this.rand() - 1;
      x2 = 2 * this.rand() - 1;
      squaredRadius = x1 * x1 + x2 * x2;
    } while (squaredRadius >= 1 || squaredRadius === 0);
    const factor = Math.sqrt((-2 * Math.log(squaredRadius)) / squaredRadius);
    this.#cachedNormal = factor * x1;
    this.#hasCachedNormal = true;
    return factor * x2;
  }

  /**
   * An integer in [low, high), as `randint(low, high)` with its default 64-bit dtype.
   * @throws RangeError unless both are safe (high may be 2⁵³), low < high, at most 2⁵³ apart
   */
  randint(low: number, high: number): number {
    requireInteger('randint: low', low, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    requireInteger('randint: high', high, low + 1, Math.min(TWO_53, low + TWO_53));
    const max = high - low - 1;
    if (max < TWO_32) return low + this.#generator.nextBounded(max);
    return low + this.#nextWideBounded(max);
  }

  /** n row numbers in random order, as `permutation(n)`. */
  permutation(n: number): Int32Array {
    requireInteger('permutation: length', n, 0, MAX_INT32_RANGE);
    const out = new Int32Array(n);
    this.permutationInto(out);
    return out;
  }

  /** `permutation(out.length)` into `out`, without allocating. */
  permutationInto(out: Int32Array): void {
    for (let i = 0; i < out.length; i++) out[i] = i;
    this.shuffle(out);
  }

  /** Shuffles in place, as `shuffle(array)` and `permutation(array)`: Fisher and Yates, from the end. */
  shuffle(array: Int32Array): void {
    this.#generator.shuffle(array);
  }

  /**
   * `size` integers in [0, n), as `choice(n, size, replace)`.
   * @throws RangeError if n is not in [1, 2³¹], or if `size` without replacement is more than n
   */
  choice(n: number, size: number, replace = true): Int32Array {
    requireInteger('choice: size', size, 0, replace ? MAX_INT32_RANGE : n);
    if (!replace) return this.permutation(n).slice(0, size);
    const out = new Int32Array(size);
    this.randintInto(out, n);
    return out;
  }

  /** Fills `out` as `choice(high, out.length)`, without allocating; high is in [1, 2³¹]. */
  randintInto(out: Int32Array, high: number): void {
    requireInteger('randintInto: high', high, 1, MAX_INT32_RANGE);
    this.#generator.fillBounded(out, high - 1);
  }

  /** An integer in [0, max] for 2³² ≤ max < 2⁵³: masked rejection on two words, the upper first. */
  #nextWideBounded(max: number): number {
    const upperMask = 0xffffffff >>> Math.clz32(Math.floor(max / TWO_32));
    let value: number;
    do {
      const upper = this.#generator.nextInt32() & upperMask;
      value = upper * TWO_32 + (this.#generator.nextInt32() >>> 0);
    } while (value > max);
    return value;
  }
}

function requireInteger(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new RangeError(`${what}: found ${value}, expected an integer from ${low} to ${high}`);
}
