/**
 * Reads a CSV of plain cells a few rows at a time, without a string for each cell: as csv-parse does
 * (csv/readChunks.ts), which reads the rest from the first chunk on that only it can read.
 */
import type { Dialect } from '../csv/dialect.js';
import { readChunks } from '../csv/readChunks.js';
import { areDefault, unmarked } from '../missingValues.js';
import type { Source } from '../source/source.js';
import type { ColumnKind } from '../table.js';
import type { ChunkOptions, ReadRows } from '../tableSource.js';
import { chunkCount } from './chunks.js';
import { joinColumns } from './joinColumns.js';
import { withoutEmptyEnd } from './numericFile.js';
import { ReaderPool } from './readerPool.js';
import type { KeptCells, KeptColumn, ScannedChunk, ScanTask } from './scan.js';
import { TUNING, type Tuning } from './workspace.js';

/** Of a smaller file, csv-parse has read a good part before the modules are compiled. */
const LEAST_BYTES = 2 ** 18;
/** One that reads is enough: whoever takes the rows is slower. */
const MOST_THREADS = 2;
/** Enough that no thread waits, and little memory. */
const CHUNKS_AHEAD = 2;

/**
 * Reads the rows of a CSV, `capacity` at a time, or fewer before the first rows for csv-parse. An error
 * comes after the rows before it.
 * @param kinds of which none is guessed
 * @throws MlpError as `readChunks` does
 */
export async function* readPlainChunks(
  source: Source,
  dialect: Dialect,
  kinds: readonly ColumnKind[],
  capacity: number,
  options: ChunkOptions,
  changes?: Partial<Tuning>,
): AsyncGenerator<ReadRows, void, undefined> {
  const isPlain =
    dialect.comment === undefined && dialect.notations === undefined && areDefault(options.missingValues);
  if (!isPlain || (changes === undefined && source.size - dialect.dataStart < LEAST_BYTES)) {
    yield* readChunks(source, dialect, kinds, capacity, options);
    return;
  }
  const { kept = dialect.names.map((_, column) => column), progress, onEnd } = options;
  const columns = [
    ...kinds.flatMap((kind, column) =>
      kind === 'skipped' ? [] : [{ column, kind: kind as KeptColumn['kind'] }],
    ),
    // Of `kept`, after the kind that the model reads.
    ...kept.map((column) => ({ column, kind: 'text' as const, isCopied: true })),
  ].sort((a, b) => a.column - b.column);
  const tuning = { ...TUNING, ...changes };
  const { delimiter, dataStart, dataLine, names, trailing } = dialect;
  const { size, emptyLines } = withoutEmptyEnd(source, dataStart);
  const file = { name: source.name, fd: source.fd, size };
  const format = { delimiter, dataStart, columns: names.length + trailing, trailing };
  const threads = size < tuning.threadedBytes ? 1 : Math.min(options.threads ?? 1, MOST_THREADS);
  const pool = new ReaderPool({ file, format, threads, tuning });
  const task: ScanTask = { kind: 'scan', kept: columns };
  const waiting = new WaitingRows(columns);
  const tables = function* (least: number): Generator<ReadRows> {
    while (waiting.rows >= least && waiting.rows > 0) {
      yield waiting.take(Math.min(capacity, waiting.rows), { source, dialect, kinds });
    }
  };
  let begin = dataStart;
  let line = dataLine;
  let spaces = false;
  const count = chunkCount({ size }, dataStart, tuning.chunkBytes);
  const ahead = pool.threads > 1 ? pool.stream(task, count, CHUNKS_AHEAD) : undefined;
  try {
    for (let index = 0; index < count; index++) {
      const found = (await ahead?.next())?.value;
      const scanned = found && found.begin === begin ? found : pool.scanFrom(task, index, begin);
      if (scanned.cells === undefined) {
        yield* tables(0);
        const rest = { ...dialect, dataStart: begin, dataLine: line };
        yield* readChunks(source, rest, kinds, capacity, {
          ...options,
          ...(onEnd && { onEnd: (passed) => onEnd({ ...passed, spaces: spaces || passed.spaces }) }),
        });
        return;
      }
      waiting.add(scanned, line);
      begin = scanned.end;
      line += scanned.rows + scanned.breaks.length;
      spaces ||= scanned.spaces;
      progress?.(begin, source.size);
      yield* tables(capacity);
    }
    yield* tables(0);
  } finally {
    await ahead?.return();
    await pool.close();
  }
  source.requireUnchanged();
  onEnd?.({ spaces, emptyLines });
}

/** A column as it is read; those that are copied are not part of the table. */
interface WaitingColumn extends KeptColumn {
  readonly isCopied?: boolean;
}

/** Scanned rows that have not been handed out. */
class WaitingRows {
  readonly #columns: readonly WaitingColumn[];
  readonly #chunks: { readonly cells: readonly KeptCells[]; readonly lines: Uint32Array; taken: number }[] =
    [];
  rows = 0;

  constructor(columns: readonly WaitingColumn[]) {
    this.#columns = columns;
  }

  /** @param line of the first row, from 1 */
  add({ rows, cells, breaks }: ScannedChunk, line: number): void {
    if (rows === 0) return;
    let broken = 0;
    const lines = Uint32Array.from({ length: rows }, (_, row) => {
      while (breaks[broken] < row) broken++;
      return line + row + broken;
    });
    this.#chunks.push({ cells, lines, taken: 0 });
    this.rows += rows;
  }

  /** Takes the next rows, of those that there are. */
  take(
    rows: number,
    {
      source,
      dialect: { header, names },
      kinds,
    }: { source: Source; dialect: Dialect; kinds: readonly ColumnKind[] },
  ): ReadRows {
    const lines = new Uint32Array(rows);
    const parts: KeptCells[][] = [];
    for (let done = 0; done < rows; ) {
      const [chunk] = this.#chunks;
      const from = chunk.taken;
      const to = Math.min(from + rows - done, chunk.lines.length);
      lines.set(chunk.lines.subarray(from, to), done);
      parts.push(chunk.cells.map((cells) => partOf(cells, from, to)));
      done += to - from;
      chunk.taken = to;
      if (to === chunk.lines.length) this.#chunks.shift();
    }
    this.rows -= rows;
    const areRead = this.#columns.map(({ isCopied }) => !isCopied);
    const found = joinColumns(
      this.#columns.filter((_, i) => areRead[i]),
      parts.map((cells) => cells.filter((_, i) => areRead[i])),
      rows,
    );
    const columns = kinds.map((_, column) => found.get(column));
    const table = { path: source.name, header, names, rows, columns, lines, notes: [] };
    return { table, cells: this.#copies(parts, rows, names.length) };
  }

  /** The cells [rows] of the columns that are copied. */
  #copies(parts: readonly (readonly KeptCells[])[], rows: number, width: number): (readonly string[])[] {
    const copied = [...this.#columns.keys()].filter((i) => this.#columns[i].isCopied);
    if (copied.length === 0) return new Array<readonly string[]>(rows).fill(NO_CELLS);
    const cells = Array.from({ length: rows }, () => new Array<string>(width).fill(''));
    for (const i of copied) {
      const { column } = this.#columns[i];
      let row = 0;
      for (const part of parts) {
        const own = part[i];
        if (own.kind !== 'text') continue;
        const texts = own.texts.map(unmarked);
        for (const code of own.codes) cells[row++][column] = texts[code];
      }
    }
    return cells;
  }
}

const NO_CELLS: readonly string[] = [];

/** The cells of some rows of a chunk. Texts are those of these rows, in the order of their first row. */
function partOf(cells: KeptCells, from: number, to: number): KeptCells {
  if (cells.kind === 'numeric') {
    const values = cells.values.subarray(from, to);
    let missing = 0;
    if (cells.missing > 0) for (const value of values) if (Number.isNaN(value)) missing++;
    return { kind: 'numeric', spaces: cells.spaces, values, missing };
  }
  const places = new Int32Array(cells.texts.length).fill(-1);
  const texts: string[] = [];
  const codes = cells.codes.slice(from, to);
  for (const [row, code] of codes.entries()) {
    if (places[code] < 0) places[code] = texts.push(cells.texts[code]) - 1;
    codes[row] = places[code];
  }
  return { kind: 'text', spaces: cells.spaces, codes, texts };
}
