/** Medians and quartiles, as NumPy's `quantile` interpolates them. */

export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** The quartiles of numbers, at least one and none NaN, between these bounds. They may be sorted. */
export function quartilesOf(values: Float64Array, least: number, greatest: number): Quartiles {
  const wanted: number[] = [];
  quartilesAt(values.length, (rank) => wanted.push(rank));
  const found = atRanks(values, least, greatest, wanted);
  return quartilesAt(values.length, (rank) => found[wanted.indexOf(rank)]);
}

/** The quartiles of `count` ≥ 1 numbers, of which `valueAt` gives the one of each rank from 0. */
export function quartilesAt(count: number, valueAt: (rank: number) => number): Quartiles {
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => {
    const place = (count - 1) * share;
    const rank = Math.floor(place);
    const rest = place - rank;
    const below = valueAt(rank);
    return rest === 0 ? below : between(below, valueAt(rank + 1), rest);
  });
  return { lower, median, upper };
}

/** As NumPy's `_lerp`, to the last bit. */
function between(a: number, b: number, share: number): number {
  return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share;
}

const BUCKETS = 2 ** 14;
/** So few numbers are sorted. */
const FEW = 2 ** 12;

/**
 * The numbers of these ranks. They are counted in buckets of equal width, and only the buckets that
 * hold a rank are searched, in the same way: two passes over a million numbers instead of a sort.
 */
function atRanks(
  values: Float64Array,
  least: number,
  greatest: number,
  ranks: readonly number[],
): readonly number[] {
  if (least === greatest) return ranks.map(() => least);
  const perUnit = BUCKETS / (greatest - least);
  if (values.length <= FEW || !(perUnit > 0 && perUnit < Number.POSITIVE_INFINITY)) {
    values.sort();
    return ranks.map((rank) => values[rank]);
  }
  const counts = countBuckets(values, least, perUnit);
  const found = new Map<number, number>();
  const places = new Int32Array(counts.length).fill(-1);
  const searched: { numbers: Float64Array; first: number; ranks: number[] }[] = [];
  let first = 0;
  counts.forEach((count, bucket) => {
    if (count === 0) return;
    const inside = ranks.filter((rank) => rank >= first && rank < first + count);
    if (inside.length > 0) {
      places[bucket] = searched.push({ numbers: new Float64Array(count), first, ranks: inside }) - 1;
    }
    first += count;
  });
  collect(
    values,
    least,
    perUnit,
    places,
    searched.map(({ numbers }) => numbers),
  );
  for (const { numbers, first, ranks: inside } of searched) {
    const [low, high] = boundsOf(numbers);
    const relative = inside.map((rank) => rank - first);
    atRanks(numbers, low, high, relative).forEach((value, i) => {
      found.set(inside[i], value);
    });
  }
  return ranks.map((rank) => found.get(rank) as number);
}

// Rounding keeps order, so a larger number is never in an earlier bucket.
function countBuckets(values: Float64Array, least: number, perUnit: number): Uint32Array {
  const counts = new Uint32Array(BUCKETS + 2);
  for (let i = 0; i < values.length; i++) counts[((values[i] - least) * perUnit) | 0]++;
  return counts;
}

/** Appends each number whose bucket has a place to the numbers of that place. */
function collect(
  values: Float64Array,
  least: number,
  perUnit: number,
  places: Int32Array,
  into: readonly Float64Array[],
): void {
  const next = new Uint32Array(into.length);
  for (let i = 0; i < values.length; i++) {
    const place = places[((values[i] - least) * perUnit) | 0];
    if (place >= 0) into[place][next[place]++] = values[i];
  }
}

function boundsOf(numbers: Float64Array): [least: number, greatest: number] {
  let least = numbers[0];
  let greatest = least;
  for (let i = 1; i < numbers.length; i++) {
    if (numbers[i] < least) least = numbers[i];
    if (numbers[i] > greatest) greatest = numbers[i];
  }
  return [least, greatest];
}
