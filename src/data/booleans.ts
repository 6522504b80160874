/** Words for yes and no. */

export const BOOLEAN_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1', '1.0'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0', '0.0'].map((word) => [word, false] as const),
]);
/** Words that may stand in one column; the same with a capital. */
const TOGETHER: readonly (readonly string[])[] = [
  ['true', 'false', 't', 'f'],
  ['yes', 'no', 'y', 'n'],
  ['on', 'off'],
];

/** What the text says, in any spelling; undefined if it is neither. */
export function parseBoolean(text: string): boolean | undefined {
  return BOOLEAN_WORDS.get(text.trim().toLowerCase());
}

/** Whether the levels of a column are words for yes and no: both, in words that belong together. */
export function areBooleans(levels: readonly string[]): boolean {
  // In any case and with spaces, each word has few spellings.
  if (levels.length < 2 || levels.length > 32) return false;
  const words = levels.map((level) => level.trim().toLowerCase());
  const said = new Set(words.map((word) => BOOLEAN_WORDS.get(word)));
  return said.size === 2 && TOGETHER.some((known) => words.every((word) => known.includes(word)));
}
