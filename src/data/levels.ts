/** The distinct values of a column of categories or classes, in an order that does not hang on the order of the rows. */
import { parseDecimal } from './cell.js';

/** Where all are numbers they are in numeric order and compared as numbers (1, 1.0 and 01 are one level); text is by code unit. */
export class Levels {
  readonly #numeric: boolean;
  readonly #indexOf: Map<string, number>;

  private constructor(
    readonly names: readonly string[],
    numeric: boolean,
  ) {
    this.#numeric = numeric;
    this.#indexOf = new Map(names.map((name, index) => [name, index]));
  }

  /** The levels among distinct cells, none of them missing. The names of levels give the same levels again. */
  static of(cells: readonly string[]): Levels {
    const numbers = cells.map(parseDecimal);
    if (!numbers.every(Number.isFinite)) return new Levels([...cells].sort(byCodeUnit), false);
    return new Levels(distinct(numbers).map(String), true);
  }

  /** The place of the cell's level among the names, undefined where it is none of them. */
  index(cell: string): number | undefined {
    return this.#indexOf.get(this.#numeric ? String(parseDecimal(cell)) : cell);
  }
}

/** The different numbers, rising; −0 is 0. */
export function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** With fewer levels than this it means nothing that they hardly repeat. */
const LEAST_LEVELS = 20;

/** Whether so many levels in so many cells name rows rather than kinds: each comes up less than twice on average. */
export function hardlyRepeat(levels: number, cells: number): boolean {
  return levels >= LEAST_LEVELS && 2 * levels > cells;
}
