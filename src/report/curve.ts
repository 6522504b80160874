/** Points of a curve, and fewer of them where there are more than places to draw them. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Differences of larger values overflow; smaller values, divided by a step, underflow. */
const LARGEST = 1e200;
const SMALLEST = 1e-200;

/** The value as it is drawn; NaN for one that is not. */
export function drawable(value: number): number {
  const size = Math.abs(value);
  if (!(size <= LARGEST)) return Number.NaN;
  return size < SMALLEST ? 0 : value;
}

/** The points that can be drawn. @param xs by default 1, 2, … */
export function drawablePoints(ys: ArrayLike<number>, xs?: ArrayLike<number>): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < ys.length; i++) {
    const y = drawable(ys[i]);
    if (!Number.isNaN(y)) points.push({ x: xs?.[i] ?? i + 1, y });
  }
  return points;
}

/** Means of the points in `buckets` equal ranges of x from 1 to `last`; the points themselves if few. */
export function averaged(points: readonly Point[], last: number, buckets: number): Point[] {
  if (points.length <= buckets) return [...points];
  const means: Point[] = [];
  for (let start = 0, end = 0; start < points.length; start = end) {
    const bucket = bucketOf(points[start].x, 1, last, buckets);
    let x = 0;
    let y = 0;
    while (end < points.length && bucketOf(points[end].x, 1, last, buckets) === bucket) {
      x += points[end].x;
      y += points[end].y;
      end++;
    }
    means.push({ x: x / (end - start), y: y / (end - start) });
  }
  return means;
}

function bucketOf(x: number, first: number, last: number, buckets: number): number {
  return Math.floor(((x - first) / (last - first + 1)) * buckets);
}

/**
 * Of the values in each of `columns` equal ranges the least and the greatest, in their order: a line
 * through them looks like the line through all. NaN, a gap, stays only where a whole range is NaN.
 * @param xs rising
 * @returns all of them if there are not more than two for each column
 */
export function extremes(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  columns: number,
): { x: number[]; y: number[] } {
  const count = Math.min(xs.length, ys.length);
  if (count <= 2 * columns) {
    return { x: Array.from(xs).slice(0, count), y: Array.from(ys, drawable).slice(0, count) };
  }
  const x: number[] = [];
  const y: number[] = [];
  const first = xs[0];
  const span = xs[count - 1] - first || 1;
  for (let start = 0, end = 0; start < count; start = end) {
    const limit = Math.floor(((xs[start] - first) / span) * columns) + 1;
    let least = -1;
    let greatest = -1;
    for (; end < count && (end === start || ((xs[end] - first) / span) * columns < limit); end++) {
      const value = drawable(ys[end]);
      if (Number.isNaN(value)) continue;
      if (least < 0 || value < ys[least]) least = end;
      if (greatest < 0 || value > ys[greatest]) greatest = end;
    }
    const kept = least < 0 ? [start] : [...new Set([least, greatest])].sort((a, b) => a - b);
    for (const i of kept) {
      x.push(xs[i]);
      y.push(drawable(ys[i]));
    }
  }
  return { x, y };
}
