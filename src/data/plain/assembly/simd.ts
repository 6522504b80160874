/** What the other files share. */

/** A bit for each of 64 characters: whether it is the one in every lane of `wanted`. */
@inline
export function bitsEqual(text0: v128, text1: v128, text2: v128, text3: v128, wanted: v128): u64 {
  const bits0 = <u32>i8x16.bitmask(i8x16.eq(text0, wanted));
  const bits1 = <u32>i8x16.bitmask(i8x16.eq(text1, wanted));
  const bits2 = <u32>i8x16.bitmask(i8x16.eq(text2, wanted));
  const bits3 = <u32>i8x16.bitmask(i8x16.eq(text3, wanted));
  return (<u64>(bits0 | (bits1 << 16))) | ((<u64>(bits2 | (bits3 << 16))) << 32);
}
