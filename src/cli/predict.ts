/** mlp predict: the predictions of a trained network for every row of a CSV. */
import { writeFileSync } from 'node:fs';
import { isTooSparse, MOST_PER_VALUE } from '../data/table.js';
import type { TableSource } from '../data/tableSource.js';
import { ExitCode, MlpError } from '../errors.js';
import { writeFailure } from '../files/atomic.js';
import { OutputFile, requireOther } from '../files/outputFile.js';
import type { LoadedEnsemble } from '../model/ensembleFile.js';
import type { Predicted, Thresholds } from '../model/inference.js';
import type { Model, ReadingModel } from '../model/load.js';
import type { PredictorPool } from '../model/pool/predictorPool.js';
import { csvLines, jsonLines, type Lines } from '../model/predictionLines.js';
import type { FileModelRows, RowChunk } from '../model/rows.js';
import { suggest } from '../spec/messages.js';
import { counted, listed, printable, printableText, quote } from '../text.js';
import { ignoredColumns, openModel, withModelRows } from './modelReading.js';
import type { CommonOptions, PassOptions, SeparatorOptions, ThresholdOption } from './options.js';
import { isPlainFile, note, print, warn } from './output.js';
import { requireSeparators, STANDARD_STREAM } from './reading.js';
import { exitOnSignals } from './terminal.js';
import { thresholdsOf } from './threshold.js';

export interface PredictOptions extends CommonOptions, SeparatorOptions, PassOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly keep?: readonly string[];
  readonly threshold?: ThresholdOption;
  readonly formulaGuard: boolean;
  readonly badRows?: 'error' | 'blank';
}

const ALL = 'all';
const WRITE_SIZE = 2 ** 16;

export async function run(modelPath: string, path: string, options: PredictOptions): Promise<void> {
  requireSeparators(options);
  const model = openModel(modelPath);
  const thresholds = thresholdsOf(model, options.threshold);
  // Before there is a file that a signal would leave behind.
  const release = exitOnSignals();
  let output: TextOutput | undefined;
  // A bar and rows on the same terminal would overwrite each other.
  const isOnTerminal = fileOf(options) === undefined && process.stdout.isTTY === true;
  try {
    const opened = openOutput(path, options);
    output = opened;
    const outcome = await withModelRows(
      { ...options, json: isOnTerminal, model, path, targets: false },
      (rows, pool) => predict(model, rows, pool, opened, { ...options, thresholds }),
    );
    if (outcome) report(outcome, options);
    if (outcome && outcome.bad > 0) process.exitCode = ExitCode.data;
  } finally {
    output?.discard();
    release();
  }
}

interface Outcome {
  readonly rows: number;
  /** Rows that have no prediction because they are bad. */
  readonly bad: number;
  /** Columns that the model does not use and the output does not keep. */
  readonly ignored: readonly string[];
  readonly warnings: readonly string[];
}

/** Predicts and writes chunk by chunk. Returns undefined if nobody reads the output any more. */
async function predict(
  model: Model | LoadedEnsemble,
  rows: FileModelRows,
  pool: PredictorPool,
  output: TextOutput,
  options: PredictOptions & { readonly thresholds: Thresholds | undefined },
): Promise<Outcome | undefined> {
  const { thresholds, keep = [] } = options;
  const kept = chooseColumns(keep, rows.file);
  const lines = linesOf(model, rows.file, kept, options);
  let text = lines.head;
  let values = 0;
  let copied = 0;
  for await (const chunk of rows.chunks(pool, kept)) {
    for (const { length } of chunk.cells) values += Math.min(length, kept.length);
    copied += chunk.cells.length * kept.length;
    if (isTooSparse(copied, values)) throw tooSparse(rows.file.path, kept.length, copied, values);
    const labels = model.task === 'regression' ? undefined : pool.labels(chunk.rows, thresholds);
    for (const line of linesOfChunk(chunk, labels, lines, pool)) {
      text += line;
      if (text.length < WRITE_SIZE) continue;
      if (!(await output.write(text))) return undefined;
      text = '';
    }
  }
  if (!(await output.write(text))) return undefined;
  await output.finish();
  const keptNames = new Set(kept.map((column) => rows.file.names[column]));
  const ignored = rows.ignored.filter((name) => !keptNames.has(name));
  return { rows: rows.rows, bad: rows.rejected?.rows ?? 0, ignored, warnings: rows.warnings() };
}

/** The error ExitCode.data for rows that are far shorter than the columns to copy, so that a small file would fill the disk. */
function tooSparse(path: string, kept: number, copied: number, values: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${path}: found ${counted(values, 'value')} for ${counted(kept, 'column')} of ${counted(copied / kept, 'row')} to copy, ` +
      `expected one for every ${MOST_PER_VALUE} cells or more`,
    'name fewer columns in --keep',
  );
}

function* linesOfChunk(
  { rows, cells, blank }: RowChunk,
  labels: Int32Array | undefined,
  lines: Lines,
  predicted: Predicted,
): Generator<string, void, undefined> {
  const { width } = predicted;
  const numbers = predicted.predictions(rows);
  // One for each label, or one for all classes.
  const decisions = (labels?.length ?? 0) / rows;
  let row = 0;
  for (const [index, own] of cells.entries()) {
    const reason = blank.get(index);
    if (reason === undefined) {
      const decided = labels?.subarray(row * decisions, (row + 1) * decisions);
      yield lines.row(own, numbers.subarray(row * width, (row + 1) * width), decided);
      row++;
    } else {
      yield lines.blank(own, reason);
    }
  }
}

/** A long text, written in chunks: `OutputFile` or `StandardOutput`. */
interface TextOutput {
  /** Writes and waits for room. Returns false once nobody reads any more. */
  write(text: string): Promise<boolean>;
  finish(): Promise<void>;
  /** Deletes an unfinished file. May be called at any time. */
  discard(): void;
}

/** Standard output in chunks. Only a closed pipe is no error; `guardStreams` sees stream errors. */
class StandardOutput implements TextOutput {
  #open = true;

  async write(text: string): Promise<boolean> {
    // A file or another program gets the cells as they are.
    if (process.stdout.isTTY) return this.#writeStream(printableText(text, { tabs: true }));
    if (!isPlainFile()) return this.#writeStream(text);
    try {
      writeFileSync(process.stdout.fd, text);
      return true;
    } catch (error) {
      throw writeFailure('stdout', error);
    }
  }

  async finish(): Promise<void> {}

  discard(): void {}

  #writeStream(text: string): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    return new Promise((resolve) => {
      process.stdout.write(text, (error) => {
        if (error) this.#open = false;
        resolve(this.#open);
      });
    });
  }
}

function openOutput(path: string, options: PredictOptions): TextOutput {
  const file = fileOf(options);
  if (file === undefined) return new StandardOutput();
  if (/\.(?:parquet|xlsx?|gz|zst|feather|arrow)$/i.test(file)) {
    throw new MlpError(
      ExitCode.usage,
      `--output: found ${printable(file)}, expected a name that ends in .csv or .jsonl`,
      'predictions are written as CSV or JSON Lines',
    );
  }
  if (path !== STANDARD_STREAM) requireOther(path, file);
  return new OutputFile(file, options.force === true);
}

/** The file to write; undefined for standard output. */
function fileOf({ output }: PredictOptions): string | undefined {
  return output === STANDARD_STREAM ? undefined : output;
}

function linesOf(
  model: ReadingModel,
  { names, csv }: TableSource,
  kept: readonly number[],
  { json, output = '', formulaGuard, badRows }: PredictOptions,
): Lines {
  const request = { model, kept, names, reasons: badRows === 'blank' };
  return json || /\.(?:jsonl|ndjson)$/i.test(output)
    ? jsonLines(request)
    : csvLines({ ...request, delimiter: csv?.dialect.delimiter ?? ',', guard: formulaGuard });
}

/** @throws MlpError ExitCode.usage for an unknown column in --keep; one given twice counts once */
function chooseColumns(asked: readonly string[], { names, header, path }: TableSource): number[] {
  const indices = new Map(names.map((name, i) => [name, i]));
  const wanted = asked.flatMap((text) => {
    if (text === ALL) return names;
    // A name may contain commas itself.
    return indices.has(text) ? [text] : text.split(',');
  });
  const columns = wanted.map((name) => {
    const index = indices.get(name);
    if (index !== undefined) return index;
    throw new MlpError(
      ExitCode.usage,
      `--keep: found no column ${quote(name)} in ${path}, expected ` +
        (header
          ? `"${ALL}" or some of ${listed(names.map(quote), 10)}`
          : `"${ALL}" or numbers from 0 to ${names.length - 1}`),
      suggest(name, names),
    );
  });
  return [...new Set(columns)];
}

/** Tells the user what was ignored, what looks wrong and what was written. */
function report({ rows, ignored, warnings }: Outcome, options: PredictOptions): void {
  if (ignored.length > 0 && !options.json) note(ignoredColumns(ignored));
  for (const warning of warnings) warn(warning);
  const file = fileOf(options);
  if (file === undefined || options.json) return;
  print(printable(`wrote ${file}: ${counted(rows, 'row')}`));
}
