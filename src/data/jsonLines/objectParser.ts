/** Parses a line of JSON Lines: an object whose values are cells. Numbers keep their spelling. */
import { ExitCode, MlpError } from '../../errors.js';
import { printable, quote, shorten } from '../../text.js';

export type ValueKind = 'number' | 'text' | 'boolean' | 'missing';

export interface CellSink {
  /** The number of the column of that name. */
  column(name: string): number;
  /** Takes a cell: its text, without quotes. */
  cell(column: number, kind: ValueKind, text: string): void;
  /** Whether the column is not read: its values may be of any kind. */
  isSkipped(column: number): boolean;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const TRUE = 0x74;
const FALSE = 0x66;
const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;

/** What Python writes for numbers that JSON does not have is read, too: NaN is missing. */
const BARE = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity/y;
const WORD = /[^\s,:{}[\]"]+/y;
/** Not allowed in a JSON string as they are. */
const UNUSUAL = /[\\\u0000-\u001f]/;
const VALUES = 'a number, text, true, false or null';

/** The end of what a sticky pattern matches at a place, or the place itself. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  // `exec` would make an array for each cell.
  return pattern.test(text) ? pattern.lastIndex : at;
}

export class ObjectParser {
  readonly #path: string;
  readonly #sink: CellSink;
  /** The names of the last lines as written, in order, and their columns: most lines have the same. */
  readonly #keys: string[];
  readonly #columns: number[];
  /** By column, the last line that had it. */
  readonly #seen: number[] = [];
  #text = '';
  #line = 0;
  #at = 0;

  /** @param known another parser of the same columns, whose names it shares: there may be 100,000 */
  constructor(path: string, sink: CellSink, known?: ObjectParser) {
    this.#path = path;
    this.#sink = sink;
    this.#keys = known ? known.#keys : [];
    this.#columns = known ? known.#columns : [];
  }

  /** Forgets the numbers of all columns: some may be taken back. */
  forget(): void {
    this.#keys.length = 0;
    this.#columns.length = 0;
    this.#seen.length = 0;
  }

  /**
   * Parses a line without its end; `line` counts from 1.
   * @throws MlpError ExitCode.data for anything but an object of numbers, texts, booleans and nulls
   */
  parse(text: string, line: number): void {
    this.#text = text;
    this.#line = line;
    this.#at = 0;
    if (this.#next() !== OPEN) throw this.#unexpected('an object, as in {"age": 31, "city": "Bern"}');
    this.#at++;
    if (this.#next() === CLOSE) this.#at++;
    else for (let key = 0; this.#member(key); key++);
    this.#next();
    if (this.#at < text.length)
      throw this.#unexpected('the end of the line', 'each object has a line of its own');
  }

  /** Parses a name and its value. Returns whether another follows. */
  #member(index: number): boolean {
    const text = this.#text;
    const start = this.#at;
    const known = this.#keys[index];
    let column: number;
    if (known !== undefined && this.#isQuoted(known)) {
      column = this.#columns[index];
      this.#at = start + known.length + 2;
    } else {
      if (this.#next() !== QUOTE) throw this.#unexpected('a name in double quotes');
      const name = this.#string();
      if (name.trim() === '') {
        this.#at = start;
        throw this.#error('found an empty name, expected a name for each column');
      }
      column = this.#sink.column(name);
      const isPlain = name.length === this.#at - start - 2;
      this.#keys[index] = isPlain ? name : text.slice(start + 1, this.#at - 1);
      this.#columns[index] = column;
    }
    if (this.#seen[column] === this.#line) {
      this.#at = start;
      throw this.#error(
        `found the name ${text.slice(start, this.#end(start))} twice, expected different names`,
      );
    }
    this.#seen[column] = this.#line;
    if (this.#next() !== COLON) throw this.#unexpected('a colon after the name');
    this.#at++;
    this.#value(column, index);
    const next = this.#next();
    if (next !== COMMA && next !== CLOSE) throw this.#unexpected('a comma or }');
    this.#at++;
    this.#next();
    return next === COMMA;
  }

  /** Whether the text between the quotes at the current place is this. */
  #isQuoted(written: string): boolean {
    const text = this.#text;
    const start = this.#at + 1;
    return (
      text.charCodeAt(this.#at) === QUOTE &&
      text.startsWith(written, start) &&
      text.charCodeAt(start + written.length) === QUOTE
    );
  }

  /** Parses the value of the name `index` of the line. */
  #value(column: number, index: number): void {
    const first = this.#next();
    if (first === QUOTE) {
      this.#sink.cell(column, 'text', this.#string());
      return;
    }
    if (first === OPEN || first === OPEN_LIST) {
      this.#nested(column, index, first);
      return;
    }
    const end = this.#end(this.#at);
    const bare = this.#text.slice(this.#at, endOf(BARE, this.#text, this.#at));
    if (bare === '' || this.#at + bare.length !== end)
      throw this.#unexpected(VALUES, undefined, this.#labelOf(index));
    this.#at = end;
    const word = bare.charCodeAt(0);
    if (bare === 'null' || bare === 'NaN') this.#sink.cell(column, 'missing', '');
    else this.#sink.cell(column, word === TRUE || word === FALSE ? 'boolean' : 'number', bare);
  }

  /** Passes over an object or an array of a column that is not read. */
  #nested(column: number, index: number, first: number): void {
    const found = first === OPEN ? 'an object' : 'an array';
    if (!this.#sink.isSkipped(column)) {
      throw this.#error(
        `${this.#labelOf(index)}found ${found}, expected ${VALUES}`,
        'give each of its values a column of its own, or name the column in data.exclude',
      );
    }
    const start = this.#at;
    let depth = 0;
    do {
      const character = this.#next();
      if (character === QUOTE) {
        this.#string();
        continue;
      }
      if (this.#at >= this.#text.length) throw this.#unexpected(`the end of ${found}`);
      if (character === OPEN || character === OPEN_LIST) depth++;
      else if (character === CLOSE || character === CLOSE_LIST) depth--;
      this.#at++;
    } while (depth > 0);
    const text = this.#text.slice(start, this.#at).replaceAll(/\b(?:NaN|-?Infinity)\b/g, '0');
    try {
      JSON.parse(text);
    } catch (error) {
      this.#at = start;
      throw this.#error(
        `${this.#labelOf(index)}found ${found} that is no JSON: ${printable((error as Error).message)}`,
      );
    }
  }

  #labelOf(index: number): string {
    return `column ${printable(shorten(`"${this.#keys[index]}"`))}: `;
  }

  /** The text between the quotes at the current place, which it moves behind them. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let end = text.indexOf('"', start + 1);
    const plain = text.slice(start + 1, Math.max(end, start + 1));
    if (end > 0 && !UNUSUAL.test(plain)) {
      this.#at = end + 1;
      return plain;
    }
    for (; end > 0; end = text.indexOf('"', end + 1)) {
      let backslashes = 0;
      while (text[end - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) break;
    }
    if (end < 0)
      throw this.#error('found a text without its closing quote, expected one before the end of the line');
    const quoted = text.slice(start, end + 1);
    try {
      const value: string = JSON.parse(quoted);
      if (value.includes('\0')) throw new SyntaxError();
      this.#at = end + 1;
      return value;
    } catch {
      throw this.#error(
        `found the text ${printable(shorten(quoted))}, expected one with valid escapes`,
        'a backslash, a quote and a control character are written as \\\\, \\" and \\u001f',
      );
    }
  }

  /** Moves to the next character that is no blank, and returns its code; NaN at the end. */
  #next(): number {
    const text = this.#text;
    for (; ; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code !== SPACE && code !== TAB && code !== CARRIAGE_RETURN) return code;
    }
  }

  /** The end of the word, or of the quoted text, at a place. */
  #end(at: number): number {
    const { length } = this.#text;
    if (this.#text.charCodeAt(at) === QUOTE) return Math.min(this.#text.indexOf('"', at + 1) + 1, length);
    return Math.max(endOf(WORD, this.#text, at), Math.min(at + 1, length));
  }

  #unexpected(expected: string, hint?: string, before = ''): MlpError {
    const at = this.#at;
    const found =
      at >= this.#text.length ? 'the end of the line' : quote(shorten(this.#text.slice(at, this.#end(at))));
    return this.#error(`${before}found ${found}, expected ${expected}`, hint);
  }

  /** The error at the current place; line and column count from 1. */
  #error(message: string, hint?: string): MlpError {
    return new MlpError(ExitCode.data, `${this.#path}:${this.#line}:${this.#at + 1}: ${message}`, hint);
  }
}
