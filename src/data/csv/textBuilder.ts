/** Grows a column of text, whose distinct cells are kept once. */
import { ExitCode, MlpError } from '../../errors.js';
import { found, isMissing, looksNumeric } from '../cell.js';
import type { TextColumn } from '../table.js';
import { type ColumnBuilder, type ColumnContext, grown } from './columnBuilder.js';

/** More distinct texts are no categories but names of rows; a Map could not hold twice as many. */
const MOST_LEVELS = 10_000_000;
const MISSING = -1;

export class TextBuilder implements ColumnBuilder {
  readonly firstBad = undefined;
  private codes: Int32Array;
  private readonly levels: string[] = [];
  /** Every text met so far, those among them that stand for a missing value. */
  private readonly codeOf = new Map<string, number>();
  private missing = 0;

  constructor(
    private readonly context: ColumnContext,
    capacity: number,
    private readonly mostLevels = MOST_LEVELS,
  ) {
    this.codes = new Int32Array(capacity);
  }

  grow(capacity: number): void {
    this.codes = grown(this.codes, new Int32Array(capacity));
  }

  add(cell: string, row: number): void {
    const code = this.codeOf.get(cell) ?? this.addText(cell, row);
    this.codes[row] = code;
    if (code === MISSING) this.missing++;
  }

  isMisread(rows: number): boolean {
    const { codes } = this;
    const isNumeric = this.levels.map(looksNumeric);
    let numeric = 0;
    for (let row = 0; row < rows; row++) if (codes[row] !== MISSING && isNumeric[codes[row]]) numeric++;
    return numeric * 2 > rows - this.missing;
  }

  finish(rows: number): TextColumn {
    const { levels, codes, missing } = this;
    return { kind: 'text', levels, codes: codes.subarray(0, rows), missing };
  }

  /** The code of a text that is met for the first time. */
  private addText(cell: string, row: number): number {
    const code = isMissing(cell) ? MISSING : this.addLevel(cell, row);
    this.codeOf.set(cell, code);
    return code;
  }

  private addLevel(cell: string, row: number): number {
    if (cell !== cell.trim()) {
      // " yes" beside "yes" would be a class of its own, and nobody would see why.
      throw new MlpError(
        ExitCode.data,
        `${this.context.location(row)}: found ${found(cell)}, expected a value without spaces around it`,
        'remove the spaces',
      );
    }
    if (this.levels.length === this.mostLevels) {
      throw new MlpError(
        ExitCode.data,
        `${this.context.location(row)}: found more than ${this.mostLevels} distinct texts, expected categories`,
        'a column that names its rows is left out by data.exclude',
      );
    }
    return this.levels.push(cell) - 1;
  }
}
