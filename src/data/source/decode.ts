/** Text that is not UTF-8, decoded into a temporary file of UTF-8, so that readers know one encoding. */
import { ExitCode, MlpError } from '../../errors.js';
import { ENCODING_HINT, WINDOWS_1252 } from './encoding.js';
import { type FileBytes, readChunks } from './fileBytes.js';
import { TemporaryFile, type UnpackProgress } from './unpack.js';

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

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
