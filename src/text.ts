/** Text from outside made safe to print. Imports nothing, and everything may import it. */

/**
 * Characters that a terminal obeys or hides: C0 and C1 controls, DEL, direction marks, line separators, zero-width and
 * look-alike spaces, soft hyphens, byte order marks, halves of surrogate pairs. The joiners U+200C and U+200D stay, for emoji and Persian
 * need them.
 */
const UNPRINTABLE =
  /[\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/**
 * `text` with every unprintable character written as JSON would escape it, `\u001b` or `\n`: a column of a CSV may be named
 * anything, codes that repaint the window included. Print no foreign text without it.
 */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
