/** Comparing a run that has ended with the same run trained again. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { printable } from '../../text.js';
import type { StepRecord, TrainResult } from '../records.js';
import type { Origin, OriginDifference } from './provenance.js';

/** The file in a run's directory that says what it was made of, and what came of it. */
export const SUMMARY_FILE = 'run.json';

/** What run.json says. Plain JSON. */
export interface RunSummary extends Origin {
  /** Of config.json's bytes. */
  readonly configSha256: string;
  readonly status: TrainResult['status'];
  readonly steps: number;
  readonly weightsSha256: string;
}

/**
 * Reads run.json.
 * @throws MlpError 66 where it is missing, 65 where it is not what a run writes
 */
export function readSummary(run: string): RunSummary {
  const path = join(run, SUMMARY_FILE);
  const name = printable(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw readError(name, error);
    throw new MlpError(
      ExitCode.noInput,
      `${name}: no such file`,
      'name the directory of a run that has ended; mlp train --resume goes on with one that has not',
      { cause: error },
    );
  }
  const summary = parse(text);
  if (!isSummary(summary)) {
    throw new MlpError(
      ExitCode.data,
      `${name}: found something else than what mlp train writes`,
      'train anew',
    );
  }
  return summary;
}

/** @throws MlpError 65 where a run was interrupted */
export function requireEnded({ status }: RunSummary, run: string): void {
  if (status !== 'interrupted') return;
  throw new MlpError(
    ExitCode.data,
    `${printable(run)}: found an interrupted run, expected one that has come to its end`,
    'go on with it first: mlp train --resume',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const STRINGS = ['version', 'node', 'backend', 'configSha256', 'status', 'weightsSha256'];

function isSummary(value: unknown): value is RunSummary {
  if (typeof value !== 'object' || value === null) return false;
  const summary = value as Record<string, unknown>;
  return (
    STRINGS.every((key) => typeof summary[key] === 'string') &&
    typeof summary.threads === 'number' &&
    typeof summary.relaxed === 'boolean' &&
    Array.isArray(summary.data) &&
    summary.data.every((file) => typeof file === 'object' && file !== null && typeof file.key === 'string')
  );
}

/** SHA-256 of a run's config.json, in hexadecimal. */
export function hashConfig(run: string): string {
  const path = join(run, 'config.json');
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    throw readError(printable(path), error);
  }
}

/** Compares the losses of steps, as they are taken, with those of a run's steps.csv; remembers the first that differs. */
export class StepComparison {
  readonly #lines: readonly string[];
  first: { readonly step: number; readonly found: number; readonly expected: string } | undefined;

  constructor(run: string) {
    const path = join(run, 'steps.csv');
    try {
      this.#lines = readFileSync(path, 'utf8').split('\n');
    } catch (error) {
      throw readError(printable(path), error);
    }
  }

  readonly compare = ({ firstStep, losses }: StepRecord): void => {
    for (let i = 0; i < losses.length && this.first === undefined; i++) {
      const step = firstStep + i;
      const expected = this.#lines[step]?.split(',')[3] ?? 'no such step';
      if (String(losses[i]) !== expected) this.first = { step, found: losses[i], expected };
    }
  };
}

/** Why weights are others: what else differs first, or the first step that does. */
export function weightsDifference(
  found: { readonly origin: Origin; readonly weightsSha256: string },
  expected: RunSummary,
  { first }: StepComparison,
): OriginDifference | undefined {
  if (found.weightsSha256 === expected.weightsSha256) return undefined;
  for (const what of ['version', 'node'] as const) {
    if (found.origin[what] === expected[what]) continue;
    return { what, found: found.origin[what], expected: expected[what] };
  }
  const [loss, other] = first
    ? [`, with loss ${first.found} in step ${first.step}`, `, with ${first.expected}`]
    : ['', ''];
  return {
    what: 'weights',
    found: `SHA-256 ${found.weightsSha256}${loss}`,
    expected: expected.weightsSha256 + other,
  };
}
