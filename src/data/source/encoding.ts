/**
 * The encoding of a text file. What is not UTF-8 is decoded into a temporary file of UTF-8, so
 * readers know one encoding. The labels are those of `TextDecoder` (WHATWG Encoding Standard).
 */
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { type FileBytes, readAt, readChunks } from './fileBytes.js';
import { TemporaryFile, type UnpackProgress } from './unpack.js';

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

/**
 * Decodes a whole file. `guessed` tells that nobody named the encoding: then bytes without a
 * meaning in Windows-1252 are an error.
 * @throws MlpError ExitCode.data for bytes that are no text in this encoding; as `readChunks`, and
 *   as `TemporaryFile` does
 */
export async function decodeFile(
  file: FileBytes,
  encoding: string,
  guessed: boolean,
  progress?: UnpackProgress,
): Promise<TemporaryFile> {
  const decode = encoding === WINDOWS_1252 ? windows1252Decoder(guessed) : decoderOf(encoding);
  const decoded = TemporaryFile.create(file.name);
  let line = 1;
  /** Characters of this line in the chunks before. */
  let before = 0;
  const write = (chunk?: Buffer) => {
    const text = decode(chunk);
    const bad = text.indexOf(REPLACEMENT);
    if (bad >= 0) {
      const start = text.lastIndexOf('\n', bad) + 1;
      const place = `${line + lineFeeds(text.slice(0, bad))}:${bad - start + (start === 0 ? before : 0) + 1}`;
      throw undecodable(`${file.name}:${place}`, encoding, guessed);
    }
    const last = text.lastIndexOf('\n') + 1;
    before = text.length - last + (last === 0 ? before : 0);
    line += lineFeeds(text);
    decoded.write(Buffer.from(text, 'utf8'));
  };
  try {
    for await (const chunk of readChunks(file, progress)) write(chunk);
    write();
    return decoded;
  } catch (error) {
    decoded.close();
    throw error;
  }
}

/** What `TextDecoder` writes for bytes without a meaning. */
const REPLACEMENT = '\ufffd';

/** Decodes the next chunk; without one, the end of the text. */
type Decode = (chunk?: Buffer) => string;

function decoderOf(encoding: string): Decode {
  const decoder = new TextDecoder(encoding);
  return (chunk) => decoder.decode(chunk, { stream: chunk !== undefined });
}

/** The characters from 0x80 to 0x9f. Node's own decoder reads these bytes as control characters. */
const WINDOWS_1252_EXTRAS =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function windows1252Decoder(guessed: boolean): Decode {
  const characterOf = (byte: string) => {
    const character = WINDOWS_1252_EXTRAS[byte.charCodeAt(0) - 0x80];
    return guessed && character === byte ? REPLACEMENT : character;
  };
  return (chunk) => (chunk ? chunk.toString('latin1').replace(/[\x80-\x9f]/g, characterOf) : '');
}

function undecodable(place: string, encoding: string, guessed: boolean): MlpError {
  return guessed && encoding === WINDOWS_1252
    ? new MlpError(
        ExitCode.data,
        `${place}: found text that is neither UTF-8 nor Windows-1252`,
        ENCODING_HINT,
      )
    : new MlpError(
        ExitCode.data,
        `${place}: found bytes that are no text in ${encoding}`,
        'the file is cut short or damaged, or data.encoding names another encoding than its own',
      );
}

/** Where a file's encoding can't be detected. */
export const ENCODING_HINT =
  'name its encoding by data.encoding, for example "shift_jis" or "windows-1251" (--encoding on the command line), or save it as UTF-8';

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

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
