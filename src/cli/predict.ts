/** mlp predict: what a trained network makes of each row of a CSV. */
import { Command } from 'commander';
import type { Beginning } from '../data/dialect/dialect.js';
import { ExitCode, MlpError } from '../errors.js';
import type { Inference } from '../model/inference.js';
import type { Model } from '../model/load.js';
import type { ModelRows, RowChunk } from '../model/rows.js';
import { probability } from './options.js';
import type { Lines } from './predictText.js';
import { addSeparatorOptions, requireSeparators, type SeparatorOptions } from './tableOptions.js';
import type { TextOutput } from './textOutput.js';

interface PredictOptions extends SeparatorOptions {
  output?: string;
  force?: boolean;
  keep?: readonly string[];
  threshold?: number;
  formulaGuard: boolean;
  json?: boolean;
  color: boolean;
}

/** Standard input as the data, standard output for the predictions. */
const STANDARD_STREAM = '-';
/** All columns, for --keep. */
const ALL = 'all';
/** Characters that are written at once. */
const PIECE = 2 ** 16;
/** Names in a note. */
const SHOWN_NAMES = 10;

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('predict the rows of a CSV file by a trained network')
    .argument('<run>', 'the directory of a run, or a model file')
    .argument('<data.csv>', 'a CSV file, plain or gzipped, or - for standard input')
    .option('-o, --output <file>', 'the file to write (default: standard output)')
    .option('--force', 'overwrite a file that is there')
    .option(
      '--keep <columns>',
      'columns of the data to put before the predictions: all, or names between commas; may be repeated',
      (value: string, values: readonly string[] = []) => [...values, value],
    )
    .option(
      '--threshold <p>',
      'of two classes, predict the second where its probability is at least p (default: the likelier)',
      probability,
    )
    .option('--no-formula-guard', "put no ' before text that a spreadsheet would run (= + - @)");
  return addSeparatorOptions(command).action(run);
}

async function run(modelPath: string, path: string, options: PredictOptions): Promise<void> {
  const { loadModel } = await import('../model/load.js');
  const { withModelRows } = await import('./modelRows.js');
  const { withReadingProgress } = await import('./reading.js');
  requireSeparators(options);
  const model = loadModel(modelPath);
  if (options.threshold !== undefined) requireTwoClasses(model);
  // A bar and rows on one terminal would be drawn over each other.
  const bar = { color: options.color, json: fileOf(options) === undefined && process.stdout.isTTY === true };
  exitOnSignals();
  const output = await openOutput(path, options);
  try {
    const outcome = await withReadingProgress(bar, (report) =>
      withModelRows({ ...options, model, path, targets: false, report }, (rows, file) =>
        predict(model, rows, file, output, options),
      ),
    );
    if (outcome) await tell(outcome, options);
  } finally {
    output.discard();
  }
}

interface Outcome {
  readonly rows: number;
  /** Names of columns that neither the model looked at nor the output holds. */
  readonly ignored: readonly string[];
  readonly warnings: readonly string[];
}

/** Predicts and writes, a chunk of rows at a time. There is no outcome where somebody stopped taking lines. */
async function predict(
  model: Model,
  rows: ModelRows,
  file: string,
  output: TextOutput,
  options: PredictOptions,
): Promise<Outcome | undefined> {
  const { Inference } = await import('../model/inference.js');
  const { threshold, keep = [] } = options;
  const kept = await chooseColumns(keep, rows.beginning, file);
  const lines = await linesOf(model, rows.beginning, kept, options);
  const inference = Inference.create(model);
  let text = lines.head;
  for await (const chunk of rows.chunks(inference)) {
    const labels = labelsOf(chunk.rows, threshold, model, inference);
    text += linesOfChunk(chunk, labels, lines, inference);
    if (text.length < PIECE) continue;
    if (!(await output.write(text))) return undefined;
    text = '';
  }
  if (!(await output.write(text))) return undefined;
  await output.finish();
  const keptNames = kept.map((column) => rows.beginning.names[column]);
  const ignored = rows.ignored.filter((name) => !keptNames.includes(name));
  return { rows: rows.rows, ignored, warnings: rows.warnings() };
}

/** The lines of a chunk's rows, with what the inference says of them. */
function linesOfChunk(
  { rows, cells }: RowChunk,
  labels: Int32Array | undefined,
  lines: Lines,
  inference: Inference,
): string {
  const { width } = inference;
  const numbers = inference.predictions(rows);
  let text = '';
  for (let row = 0; row < rows; row++) {
    text += lines.row(cells[row], numbers.subarray(row * width, (row + 1) * width), labels?.[row]);
  }
  return text;
}

/** The number of each row's class; undefined for a regression. */
function labelsOf(
  rows: number,
  threshold: number | undefined,
  model: Model,
  inference: Inference,
): Int32Array | undefined {
  if (!model.classes) return undefined;
  if (threshold === undefined) return inference.labels(rows);
  const probabilities = inference.predictions(rows);
  return Int32Array.from({ length: rows }, (_, row) => Number(probabilities[2 * row + 1] >= threshold));
}

async function openOutput(path: string, options: PredictOptions): Promise<TextOutput> {
  const { OutputFile, StandardOutput } = await import('./textOutput.js');
  const file = fileOf(options);
  if (file === undefined) return new StandardOutput();
  const { requireOther } = await import('./newFile.js');
  if (path !== STANDARD_STREAM) requireOther(path, file);
  return new OutputFile(file, options.force === true);
}

/** The file to write; undefined for standard output. */
function fileOf({ output }: PredictOptions): string | undefined {
  return output === STANDARD_STREAM ? undefined : output;
}

/** Makes Ctrl-C or a request to terminate an exit like others, before which files that are not finished are taken away. */
function exitOnSignals(): void {
  process.once('SIGINT', () => process.exit(ExitCode.interrupted));
  process.once('SIGTERM', () => process.exit(ExitCode.terminated));
}

async function linesOf(
  model: Model,
  { names, delimiter }: Beginning,
  kept: readonly number[],
  { json, formulaGuard }: PredictOptions,
): Promise<Lines> {
  const { csvLines, jsonLines } = await import('./predictText.js');
  const request = { model, kept, names };
  return json ? jsonLines(request) : csvLines({ ...request, delimiter, guard: formulaGuard });
}

/** Numbers of the columns that --keep asks for, in its order, each once. An MlpError (64) where one is not there. */
async function chooseColumns(
  asked: readonly string[],
  { names, header }: Beginning,
  file: string,
): Promise<number[]> {
  const { quote } = await import('../text.js');
  const { suggest } = await import('../spec/suggest.js');
  const wanted = asked.flatMap((text) => {
    if (text === ALL) return names;
    // A name may hold commas itself.
    return names.includes(text) ? [text] : text.split(',');
  });
  const columns = wanted.map((name) => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    throw new MlpError(
      ExitCode.usage,
      `--keep: found no column ${quote(name)} in ${file}, expected ` +
        (header ? `"${ALL}" or names of its columns` : `"${ALL}" or numbers from 0 to ${names.length - 1}`),
      suggest(name, names),
    );
  });
  return [...new Set(columns)];
}

function requireTwoClasses({ classes, path }: Model): void {
  if (classes?.length === 2) return;
  throw new MlpError(
    ExitCode.usage,
    `--threshold: found ${classes ? `${classes.length} classes` : 'a regression'} in ${path}, expected 2 classes`,
    'leave it out',
  );
}

/** Says what was ignored or odd, and what was written. */
async function tell({ rows, ignored, warnings }: Outcome, options: PredictOptions): Promise<void> {
  const { note, print, warn } = await import('./output.js');
  const { formatCount } = await import('../text.js');
  const { quote } = await import('../text.js');
  const { printable } = await import('../text.js');
  if (ignored.length > 0 && !options.json) {
    const shown = ignored.slice(0, SHOWN_NAMES).map(quote).join(', ');
    const more = ignored.length > SHOWN_NAMES ? `, … (${ignored.length} in all)` : '';
    note(
      `ignored, for the model has no such ${ignored.length === 1 ? 'column' : 'columns'}: ${shown}${more}`,
    );
  }
  for (const warning of warnings) warn(warning);
  const file = fileOf(options);
  if (file === undefined || options.json) return;
  print(printable(`wrote ${file}: ${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'}`));
}
