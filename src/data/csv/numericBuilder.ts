/** Grows a column of numbers. */
import { isMissing, looksNumeric, parseDecimal } from '../cell.js';
import type { Column } from '../table.js';
import { badNumber } from './badNumber.js';
import { type BadCell, type ColumnBuilder, type ColumnContext, grown } from './columnBuilder.js';

export class NumericBuilder implements ColumnBuilder {
  firstBad: BadCell | undefined;
  private values: Float64Array;
  private missing = 0;
  /** Cells that nobody meant as numbers. */
  private words = 0;

  /** A column that is a guess keeps count of the cells that are no numbers; any other refuses the first of them. */
  constructor(
    private readonly context: ColumnContext,
    private readonly guess: boolean,
    capacity: number,
  ) {
    this.values = new Float64Array(capacity);
  }

  grow(capacity: number): void {
    this.values = grown(this.values, new Float64Array(capacity));
  }

  add(cell: string, row: number): void {
    const value = parseDecimal(cell);
    if (Number.isFinite(value)) this.values[row] = value;
    else this.addOther(cell, row);
  }

  isMisread(rows: number): boolean {
    const present = rows - this.missing;
    return present > 0 && this.words * 2 >= present;
  }

  finish(rows: number): Column {
    const { values, missing } = this;
    if (this.guess && missing === rows) {
      return { kind: 'text', levels: [], codes: new Int32Array(rows).fill(-1), missing };
    }
    return { kind: 'numeric', values: values.subarray(0, rows), missing };
  }

  private addOther(cell: string, row: number): void {
    this.values[row] = Number.NaN;
    if (isMissing(cell)) {
      this.missing++;
      return;
    }
    if (!this.guess) throw badNumber(this.context, cell, row);
    this.firstBad ??= { row, error: () => badNumber(this.context, cell, row) };
    if (!looksNumeric(cell)) this.words++;
  }
}
