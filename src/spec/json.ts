/** Strict JSON from a text or a file. What the values mean is for others to check. */
import { closeSync, openSync, readSync } from 'node:fs';
import { ExitCode, MlpError, readError } from '../errors.js';
import { printable } from '../text.js';
import { checkSyntax } from './jsonSyntax.js';

export interface ParsedJson {
  value: unknown;
  /** The name that error messages give the file. */
  file: string;
}

/** A spec is a few kilobytes; what is larger is some other file, and not worth the memory. */
const maxBytes = 4 * 2 ** 20;

/**
 * The value of a JSON text (RFC 8259; a byte order mark is skipped).
 * Throws MlpError (config) with line and column for malformed JSON, a key given twice, nesting deeper than 64 and numbers
 * beyond double precision, and for more than `mostValues` values (100,000 if left out). A key `__proto__` becomes an ordinary own property.
 */
export function parseJson(text: string, file: string, mostValues?: number): ParsedJson {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (/^[ \t\n\r]*$/.test(body)) {
    throw new MlpError(ExitCode.config, `${printable(file)}: found an empty file, expected JSON`);
  }
  checkSyntax(body, file, mostValues);
  return { value: JSON.parse(body), file };
}

/** Reads and parses a JSON file of at most 4 MiB. Throws as `readError` and `parseJson` do, and MlpError (config) where it isn't UTF-8. */
export function readJson(path: string): ParsedJson {
  const bytes = readBytes(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new MlpError(
      ExitCode.config,
      `${printable(path)}: found bytes that are not UTF-8, expected JSON in UTF-8`,
      'save the file as UTF-8',
      { cause: error },
    );
  }
  return parseJson(text, path);
}

/** Up to the limit, whatever the size is said to be: a pipe has none, and a device may have no end. */
function readBytes(path: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const chunk = Buffer.allocUnsafe(2 ** 16);
        const length = readSync(file, chunk);
        if (length === 0) break;
        total += length;
        if (total > maxBytes) break;
        chunks.push(chunk.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw readError(printable(path), error);
  }
  if (total > maxBytes) {
    throw new MlpError(
      ExitCode.config,
      `${printable(path)}: found more than ${maxBytes / 2 ** 20} MiB, expected a JSON spec or config`,
    );
  }
  return Buffer.concat(chunks);
}
