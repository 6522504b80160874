/** run.json, and the comparison of a finished run with the same run trained again. */
import { join } from 'node:path';
import { asDataError, ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { readPlainFile } from '../../files/plainFile.js';
import { RUN_FILES } from '../../files/runFiles.js';
import { isObject, parseJson } from '../../spec/json.js';
import { formatLocation, type Path } from '../../spec/messages.js';
import { printable } from '../../text.js';
import type { StepRecord, TrainResult } from '../loop.js';
import { type Difference, firstWrong as firstWrongOrigin, type Provenance } from './provenance.js';

/** Of run.json and config.json, in bytes. */
export const LONGEST_JSON = 4 * 2 ** 20;
/** Of steps.csv, in bytes: a text of JavaScript is not longer. */
const LONGEST_STEPS = 511 * 2 ** 20;

/** The content of run.json. */
export interface RunSummary extends Provenance {
  readonly configSha256: string;
  readonly status: TrainResult['status'];
  readonly steps: number;
  /** Of a run whose model is that of its refit. */
  readonly refit?: unknown;
  readonly weightsSha256: string;
}

/** @throws MlpError ExitCode.noInput if run.json is missing, data if a run can't have written it */
export function readSummary(run: string): RunSummary {
  const path = join(run, RUN_FILES.summary);
  const name = printable(path);
  let text: string;
  try {
    text = readPlainFile(path, LONGEST_JSON, 'the summary of a run').toString('utf8');
  } catch (error) {
    if (systemErrorCode((error as Error).cause) !== 'ENOENT') throw error;
    throw new MlpError(
      ExitCode.noInput,
      `${name}: no such file`,
      'name the directory of a finished run; mlp train --resume finishes one that was interrupted',
      { cause: error },
    );
  }
  const summary = asDataError(() => parseJson(text, path, Number.POSITIVE_INFINITY));
  if (isSummary(summary)) return summary;
  const wrong = firstWrong(summary) ?? [];
  const place = formatLocation({ file: path, path: wrong, text });
  throw new MlpError(ExitCode.data, `${place}: found content that mlp train does not write`, 'train anew');
}

/** @throws MlpError ExitCode.data if the run was interrupted */
export function requireEnded({ status }: RunSummary, run: string): void {
  if (status !== 'interrupted') return;
  throw new MlpError(
    ExitCode.data,
    `${printable(run)}: found an interrupted run, expected a finished one`,
    'finish it first with mlp train --resume',
  );
}

const STRINGS = ['configSha256', 'status', 'weightsSha256'];

/** Whether `mlp train` may have written it. */
export function isSummary(value: unknown): value is RunSummary {
  return firstWrong(value) === undefined;
}

/** The path of the first value that a run can't have written. */
function firstWrong(value: unknown): Path | undefined {
  const wrong = firstWrongOrigin(value);
  if (wrong || !isObject(value)) return wrong;
  const text = STRINGS.find((key) => typeof value[key] !== 'string');
  return text === undefined ? undefined : [text];
}

/** Compares the losses of steps with a run's steps.csv, and remembers the first that differs. */
export class StepComparison {
  readonly #lines: readonly string[];
  first: { readonly step: number; readonly found: number; readonly expected: string } | undefined;

  /** @param of of which training: ` of the refit` */
  constructor(
    run: string,
    readonly of = '',
  ) {
    const path = join(run, RUN_FILES.steps);
    this.#lines = readPlainFile(path, LONGEST_STEPS, 'the losses of steps').toString('utf8').split('\n');
  }

  readonly compare = ({ firstStep, losses }: StepRecord): void => {
    for (let i = 0; i < losses.length && this.first === undefined; i++) {
      const step = firstStep + i;
      const expected = this.#lines[step]?.split(',')[3] ?? 'no such step';
      if (String(losses[i]) !== expected) this.first = { step, found: losses[i], expected };
    }
  };
}

/** Why weights differ: by what else differs first, or by the first step that does. */
export function weightsDifference(
  found: { readonly provenance: Provenance; readonly weightsSha256: string },
  expected: RunSummary,
  { first, of }: StepComparison,
): Difference | undefined {
  if (found.weightsSha256 === expected.weightsSha256) return undefined;
  for (const what of ['version', 'node'] as const) {
    if (found.provenance[what] === expected[what]) continue;
    return { what, found: found.provenance[what], expected: expected[what] };
  }
  const [loss, other] = first
    ? [`, with loss ${first.found} in step ${first.step}${of}`, `, with ${first.expected}`]
    : ['', ''];
  return {
    what: 'weights',
    found: `SHA-256 ${found.weightsSha256}${loss}`,
    expected: expected.weightsSha256 + other,
  };
}
