/** Numbers that stand for missing values, such as −999, far outside all others. */
import { quote } from '../text.js';

/** Nines or eights, as in -999, 9999, 99.9 and -8888, and the bounds of integers. */
const SENTINEL =
  /^-?(?:9{2,}(?:\.9+)?|9\.9{2,}|8{2,}|7{3,}|6{3,}|32768|32767|2147483648|2147483647|1e\+?[23]\d|9{2,}00?)$/;
/** With fewer other numbers, their range tells little. */
const LEAST_OTHERS = 5;

export function mayBeSentinel(value: number): boolean {
  return SENTINEL.test(String(value));
}

export interface Sentinel {
  readonly value: number;
  readonly rows: number;
  /** The range of the other numbers. */
  readonly least: number;
  readonly greatest: number;
}

/**
 * The least or greatest number, if it looks like a sentinel and lies further from the others than
 * these lie apart. `values` may be scaled: `unscaled` gives the number of a value.
 */
export function sentinelOf(
  values: ArrayLike<number>,
  unscaled: (value: number) => number = (value) => value,
): Sentinel | undefined {
  const bounds = new Bounds();
  for (let i = 0; i < values.length; i++) bounds.add(values[i]);
  return bounds.sentinel(unscaled);
}

/** The two least and the two greatest different numbers, and how often the outer ones occur. */
export class Bounds {
  #numbers = 0;
  #least = Number.POSITIVE_INFINITY;
  #nextLeast = Number.POSITIVE_INFINITY;
  #leastRows = 0;
  #greatest = Number.NEGATIVE_INFINITY;
  #nextGreatest = Number.NEGATIVE_INFINITY;
  #greatestRows = 0;

  /** NaN does not count. */
  add(value: number): void {
    if (value < this.#nextLeast) {
      if (value < this.#least) {
        this.#nextLeast = this.#least;
        this.#least = value;
        this.#leastRows = 0;
      } else if (value > this.#least) this.#nextLeast = value;
    }
    if (value > this.#nextGreatest) {
      if (value > this.#greatest) {
        this.#nextGreatest = this.#greatest;
        this.#greatest = value;
        this.#greatestRows = 0;
      } else if (value < this.#greatest) this.#nextGreatest = value;
    }
    if (value === this.#least) this.#leastRows++;
    if (value === this.#greatest) this.#greatestRows++;
    if (!Number.isNaN(value)) this.#numbers++;
  }

  /** As `sentinelOf` of all that were added. */
  sentinel(unscaled: (value: number) => number): Sentinel | undefined {
    const ends = [
      [this.#least, this.#leastRows, this.#nextLeast, this.#greatest],
      [this.#greatest, this.#greatestRows, this.#least, this.#nextGreatest],
    ];
    for (const [value, rows, low, high] of ends) {
      if (!mayBeSentinel(unscaled(value))) continue;
      if (this.#numbers - rows < LEAST_OTHERS || low === high) continue;
      const [far, near, end] = [value, low, high].map(unscaled);
      if (Math.max(near - far, far - end) > end - near)
        return { value: far, rows, least: near, greatest: end };
    }
    return undefined;
  }
}

/** A sentence for the user. */
export function sentinelSentence(label: string, { value, rows, least, greatest }: Sentinel): string {
  const shown = (number: number) => Number(number.toPrecision(6));
  const hold = rows === 1 ? '1 row holds' : `${rows} rows hold`;
  return (
    `${label}: ${hold} ${value}, far from the others (${shown(least)} to ${shown(greatest)}): ` +
    `if it means a missing value, list ${quote(String(value))} in data.missingValues`
  );
}
