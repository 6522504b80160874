/** How many doubles lie between a and b, counting one end; 0 for equal values, −0 and 0 among them. */
export function ulpDistance(a: number, b: number): number {
  const distance = ordinal(a) - ordinal(b);
  return Number(distance < 0n ? -distance : distance);
}

const float64 = new Float64Array(1);
const bits = new BigInt64Array(float64.buffer);

/** The place of x among the doubles, 0 for zero: for positive x its bits are that already. */
function ordinal(x: number): bigint {
  if (Number.isNaN(x)) throw new RangeError('NaN has no place among the doubles');
  float64[0] = x;
  return bits[0] >= 0n ? bits[0] : -(bits[0] & 0x7fffffffffffffffn);
}
