/** Losses of rows and their gradients (0: none; may be the input), softmax. Sums are double. */
import { scale as multiply } from './elementwise';
import { exp, log1p, logFrom1, sigmoidFrom, softplusFrom } from './functions';
import { addWide, firstLanes, keep, lanes, larger, select, splat, storeFirst, sumWide } from './simd';

/** The largest element of the row. It may drop NaN: the exponentials of the row keep it. */
@inline
function largest(columns: i32, h: usize): real {
  let max = splat(-Infinity);
  let left = columns;
  for (; left >= lanes(); left -= lanes()) {
    max = larger(max, v128.load(h));
    h += 16;
  }
  if (left > 0) {
    max = larger(max, select(firstLanes(left), v128.load(h), splat(-Infinity)));
  }
  if (sizeof<real>() == 4) max = larger(max, i64x2.shuffle(max, max, 1, 0));
  const first = v128.extract_lane<real>(max, 0);
  const second = v128.extract_lane<real>(max, 1);
  return first < second ? second : first;
}

/** Σ_k e^(h_k − max), at least 1; stores the exponentials at `out` unless that is 0. */
@inline
function shiftedExponentials(columns: i32, h: usize, max: real, out: usize): f64 {
  const shift = v128.splat<real>(max);
  let total = f64x2.splat(0);
  let left = columns;
  for (; left >= lanes(); left -= lanes()) {
    const e = exp(v128.sub<real>(v128.load(h), shift));
    total = addWide(total, e);
    h += 16;
    if (out) {
      v128.store(out, e);
      out += 16;
    }
  }
  if (left > 0) {
    const e = v128.and(exp(v128.sub<real>(v128.load(h), shift)), firstLanes(left));
    total = addWide(total, e);
    if (out) storeFirst(out, e, left);
  }
  return sumWide(total);
}

/** Σ_k (h_k − max) */
@inline
function shiftedSum(columns: i32, h: usize, max: real): f64 {
  const shift = v128.splat<real>(max);
  let total = f64x2.splat(0);
  for (let left = columns; left > 0; left -= lanes()) {
    const toMax = v128.sub<real>(v128.load(h), shift);
    total = addWide(total, left >= lanes() ? toMax : v128.and(toMax, firstLanes(left)));
    h += 16;
  }
  return sumWide(total);
}

/** gradient ← gradient − share, for a row */
@inline
function subtract(columns: i32, share: f64, gradient: usize): void {
  const each = splat(share);
  for (let left = columns; left > 0; left -= lanes()) {
    keep(gradient, v128.sub<real>(v128.load(gradient), each), left);
    gradient += 16;
  }
}

/** out ← softmax of each row */
export function softmax(rows: i32, columns: i32, logits: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    const total = shiftedExponentials(columns, logits, largest(columns, logits), out);
    multiply(columns, 1.0 / total, out);
    logits += rowBytes;
    out += rowBytes;
  }
}

/**
 * rowLoss ← log Σ_k e^(h_k − max) − Σ_k y_k·(h_k − max); gradient ← scale·(softmax − y), with
 * y = (1 − smoothing)·onehot + smoothing/columns
 */
export function softmaxCrossEntropy(
  rows: i32, columns: i32, logits: usize, labels: usize, scale: f64, rowLoss: usize,
  gradient: usize, smoothing: f64,
): void {
  const rowBytes = <usize>columns * sizeof<real>();
  const share = smoothing / <f64>columns;
  for (; rows > 0; rows--) {
    const max = largest(columns, logits);
    const label = <usize>load<i32>(labels) * sizeof<real>();
    let toMax = <f64>load<real>(logits + label) - <f64>max;
    if (smoothing != 0) toMax = (1.0 - smoothing) * toMax + share * shiftedSum(columns, logits, max);
    const total = shiftedExponentials(columns, logits, max, gradient);
    store<real>(rowLoss, <real>(logFrom1(total) - toMax));
    if (gradient) {
      // P − 1 of the label is in double precision, so that a probability near 1 keeps its digits.
      const p = <f64>load<real>(gradient + label) / total;
      const atLabel = (p - 1.0 + smoothing - share) * scale;
      multiply(columns, scale / total, gradient);
      if (smoothing != 0) subtract(columns, scale * share, gradient);
      store<real>(gradient + label, <real>atLabel);
      gradient += rowBytes;
    }
    logits += rowBytes;
    labels += 4;
    rowLoss += sizeof<real>();
  }
}

/** log(e^a + e^b) */
@inline
function logAddExp(a: v128, b: v128): v128 {
  const distance = v128.neg<real>(v128.abs<real>(v128.sub<real>(a, b)));
  return v128.add<real>(larger(a, b), log1p(exp(distance)));
}

/** out ← log of the mean of the members' softmax of each row; a member's rows are `stride` apart */
export function averageSoftmax(
  rows: i32, columns: i32, members: i32, stride: usize, logits: usize, out: usize,
): void {
  const logMembers = splat(logFrom1(<f64>members));
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    for (let m = 0; m < members; m++) {
      let h = logits + <usize>m * stride;
      const max = largest(columns, h);
      const shift = splat(<f64>max);
      const logTotal = splat(logFrom1(shiftedExponentials(columns, h, max, 0)));
      let o = out;
      for (let left = columns; left > 0; left -= lanes()) {
        // log of the probability
        const term = v128.sub<real>(v128.sub<real>(v128.load(h), shift), logTotal);
        const sum = m == 0 ? term : logAddExp(v128.load(o), term);
        keep(o, m == members - 1 ? v128.sub<real>(sum, logMembers) : sum, left);
        h += 16;
        o += 16;
      }
    }
    logits += rowBytes;
    out += rowBytes;
  }
}

/** out ← the logit of the mean of the members' sigmoids: log p − log(1 − p), 1 − σ(h) = σ(−h) */
export function averageSigmoid(
  count: i32, members: i32, stride: usize, logits: usize, out: usize,
): void {
  for (; count > 0; count -= lanes()) {
    let yes = splat(0);
    let no = splat(0);
    for (let m = 0; m < members; m++) {
      const h = v128.load(logits + <usize>m * stride);
      const z = exp(v128.neg<real>(v128.abs<real>(h)));
      const logNo = v128.neg<real>(softplusFrom(h, z));
      const logYes = v128.neg<real>(softplusFrom(v128.neg<real>(h), z));
      yes = m == 0 ? logYes : logAddExp(yes, logYes);
      no = m == 0 ? logNo : logAddExp(no, logNo);
    }
    keep(out, v128.sub<real>(yes, no), count);
    logits += 16;
    out += 16;
  }
}

/** out ← the mean of the members' outputs */
export function averageIdentity(
  count: i32, members: i32, stride: usize, outputs: usize, out: usize,
): void {
  const share = splat(1.0 / <f64>members);
  for (; count > 0; count -= lanes()) {
    let sum = splat(0);
    for (let m = 0; m < members; m++) sum = v128.add<real>(sum, v128.load(outputs + <usize>m * stride));
    keep(out, v128.mul<real>(sum, share), count);
    outputs += 16;
    out += 16;
  }
}

/** x ← min(high, max(low, x)) for an element of each row, NaN stays; a single column is a vector. */
export function clipColumn(rows: i32, columns: i32, low: f64, high: f64, x: usize): void {
  if (columns == 1) {
    for (; rows > 0; rows -= lanes()) {
      keep(x, v128.min<real>(splat(high), v128.max<real>(splat(low), v128.load(x))), rows);
      x += 16;
    }
    return;
  }
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    store<real>(x, min<real>(<real>high, max<real>(<real>low, load<real>(x))));
    x += rowBytes;
  }
}

const SIGMOID_CROSS_ENTROPY = 0;
const SQUARED_ERROR = 1;

/** The loss of each element of a vector of outputs o against its target t. */
@inline
function elementLoss(kind: i32, o: v128, t: v128, z: v128): v128 {
  if (kind == SQUARED_ERROR) {
    const difference = v128.sub<real>(o, t);
    return v128.mul<real>(difference, difference);
  }
  // −t·log σ(h) − (1−t)·log(1−σ(h)) = softplus(h) − t·h; softplus(−h) keeps a tiny loss exact.
  const isOne = v128.eq<real>(t, splat(1.0));
  const h = select(isOne, v128.neg<real>(o), o);
  const linear = v128.andnot(v128.mul<real>(t, o), isOne);
  return v128.sub<real>(softplusFrom(h, z), linear);
}

/** Its derivative with respect to o. */
@inline
function elementGradient(kind: i32, o: v128, t: v128, z: v128): v128 {
  if (kind == SQUARED_ERROR) {
    const difference = v128.sub<real>(o, t);
    return v128.add<real>(difference, difference);
  }
  return v128.sub<real>(sigmoidFrom(o, z), t);
}

/** e^−|o| for the sigmoid: computed once for the loss and its gradient. */
@inline
function shared(kind: i32, o: v128): v128 {
  return kind == SIGMOID_CROSS_ENTROPY ? exp(v128.neg<real>(v128.abs<real>(o))) : o;
}

/**
 * rowLoss ← the sum of the row's element losses; gradient ← scale·their derivatives. Targets of a
 * sigmoid are moved towards ½.
 */
@inline
function elementwiseLoss(
  kind: i32, rows: i32, columns: i32, output: usize, targets: usize, scale: f64, rowLoss: usize,
  gradient: usize, smoothing: f64,
): void {
  const factor = splat(scale);
  const towards = splat(smoothing);
  // A single column is a vector of rows: no sums.
  const single = columns == 1;
  if (single) {
    columns = rows;
    rows = 1;
  }
  for (; rows > 0; rows--) {
    let total = f64x2.splat(0);
    for (let left = columns; left > 0; left -= lanes()) {
      const whole = left >= lanes();
      const o = v128.load(output);
      let t = v128.load(targets);
      if (kind == SIGMOID_CROSS_ENTROPY) {
        t = v128.add<real>(t, v128.mul<real>(towards, v128.sub<real>(splat(0.5), t)));
      }
      const z = shared(kind, o);
      const loss = elementLoss(kind, o, t, z);
      if (gradient) {
        const d = v128.mul<real>(factor, elementGradient(kind, o, t, z));
        if (whole) v128.store(gradient, d);
        else storeFirst(gradient, d, left);
        gradient += whole ? 16 : left * sizeof<real>();
      }
      if (single) {
        if (whole) v128.store(rowLoss, loss);
        else storeFirst(rowLoss, loss, left);
        rowLoss += 16;
      } else {
        total = addWide(total, whole ? loss : v128.and(loss, firstLanes(left)));
      }
      output += whole ? 16 : left * sizeof<real>();
      targets += whole ? 16 : left * sizeof<real>();
    }
    if (single) return;
    store<real>(rowLoss, <real>sumWide(total));
    rowLoss += sizeof<real>();
  }
}

export function sigmoidCrossEntropy(
  rows: i32, columns: i32, logits: usize, targets: usize, scale: f64, rowLoss: usize,
  gradient: usize, smoothing: f64,
): void {
  elementwiseLoss(SIGMOID_CROSS_ENTROPY, rows, columns, logits, targets, scale, rowLoss, gradient, smoothing);
}

export function squaredError(
  rows: i32, columns: i32, output: usize, targets: usize, scale: f64, rowLoss: usize,
  gradient: usize,
): void {
  elementwiseLoss(SQUARED_ERROR, rows, columns, output, targets, scale, rowLoss, gradient, 0);
}
