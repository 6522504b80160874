/** JSON as Python's `json` module writes it: with the tokens NaN, Infinity and -Infinity. */

/** On one line, without keys that are undefined. */
export function toPythonJson(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(toPythonJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}:${toPythonJson(item)}`);
  return `{${entries.join(',')}}`;
}

/**
 * NaN becomes null, which Python does not write in its place.
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(STRING_OR_TOKEN, (match) => TOKENS[match] ?? match));
  }
}

/** A string without an end goes to that of the text, or each of its quotes would be tried in turn. */
const STRING_OR_TOKEN = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|-?\b(?:NaN|Infinity)\b/g;

/** What JSON.parse takes instead: a number beyond all others is infinite. */
const TOKENS: Readonly<Record<string, string>> = { NaN: 'null', Infinity: '1e999', '-Infinity': '-1e999' };
