/**
 * The losses of rows, with the gradient of their inputs, and softmax. Sums over a row are taken in double precision.
 * `gradient` may be 0 for none, or the input itself.
 */
import { multiply } from './elementwise';
import { exp, logFrom1, sigmoidFrom, softplusFrom } from './functions';
import { addWide, firstLanes, lanes, larger, select, splat, storeFirst, sumWide } from './simd';

/** The largest of the row. NaN may be dropped: the exponentials of the row will have it. */
@inline
function largest<T>(columns: i32, h: usize): T {
  let max = splat<T>(-Infinity);
  let left = columns;
  for (; left >= lanes<T>(); left -= lanes<T>()) {
    max = larger<T>(max, v128.load(h));
    h += 16;
  }
  if (left > 0) {
    max = larger<T>(max, select(firstLanes<T>(left), v128.load(h), splat<T>(-Infinity)));
  }
  if (sizeof<T>() == 4) max = larger<T>(max, i64x2.shuffle(max, max, 1, 0));
  const first = v128.extract_lane<T>(max, 0);
  const second = v128.extract_lane<T>(max, 1);
  return first < second ? second : first;
}

/** Σ_k e^(h_k − max), at least 1; the exponentials are kept at `out` unless that is 0. */
@inline
function shiftedExponentials<T>(columns: i32, h: usize, max: T, out: usize): f64 {
  const shift = v128.splat<T>(max);
  let total = f64x2.splat(0);
  let left = columns;
  for (; left >= lanes<T>(); left -= lanes<T>()) {
    const e = exp<T>(v128.sub<T>(v128.load(h), shift));
    total = addWide<T>(total, e);
    h += 16;
    if (out) {
      v128.store(out, e);
      out += 16;
    }
  }
  if (left > 0) {
    const e = v128.and(exp<T>(v128.sub<T>(v128.load(h), shift)), firstLanes<T>(left));
    total = addWide<T>(total, e);
    if (out) storeFirst<T>(out, e, left);
  }
  return sumWide(total);
}

/** out ← softmax of each row */
@inline
export function softmax<T>(rows: i32, columns: i32, logits: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    const total = shiftedExponentials<T>(columns, logits, largest<T>(columns, logits), out);
    multiply<T>(columns, 1.0 / total, out);
    logits += rowBytes;
    out += rowBytes;
  }
}

/** rowLoss ← log Σ_k e^(h_k − max) − (h_label − max); gradient ← scale·(softmax − onehot) */
@inline
export function softmaxCrossEntropy<T>(
  rows: i32,
  columns: i32,
  logits: usize,
  labels: usize,
  scale: f64,
  rowLoss: usize,
  gradient: usize,
): void {
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    const max = largest<T>(columns, logits);
    const label = <usize>load<i32>(labels) * sizeof<T>();
    const labelLogit = load<T>(logits + label);
    const total = shiftedExponentials<T>(columns, logits, max, gradient);
    store<T>(rowLoss, <T>(logFrom1(total) - (<f64>labelLogit - <f64>max)));
    if (gradient) {
      // P − 1 of the label is taken in double precision, so that a probability near 1 leaves its exact rest.
      const atLabel = ((<f64>load<T>(gradient + label)) / total - 1.0) * scale;
      multiply<T>(columns, scale / total, gradient);
      store<T>(gradient + label, <T>atLabel);
      gradient += rowBytes;
    }
    logits += rowBytes;
    labels += 4;
    rowLoss += sizeof<T>();
  }
}

const SIGMOID_CROSS_ENTROPY = 0;
const SQUARED_ERROR = 1;

/** The loss of each element of a vector of outputs o against its target t. */
@inline
function elementLoss<T>(kind: i32, o: v128, t: v128, z: v128): v128 {
  if (kind == SQUARED_ERROR) {
    const difference = v128.sub<T>(o, t);
    return v128.mul<T>(difference, difference);
  }
  // −t·log σ(h) − (1−t)·log(1−σ(h)) = softplus(h) − t·h; softplus(−h) where t is 1, so that a tiny loss stays exact.
  const isOne = v128.eq<T>(t, splat<T>(1.0));
  const h = select(isOne, v128.neg<T>(o), o);
  const linear = v128.andnot(v128.mul<T>(t, o), isOne);
  return v128.sub<T>(softplusFrom<T>(h, z), linear);
}

/** Its derivative with respect to o. */
@inline
function elementGradient<T>(kind: i32, o: v128, t: v128, z: v128): v128 {
  if (kind == SQUARED_ERROR) {
    const difference = v128.sub<T>(o, t);
    return v128.add<T>(difference, difference);
  }
  return v128.sub<T>(sigmoidFrom<T>(o, z), t);
}

/** e^−|o| where the loss is made of it: once for the loss and its gradient. */
@inline
function shared<T>(kind: i32, o: v128): v128 {
  return kind == SIGMOID_CROSS_ENTROPY ? exp<T>(v128.neg<T>(v128.abs<T>(o))) : o;
}

/** rowLoss ← the sum of the row's element losses; gradient ← scale·their derivatives. */
@inline
function elementwiseLoss<T>(
  kind: i32,
  rows: i32,
  columns: i32,
  output: usize,
  targets: usize,
  scale: f64,
  rowLoss: usize,
  gradient: usize,
): void {
  const factor = splat<T>(scale);
  // A single column is a vector of rows: no sums.
  const single = columns == 1;
  if (single) {
    columns = rows;
    rows = 1;
  }
  for (; rows > 0; rows--) {
    let total = f64x2.splat(0);
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const whole = left >= lanes<T>();
      const o = v128.load(output);
      const t = v128.load(targets);
      const z = shared<T>(kind, o);
      const loss = elementLoss<T>(kind, o, t, z);
      if (gradient) {
        const d = v128.mul<T>(factor, elementGradient<T>(kind, o, t, z));
        if (whole) v128.store(gradient, d);
        else storeFirst<T>(gradient, d, left);
        gradient += whole ? 16 : left * sizeof<T>();
      }
      if (single) {
        if (whole) v128.store(rowLoss, loss);
        else storeFirst<T>(rowLoss, loss, left);
        rowLoss += 16;
      } else {
        total = addWide<T>(total, whole ? loss : v128.and(loss, firstLanes<T>(left)));
      }
      output += whole ? 16 : left * sizeof<T>();
      targets += whole ? 16 : left * sizeof<T>();
    }
    if (single) return;
    store<T>(rowLoss, <T>sumWide(total));
    rowLoss += sizeof<T>();
  }
}

@inline
export function sigmoidCrossEntropy<T>(
  rows: i32,
  columns: i32,
  logits: usize,
  targets: usize,
  scale: f64,
  rowLoss: usize,
  gradient: usize,
): void {
  elementwiseLoss<T>(SIGMOID_CROSS_ENTROPY, rows, columns, logits, targets, scale, rowLoss, gradient);
}

@inline
export function squaredError<T>(
  rows: i32,
  columns: i32,
  output: usize,
  targets: usize,
  scale: f64,
  rowLoss: usize,
  gradient: usize,
): void {
  elementwiseLoss<T>(SQUARED_ERROR, rows, columns, output, targets, scale, rowLoss, gradient);
}
