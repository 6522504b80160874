/**
 * Piecewise-linear embeddings: of each number x of a row a·x + b + W·e(x), then the other columns.
 * e is 1 for the bins before that of x, so their vectors of W are summed beforehand, and a row costs
 * as much as one bin.
 */
import { copyOthers, copyOthersBack, sumLanes, take } from './embedding';
import { keep, lanes, madd, splat } from './simd';

/** How many bins of a number are wider than nothing: `edges` [bins + 1]. */
@inline
function usedBins(bins: i32, edges: usize): i32 {
  const last = load<real>(edges + <usize>bins * sizeof<real>());
  while (bins > 0 && load<real>(edges + <usize>(bins - 1) * sizeof<real>()) >= last) bins--;
  return bins;
}

/** The bin of x among `used` ones, by bisection; 0 for NaN. */
@inline
function binOf(used: i32, edges: usize, x: real): i32 {
  let bin = 0;
  let end = used;
  while (end - bin > 1) {
    const middle = (bin + end) >> 1;
    if (x >= load<real>(edges + <usize>middle * sizeof<real>())) bin = middle;
    else end = middle;
  }
  return bin;
}

/** How far x is into a bin that is wider than nothing, as a share of it. */
@inline
function partOf(edges: usize, bin: i32, x: real): real {
  const low = load<real>(edges + <usize>bin * sizeof<real>());
  return (x - low) / (load<real>(edges + <usize>(bin + 1) * sizeof<real>()) - low);
}

/** sums [count·bins, outs] of the numbers `from` to `end` − 1: W summed over the bins before each. */
export function sumBins(from: i32, end: i32, bins: i32, outs: i32, weight: usize, sums: usize): void {
  const outBytes = <usize>outs * sizeof<real>();
  for (let j = from; j < end; j++) {
    let at = <usize>(j * bins) * outBytes;
    memory.fill(sums + at, 0, outBytes);
    for (let t = 1; t < bins; t++) {
      const next = at + outBytes;
      for (let left = outs, o: usize = 0; left > 0; left -= lanes(), o += 16) {
        keep(sums + next + o, v128.add<real>(v128.load(sums + at + o), v128.load(weight + at + o)), left);
      }
      at = next;
    }
  }
}

/**
 * @param count numbers in a row, at the columns `numbers` [count] i32 of x
 * @param bins of a number: `edges` [count, bins + 1], `weight`, `sums` [count·bins, outs]
 * @param outs values of a number: `slope`, `bias` [count, outs]
 * @param rest how many other columns there are: `others` [rest] i32
 * @param places [rows, count]
 */
export function embedBins(
  rows: i32,
  count: i32,
  bins: i32,
  outs: i32,
  rest: i32,
  numbers: usize,
  others: usize,
  x: usize,
  xRowBytes: usize,
  edges: usize,
  slope: usize,
  bias: usize,
  weight: usize,
  sums: usize,
  places: usize,
  y: usize,
): void {
  const outBytes = <usize>outs * sizeof<real>();
  const yRowBytes = <usize>count * outBytes + <usize>rest * sizeof<real>();
  for (let j = 0; j < count; j++) {
    const e = edges + <usize>j * <usize>(bins + 1) * sizeof<real>();
    const used = usedBins(bins, e);
    const a = slope + <usize>j * outBytes;
    const b = bias + <usize>j * outBytes;
    let number = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    let place = places + <usize>j * sizeof<real>();
    let to = y + <usize>j * outBytes;
    for (let i = 0; i < rows; i++) {
      const value = load<real>(number);
      const bin = binOf(used, e, value);
      store<real>(place, <real>(bin & 1 ? -bin - 1 : bin + 1));
      const xs = v128.splat<real>(value);
      const parts = v128.splat<real>(used > 0 ? partOf(e, bin, value) : 0);
      const own = <usize>(j * bins + bin) * outBytes;
      for (let left = outs, o: usize = 0; left > 0; left -= lanes(), o += 16) {
        const linear = madd(v128.load(a + o), xs, v128.load(b + o));
        const before = v128.add<real>(linear, v128.load(sums + own + o));
        keep(to + o, madd(v128.load(weight + own + o), parts, before), left);
      }
      number += xRowBytes;
      place += <usize>count * sizeof<real>();
      to += yRowBytes;
    }
  }
  y += <usize>count * outBytes;
  for (; rows > 0; rows--) {
    copyOthers(rest, others, x, y);
    x += xRowBytes;
    y += yRowBytes;
  }
}

/**
 * The gradients of slope, bias and weight, for the numbers `from` to `end` − 1. dY [rows, …] begins
 * each row with [count, outs] elements.
 */
export function embedBinsParameters(
  rows: i32,
  from: i32,
  end: i32,
  count: i32,
  bins: i32,
  outs: i32,
  numbers: usize,
  x: usize,
  xRowBytes: usize,
  edges: usize,
  places: usize,
  dY: usize,
  dYRowBytes: usize,
  sums: usize,
  dSlope: usize,
  dBias: usize,
  dWeight: usize,
): void {
  const outBytes = <usize>outs * sizeof<real>();
  for (let j = from; j < end; j++) {
    const e = edges + <usize>j * <usize>(bins + 1) * sizeof<real>();
    const used = usedBins(bins, e);
    const first = <usize>(j * bins) * outBytes;
    const dA = dSlope + <usize>j * outBytes;
    const dB = dBias + <usize>j * outBytes;
    memory.fill(dA, 0, outBytes);
    memory.fill(dB, 0, outBytes);
    memory.fill(dWeight + first, 0, <usize>bins * outBytes);
    memory.fill(sums + first, 0, <usize>bins * outBytes);
    let number = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    let place = places + <usize>j * sizeof<real>();
    let d = dY + <usize>j * outBytes;
    for (let i = 0; i < rows; i++) {
      const value = load<real>(number);
      const bin = <i32>abs(load<real>(place)) - 1;
      const xs = v128.splat<real>(value);
      const parts = v128.splat<real>(used > 0 ? partOf(e, bin, value) : 0);
      const own = first + <usize>bin * outBytes;
      for (let left = outs, o: usize = 0; left > 0; left -= lanes(), o += 16) {
        const out = v128.load(d + o);
        keep(dA + o, madd(out, xs, v128.load(dA + o)), left);
        keep(dB + o, v128.add<real>(out, v128.load(dB + o)), left);
        keep(dWeight + own + o, madd(out, parts, v128.load(dWeight + own + o)), left);
        // What the bins before this one have a gradient of, too.
        keep(sums + own + o, v128.add<real>(out, v128.load(sums + own + o)), left);
      }
      number += xRowBytes;
      place += <usize>count * sizeof<real>();
      d += dYRowBytes;
    }
    for (let left = outs, o: usize = 0; left > 0; left -= lanes(), o += 16) {
      let behind = splat(0);
      for (let t = bins - 1; t >= 0; t--) {
        const at = first + <usize>t * outBytes + o;
        keep(dWeight + at, v128.add<real>(v128.load(dWeight + at), behind), left);
        behind = v128.add<real>(behind, v128.load(sums + at));
      }
    }
  }
}

/** dX [rows, …], of the numbers and of the other columns. */
export function embedBinsInput(
  rows: i32,
  count: i32,
  bins: i32,
  outs: i32,
  rest: i32,
  numbers: usize,
  others: usize,
  edges: usize,
  slope: usize,
  weight: usize,
  places: usize,
  dY: usize,
  dX: usize,
  dXRowBytes: usize,
): void {
  const outBytes = <usize>outs * sizeof<real>();
  for (; rows > 0; rows--) {
    for (let j = 0; j < count; j++) {
      const e = edges + <usize>j * <usize>(bins + 1) * sizeof<real>();
      const bin = <i32>abs(load<real>(places + <usize>j * sizeof<real>())) - 1;
      const at = e + <usize>bin * sizeof<real>();
      const width = load<real>(at + sizeof<real>()) - load<real>(at);
      const share = v128.splat<real>(width > 0 ? 1 / width : 0);
      const a = slope + <usize>j * outBytes;
      const w = weight + <usize>(j * bins + bin) * outBytes;
      let sum = splat(0);
      for (let left = outs, o: usize = 0; left > 0; left -= lanes(), o += 16) {
        sum = madd(take(dY + o, left), madd(take(w + o, left), share, take(a + o, left)), sum);
      }
      const column = <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
      store<real>(dX + column, sumLanes(sum));
      dY += outBytes;
    }
    dY = copyOthersBack(rest, others, dY, dX);
    places += <usize>count * sizeof<real>();
    dX += dXRowBytes;
  }
}
