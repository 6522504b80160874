/** Values as Python writes them. */
import { printable } from '../../text.js';

/** A JSON text of strings, numbers, booleans and lists is Python, but for these words. */
export function python(value: unknown): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return pythonNumber(value);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return printable(JSON.stringify(value));
}

function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return 'float("nan")';
  if (!Number.isFinite(value)) return value > 0 ? 'float("inf")' : 'float("-inf")';
  return String(value);
}

/** `, name=value` for each value that is there. */
export function keywords(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => `, ${name}=${python(value)}`)
    .join('');
}

/** A list over several lines. */
export function lines(open: string, items: readonly string[], close: string, indent = '    '): string {
  return `${open}\n${items.map((item) => `${indent}${item},\n`).join('')}${close}`;
}
