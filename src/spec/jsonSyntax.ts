/**
 * The grammar of JSON (RFC 8259) as a check that names the line, what was found there and what was expected.
 * It builds nothing: `JSON.parse` does that, once the text is known to be good. Beyond the grammar it refuses what
 * `JSON.parse` lets through in silence: a key given twice, a number that overflows, nesting that could exhaust a stack.
 *
 * A loop with a stack of its own, so no input can overflow the call stack.
 */
import { ExitCode, MlpError } from '../errors.js';
import { printable, quote, shorten } from '../text.js';

/** The deepest nesting of objects and arrays that is read. */
export const maxDepth = 64;

/** The most values that are read unless said: no spec comes near, and what has more would only be slow to find fault with. */
const maxValues = 100_000;

interface Container {
  close: '}' | ']';
  /** Of an object: where each key was first written. */
  keys: Map<string, number> | undefined;
}

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literal = /(?:true|false|null)(?![\w$])/y;
const word = /[\w$.+-]+/y;
const hex = /[0-9a-fA-F]{4}/y;

/**
 * Throws an MlpError (config) `file:line:column: found …, expected …` at the first place where `text` is not strict JSON, or
 * has more than `most` values.
 */
export function checkSyntax(text: string, file: string, most = maxValues): void {
  const open: Container[] = [];
  let at = skip(space, text, 0);
  let values = 0;
  // What may stand at `at`: a value, the value that starts a container, a key, the key that starts one, or what follows a value.
  let state: 'value' | 'first value' | 'key' | 'first key' | 'after value' = 'value';

  for (;;) {
    const container = open.at(-1);
    const character = text[at];
    if (state === 'after value') {
      if (container === undefined) {
        if (at === text.length) return;
        throw unexpected('the end of the file');
      }
      if (character === container.close) {
        open.pop();
        at++;
      } else if (character === ',') {
        state = container.keys === undefined ? 'value' : 'key';
        at++;
      } else {
        throw unexpected(`"," or "${container.close}"`);
      }
    } else if (state.startsWith('first') && character === container?.close) {
      open.pop();
      at++;
      state = 'after value';
    } else if (state.endsWith('key')) {
      readKey(container?.keys);
      state = 'value';
    } else if (values++ === most) {
      throw failure(at, `found more than ${most} values`);
    } else if (character === '{' || character === '[') {
      if (open.length === maxDepth) {
        throw failure(at, `found more than ${maxDepth} objects and arrays inside one another`);
      }
      const isObject = character === '{';
      open.push({ close: isObject ? '}' : ']', keys: isObject ? new Map() : undefined });
      at++;
      state = isObject ? 'first key' : 'first value';
    } else {
      at = scalarEnd();
      state = 'after value';
    }
    at = skip(space, text, at);
  }

  function readKey(keys: Map<string, number> | undefined): void {
    const start = at;
    if (text[at] !== '"') {
      throw unexpected(state === 'first key' ? 'a key in double quotes or "}"' : 'a key in double quotes');
    }
    at = stringEnd(at);
    const key: string = JSON.parse(text.slice(start, at));
    const first = keys?.get(key);
    if (first !== undefined) {
      throw failure(
        start,
        `found the key ${quote(key)} a second time, expected it once`,
        `it stands on line ${lineAndColumn(text, first).line} already; remove one of the two`,
      );
    }
    keys?.set(key, start);
    at = skip(space, text, at);
    if (text[at] !== ':') throw unexpected('":"');
    at++;
  }

  function scalarEnd(): number {
    if (text[at] === '"') return stringEnd(at);
    const literalEnd = skip(literal, text, at);
    if (literalEnd > at) return literalEnd;
    const end = skip(number, text, at);
    if (end === at) throw unexpected(state === 'first value' ? 'a value or "]"' : 'a value');
    if (!Number.isFinite(Number(text.slice(at, end)))) {
      throw failure(
        at,
        `found ${shorten(text.slice(at, end))}, expected a number of size at most ${Number.MAX_VALUE}`,
      );
    }
    return end;
  }

  function stringEnd(start: number): number {
    for (let i = start + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x22) return i + 1;
      if (code < 0x20) {
        const found = code === 0x0a || code === 0x0d ? 'the end of the line' : quote(text[i]);
        throw failure(
          i,
          `found ${found} inside a string, expected its closing quote or an escape such as \\n`,
        );
      }
      if (code !== 0x5c) continue;
      const escaped = text[++i];
      if (escaped === undefined) break;
      if (escaped === 'u' ? skip(hex, text, i + 1) === i + 1 : !'"\\/bfnrt'.includes(escaped)) {
        throw failure(
          i - 1,
          `found \\${printable(escaped)} inside a string, expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX`,
          'a backslash itself is written \\\\',
        );
      }
      if (escaped === 'u') i += 4;
    }
    const { line, column } = lineAndColumn(text, start);
    throw failure(
      text.length,
      `found the end of the file, expected the closing quote of the string that starts at ${line}:${column}`,
    );
  }

  function unexpected(expected: string): MlpError {
    return failure(at, `found ${foundAt(text, at)}, expected ${expected}`, syntaxHint(text, at));
  }

  function failure(offset: number, message: string, hint?: string): MlpError {
    const { line, column } = lineAndColumn(text, offset);
    return new MlpError(ExitCode.config, `${printable(file)}:${line}:${column}: ${message}`, hint);
  }
}

/** The end of what a sticky pattern matches at `at`; `at` itself where it doesn't match. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function foundAt(text: string, at: number): string {
  if (at >= text.length) return 'the end of the file';
  if (text[at] === '"') return 'a string';
  const end = skip(word, text, at);
  return quote(end > at ? text.slice(at, end) : String.fromCodePoint(text.codePointAt(at) ?? 0));
}

/** What people write who think of JavaScript, Python or JSON5. */
function syntaxHint(text: string, at: number): string | undefined {
  const character = text[at];
  const before = text.slice(0, at).trimEnd().at(-1);
  if ((character === '}' || character === ']') && before === ',') return 'remove the comma before it';
  if (character === '/' || character === '#') return 'JSON has no comments';
  if (character === "'") return 'JSON takes double quotes only';
  if (before === '0' && /[0-9]/.test(character ?? '')) return 'a number has no leading zeros';
  return undefined;
}

/** Line and column of an offset, both from 1; columns count UTF-16 units, as editors' do. */
function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (const { index, 0: lineBreak } of text.slice(0, offset).matchAll(/\r\n|\r|\n/g)) {
    line++;
    lineStart = index + lineBreak.length;
  }
  return { line, column: offset - lineStart + 1 };
}
