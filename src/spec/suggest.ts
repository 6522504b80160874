/** Words that stand to choose from, and the nearest of them to a word that is not among them. */
import { closestMatch } from 'leven';

const prefix = 'one of ';

/** `one of relu, tanh`: what was expected, where the choice is between words. */
export function oneOf(words: readonly string[]): string {
  return prefix + words.join(', ');
}

/** The words of a phrase that `oneOf` made; none of any other phrase. */
export function wordsOf(phrase: string): string[] {
  return phrase.startsWith(prefix) ? phrase.slice(prefix.length).split(', ') : [];
}

/**
 * The known word nearest to `word`, or undefined where none is near. Case, hyphens and underscores don't count;
 * one letter in three may differ; a word that is part of a known one is near it as well.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const plain = normalize(word);
  if (plain.length === 0 || plain.length > 60) return undefined;
  const byPlain = new Map(Array.from(known, (candidate) => [normalize(candidate), candidate]));
  const candidates = [...byPlain.keys()];
  const found =
    closestMatch(plain, candidates, { maxDistance: Math.ceil(plain.length / 3) }) ??
    (plain.length < 3 ? undefined : candidates.find((candidate) => candidate.includes(plain)));
  return found === undefined ? undefined : byPlain.get(found);
}

/** The hint `did you mean "relu"?`, or undefined where no known word is near. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const found = nearest(word, known);
  return found === undefined ? undefined : `did you mean "${found}"?`;
}

function normalize(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}
