/**
 * Reads a text file in chunks and refuses anything else as soon as it is seen: compressed, UTF-16,
 * binary or invalid UTF-8. A CSV parser alone would read such a file as garbage or as no rows.
 */
import { isUtf8 } from 'node:buffer';
import { ExitCode, MlpError } from '../../errors.js';
import { readChunks } from './fileBytes.js';
import type { Source } from './source.js';

/** First bytes of files that are often mistaken for a CSV. */
const SIGNATURES = [
  { bytes: [0x1f, 0x8b], what: 'a file that gzip has compressed twice', hint: 'unpack it once: gunzip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'a file compressed by zstd', hint: 'unpack it first: unzstd' },
  {
    bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
    what: 'a file compressed by xz',
    hint: 'unpack it first: unxz',
  },
  { bytes: [0x50, 0x4b, 3, 4], what: 'a zip archive or a workbook', hint: 'save the table as CSV' },
  { bytes: [0xff, 0xfe], what: 'text in UTF-16', hint: 'save the file as UTF-8' },
  { bytes: [0xfe, 0xff], what: 'text in UTF-16', hint: 'save the file as UTF-8' },
];

const LINE_FEED = 0x0a;

/**
 * The whole source in order. No chunk ends within a character; a byte order mark is kept.
 * @throws MlpError ExitCode.io if it can't be read or has become shorter, data if it is not UTF-8
 */
export async function* readText(
  source: Source,
  progress?: (doneBytes: number, totalBytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const { name } = source;
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let line = 1;
  for await (const chunk of readChunks(source, progress)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (offset === 0) refuseSignature(name, bytes);
    const whole = bytes.subarray(0, bytes.length - unfinishedBytes(bytes));
    refuseBinary(name, whole, offset, line);
    yield whole;
    offset += whole.length;
    line += lineFeeds(whole);
    rest = bytes.subarray(whole.length);
  }
  if (rest.length > 0) throw notUtf8(name, line, offset, rest[0]);
}

function refuseSignature(path: string, start: Buffer): void {
  for (const { bytes, what, hint } of SIGNATURES) {
    if (bytes.every((byte, i) => start[i] === byte)) {
      throw new MlpError(ExitCode.data, `${path}: found ${what}, expected a CSV in UTF-8`, hint);
    }
  }
}

/** Throws at the first NUL or invalid byte. `bytes` start at `offset`, on `line`. */
function refuseBinary(path: string, bytes: Buffer, offset: number, line: number): void {
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    // Latin text in UTF-16 has a zero byte beside every letter, from the start.
    const wide = offset === 0 && nul < 2 && bytes[nul ^ 1] !== 0 && bytes[nul + 2] === 0;
    throw new MlpError(
      ExitCode.data,
      wide
        ? `${path}: found text in UTF-16, expected a CSV in UTF-8`
        : `${path}:${line + lineFeeds(bytes.subarray(0, nul))}: found a NUL byte at offset ${offset + nul}, expected text`,
      wide ? 'save the file as UTF-8' : 'the file is damaged or not a CSV',
    );
  }
  if (isUtf8(bytes)) return;
  const invalid = validBytes(bytes);
  throw notUtf8(path, line + lineFeeds(bytes.subarray(0, invalid)), offset + invalid, bytes[invalid]);
}

function notUtf8(path: string, line: number, offset: number, byte: number): MlpError {
  const shown = `0x${byte.toString(16).padStart(2, '0')}`;
  return new MlpError(
    ExitCode.data,
    `${path}:${line}: found the byte ${shown} at offset ${offset}, which is not valid UTF-8`,
    'save the file as UTF-8 (it may be in Latin-1 or Windows-1252)',
  );
}

/** How many bytes at the end (0 to 3) start a UTF-8 character that is incomplete. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

/** The length of the longest valid prefix of invalid bytes, by bisection. */
function validBytes(bytes: Buffer): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    const prefix = bytes.subarray(0, middle);
    if (isUtf8(prefix.subarray(0, middle - unfinishedBytes(prefix)))) valid = middle;
    else invalid = middle;
  }
  return valid - unfinishedBytes(bytes.subarray(0, valid));
}

function lineFeeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
