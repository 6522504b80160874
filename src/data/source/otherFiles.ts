/** Files that are no table, or no table that mlp reads, but are often given as one. */
import { ExitCode, MlpError } from '../../errors.js';
import { endOf, markedEncoding, startOf } from './encoding.js';
import type { FileBytes } from './fileBytes.js';

interface OtherFile {
  /** `an HDF5 file` */
  readonly what: string;
  readonly hint: string;
}

const SAVE_AS_CSV = 'save the table as CSV, for example with pandas: to_csv("data.csv", index=False)';
const FROM_SHEET = 'open it in the spreadsheet program and save the sheet as CSV (UTF-8)';
const UNPACK = 'unpack it first';
const AS_JSON_LINES =
  'write each row as an object on a line of its own: in pandas to_json("data.jsonl", orient="records", lines=True)';

/** By the first bytes, written in Latin-1. */
const SIGNATURES: readonly (OtherFile & { readonly start: string })[] = [
  { start: '\x1f\x8b', what: 'a file that gzip has compressed twice', hint: 'unpack it once: gunzip' },
  { start: '\x28\xb5\x2f\xfd', what: 'a file compressed by zstd', hint: 'unpack it first: unzstd' },
  { start: '\xfd7zXZ\0', what: 'a file compressed by xz', hint: 'unpack it first: unxz' },
  { start: 'BZh91AY', what: 'a file compressed by bzip2', hint: 'unpack it first: bunzip2' },
  { start: '7z\xbc\xaf\x27\x1c', what: 'a 7z archive', hint: UNPACK },
  { start: 'Rar!', what: 'a RAR archive', hint: UNPACK },
  { start: '\x04\x22\x4d\x18', what: 'a file compressed by LZ4', hint: UNPACK },
  { start: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', what: 'an Excel workbook (.xls)', hint: FROM_SHEET },
  {
    start: 'SQLite format 3\0',
    what: 'an SQLite database',
    hint: 'export its table: sqlite3 -header -csv data.db "select * from …" > data.csv',
  },
  { start: 'ARROW1\0\0', what: 'an Arrow (Feather) file', hint: SAVE_AS_CSV },
  { start: 'FEA1\0\0', what: 'a Feather file', hint: SAVE_AS_CSV },
  { start: 'Obj\x01', what: 'an Avro file', hint: SAVE_AS_CSV },
  { start: '\x89HDF\r\n\x1a\n', what: 'an HDF5 file', hint: SAVE_AS_CSV },
  { start: '\x93NUMPY', what: 'a NumPy array', hint: SAVE_AS_CSV },
  { start: 'MATLAB 5.0', what: 'a MATLAB file', hint: SAVE_AS_CSV },
  { start: 'RDX2\n', what: 'an R data file', hint: 'save the table in R: write.csv(d, "data.csv")' },
  { start: 'RDX3\n', what: 'an R data file', hint: 'save the table in R: write.csv(d, "data.csv")' },
  { start: 'X\n\0\0\0', what: 'an R object', hint: 'save the table in R: write.csv(d, "data.csv")' },
  { start: '$FL2', what: 'an SPSS file', hint: SAVE_AS_CSV },
  { start: '<stata_dta>', what: 'a Stata file', hint: SAVE_AS_CSV },
  { start: '\x80\x04\x95', what: 'a Python pickle', hint: SAVE_AS_CSV },
  { start: '\x80\x05\x95', what: 'a Python pickle', hint: SAVE_AS_CSV },
  { start: '%PDF', what: 'a PDF document', hint: 'save its table as CSV' },
  { start: '\x89PNG', what: 'a PNG image', hint: 'images are read as a table of pixels, one row an image' },
  {
    start: '\xff\xd8\xff',
    what: 'a JPEG image',
    hint: 'images are read as a table of pixels, one row an image',
  },
  { start: '\xff\xfe\0\0', what: 'text in UTF-32', hint: 'save the file as UTF-8' },
  { start: '\0\0\xfe\xff', what: 'text in UTF-32', hint: 'save the file as UTF-8' },
  {
    start: 'version https://git-lfs.github.com/',
    what: 'a pointer of Git LFS instead of the data',
    hint: 'fetch the file itself: git lfs pull',
  },
];

/** By the first characters, after blanks. */
const TEXTS: readonly (OtherFile & { readonly pattern: RegExp })[] = [
  {
    pattern: /^(?:<!--[\s\S]*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i,
    what: 'an HTML page',
    hint: 'a failed download often leaves an error page or a login page: open it in a browser, and download the data again',
  },
  { pattern: /^<(?:\?xml|!doctype|[a-z][\w:.-]*[\s>])/i, what: 'an XML document', hint: SAVE_AS_CSV },
  { pattern: /^\{\\rtf/, what: 'an RTF document', hint: 'save it as plain text' },
  {
    pattern: /^@relation\s/i,
    what: 'an ARFF file',
    hint: 'keep the rows after @data, and give their names in a first line',
  },
  {
    pattern: /^\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\}|$)/,
    what: 'a JSON document',
    hint: AS_JSON_LINES,
  },
  { pattern: /^\[\s*(?:[{[]|$)/, what: 'a JSON document', hint: AS_JSON_LINES },
];

/** By its first bytes, even if it is cut short; a CSV may begin with the same four letters. */
export function isParquet(file: FileBytes): boolean {
  const start = startOf(file).toString('latin1', 0, 5);
  const magic = start.slice(0, 4);
  if (magic !== 'PAR1' && magic !== 'PARE') return false;
  return start[4] === '\x15' || endOf(file).toString('latin1').endsWith(magic);
}

/** A line that is an object, or the start of a long one. */
const OBJECT_LINE =
  /^\s*\{[ \t]*(?:"(?:[^"\\]|\\.)*"[ \t]*:[^\n]*(?:\}[ \t\r]*(?:\n|$)|$)|\}[ \t\r]*(?:\n|$))/;

/**
 * Whether a text is JSON Lines: its first line is an object. A name that says so is enough where the
 * line is damaged.
 */
export function isJsonLines(file: FileBytes): boolean {
  const start = startOf(file)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  return OBJECT_LINE.test(start) || (/\.(?:jsonl|ndjson)(?:\.gz)?$/i.test(file.name) && /^\s*\{/.test(start));
}

/**
 * Refuses a file that is no text of a table.
 * @throws MlpError ExitCode.data that names what the file is
 */
export function refuseOtherFile(file: FileBytes): void {
  const start = startOf(file);
  const other = archive(file, start) ?? bySignature(start) ?? byText(start);
  if (other === undefined || isJsonLines(file)) return;
  throw new MlpError(ExitCode.data, `${file.name}: found ${other.what}, expected a table`, other.hint);
}

function bySignature(bytes: Buffer): OtherFile | undefined {
  const text = bytes.toString('latin1');
  return (
    SIGNATURES.find(({ start }) => text.startsWith(start)) ??
    (text.startsWith('ustar', 257) ? { what: 'a tar archive', hint: 'unpack it first: tar -xf' } : undefined)
  );
}

function byText(bytes: Buffer): OtherFile | undefined {
  if (markedEncoding(bytes)?.startsWith('utf-16')) return undefined;
  const text = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  return TEXTS.find(({ pattern }) => pattern.test(text));
}

/** What a ZIP holds. The names of its files stand before each of them, and all at its end. */
function archive(file: FileBytes, start: Buffer): OtherFile | undefined {
  if (!/^PK(?:\x03\x04|\x05\x06)/.test(start.toString('latin1', 0, 4))) return undefined;
  const names = start.toString('latin1') + endOf(file).toString('latin1');
  if (/\bxl\//.test(names)) return { what: 'an Excel workbook', hint: FROM_SHEET };
  if (names.includes('[Content_Types].xml')) return { what: 'an Office document', hint: FROM_SHEET };
  if (names.includes('opendocument.spreadsheet'))
    return { what: 'a LibreOffice spreadsheet', hint: FROM_SHEET };
  if (names.includes('.npy')) return { what: 'a NumPy archive (.npz)', hint: SAVE_AS_CSV };
  return { what: 'a ZIP archive', hint: 'unpack it first: unzip' };
}
