/** The log loss that a classifier would have at its best temperature (Guo, Pleiss, Sun and Weinberger 2017). */

/** Bounds of 1/T. */
const LEAST = 0.05;
const MOST = 20;
/** Each step about doubles the digits that are right. */
const STEPS = 20;
const TOLERANCE = 1e-10;
/** A probability of 0 has no logarithm. */
const SMALLEST = 1e-300;

/**
 * min over β = 1/T of L(β) = mean of log Σ_j exp(β·z_j) − β·z_y, where z = log p. L is convex, with
 * L′ = mean of E[z] − z_y and L″ = mean of Var[z] under the scaled probabilities: Newton's method, with
 * bisection where it would leave the bounds.
 * @param labels [rows] the number of each row's class
 * @param probabilities [rows, classes]
 */
export function calibratedLoss(
  labels: ArrayLike<number>,
  probabilities: Float64Array,
  classes: number,
): number {
  const z = probabilities.map((p) => Math.log(Math.max(p, SMALLEST)));
  let [low, high] = [LEAST, MOST];
  let beta = 1;
  for (let step = 0; step < STEPS; step++) {
    const { slope, curvature } = lossAt(beta, labels, z, classes);
    const newton = beta - slope / curvature;
    // Before the bounds: so near, rounding may tell the wrong side.
    if (Math.abs(newton - beta) < TOLERANCE * beta) break;
    if (slope > 0) high = beta;
    else low = beta;
    beta = newton > low && newton < high ? newton : (low + high) / 2;
  }
  return lossAt(beta, labels, z, classes).loss;
}

/** L, L′ and L″. */
function lossAt(beta: number, labels: ArrayLike<number>, z: Float64Array, classes: number) {
  const rows = labels.length;
  let [loss, slope, curvature] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const first = row * classes;
    let most = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < classes; j++) most = Math.max(most, z[first + j]);
    let [sum, ofZ, ofSquares] = [0, 0, 0];
    for (let j = 0; j < classes; j++) {
      const distance = z[first + j] - most;
      const weight = Math.exp(beta * distance);
      sum += weight;
      ofZ += weight * distance;
      ofSquares += weight * distance * distance;
    }
    const mean = ofZ / sum;
    const own = z[first + labels[row]] - most;
    loss += Math.log(sum) - beta * own;
    slope += mean - own;
    curvature += ofSquares / sum - mean * mean;
  }
  return { loss: loss / rows, slope: slope / rows, curvature: curvature / rows };
}
