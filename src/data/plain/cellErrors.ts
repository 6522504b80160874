/**
 * Errors about single cells, in the very words of the table that csv-parse's cells make: it is asked about a table of one
 * row.
 */
import { MlpError } from '../../errors.js';
import { badNumber as badCell } from '../csv/badNumber.js';
import type { Beginning } from '../dialect/dialect.js';
import { requireComplete } from '../encode/missing.js';
import { writeFeatures } from '../encode/write.js';
import type { Affine } from '../scaling.js';
import type { Source } from '../source/source.js';
import { columnLabel, type Table } from '../table.js';
import type { FittedPiece, OddCell, OddCells } from './fitPiece.js';
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
export function badNumber({ source, beginning }: Place, { row, column, text }: OddCell): MlpError {
  const { header, names } = beginning;
  const label = columnLabel(header, names[column]);
  const place = () => `${source.name}:${lineOf(beginning, row)}: ${label}`;
  return badCell({ header, place }, text, row);
}

/** The error for a missing cell where none may be. */
export function missingCell(place: Place, { row, column }: OddCell): MlpError {
  const table = oneRow(place, row, column, Number.NaN);
  return thrownBy(() => requireComplete(table, [column], Int32Array.of(0)));
}

/** The error for a number that a matrix can't hold once it is scaled. */
export function tooLarge(
  place: Place,
  { row, column, value }: { readonly row: number; readonly column: number; readonly value: number },
  transform: Affine,
  dtype: Matrix['dtype'],
): MlpError {
  const table = oneRow(place, row, column, value);
  const encoding = { kind: 'numeric', column: place.beginning.names[column], ...transform } as const;
  const matrix = { buffer: new SharedArrayBuffer(8), byteOffset: 0, dtype, columns: 1 };
  return thrownBy(() => writeFeatures(table, [column], [encoding], Int32Array.of(0), matrix));
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

function oneRow({ source, beginning }: Place, row: number, column: number, value: number): Table {
  const { header, names } = beginning;
  const columns = new Array<Table['columns'][number]>(names.length).fill(undefined);
  columns[column] = { kind: 'numeric', values: Float64Array.of(value), missing: Number.isNaN(value) ? 1 : 0 };
  return {
    path: source.name,
    header,
    names,
    rows: 1,
    columns,
    lines: Uint32Array.of(lineOf(beginning, row)),
  };
}

function thrownBy(act: () => void): MlpError {
  try {
    act();
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
  throw new TypeError('the cell is in order');
}
