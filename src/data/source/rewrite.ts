/**
 * Rewrites a table in another notation as RFC 4180, line by line, so that readers know one notation:
 * columns separated by runs of blanks, other quotes, and backslashes.
 */

/** The notation to read. */
export interface Notation {
  /** Runs of blanks separate cells if undefined; a tab is written for each. */
  readonly delimiter?: string;
  /** One ASCII character, or '' if quotes mean nothing. */
  readonly quote: string;
  /** Takes the meaning from the next character; `\N` alone is a missing cell. */
  readonly escape?: string;
  readonly comment?: string;
  /** Lines at the start that stay as they are. */
  readonly skipLines: number;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const LETTER_N = 0x4e;
const NONE = -1;
/** More than readers take. */
const LONGEST_CELL = 2 ** 21;

/** Where in a cell the next character is. */
type State = 'start' | 'bare' | 'quoted' | 'after' | 'raw';

export class Rewriter {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #escape: number;
  readonly #comment: number;
  #rawLines: number;
  #state: State = 'start';
  #isLineStart = true;
  /** Whether a separator of blanks is due if another cell follows. */
  #isSeparated = false;
  #isEscaped = false;
  #hadEscape = false;
  /** Whether the last character was a quote that closes, unless another one follows. */
  #isDoubled = false;
  #cell: number[] = [];
  #out: number[] = [];

  constructor(notation: Notation) {
    const { delimiter, quote, comment, skipLines } = notation;
    const code = (character: string | undefined) => (character ? character.charCodeAt(0) : NONE);
    this.#delimiter = code(delimiter);
    this.#quote = code(quote);
    this.#escape = code(notation.escape);
    this.#comment = code(comment);
    this.#rawLines = skipLines;
    if (skipLines > 0) this.#state = 'raw';
  }

  /** Rewrites the next bytes of the text; what belongs to an open cell comes later. */
  write(text: Uint8Array): Buffer {
    for (const byte of text) this.#add(byte);
    return this.#take();
  }

  /** The rest. A quote that was never closed stays open. */
  end(): Buffer {
    if (this.#state === 'quoted') this.#putQuoted(false);
    else if (this.#state !== 'raw') this.#endCell();
    return this.#take();
  }

  #take(): Buffer {
    const text = Buffer.from(this.#out);
    this.#out = [];
    return text;
  }

  #add(byte: number): void {
    if (this.#state === 'raw') {
      this.#out.push(byte);
      if (byte === LINE_FEED) this.#endRawLine();
    } else if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#cell.push(byte);
    } else if (byte === this.#escape && this.#escape !== this.#quote && this.#state !== 'after') {
      this.#isEscaped = true;
      this.#hadEscape = true;
      if (this.#state === 'start') this.#state = 'bare';
    } else if (this.#state === 'quoted') {
      if (byte === this.#quote) this.#state = 'after';
      else this.#cell.push(byte);
      if (this.#cell.length > LONGEST_CELL) this.#giveUp();
    } else if (this.#state === 'after' && byte === this.#quote && this.#isDoubled) {
      this.#cell.push(byte);
      this.#state = 'quoted';
      return;
    } else {
      this.#addOutside(byte);
    }
    this.#isDoubled = this.#state === 'after' && byte === this.#quote;
    this.#isLineStart = byte === LINE_FEED;
  }

  #addOutside(byte: number): void {
    const isBlank = byte === SPACE || byte === TAB;
    if (this.#isLineStart && byte === this.#comment) {
      this.#out.push(byte);
      this.#rawLines = 1;
      this.#state = 'raw';
    } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      this.#endCell();
      this.#isSeparated = false;
      this.#out.push(byte);
    } else if (this.#delimiter === NONE ? isBlank : byte === this.#delimiter) {
      this.#endDelimited(byte);
    } else if (this.#state === 'start' && isBlank) {
      // Readers drop it.
    } else if (this.#state === 'start' && byte === this.#quote) {
      this.#state = 'quoted';
    } else if (this.#state === 'after' && isBlank) {
      // Readers drop it.
    } else if (this.#state === 'after') {
      // Text after a quote that closes is an error of the reader's.
      this.#putQuoted(true);
      this.#out.push(byte);
      this.#state = 'bare';
    } else {
      this.#state = 'bare';
      this.#cell.push(byte);
    }
  }

  #endDelimited(byte: number): void {
    if (this.#delimiter !== NONE) {
      this.#endCell();
      this.#out.push(byte);
    } else if (this.#state !== 'start') {
      this.#endCell();
      this.#isSeparated = true;
    }
  }

  /** A quote that is never closed: the reader finds it in the rest, which stays as it is. */
  #giveUp(): void {
    this.#putQuoted(false);
    this.#rawLines = Number.POSITIVE_INFINITY;
    this.#state = 'raw';
  }

  #endRawLine(): void {
    this.#rawLines--;
    this.#isLineStart = true;
    if (this.#rawLines === 0) this.#state = 'start';
  }

  /** The tab before a cell that follows another one after blanks. */
  #putSeparator(): void {
    if (this.#isSeparated) this.#out.push(TAB);
    this.#isSeparated = false;
  }

  #putQuoted(isClosed: boolean): void {
    this.#putSeparator();
    this.#out.push(QUOTE);
    for (const byte of this.#cell) {
      this.#out.push(byte);
      if (byte === QUOTE) this.#out.push(QUOTE);
    }
    if (isClosed) this.#out.push(QUOTE);
    this.#cell = [];
  }

  #endCell(): void {
    const cell = this.#cell;
    const isQuoted = this.#state === 'after';
    if (this.#state !== 'start') {
      const isNull = !isQuoted && this.#hadEscape && cell.length === 1 && cell[0] === LETTER_N;
      const isSpecial = (byte: number) =>
        byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === this.#delimiter || byte === TAB;
      const needsQuotes =
        isQuoted || cell[0] === QUOTE || (this.#hadEscape && (cell.some(isSpecial) || cell[0] === SPACE));
      if (needsQuotes) {
        this.#putQuoted(true);
      } else {
        this.#putSeparator();
        if (!isNull) for (const byte of cell) this.#out.push(byte);
      }
    }
    this.#cell = [];
    this.#hadEscape = false;
    this.#state = 'start';
  }
}
