/** Parsers of option values. A wrong value is a usage error. */
import { InvalidArgumentError } from 'commander';
import { encodingNamed } from '../data/source/encoding.js';
import type { ThresholdGoal } from '../evaluation/thresholds.js';
import { BACKENDS, COMMENT_START, DELIMITERS, MAX_THREADS } from '../spec/words.js';
import { threadsWarning } from '../training/parallel.js';
import { warn } from './output.js';

export interface CommonOptions {
  readonly json?: boolean;
  readonly color: boolean;
}

/** How a CSV file is written; what is not given is detected. */
export interface SeparatorOptions {
  readonly encoding?: string;
  readonly delimiter?: string;
  readonly comment?: string;
  /** Lines above the table, and rows below the header, that are not read. */
  readonly skipLines?: number;
  readonly skipRows?: number;
}

/** How rows are passed through a network. */
export interface PassOptions {
  readonly threads?: number | 'auto';
}

export function poolOptions({ threads = 'auto' }: PassOptions): PassOptions {
  const manyThreads = threadsWarning(threads);
  if (manyThreads) warn(manyThreads);
  return { threads };
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of at least 1.');
}

/** How much to skip. */
export function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number.');
}

/** NumPy's seeds have 32 bits. */
export function seed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value < 2 ** 32) return value;
  throw new InvalidArgumentError(`expected a whole number from 0 to ${2 ** 32 - 1}.`);
}

export function bigCount(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('expected a whole number.');
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `20GB`, `500 MB`, or a number of bytes. */
export function byteCount(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([kMGT]?)B?$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase() === 'k' ? 'k' : unit.toUpperCase()];
  if (digits !== undefined && Number(digits) > 0) return Math.floor(Number(digits) * factor);
  throw new InvalidArgumentError('expected a size such as 500MB or 20GB.');
}

export function backendName(text: string): string {
  if (text === 'auto' || (BACKENDS as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`expected one of auto, ${BACKENDS.join(', ')}.`);
}

export function threadCount(text: string): number | 'auto' {
  if (text === 'auto') return text;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MAX_THREADS) return value;
  throw new InvalidArgumentError(`expected "auto" or a whole number from 1 to ${MAX_THREADS}.`);
}

export function probability(text: string): number {
  const value = Number(text);
  if (/^(?:\d+(?:\.\d*)?|\.\d+)(?:e-?\d+)?$/i.test(text) && value <= 1) return value;
  throw new InvalidArgumentError('expected a number from 0 to 1.');
}

/** One for all labels, or thresholds by label. */
export type ThresholdOption = number | ReadonlyMap<string, number>;

/** `0.3`, or `rain=0.3,wind=0.6`, which may be repeated. */
export function threshold(text: string, before?: ThresholdOption): ThresholdOption {
  if (!text.includes('=')) return probability(text);
  const named = new Map(before instanceof Map ? before : []);
  // A name may hold an equals sign, but a number never does.
  for (const part of text.split(/(?<==[\d.e-]+),/i)) {
    const at = part.lastIndexOf('=');
    if (at < 1)
      throw new InvalidArgumentError('expected a number from 0 to 1, or such as rain=0.3,wind=0.6.');
    named.set(part.slice(0, at), probability(part.slice(at + 1)));
  }
  return named;
}

/** `f1`, `mcc`, or `cost=1:5`: that of a false positive and of a false negative. */
export function thresholdGoal(text: string): ThresholdGoal {
  if (text === 'f1' || text === 'mcc') return { by: text };
  const [, falsePositive, falseNegative] = /^cost=([\d.]+):([\d.]+)$/.exec(text) ?? [];
  const costs = [Number(falsePositive), Number(falseNegative)];
  if (costs.every(Number.isFinite) && costs.some((cost) => cost > 0)) {
    return { by: 'cost', falsePositive: costs[0], falseNegative: costs[1] };
  }
  throw new InvalidArgumentError(
    'expected f1, mcc, or cost=1:5 for the cost of a false positive and of a false negative.',
  );
}

export function delimiter(text: string): string {
  // A tab is awkward to write in a shell.
  const character = text === 'tab' || text === '\\t' ? '\t' : text;
  if (character === 'whitespace' || (DELIMITERS as readonly string[]).includes(character)) return character;
  throw new InvalidArgumentError('expected , ; | tab or whitespace.');
}

export function encoding(text: string): string {
  if (text === 'auto' || encodingNamed(text) !== undefined) return text;
  throw new InvalidArgumentError('expected a name such as utf-8, utf-16le, windows-1252 or shift_jis.');
}

/** The same rule as data.comment: no character that may start a cell. */
export function commentStart(text: string): string {
  if (COMMENT_START.test(text)) return text;
  throw new InvalidArgumentError('expected one character, such as #, that no cell starts with.');
}

export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}
