/** Levels and classes that a model does not know, in the rows that it reads. */
import type { UnknownLevel } from '../data/encoding/categoryEncoding.js';
import { counted, listed, quote } from '../text.js';

/** How many unknown levels are remembered: a column of names could have one in each row. */
const MOST_REMEMBERED = 1000;

const MOST_SHOWN = 5;

/** Levels of categories that no training row had, counted over all chunks. */
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

  /** A sentence for each of the first few levels, and one for the rest. */
  warnings(path: string): string[] {
    const all = [...this.#levels.values()];
    const sentences = all.slice(0, MOST_SHOWN).map(({ column, level, rows }) => {
      const found = rows === 1 ? '1 row holds' : `${rows} rows hold`;
      return `${path}: column ${quote(column)}: ${found} ${quote(level)}, which no training row had: it counts as none of the known levels`;
    });
    if (all.length > MOST_SHOWN) {
      const atLeast = this.#otherRows > 0 ? 'more than ' : '';
      sentences.push(`${path}: ${atLeast}${all.length - MOST_SHOWN} more levels were in no training row`);
    }
    return sentences;
  }
}

/** The sentence about rows whose class the model does not know, if there are any. */
export function unknownClassWarning(path: string, rowsOf: ReadonlyMap<string, number>): string[] {
  if (rowsOf.size === 0) return [];
  const rows = [...rowsOf.values()].reduce((a, b) => a + b);
  const names = listed([...rowsOf.keys()].map(quote), MOST_SHOWN);
  return [
    `${path}: ${counted(rows, 'row')} ${rows === 1 ? 'has' : 'have'} a class that the model does not know (${names}): ` +
      'counted as wrong, and left out of the loss',
  ];
}
