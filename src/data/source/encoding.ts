/**
 * The encoding of a text file: its names, and what its bytes tell. The labels are those of
 * `TextDecoder` (WHATWG Encoding Standard).
 */
import { quote } from '../../text.js';
import { type FileBytes, readAt } from './fileBytes.js';

export const UTF8 = 'utf-8';
/** What text that is not UTF-8 is taken for; ASCII and Latin-1 are parts of it. */
export const WINDOWS_1252 = 'windows-1252';

/** The standard's name of an encoding; undefined for an unknown label. */
export function encodingNamed(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

const BYTE_ORDER_MARKS = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: UTF8 },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
];

/** The encoding that a byte order mark tells. */
export function markedEncoding(start: Uint8Array): string | undefined {
  return BYTE_ORDER_MARKS.find(({ bytes }) => bytes.every((byte, i) => start[i] === byte))?.encoding;
}

/** Fewer pairs of bytes may look wide by chance. */
const LEAST_PAIRS = 6;
/** Delimiters, digits and line ends have a zero byte each, in the text of any language. */
const LEAST_WIDE_SHARE = 0.4;

/** UTF-16 without a byte order mark: zero bytes beside many bytes, all on one side. */
export function wideEncoding(start: Uint8Array): string | undefined {
  const pairs = start.length >> 1;
  const zeros = [0, 0];
  for (let i = 0; i < 2 * pairs; i++) if (start[i] === 0) zeros[i & 1]++;
  const [even, odd] = zeros;
  if (pairs < LEAST_PAIRS || Math.min(even, odd) > 0) return undefined;
  if (odd >= LEAST_WIDE_SHARE * pairs) return 'utf-16le';
  return even >= LEAST_WIDE_SHARE * pairs ? 'utf-16be' : undefined;
}

/** Where a file's encoding can't be detected. */
export const ENCODING_HINT =
  'name its encoding by data.encoding, for example "shift_jis" or "windows-1251" (--encoding on the command line), or save it as UTF-8';

/** Enough to see what a file is. */
const START = 2 ** 12;

/** The first bytes of a file. */
export function startOf(file: FileBytes): Buffer {
  const start = Buffer.alloc(Math.min(START, file.size));
  readAt(file, start, 0, start.length, 0);
  return start;
}

/** The last bytes of a file, where an archive lists its content. */
export function endOf(file: FileBytes): Buffer {
  const end = Buffer.alloc(Math.min(START, file.size));
  readAt(file, end, 0, end.length, file.size - end.length);
  return end;
}

/** `Windows-1252`, `UTF-16`: as people write it. */
export function shownEncoding(encoding: string): string {
  if (encoding.startsWith('utf-16')) return 'UTF-16';
  return encoding === WINDOWS_1252 ? 'Windows-1252' : quote(encoding);
}
