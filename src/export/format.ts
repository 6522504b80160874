/** What a format does with a program. */
import { ExitCode, MlpError } from '../errors.js';
import type { ReadingModel } from '../model/load.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { Computation } from './check.js';
import { createPredictor, type PlainProgram, type Tensors } from './js/runtime.js';
import type { Program } from './program.js';

export interface ExportRequest {
  readonly program: Program;
  /** Of each part. */
  readonly networks: readonly NetworkSpec[];
  /** How the files of rows are written that the model was trained on. */
  readonly csv: CsvRules;
  /** The model, as the head of the export names it: one line. */
  readonly title: string;
  /** What another program may want to know, in the order in which it is written. */
  readonly facts: readonly (readonly [key: string, value: string])[];
  /** The base name of the files, and what the first of them ends in. */
  readonly name: string;
  readonly ending: string;
  readonly inputs?: 'columns' | 'matrix';
  readonly raw?: boolean;
}

/** As in the model file. */
export type CsvRules = Pick<ReadingModel, 'header' | 'numbers' | 'reading' | 'comment' | 'encoding'>;

export interface ExportedFile {
  /** What stands behind the base name; the first file has that of the request. */
  readonly ending: string;
  readonly parts: Iterable<Uint8Array | string>;
  readonly isBinary?: true;
  /** Whether the first file is of no use without it. */
  readonly isNeeded?: true;
}

export interface Exported {
  readonly files: readonly ExportedFile[];
  readonly compute: Computation;
  /** What was run to compare it with the model, as the end of "checked by …". */
  readonly checkedBy: string;
  /** Sentences for the user. */
  readonly notes?: readonly string[];
}

export interface Format {
  /** What the name of the first file may end in, the default first. */
  readonly endings: readonly string[];
  /** @throws MlpError ExitCode.usage if the format can't express a part of the model, and which */
  write(request: ExportRequest): Exported;
}

/** The error for a part of a model that a format can't express. */
export function impossible(format: string, problem: string, hint?: string): MlpError {
  return new MlpError(ExitCode.usage, `--to ${format}: ${problem}`, hint);
}

/** Runs the program itself by plain loops, with the tensors of each part. */
export function computeProgram(
  program: Program,
  tensors: readonly Tensors[] = program.parts.map((part) => part.tensors),
): Computation {
  const predictor = createPredictor(plainProgram(program), tensors);
  return ({ rows }) => rows.map((row) => predictor.predictNumbers(row));
}

/** A program without its tensors: plain data. */
export function plainProgram({ parts, ...program }: Program): PlainProgram {
  return { ...program, parts: parts.map(({ tensors: _, shapes: __, ...part }) => part) };
}

/** How many numbers the weights are. */
export function countElements({ parts }: Program): number {
  return parts.reduce(
    (sum, { tensors }) => sum + [...tensors.values()].reduce((count, { length }) => count + length, 0),
    0,
  );
}
