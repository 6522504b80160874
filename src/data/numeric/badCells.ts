/** Errors about single cells, in the very words of the table that csv-parse's cells make. */
import type { MlpError } from '../../errors.js';
import { badNumber as badCell } from '../csv/columnBuilders.js';
import type { Beginning } from '../csv/dialect.js';
import { missingError } from '../encoding/missing.js';
import { tooLargeError } from '../encoding/write.js';
import type { Affine } from '../scaling.js';
import type { Source } from '../source/source.js';
import { columnLabel } from '../table.js';
import type { FittedPiece, OddCell, OddCells } from './fit.js';
import type { Matrix } from './matrix.js';

/** The file as messages see it. */
export interface Place {
  readonly source: Source;
  readonly beginning: Beginning;
}

/** A plain file has no line that is no row. */
export function lineOf({ dataLine }: Beginning, row: number): number {
  return dataLine + row;
}

/** The error for a cell that is neither a number nor missing, in a column of numbers. */
function badNumber(place: Place, { row, column, text }: OddCell): MlpError {
  const { header } = place.beginning;
  return badCell({ header, location: () => cellPlace(place, row, column) }, text, row);
}

/** The error for a missing cell where none may be. */
function missingCell(place: Place, { row, column }: OddCell): MlpError {
  return missingError(cellPlace(place, row, column), 'numeric');
}

/** The error for a number that a matrix can't hold once it is scaled. */
export function tooLarge(
  place: Place,
  { row, column, value }: { readonly row: number; readonly column: number; readonly value: number },
  { shift, scale }: Affine,
  dtype: Matrix['dtype'],
): MlpError {
  const scaled = (value - shift) / scale;
  const found = scaled === value ? `${value}` : `${value}, scaled ${scaled}`;
  return tooLargeError(cellPlace(place, row, column), found, dtype);
}

/** The odd cells of all pieces so far. */
export class OddCellSummary {
  private found: OddCells = { counts: new Map() };

  /** Pieces come in the order of the file. */
  add({ odd }: FittedPiece): void {
    if (odd === undefined) return;
    const counts = new Map(this.found.counts);
    for (const [column, { words, missing }] of odd.counts) {
      const before = counts.get(column) ?? { words: 0, missing: 0 };
      counts.set(column, { words: before.words + words, missing: before.missing + missing });
    }
    this.found = { ...odd, ...this.found, counts };
  }

  /** Whether a column is no column of numbers after all, with so many rows: csv-parse's table then takes it for text. */
  isMisread(rows: number): boolean {
    return [...this.found.counts.values()].some(({ words, missing }) => words * 2 >= rows - missing);
  }

  /** The error that csv-parse's table would give, if any. */
  error(place: Place): MlpError | undefined {
    const { bad, missingInTraining, missingElsewhere } = this.found;
    if (bad) return badNumber(place, bad);
    const missing = missingInTraining ?? missingElsewhere;
    return missing && missingCell(place, missing);
  }
}

function cellPlace({ source, beginning }: Place, row: number, column: number): string {
  const { header, names } = beginning;
  return `${source.name}:${lineOf(beginning, row)}: ${columnLabel(header, names[column])}`;
}
