/**
 * How unlikely it is that a column tells the target by chance, in bits: of b bits where 2^b columns that have nothing to do with
 * the target would hold one that looks like it. A rule without this cries wolf on small tables, and on rare classes.
 */

/** From here on it is taken to be no chance: one column in 10^12. */
export const CONVINCING = 40;

/**
 * That cells which are equal go with equal targets, in all rows: each row whose cell came before, `repeats` of them, would
 * have hit its target with the probability Σ p² over the targets' shares p.
 */
export function agreementEvidence(repeats: number, targetCounts: Uint32Array): number {
  const rows = sum(targetCounts);
  let hit = 0;
  for (const count of targetCounts) hit += (count / rows) ** 2;
  return -repeats * Math.log2(hit);
}

/** That rows in a given order stand in one block for each group; 2^`ordersBits` orders of these blocks would be as good. */
export function blockEvidence(groupCounts: Uint32Array, ordersBits: number): number {
  let bits = log2Factorial(sum(groupCounts));
  for (const count of groupCounts) bits -= log2Factorial(count);
  return bits - ordersBits;
}

/** Stirling's series, right to 0.001. */
export function log2Factorial(n: number): number {
  if (n < 2) return 0;
  return (n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n)) / Math.LN2;
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
