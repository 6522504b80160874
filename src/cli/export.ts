/** mlp export: writes a model for another program, once it has been compared with the model itself. */
import { writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Table } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import { CHECK_HINT, type Differences, differences } from '../export/check.js';
import { denseForm } from '../export/dense.js';
import { describeModel } from '../export/describe.js';
import { countElements, type Exported, type ExportedFile, type ExportRequest } from '../export/format.js';
import { FORMATS } from '../export/formats.js';
import type { Program } from '../export/program.js';
import { madeUpRows, rowsOf } from '../export/rows.js';
import { openTrainingFile } from '../export/trainingRows.js';
import { writeFailure } from '../files/atomic.js';
import { OutputFile, requireFree } from '../files/outputFile.js';
import type { LoadedEnsemble } from '../model/ensembleFile.js';
import type { Model } from '../model/load.js';
import type { ExportFormat } from '../spec/words.js';
import { counted, formatBytes, printable } from '../text.js';
import { version } from '../version.js';
import { openModel } from './modelReading.js';
import type { CommonOptions } from './options.js';
import { isPlainFile, note, print, toJson, warn } from './output.js';
import { STANDARD_STREAM, withReadingProgress } from './reading.js';
import { exitOnSignals } from './terminal.js';

export interface ExportOptions extends CommonOptions {
  readonly to: ExportFormat;
  readonly output?: string;
  readonly force?: boolean;
  readonly inputs?: 'columns' | 'matrix';
  readonly raw?: boolean;
}

export async function run(path: string, options: ExportOptions): Promise<void> {
  const { to, force = false } = options;
  requireOptions(options);
  const model = openModel(path);
  const target = targetOf(path, options);
  // The formats know one-hot columns, and the check compares them with the model as it is.
  const dense = denseForm(model);
  const program = describeModel(dense);
  const exported = FORMATS[to].write(requestOf(dense, program, target, options));
  const files = filesOf(exported, target, options);
  for (const { path } of files) if (path !== STANDARD_STREAM) requireFree(path, force);
  const checked = await check(path, model, program, exported, options);
  requireAlike(to, checked, program);
  const release = exitOnSignals();
  const bytes = await writeFiles(files, force).finally(release);
  if (target.isPrinted) return;
  report(files, bytes, program, exported, checked, options);
}

/** @throws MlpError ExitCode.usage for options of onnx with another format, or that exclude each other */
function requireOptions({ to, inputs, raw }: ExportOptions): void {
  const given = raw ? '--raw' : inputs ? '--inputs' : undefined;
  if (given === undefined) return;
  const problem =
    to !== 'onnx' ? `found --to ${to}, expected --to onnx` : raw && inputs ? 'found --inputs besides it' : '';
  if (problem === '') return;
  throw new MlpError(ExitCode.usage, `${given}: ${problem}`, `leave ${given} out`);
}

interface Target {
  /** Without its ending. */
  readonly base: string;
  readonly ending: string;
  readonly isPrinted: boolean;
}

/** @throws MlpError ExitCode.usage for a name with an ending that the format does not have */
function targetOf(path: string, { to, output }: ExportOptions): Target {
  const { endings } = FORMATS[to];
  const isPrinted = output === STANDARD_STREAM;
  if (output === undefined || isPrinted) {
    return { base: basename(path).replace(/\.safetensors$/, ''), ending: endings[0], isPrinted };
  }
  const ending = endings.find((ending) => output.endsWith(ending) && output.length > ending.length);
  if (ending !== undefined) return { base: output.slice(0, -ending.length), ending, isPrinted };
  throw new MlpError(
    ExitCode.usage,
    `--output: found ${printable(output)}, expected a name that ends in ${endings.join(' or ')}`,
    `for example ${printable(output.slice(0, output.length - extname(output).length))}${endings[0]}`,
  );
}

function requestOf(
  model: Model | LoadedEnsemble,
  program: Program,
  { base, ending }: Target,
  { inputs, raw }: ExportOptions,
): ExportRequest {
  const { task, targets, classes } = model;
  const checksum = 'members' in model ? model.content.checksum : model.checksum;
  return {
    program,
    networks: 'members' in model ? model.members.map(({ model }) => model.network) : [model.network],
    csv: model,
    name: basename(base),
    ending,
    ...(inputs && { inputs }),
    ...(raw && { raw }),
    title: `A ${task} model of mlp, by mlp export`,
    facts: [
      ['mlp_version', version()],
      ['task', task],
      ['targets', JSON.stringify(targets)],
      ...(classes ? ([['classes', JSON.stringify(classes)]] as const) : []),
      ...(checksum === undefined ? [] : ([['model_checksum', checksum]] as const)),
    ],
  };
}

interface OutputOf {
  readonly path: string;
  readonly file: ExportedFile;
}

/** @throws MlpError ExitCode.usage for files that can't be printed */
function filesOf({ files }: Exported, { base, isPrinted }: Target, { to }: ExportOptions): OutputOf[] {
  if (!isPrinted) return files.map((file) => ({ path: `${base}${file.ending}`, file }));
  const [file] = files;
  const isComplete = files.slice(1).every(({ isNeeded }) => !isNeeded);
  const isForTerminal = !file.isBinary || process.stdout.isTTY !== true;
  if (isComplete && isForTerminal) return [{ path: STANDARD_STREAM, file }];
  throw new MlpError(
    ExitCode.usage,
    `--output: found -, expected a file: ${to} is ${isComplete ? 'no text that a terminal shows' : 'more than one file'}`,
    'name a file with -o',
  );
}

interface Checked extends Differences {
  /** Of how many rows of the training file; undefined if it can't be read. */
  readonly fromData: { readonly path: string; readonly rows: number } | undefined;
  readonly madeUp: number;
}

const MADE_UP_ROWS = 200;
/** Multiplications that a check may take. */
const CHECK_WORK = 5e8;
/** Cells of the rows of a check: each takes some 100 bytes in an object, and a number in each step of a graph. */
const CHECK_CELLS = 2 ** 17;

/** Compares the export with the model, on rows of the training file if it can be read. */
async function check(
  path: string,
  model: Model | LoadedEnsemble,
  program: Program,
  { compute }: Exported,
  options: ExportOptions,
): Promise<Checked> {
  const affordable = Math.max(
    16,
    Math.floor(Math.min(CHECK_WORK / countElements(program), CHECK_CELLS / program.columns.length)),
  );
  const own = await withReadingProgress(options, (progress) =>
    trainingRows(path, model, Math.min(1000, affordable), (done, total) => progress(path, done, total)),
  );
  const madeUp = madeUpRows(model, Math.min(MADE_UP_ROWS, affordable));
  const found = await differences(model, program, [...own.tables, madeUp], compute);
  const rows = own.tables.reduce((sum, { rows }) => sum + rows, 0);
  return {
    ...found,
    fromData: rows > 0 ? { path: own.path, rows } : undefined,
    madeUp: found.rows - rows,
  };
}

async function trainingRows(
  path: string,
  model: Model | LoadedEnsemble,
  most: number,
  progress: (done: number, total?: number) => void,
): Promise<{ path: string; tables: Table[] }> {
  const file = await openTrainingFile(path, model, progress);
  if (typeof file === 'string') {
    note(`checking the export on made-up rows alone: ${printable(file)}`);
    return { path, tables: [] };
  }
  try {
    return { path: file.path, tables: await rowsOf(file, model, most) };
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    note(`checking the export on made-up rows alone: ${printable(error.message)}`);
    return { path, tables: [] };
  } finally {
    file.close();
  }
}

/** What rounding may amount to. A larger difference is a mistake of the export. */
const MOST_DIFFERENCE = { float32: 1e-3, float64: 1e-5 };

/** @throws MlpError ExitCode.checkFailed */
function requireAlike(to: ExportFormat, { relative, rows }: Checked, { dtype }: Program): void {
  if (rows === 0) warn('no row could be checked: the model predicts nothing finite for any of them');
  if (relative <= MOST_DIFFERENCE[dtype]) return;
  throw new MlpError(
    ExitCode.checkFailed,
    `--to ${to}: found predictions that differ by up to ${relative.toPrecision(2)} from the model's on ${counted(rows, 'row')}, expected at most ${MOST_DIFFERENCE[dtype]}`,
    CHECK_HINT,
  );
}

/** Returns how many bytes each file has. */
async function writeFiles(files: readonly OutputOf[], force: boolean): Promise<number[]> {
  const sizes: number[] = [];
  const outputs: OutputFile[] = [];
  try {
    for (const { path, file } of files) {
      let size = 0;
      const output = path === STANDARD_STREAM ? undefined : new OutputFile(path, force);
      if (output) outputs.push(output);
      for (const part of file.parts) {
        size += Buffer.byteLength(part);
        if (output) await output.write(part);
        else await writeToStandardOutput(part);
      }
      sizes.push(size);
    }
    for (const output of outputs) await output.finish();
  } finally {
    for (const output of outputs) output.discard();
  }
  return sizes;
}

async function writeToStandardOutput(part: string | Uint8Array): Promise<void> {
  if (isPlainFile()) {
    try {
      writeFileSync(process.stdout.fd, part);
    } catch (error) {
      throw writeFailure('stdout', error);
    }
    return;
  }
  await new Promise<void>((resolve) => {
    process.stdout.write(part, () => resolve());
  });
}

function report(
  files: readonly OutputOf[],
  bytes: readonly number[],
  { columns, output }: Program,
  { checkedBy, notes = [] }: Exported,
  { fromData, madeUp, largest, relative, decidedOtherwise }: Checked,
  { json, to }: ExportOptions,
): void {
  if (json) {
    const document = {
      format: to,
      files: files.map(({ path }, i) => ({ path, bytes: bytes[i] })),
      columns: columns.map(({ name, kind }) => ({ name, kind })),
      check: {
        by: checkedBy,
        rows: { data: fromData?.rows ?? 0, madeUp },
        largestDifference: largest,
        relativeDifference: relative,
        decidedOtherwise,
      },
      notes,
    };
    print(toJson(document, 2));
    return;
  }
  for (const sentence of notes) note(sentence);
  const sizes = files.map(({ path }, i) => `${printable(path)} (${formatBytes(bytes[i])})`);
  print(`wrote ${sizes.join(' and ')}`);
  const rows = [
    ...(fromData ? [`${counted(fromData.rows, 'row')} of ${printable(basename(fromData.path))}`] : []),
    counted(madeUp, 'made-up row'),
  ].join(' and ');
  const isNumber = output.kind === 'numbers' || output.kind === 'quantiles';
  const share = isNumber ? ` (${relative.toPrecision(2)} of the largest)` : '';
  print(
    `checked by ${checkedBy}: on ${rows} the largest difference from mlp predict is ${largest.toPrecision(2)}${share}`,
  );
  if (decidedOtherwise > 0)
    warn(
      `${counted(decidedOtherwise, 'row')} on a tie ${decidedOtherwise === 1 ? 'has' : 'have'} another label, by rounding`,
    );
}
