/** The losses of numbers against their targets, and their gradients (0: none; may be the output). */
import { exp } from './functions';
import { addWide, firstLanes, keep, lanes, scaledSign, select, splat, sumWide } from './simd';

const ABSOLUTE = 0;
const HUBER = 1;
const PINBALL = 2;
const POISSON = 3;

/** ℓ of outputs o against targets t; p is the parameter, z e^o for Poisson. */
@inline
function valueOf(kind: i32, o: v128, t: v128, p: v128, z: v128): v128 {
  if (kind == POISSON) return v128.sub<real>(z, v128.mul<real>(t, o));
  if (kind == PINBALL) {
    const e = v128.sub<real>(t, o);
    return v128.max<real>(v128.mul<real>(p, e), v128.mul<real>(v128.sub<real>(p, splat(1)), e));
  }
  const d = v128.abs<real>(v128.sub<real>(o, t));
  if (kind == ABSOLUTE) return d;
  const half = splat(0.5);
  const square = v128.mul<real>(v128.mul<real>(half, d), d);
  const linear = v128.mul<real>(p, v128.sub<real>(d, v128.mul<real>(half, p)));
  return select(v128.lt<real>(d, p), square, linear);
}

/** dℓ/do */
@inline
function derivativeOf(kind: i32, o: v128, t: v128, p: v128, z: v128): v128 {
  if (kind == POISSON) return v128.sub<real>(z, t);
  const d = v128.sub<real>(o, t);
  if (kind == HUBER) return v128.min<real>(p, v128.max<real>(v128.neg<real>(p), d));
  if (kind == ABSOLUTE) return scaledSign(d, splat(1), splat(-1));
  const zero = splat(0);
  const above = select(v128.gt<real>(d, zero), v128.sub<real>(splat(1), p), d);
  return select(v128.lt<real>(d, zero), v128.neg<real>(p), above);
}

/**
 * rowLoss ← the sum of the row's losses; gradient ← scale·their derivatives.
 * @param parameters [columns], or 0 for a loss without any
 * @param targetColumns columns, or 1: all outputs of a row have the same target
 */
@inline
function elementLoss(
  kind: i32, rows: i32, columns: i32, output: usize, targets: usize, targetColumns: i32,
  parameters: usize, scale: f64, rowLoss: usize, gradient: usize,
): void {
  const factor = splat(scale);
  const rowBytes = <usize>columns * sizeof<real>();
  const targetBytes = <usize>targetColumns * sizeof<real>();
  // A single column is a vector of rows: no sums.
  const single = columns == 1;
  const spread = targetColumns == 1;
  const first = parameters ? splat(<f64>load<real>(parameters)) : splat(0);
  const vectors = single ? rows : columns;
  for (let row = single ? 1 : rows; row > 0; row--) {
    let total = f64x2.splat(0);
    const same = splat(<f64>load<real>(targets));
    let at: usize = 0;
    for (let left = vectors; left > 0; left -= lanes()) {
      const o = v128.load(output + at);
      const t = spread && !single ? same : v128.load(targets + at);
      const p = single || !parameters ? first : v128.load(parameters + at);
      const z = kind == POISSON ? exp(o) : o;
      const loss = valueOf(kind, o, t, p, z);
      if (gradient) keep(gradient + at, v128.mul<real>(factor, derivativeOf(kind, o, t, p, z)), left);
      if (single) keep(rowLoss + at, loss, left);
      else total = addWide(total, left >= lanes() ? loss : v128.and(loss, firstLanes(left)));
      at += 16;
    }
    if (single) return;
    store<real>(rowLoss, <real>sumWide(total));
    rowLoss += sizeof<real>();
    output += rowBytes;
    targets += targetBytes;
    if (gradient) gradient += rowBytes;
  }
}

export function absoluteError(
  rows: i32, columns: i32, output: usize, targets: usize, targetColumns: i32, parameters: usize,
  scale: f64, rowLoss: usize, gradient: usize,
): void {
  elementLoss(ABSOLUTE, rows, columns, output, targets, targetColumns, parameters, scale, rowLoss, gradient);
}

export function huberError(
  rows: i32, columns: i32, output: usize, targets: usize, targetColumns: i32, parameters: usize,
  scale: f64, rowLoss: usize, gradient: usize,
): void {
  elementLoss(HUBER, rows, columns, output, targets, targetColumns, parameters, scale, rowLoss, gradient);
}

export function pinballError(
  rows: i32, columns: i32, output: usize, targets: usize, targetColumns: i32, parameters: usize,
  scale: f64, rowLoss: usize, gradient: usize,
): void {
  elementLoss(PINBALL, rows, columns, output, targets, targetColumns, parameters, scale, rowLoss, gradient);
}

export function poissonError(
  rows: i32, columns: i32, output: usize, targets: usize, targetColumns: i32, parameters: usize,
  scale: f64, rowLoss: usize, gradient: usize,
): void {
  elementLoss(POISSON, rows, columns, output, targets, targetColumns, parameters, scale, rowLoss, gradient);
}

/** Puts the elements of each row in rising order; NaN stops what would pass it. */
export function sortRows(rows: i32, columns: i32, x: usize): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    const end = x + rowBytes;
    for (let from = x + sizeof<real>(); from < end; from += sizeof<real>()) {
      const value = load<real>(from);
      let to = from;
      while (to > x && load<real>(to - sizeof<real>()) > value) {
        store<real>(to, load<real>(to - sizeof<real>()));
        to -= sizeof<real>();
      }
      store<real>(to, value);
    }
    x = end;
  }
}
