/** The moments and bounds of chosen rows of a block, two columns at a time. */

/**
 * Adds `count` ≥ 1 rows to the bounds, the mean and the sum of squared deviations of each column, so
 * far of `before` rows: within the block by the corrected two-pass algorithm, then by the formula of Chan,
 * Golub and LeVeque (1983). A mean is the sum of two numbers, so that the difference of two means
 * is accurate to the last digit even far from 0.
 *
 * @param values the block [rows, columns] f64
 * @param chosen [count] u32: the offset of each row in it, in bytes
 * @param means and the other results [columns], with room for one more
 */
export function addMoments(
  values: usize,
  chosen: usize,
  count: i32,
  columns: i32,
  before: f64,
  means: usize,
  meanRests: usize,
  squares: usize,
  least: usize,
  greatest: usize,
): void {
  const n = f64x2.splat(<f64>count);
  const weight = f64x2.splat(<f64>count / (before + <f64>count));
  const beforeRows = f64x2.splat(before);
  const chosenEnd = chosen + ((<usize>count) << 2);
  for (; columns > 0; columns -= 2) {
    let sum = f64x2.splat(0);
    let low = v128.load(least);
    let high = v128.load(greatest);
    for (let at = chosen; at < chosenEnd; at += 4) {
      const value = v128.load(values + <usize>load<u32>(at));
      sum = f64x2.add(sum, value);
      low = f64x2.pmin(low, value);
      high = f64x2.pmax(high, value);
    }
    v128.store(least, low);
    v128.store(greatest, high);
    const mean = f64x2.div(sum, n);
    let deviations = f64x2.splat(0);
    let square = f64x2.splat(0);
    for (let at = chosen; at < chosenEnd; at += 4) {
      const deviation = f64x2.sub(v128.load(values + <usize>load<u32>(at)), mean);
      deviations = f64x2.add(deviations, deviation);
      square = f64x2.add(square, f64x2.mul(deviation, deviation));
    }
    const rest = f64x2.div(deviations, n); // of the mean, below its last digit
    square = f64x2.sub(square, f64x2.mul(deviations, rest));

    const oldMean = v128.load(means);
    const oldRest = v128.load(meanRests);
    const upper = f64x2.sub(mean, oldMean);
    const lower = f64x2.add(sumRest(mean, f64x2.neg(oldMean), upper), f64x2.sub(rest, oldRest));
    const step = f64x2.mul(upper, weight);
    const newMean = f64x2.add(oldMean, step);
    const newRest = f64x2.add(sumRest(oldMean, step, newMean), f64x2.mul(lower, weight));
    const difference = f64x2.add(upper, lower);
    const between = f64x2.mul(f64x2.mul(difference, f64x2.mul(difference, weight)), beforeRows);
    v128.store(means, newMean);
    v128.store(meanRests, f64x2.add(oldRest, newRest));
    v128.store(squares, f64x2.add(v128.load(squares), f64x2.add(square, between)));
    values += 16;
    means += 16;
    meanRests += 16;
    squares += 16;
    least += 16;
    greatest += 16;
  }
}

/** What rounding takes from the exact sum of a and b (Knuth's TwoSum). */
@inline
function sumRest(a: v128, b: v128, sum: v128): v128 {
  const ofB = f64x2.sub(sum, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(sum, ofB)), f64x2.sub(b, ofB));
}

/** Takes at least one row into the bounds of each column; arguments as above. */
export function addExtremes(
  values: usize,
  chosen: usize,
  count: i32,
  columns: i32,
  least: usize,
  greatest: usize,
): void {
  const chosenEnd = chosen + ((<usize>count) << 2);
  for (; columns > 0; columns -= 2) {
    let low = v128.load(least);
    let high = v128.load(greatest);
    for (let at = chosen; at < chosenEnd; at += 4) {
      const value = v128.load(values + <usize>load<u32>(at));
      low = f64x2.pmin(low, value);
      high = f64x2.pmax(high, value);
    }
    v128.store(least, low);
    v128.store(greatest, high);
    values += 16;
    least += 16;
    greatest += 16;
  }
}
