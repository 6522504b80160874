/** Which column is likely to be the one to predict, where nobody has said so. */

/** What targets are called, the surest first. */
const TARGET_NAMES = [
  'target',
  'label',
  'labels',
  'class',
  'y',
  'outcome',
  'response',
  'diagnosis',
  'species',
  'survived',
  'output',
  'result',
];

/** The column with a name that targets have, else the last one: that is where most data sets keep it. */
export function likelyTarget(names: readonly string[]): string {
  const plain = names.map((name) => name.trim().toLowerCase());
  const known = TARGET_NAMES.find((name) => plain.includes(name));
  return known === undefined ? names[names.length - 1] : names[plain.indexOf(known)];
}
