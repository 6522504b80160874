/** Rows of a file that can't be read and are left out: counted by reason, and kept for the user. */
import type { MlpError } from '../errors.js';
import { counted, formatCount, listed } from '../text.js';
import { cellFormatter, guardFormula, joinCells } from './csv/writeCsv.js';
import { readAt } from './source/fileBytes.js';
import { TemporaryFile } from './source/unpack.js';

/** In hints; commands that read no config name their own option instead. */
export const SKIPS_BAD_ROWS = 'data.badRows "skip" leaves such rows out';

/** Why a row can't be read. */
export interface BadRow {
  /** What such rows are counted as: `with no number in column "age"`. */
  readonly kind: string;
  /** The error without `data.badRows`. */
  readonly error: MlpError;
}

/** A row whose cells can't be told apart. */
export interface UnreadRow extends BadRow {
  /** As in the file. */
  readonly text: string;
}

/** How a reader takes what can't be read; without both, the first is an error. */
export interface BadRowRules {
  /** Takes rows that can't be read. */
  readonly rejected?: RejectedRows;
  /** Whether a guessed column of numbers may hold other cells. */
  readonly keepsOddCells?: boolean;
  /** Whether a guessed column of numbers is text if the other cells are too many to be errors. */
  readonly findsMixtures?: boolean;
}

/** More text is kept in a temporary file. */
const MOST_IN_MEMORY = 2 ** 20;
/** Bytes of each read from that. */
const READ_SIZE = 2 ** 18;
/** A warning names this many reasons. */
const MOST_NAMED = 5;

const formatCell = cellFormatter(',');

/** Says what is wrong, without the file, the line and the place in it. */
export function reasonOf({ error: { message } }: BadRow, path: string, line: number): string {
  const place = `${path}:${line}:`;
  return message.startsWith(place) ? message.slice(place.length).replace(/^(?:\d+:)? /, '') : message;
}

export class RejectedRows {
  /** By reason, with the line of the first row. */
  readonly #counts = new Map<string, { rows: number; line: number }>();
  #text = '';
  #file: TemporaryFile | undefined;
  #firstLine = 0;
  #first: MlpError | undefined;
  rows = 0;

  /**
   * @param path the file, as messages name it
   * @param keepsText whether `lines` will be asked for
   */
  constructor(
    readonly path: string,
    readonly keepsText = true,
  ) {}

  /** By reason, in the order of the first row of each. */
  get reasons(): ReadonlyMap<string, number> {
    const inOrder = [...this.#counts].sort(([, a], [, b]) => a.line - b.line);
    return new Map(inOrder.map(([kind, { rows }]) => [kind, rows]));
  }

  /** The error about the first of the rows. */
  get first(): MlpError | undefined {
    return this.#first;
  }

  /**
   * `text` is the row as in the file. Rows may be added in another order than that of the file, unless
   * their text is kept.
   */
  add(bad: BadRow, line: number, text: string): void {
    if (this.rows++ === 0 || line < this.#firstLine) {
      this.#firstLine = line;
      this.#first = bad.error;
    }
    const count = this.#counts.get(bad.kind);
    this.#counts.set(bad.kind, {
      rows: 1 + (count?.rows ?? 0),
      line: Math.min(line, count?.line ?? line),
    });
    if (!this.keepsText) return;
    const cells = [this.path, String(line), reasonOf(bad, this.path, line), text];
    this.#text += joinCells(
      cells.map((cell) => formatCell(guardFormula(cell))),
      ',',
    );
    if (this.#text.length < MOST_IN_MEMORY) return;
    this.#file ??= TemporaryFile.create(this.path);
    this.#file.write(Buffer.from(this.#text));
    this.#text = '';
  }

  /** Forgets all rows, because the file is read again. */
  clear(): void {
    this.close();
    this.#counts.clear();
    this.#text = '';
    this.#first = undefined;
    this.rows = 0;
  }

  /** The sentence for the user, if there are such rows; `what` became of one of them, and of several. */
  warnings([one, several] = ["that can't be read is skipped", "that can't be read are skipped"]): string[] {
    if (this.rows === 0) return [];
    const reasons = [...this.reasons].map(([kind, rows]) => `${formatCount(rows)} ${kind}`);
    const rows = `${counted(this.rows, 'row')} ${this.rows === 1 ? one : several}`;
    return [`${this.path}: ${rows}: ${listed(reasons, MOST_NAMED)}; first on line ${this.#firstLine}`];
  }

  /** The lines of rejected.csv about these rows, in the order of the file. */
  *lines(): Generator<Uint8Array | string, void, undefined> {
    const file = this.#file;
    for (let at = 0; file && at < file.size; at += READ_SIZE) {
      const part = Buffer.alloc(Math.min(READ_SIZE, file.size - at));
      readAt(file, part, 0, part.length, at);
      yield part;
    }
    yield this.#text;
  }

  /** Deletes what is kept on the disk. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** The first line of rejected.csv. */
export const REJECTED_HEADER = 'file,line,reason,row\n';

/** What JSON documents say of such rows: how many, and how many for each reason. */
export function rejectedCounts(rejected: readonly RejectedRows[]): {
  readonly rows: number;
  readonly reasons: Readonly<Record<string, number>>;
} {
  const reasons = new Map<string, number>();
  for (const { reasons: own } of rejected) {
    for (const [kind, rows] of own) reasons.set(kind, rows + (reasons.get(kind) ?? 0));
  }
  return { rows: rejected.reduce((sum, { rows }) => sum + rows, 0), reasons: Object.fromEntries(reasons) };
}
