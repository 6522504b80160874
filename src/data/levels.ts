/**
 * The distinct values of a column of categories or classes, in an order that does not depend on the
 * rows.
 */
import { parseDecimal } from './cell.js';

/**
 * If all are numbers, they are in numeric order and compared as numbers (1, 1.0 and 01 are one
 * level). Text is ordered by code units.
 */
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

  /** The levels among distinct cells, none missing. Names of levels give the same levels. */
  static of(cells: readonly string[]): Levels {
    const numbers = cells.map(parseDecimal);
    if (!numbers.every(Number.isFinite)) return new Levels([...cells].sort(byCodeUnit), false);
    return new Levels(distinct(numbers).map(String), true);
  }

  /** The index of the cell's level in `names`; undefined if it is none of them. */
  index(cell: string): number | undefined {
    return this.#indexOf.get(this.#numeric ? String(parseDecimal(cell)) : cell);
  }
}

/** The different numbers in ascending order; −0 is 0. */
export function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** With fewer levels, few repetitions prove nothing. */
const LEAST_LEVELS = 20;

/** Whether levels identify rows, not kinds: each occurs less than twice on average. */
export function hardlyRepeat(levels: number, cells: number): boolean {
  return levels >= LEAST_LEVELS && 2 * levels > cells;
}
