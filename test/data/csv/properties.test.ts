/** Of any table there may be: it is read as csv-parse reads it, typed by the rules, and nothing crashes. */
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dialect, type DialectRequest, detectDialect } from '../../../src/data/csv/dialect.js';
import { readTable } from '../../../src/data/csv/readTable.js';
import { openSource, type Source } from '../../../src/data/source/source.js';
import type { Column, ColumnKind, Table } from '../../../src/data/table.js';
import { MlpError } from '../../../src/errors.js';
import { Folder } from '../files.js';

const folder = new Folder();

interface Outcome {
  readonly dialect?: Dialect;
  readonly table?: Table;
  readonly error?: MlpError;
}

/** Reads, or says why not; any error that is not for the user goes on. */
async function read(
  content: string | Uint8Array,
  request: DialectRequest,
  kind: ColumnKind,
): Promise<Outcome> {
  let source: Source | undefined;
  let dialect: Dialect | undefined;
  try {
    source = await openSource(folder.write('random.csv', content));
    dialect = await detectDialect(source, request);
    const table = await readTable(source, dialect, { kinds: (names) => names.map(() => kind) });
    return { dialect, table };
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    return { ...(dialect && { dialect }), error };
  } finally {
    source?.close();
  }
}

/** The same rules once more, of whole columns of text at once. */
const RULES = {
  isMissing: (cell: string) => /^\s*(|NA|NaN|nan|null|\?)\s*$/.test(cell),
  number(cell: string): number | undefined {
    if (!/^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell)) return undefined;
    return Number.isFinite(Number(cell)) ? Number(cell) : undefined;
  },
};

/** The column that `cells` should give; undefined where they should be refused. */
function typed(
  cells: readonly string[],
  kind: ColumnKind,
  isForeign: (cell: string) => boolean,
  isQuoted: readonly boolean[] = [],
): Column | undefined {
  const present = cells.filter((cell) => !RULES.isMissing(cell));
  const missing = cells.length - present.length;
  const numbers = present.filter((cell) => RULES.number(cell) !== undefined);
  const meant = numbers.length + present.filter(isForeign).length;
  if (kind === 'numeric' || (kind === 'auto' && meant > present.length / 2)) {
    if (numbers.length < present.length) return undefined;
    return {
      kind: 'numeric',
      values: Float64Array.from(cells, (cell) => RULES.number(cell) ?? Number.NaN),
      missing,
    };
  }
  // A quoted cell is text, but for a blank one. A column without a value has no kind.
  const isKept = (_: string, i: number) => (kind === 'text' || present.length > 0) && isQuoted[i];
  const texts = cells.map((cell, i) => {
    if (RULES.isMissing(cell) && (cell.trim() === '' || !isKept(cell, i))) return undefined;
    return cell;
  });
  const levels = [...new Set(texts)].filter((text) => text !== undefined);
  const codes = Int32Array.from(texts, (text) => (text === undefined ? -1 : levels.indexOf(text)));
  return { kind: 'text', levels, codes, missing: codes.filter((code) => code < 0).length };
}

describe('a table', () => {
  const NUMBERS = [
    '0',
    '-1.5',
    '+2',
    '1e3',
    '.5',
    '7.',
    '-0',
    '12345678901234567890',
    '1e-400',
    '007',
    '0.1',
  ];
  const MISSING = ['', 'NA', '?', 'null', ' ', 'NaN'];
  const WORDS = [
    'x',
    'ä',
    '__proto__',
    'constructor',
    '😀',
    'a"b',
    'u,v',
    'p;q',
    'two\nlines',
    'c\r\nd',
    'e\rf',
    '#g',
  ];
  const FOREIGN = ['1,5', '1_000', '0x10', 'Infinity', '1e400', '12%'];
  const SPACED = [' x', 'x '];
  const kindOfCells = fc.constantFrom(
    [...NUMBERS],
    [...NUMBERS, ...MISSING],
    [...WORDS],
    [...WORDS, ...MISSING],
    [...MISSING],
    [...NUMBERS, ...NUMBERS, ...WORDS],
    [...NUMBERS, 'x'],
    [...WORDS, ...NUMBERS, ...MISSING],
    [...WORDS, ...FOREIGN],
    [...WORDS, ...WORDS, ...WORDS, ...SPACED],
  );
  const end = fc.constantFrom('\n', '\r\n', '\r');
  const dialect = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    header: fc.boolean(),
    comments: fc.boolean(),
    mark: fc.boolean(),
    kind: fc.constantFrom<ColumnKind>('auto', 'auto', 'text', 'numeric'),
  });
  const columns = fc
    .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 2, max: 4 }))
    .chain(([rows, width]) =>
      fc.array(
        kindOfCells.chain((cells) =>
          fc.array(fc.constantFrom(...cells), { minLength: rows, maxLength: rows }),
        ),
        { minLength: width, maxLength: width },
      ),
    );
  /** What stands about a row: whether cells without need are quoted, how the line ends, comments before it. */
  const style = fc.record({ quoted: fc.boolean(), end, comments: fc.nat({ max: 2 }) });
  const document = fc.record({ dialect, columns, styles: fc.array(style, { minLength: 13, maxLength: 13 }) });

  it('has the cells of csv-parse, the types of the rules and the lines of the file', async () => {
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(document, async ({ dialect, columns, styles }) => {
        const { delimiter, header, comments, mark, kind } = dialect;
        const records = columns[0].map((_, row) => columns.map((cells) => cells[row]));
        if (header) records.unshift(columns.map((_, index) => `name ${index}`));
        const lines: number[] = [];
        let content = '';
        let line = 1;
        records.forEach((record, i) => {
          const { quoted, end, comments: count } = styles[i];
          for (let c = 0; comments && c < count; c++) content += `# "${c},;${styles[c].end}`;
          line += comments ? count : 0;
          lines.push(line);
          const mustQuote = (cell: string) => /[",;\t|\r\n]/.test(cell) || cell.startsWith('#');
          const write = (cell: string) =>
            quoted || mustQuote(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
          const row = record.map(write).join(delimiter) + end;
          content += row;
          line += row.split(/\r\n|\n|\r/).length - 1;
        });
        const request = { delimiter, header, ...(comments && { comment: '#' }) };
        const { table, error } = await read((mark ? '\ufeff' : '') + content, request, kind);

        const parsed: string[][] = parse(content, {
          delimiter,
          record_delimiter: ['\r\n', '\n', '\r'],
          ltrim: true,
          rtrim: true,
          skip_empty_lines: true,
          ...(comments && { comment: '#', comment_no_infix: true }),
        });
        expect(parsed).toHaveLength(records.length);
        const rows = parsed.slice(header ? 1 : 0);
        const isForeign = (cell: string) => FOREIGN.includes(cell);
        // Last columns without names and cells are separators at the end of every row.
        let width = columns.length;
        while (!header && width > 1 && rows.every((row) => row[width - 1] === '')) width--;
        const expected = columns.slice(0, width).map((_, i) =>
          typed(
            rows.map((row) => row[i]),
            kind,
            isForeign,
            styles.slice(header ? 1 : 0).map(({ quoted }) => quoted),
          ),
        );
        if (expected.includes(undefined)) {
          refused++;
          expect(table).toBeUndefined();
          return;
        }
        accepted++;
        expect(error).toBeUndefined();
        expect(table?.columns).toEqual(expected);
        expect(table?.lines).toEqual(Uint32Array.from(lines.slice(header ? 1 : 0)));
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(150);
    expect(refused).toBeGreaterThan(100);
  });

  it('is refused at the very cell that is no number', async () => {
    const location = fc.record({ row: fc.nat({ max: 7 }), column: fc.nat({ max: 2 }) });
    const cells = fc.array(fc.constantFrom<string>('1', '"2"', '-3.5', '""', '"NA"'), {
      minLength: 24,
      maxLength: 24,
    });
    const notes = fc.array(fc.constantFrom('x', '"two\nlines"', '"a\r\nb"', '"a\rb"', '""""'), {
      minLength: 8,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(location, cells, notes, end, async ({ row, column }, cells, notes, end) => {
        let content = `a,b,c,note${end}`;
        let line = 2;
        let badLine = 0;
        for (let i = 0; i < 8; i++) {
          const record = cells.slice(3 * i, 3 * i + 3);
          if (i === row) {
            record[column] = 'oops';
            badLine = line;
          }
          const text = `${[...record, notes[i]].join(',')}${end}`;
          content += text;
          line += text.split(/\r\n|\n|\r/).length - 1;
        }
        const source = await openSource(folder.write('random.csv', content));
        try {
          const dialect = await detectDialect(source, { delimiter: ',', header: true });
          const kinds: ColumnKind[] = ['numeric', 'numeric', 'numeric', 'text'];
          await expect(readTable(source, dialect, { kinds: () => kinds })).rejects.toThrow(
            `${join(folder.path, 'random.csv')}:${badLine}: column "${'abc'[column]}": found "oops", expected a number`,
          );
        } finally {
          source.close();
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('any file', () => {
  const request = fc.record(
    {
      delimiter: fc.constantFrom('auto', ',', ';', '\t', '|'),
      header: fc.constantFrom<'auto' | boolean>('auto', true, false),
      comment: fc.constant('#'),
    },
    { requiredKeys: ['delimiter', 'header'] },
  );
  const kind = fc.constantFrom<ColumnKind>('auto', 'text', 'numeric', 'skipped');

  it('of random bytes gives a table or an error for the user', async () => {
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom('1', '2.5', ',', '\n', '\r\n', '\r', '"', 'x', '\ufeff', '#', ' ', 'ä')
        .map((text) => Buffer.from(text)),
    );
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 30 }), request, kind, async (chunks, request, kind) => {
        const { dialect, table, error } = await read(Buffer.concat(chunks), request, kind);
        if (!table || !dialect) {
          expect(error).toBeInstanceOf(MlpError);
          return;
        }
        accepted++;
        expect(table.rows).toBeGreaterThan(0);
        expect(table.names).toHaveLength(table.columns.length);
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  it('of characters that matter is read as csv-parse reads it, or refused', async () => {
    const soup = fc.string({
      unit: fc.constantFrom('a', '1', ',', ',', '\n', '\n', '\r', '\r\n', '"', ' ', '#', '.5', 'ä'),
      maxLength: 40,
    });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(soup, request, async (content, request) => {
        const { dialect, table } = await read(content, request, 'text');
        if (!table || !dialect) return;
        accepted++;
        const { delimiter, header, comment } = dialect;
        const records: string[][] = parse(content, {
          delimiter,
          bom: true,
          relax_quotes: true,
          relax_column_count: true,
          record_delimiter: ['\r\n', '\n', '\r'],
          ltrim: true,
          rtrim: true,
          skip_empty_lines: true,
          ...(comment !== undefined && { comment, comment_no_infix: true }),
        });
        const rows = records.slice(header ? 1 : 0);
        expect(table.columns).toEqual(
          table.names.map((_, i) =>
            typed(
              rows.map((row) => row[i]),
              'text',
              () => false,
            ),
          ),
        );
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
