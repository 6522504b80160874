/** The captured columns of a file, out of what its pieces have of them. */
import type { NumericColumn, TextColumn } from '../table.js';
import { LevelMerger, MISSING } from './byteLevels.js';
import type { Captured, CapturedCells } from './scanPiece.js';

/**
 * [pieces][captured], the pieces in the order of the file. Undefined where a column of numbers has none: csv-parse's table
 * takes it for text.
 */
export function joinColumns(
  captured: readonly Captured[],
  pieces: readonly (readonly CapturedCells[])[],
  rows: number,
): Map<number, NumericColumn | TextColumn> | undefined {
  const columns = new Map<number, NumericColumn | TextColumn>();
  for (const [i, { column, kind }] of captured.entries()) {
    const cells = pieces.map((piece) => piece[i]);
    const joined = kind === 'numeric' ? joinNumbers(cells, rows) : joinTexts(cells, rows);
    if (joined.kind === 'numeric' && joined.missing === rows) return undefined;
    columns.set(column, joined);
  }
  return columns;
}

function joinNumbers(pieces: readonly CapturedCells[], rows: number): NumericColumn {
  const values = new Float64Array(rows);
  let row = 0;
  let missing = 0;
  for (const piece of pieces) {
    if (piece.kind !== 'numeric') continue;
    values.set(piece.values, row);
    row += piece.values.length;
    missing += piece.missing;
  }
  return { kind: 'numeric', values, missing };
}

function joinTexts(pieces: readonly CapturedCells[], rows: number): TextColumn {
  const merger = new LevelMerger();
  const codes = new Int32Array(rows);
  let row = 0;
  let missing = 0;
  for (const piece of pieces) {
    if (piece.kind !== 'text') continue;
    const codeOf = merger.codes(piece.texts);
    for (let i = 0; i < piece.codes.length; i++, row++) {
      codes[row] = codeOf[piece.codes[i]];
      if (codes[row] === MISSING) missing++;
    }
  }
  return { kind: 'text', levels: merger.levels, codes, missing };
}
