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
  { unscaled = (value: number) => value } = {},
): Sentinel | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > greatest) greatest = values[i];
  }
  for (const value of [least, greatest]) {
    if (!mayBeSentinel(unscaled(value))) continue;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let others = 0;
    let rows = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === value) rows++;
      else if (!Number.isNaN(values[i])) {
        others++;
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
      }
    }
    if (others < LEAST_OTHERS || low === high) continue;
    const [far, near, end] = [value, low, high].map(unscaled);
    if (Math.max(near - far, far - end) > end - near) return { value: far, rows, least: near, greatest: end };
  }
  return undefined;
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
