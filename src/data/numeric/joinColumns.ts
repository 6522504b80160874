/** The kept cells of all chunks, joined into columns. */
import { CellMemory } from '../cellMemory.js';
import { isMissing, unmarked } from '../missingValues.js';
import { MOST_SPELLINGS, type NumericColumn, type TextColumn, type WrittenNumbers } from '../table.js';
import { type KeptCells, type KeptColumn, MISSING } from './scan.js';

/** Joins the cells [chunks][kept] into columns. */
export function joinColumns(
  kept: readonly KeptColumn[],
  chunks: readonly (readonly KeptCells[])[],
  rows: number,
): Map<number, NumericColumn | TextColumn> {
  const columns = new Map<number, NumericColumn | TextColumn>();
  const memory = new CellMemory();
  for (const [i, { column, kind }] of kept.entries()) {
    const cells = chunks.map((chunk) => chunk[i]);
    const joined =
      kind === 'text' ? joinTexts(cells, memory.integers(rows)) : joinNumbers(cells, rows, memory);
    columns.set(column, joined);
  }
  return columns;
}

function joinNumbers(chunks: readonly KeptCells[], rows: number, memory: CellMemory): NumericColumn {
  const [first, ...others] = chunks;
  if (others.length === 0 && first.kind === 'numeric' && first.written === undefined) {
    return { kind: 'numeric', values: first.values, missing: first.missing };
  }
  const values = memory.floats(rows);
  let row = 0;
  let missing = 0;
  for (const chunk of chunks) {
    if (chunk.kind !== 'numeric') continue;
    values.set(chunk.values, row);
    row += chunk.values.length;
    missing += chunk.missing;
  }
  const written = joinWritten(chunks, values.length, missing);
  return { kind: 'numeric', values, missing, ...(written && { written }) };
}

/** Undefined if all numbers are plain integers. */
function joinWritten(
  chunks: readonly KeptCells[],
  rows: number,
  missing: number,
): WrittenNumbers | undefined {
  const numeric = chunks.filter((chunk) => chunk.kind === 'numeric');
  if (numeric.every(({ written }) => written === undefined)) return undefined;
  const levels = new Map<string, number>();
  const codeOf = (text: string) => levels.get(text) ?? levels.set(text, levels.size).size - 1;
  const codes = new Int32Array(rows);
  let row = 0;
  for (const { values, written } of numeric) {
    if (written === 'many') return written;
    const chunkCodes = written?.texts.map(codeOf);
    for (let i = 0; i < values.length; i++, row++) {
      if (Number.isNaN(values[i])) codes[row] = MISSING;
      else codes[row] = written && chunkCodes ? chunkCodes[written.codes[i]] : codeOf(String(values[i]));
      if (levels.size > MOST_SPELLINGS) return 'many';
    }
  }
  return { kind: 'text', levels: [...levels.keys()], codes, missing };
}

/** @param codes [rows] filled */
function joinTexts(chunks: readonly KeptCells[], codes: Int32Array): TextColumn {
  const merger = new LevelMerger();
  let row = 0;
  let missing = 0;
  for (const chunk of chunks) {
    if (chunk.kind !== 'text') continue;
    const codeOf = merger.codes(chunk.texts);
    for (let i = 0; i < chunk.codes.length; i++, row++) {
      codes[row] = codeOf[chunk.codes[i]];
      if (codes[row] === MISSING) missing++;
    }
  }
  return { kind: 'text', levels: merger.levels, codes, missing };
}

/** Joins the texts of chunks into the levels of a column. */
class LevelMerger {
  readonly levels: string[] = [];
  readonly #codeOf = new Map<string, number>();

  /**
   * The column's code for each text of a chunk, MISSING for missing values. Chunks come in the
   * order of the file.
   */
  codes(texts: readonly string[]): Int32Array {
    return Int32Array.from(texts, (text) => this.#codeOf.get(text) ?? this.#add(text));
  }

  #add(text: string): number {
    const code = isMissing(text) ? MISSING : this.levels.push(unmarked(text)) - 1;
    this.#codeOf.set(text, code);
    return code;
  }
}
