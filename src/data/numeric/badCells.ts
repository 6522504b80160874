/** Errors about single cells, in the same words as when csv-parse reads the file. */
import type { MlpError } from '../../errors.js';
import type { DType } from '../../kernels/kernels.js';
import { badNumber as numberError } from '../csv/columnBuilders.js';
import type { Dialect } from '../csv/dialect.js';
import { missingError } from '../encoding/missing.js';
import { tooLargeError } from '../encoding/numberEncoding.js';
import { type Transform, transformed } from '../scaling.js';
import type { Source } from '../source/source.js';
import { columnLabel } from '../table.js';
import type { BadCell, BadCells, FittedChunk } from './fit.js';

/** The file, for messages. */
export interface FileContext {
  readonly source: Source;
  readonly dialect: Dialect;
  /** The line of a row, from 1. */
  line(row: number): number;
}

/** The error for a cell that is neither a number nor missing. */
function badNumber(context: FileContext, { row, column, text }: BadCell): MlpError {
  const { header, names } = context.dialect;
  return numberError(
    { header, name: names[column], location: () => cellPlace(context, row, column) },
    text,
    row,
  );
}

/** The error for a missing cell that is not filled. */
function missingCell(context: FileContext, { row, column }: BadCell): MlpError {
  return missingError(cellPlace(context, row, column), 'numeric');
}

/** The error for a scaled number that the matrix can't hold. */
export function tooLarge(
  context: FileContext,
  { row, column, value }: { readonly row: number; readonly column: number; readonly value: number },
  transform: Transform,
  dtype: DType,
): MlpError {
  const scaled = transformed(value, transform);
  const found = scaled === value ? `${value}` : `${value}, scaled ${scaled}`;
  return tooLargeError(cellPlace(context, row, column), found, dtype);
}

/** The bad cells of all chunks so far. */
export class BadCellSummary {
  #found: BadCells = { counts: new Map() };

  /** Chunks come in the order of the file. */
  add({ badCells }: FittedChunk): void {
    if (badCells === undefined) return;
    const counts = new Map(this.#found.counts);
    for (const [column, { words, missing }] of badCells.counts) {
      const before = counts.get(column) ?? { words: 0, missing: 0 };
      counts.set(column, { words: before.words + words, missing: before.missing + missing });
    }
    this.#found = { ...badCells, ...this.#found, counts };
  }

  /** Whether a column is not numeric after all: csv-parse then reads it as text. */
  isMisread(rows: number): boolean {
    return [...this.#found.counts.values()].some(({ words, missing }) => words * 2 >= rows - missing);
  }

  /** Whether a cell is neither a number nor missing. */
  get hasWords(): boolean {
    return this.#found.notNumber !== undefined;
  }

  /** The error that reading with csv-parse would give, if any. */
  error(context: FileContext): MlpError | undefined {
    const { notNumber, missingInTraining, missingElsewhere } = this.#found;
    if (notNumber) return badNumber(context, notNumber);
    const missing = missingInTraining ?? missingElsewhere;
    return missing && missingCell(context, missing);
  }
}

function cellPlace(context: FileContext, row: number, column: number): string {
  const { header, names } = context.dialect;
  return `${context.source.name}:${context.line(row)}: ${columnLabel(header, names[column])}`;
}
