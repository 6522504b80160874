/** Values of options, checked while the command line is read: what is wrong with them is a usage error. */
import { InvalidArgumentError } from 'commander';
import { BACKENDS, MAX_THREADS } from '../spec/train.js';

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of at least 1.');
}

export function bigCount(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('expected a whole number.');
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
  if (/^(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?$/i.test(text) && value <= 1) return value;
  throw new InvalidArgumentError('expected a number from 0 to 1.');
}
