/** Strict JSON (RFC 8259): read from a text or a file, and written the way people write it. */
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import { ExitCode, MlpError, readError } from '../errors.js';
import { openPlainFile, readUpTo } from '../files/plainFile.js';
import { printable, quote, shorten } from '../text.js';

/** A spec is a few kilobytes; a larger file is not one, and not worth the memory. */
const maxBytes = 4 * 2 ** 20;

/**
 * A byte order mark is skipped; `__proto__` becomes an own property. `file` is its name in errors.
 * @throws MlpError ExitCode.config, with line and column, for malformed JSON, a key given twice,
 * nesting deeper than 64, a number beyond double precision, or more than `mostValues` values
 */
export function parseJson(text: string, file: string, mostValues = 100_000): unknown {
  const body = withoutMark(text);
  if (/^[ \t\n\r]*$/.test(body)) {
    throw new MlpError(ExitCode.config, `${printable(file)}:1:1: found an empty file, expected JSON`);
  }
  checkSyntax(body, file, mostValues);
  return JSON.parse(body);
}

/** A file as it was read. */
export interface JsonFile {
  readonly value: unknown;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * @throws MlpError as `readError` and `parseJson`; ExitCode.config above 4 MiB or if not UTF-8; io
 * if the file is written to meanwhile
 */
export function readJson(path: string): JsonFile {
  const bytes = readBytes(path);
  if (!isUtf8(bytes)) throw notUtf8(bytes, path);
  const text = new TextDecoder().decode(bytes);
  return { value: parseJson(text, path), text, bytes };
}

/**
 * Where a value starts in a text that `parseJson` took, or the innermost object or array that lacks
 * it. With `ofKey` it is where the key of the value starts.
 */
export function positionOf(text: string, path: readonly (string | number)[], ofKey = false): Position {
  const body = withoutMark(text);
  let offset = 0;
  checkSyntax(body, '', Number.POSITIVE_INFINITY, (open, at) => {
    if (open.length > path.length || open.some(({ key }, level) => key !== path[level])) return;
    const { key, keys } = open.at(-1) ?? {};
    offset = (ofKey && open.length === path.length && keys?.get(key as string)) || at;
  });
  return lineAndColumn(body, offset);
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The error for the first byte that is not UTF-8, which the decoder turned into U+FFFD. */
function notUtf8(bytes: Uint8Array, path: string): MlpError {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  let offset = 0;
  let last = 0;
  for (const { index } of text.matchAll(/\ufffd/g)) {
    offset += Buffer.byteLength(text.slice(last, index));
    last = index;
    // The file itself may hold this character.
    if (!REPLACEMENT.every((byte, i) => bytes[offset + i] === byte)) break;
  }
  const { line, column } = lineAndColumn(withoutMark(text), last - Number(text.startsWith('\ufeff')));
  return new MlpError(
    ExitCode.config,
    `${printable(path)}:${line}:${column}: found the byte 0x${bytes[offset].toString(16)}, which is not UTF-8, expected JSON in UTF-8`,
    'save the file as UTF-8',
  );
}

/** U+FFFD in UTF-8. */
const REPLACEMENT = [0xef, 0xbf, 0xbd];

/** What a shell passes as `<(…)` or `<`: a pipe whose writer is already there. */
const FROM_SHELL = /^\/dev\/(?:stdin|fd\/\d+)$/;

function readBytes(path: string): Uint8Array {
  let bytes: Buffer | undefined;
  try {
    const fd = FROM_SHELL.test(path) ? openSync(path, 'r') : openPlainFile(path).fd;
    try {
      const before = fstatSync(fd);
      bytes = readUpTo(fd, maxBytes);
      if (bytes && before.isFile()) requireUnchanged(path, before, fstatSync(fd), bytes.length);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw error instanceof MlpError ? error : readError(printable(path), error);
  }
  if (bytes !== undefined) return bytes;
  throw new MlpError(
    ExitCode.config,
    `${printable(path)}: found more than ${maxBytes / 2 ** 20} MiB, expected a JSON spec or config`,
  );
}

/** A part of the old text with a part of the new one may be a config that nobody wrote. */
function requireUnchanged(path: string, before: Stats, after: Stats, read: number): void {
  // Some files, such as those of /proc, state no size.
  const isWhole = before.size === 0 || read === after.size;
  if (isWhole && before.size === after.size && before.mtimeMs === after.mtimeMs) return;
  throw new MlpError(
    ExitCode.io,
    `${printable(path)}: changed while it was read`,
    'run again when nothing writes to the file',
  );
}

/** The deepest nesting of objects and arrays that is accepted. */
export const maxDepth = 64;

interface Container {
  readonly close: '}' | ']';
  /** For an object, where each key first appears. */
  readonly keys: Map<string, number> | undefined;
  /** The key or index of the value that is read. */
  key: string | number;
}

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literal = /(?:true|false|null)(?![\w$])/y;
const word = /[\w$.+-]+/y;
const hex = /[0-9a-fA-F]{4}/y;

/**
 * The grammar of JSON as a check, with the location of a mistake. It also refuses what `JSON.parse`
 * accepts in silence (a key given twice, an overflowing number, deep nesting), and has a stack of
 * its own, so no input can overflow the call stack.
 * @param found is called with the start of each value, and with the containers around it
 * @throws MlpError ExitCode.config `file:line:column: found …, expected …` at the first mistake
 */
function checkSyntax(
  text: string,
  file: string,
  most: number,
  found?: (open: readonly Container[], at: number) => void,
): void {
  const open: Container[] = [];
  let at = skip(space, text, 0);
  let values = 0;
  // What is expected at `at`. The first value or key of a container may be missing.
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
        if (typeof container.key === 'number') container.key++;
        at++;
      } else {
        throw unexpected(`"," or "${container.close}"`);
      }
    } else if (state.startsWith('first') && character === container?.close) {
      open.pop();
      at++;
      state = 'after value';
    } else if (state.endsWith('key')) {
      readKey(container as Container);
      state = 'value';
    } else if (values++ === most) {
      throw failure(at, `found more than ${most} values`);
    } else if (character === '{' || character === '[') {
      found?.(open, at);
      if (open.length === maxDepth) {
        throw failure(at, `found more than ${maxDepth} levels of nesting, expected at most ${maxDepth}`);
      }
      const isObject = character === '{';
      open.push({
        close: isObject ? '}' : ']',
        keys: isObject ? new Map() : undefined,
        key: isObject ? '' : 0,
      });
      at++;
      state = isObject ? 'first key' : 'first value';
    } else {
      found?.(open, at);
      at = scalarEnd();
      state = 'after value';
    }
    at = skip(space, text, at);
  }

  function readKey(container: Container): void {
    const start = at;
    if (text[at] !== '"') {
      throw unexpected(state === 'first key' ? 'a key in double quotes or "}"' : 'a key in double quotes');
    }
    at = stringEnd(at);
    const key: string = JSON.parse(text.slice(start, at));
    const first = container.keys?.get(key);
    if (first !== undefined) {
      throw failure(
        start,
        `found the key ${quote(key)} a second time, expected it once`,
        `it is already on line ${lineAndColumn(text, first).line}; remove one of the two`,
      );
    }
    container.keys?.set(key, start);
    container.key = key;
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

/** The end of the match of a sticky pattern at `at`; `at` itself if there is none. */
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

/** Hints for habits from JavaScript, Python and JSON5. */
function syntaxHint(text: string, at: number): string | undefined {
  const character = text[at];
  const before = text.slice(0, at).trimEnd().at(-1);
  if ((character === '}' || character === ']') && before === ',') return 'remove the comma before it';
  if (character === '/' || character === '#') return 'JSON has no comments';
  if (character === "'") return 'JSON takes double quotes only';
  if (before === '0' && /[0-9]/.test(character ?? '')) return 'a number has no leading zeros';
  return undefined;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset, both from 1; columns count UTF-16 units, as editors do. */
function lineAndColumn(text: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (const { index, 0: lineBreak } of text.slice(0, offset).matchAll(/\r\n|\r|\n/g)) {
    line++;
    lineStart = index + lineBreak.length;
  }
  return { line, column: offset - lineStart + 1 };
}

const WIDTH = 80;
const INDENT = '  ';

/** JSON as people write it: a line for each entry; nested values on one line of 80 columns. */
export function formatJson(value: unknown): string {
  return broken(value, '');
}

function format(value: unknown, indent: string, before: number): string {
  return onOneLine(value, WIDTH - before) ?? broken(value, indent);
}

function broken(value: unknown, indent: string): string {
  if (!isContainer(value)) return JSON.stringify(value);
  const inner = indent + INDENT;
  const line = (label: string, item: unknown) =>
    inner + label + format(item, inner, inner.length + label.length + 1);
  const lines = Array.isArray(value)
    ? value.map((item) => line('', item))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => line(`${JSON.stringify(key)}: `, item));
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return lines.length === 0 ? open + close : `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

/** Undefined for an array or an object of more than `most` characters: that may have 100,000 values. */
function onOneLine(value: unknown, most: number): string | undefined {
  if (!isContainer(value)) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  const [open, close] = isArray ? '[]' : ['{ ', ' }'];
  let text = '';
  for (const [key, item] of isArray ? value.entries() : Object.entries(value)) {
    if (item === undefined) continue;
    const shown = onOneLine(item, most);
    if (shown === undefined) return undefined;
    const label = isArray ? '' : `${JSON.stringify(key)}: `;
    text += (text === '' ? open : ', ') + label + shown;
    if (text.length + close.length > most) return undefined;
  }
  if (text !== '') return text + close;
  return isArray ? '[]' : '{}';
}

/** JSON without spaces whose keys are sorted: equal values have equal texts. */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

export function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
