/** Levels of categories that a model has never seen, counted over all chunks of a file. */
import type { UnknownLevel } from '../data/encoding/write.js';
import { quote } from '../text.js';

/** So many are remembered; a column of names could have as many as the file has rows. */
const MOST_REMEMBERED = 1000;
const MOST_NAMED = 5;

export class UnknownLevels {
  readonly #levels = new Map<string, UnknownLevel>();
  /** Rows of levels that are not remembered. */
  #otherRows = 0;

  add(levels: readonly UnknownLevel[]): void {
    for (const { column, level, rows } of levels) {
      const key = JSON.stringify([column, level]);
      const known = this.#levels.get(key);
      if (known || this.#levels.size < MOST_REMEMBERED) {
        this.#levels.set(key, { column, level, rows: rows + (known?.rows ?? 0) });
      } else {
        this.#otherRows += rows;
      }
    }
  }

  /** A sentence for each of the first few levels in the file, and one for the rest. */
  warnings(path: string): string[] {
    const all = [...this.#levels.values()];
    const sentences = all.slice(0, MOST_NAMED).map(({ column, level, rows }) => {
      const held = rows === 1 ? '1 row holds' : `${rows} rows hold`;
      return `${path}: column ${quote(column)}: ${held} ${quote(level)}, which no training row did: it is taken for none of the known levels`;
    });
    if (all.length > MOST_NAMED) {
      const atLeast = this.#otherRows > 0 ? 'more than ' : '';
      sentences.push(`${path}: ${atLeast}${all.length - MOST_NAMED} more levels were in no training row`);
    }
    return sentences;
  }
}
