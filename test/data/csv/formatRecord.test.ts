import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellFormatter, joinCells } from '../../../src/data/csv/formatRecord.js';
import { parseOptions } from '../../../src/data/dialect/csvParse.js';
import { DELIMITERS } from '../../../src/spec/words.js';

function write(records: readonly (readonly string[])[], delimiter: string): string {
  const format = cellFormatter(delimiter);
  return records.map((cells) => joinCells(cells.map(format), delimiter)).join('');
}

/** Cells of all that may go wrong: quotes, delimiters, line ends, marks, nothing. */
const cell = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', ' ', '"', ',', ';', '|', '\t', '\n', '\r', '\ufeff', 'é', '🙂', '#'),
    maxLength: 6,
  }),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString()),
);

describe('a written record', () => {
  it.each([
    [['plain', 'text'], ',', 'plain,text\n'],
    [['a,b', 'c'], ',', '"a,b",c\n'],
    [['a,b', 'c;d'], ';', 'a,b;"c;d"\n'],
    [['a|b', 'c\td'], '|', '"a|b"|c\td\n'],
    [['a', 'c\td'], '\t', 'a\t"c\td"\n'],
    [['say "hi"'], ',', '"say ""hi"""\n'],
    [['two\nlines', 'two\r\nlines', 'two\rlines'], ',', '"two\nlines","two\r\nlines","two\rlines"\n'],
    [[' spaces '], ',', ' spaces \n'],
    [['', ''], ',', ',\n'],
    [[''], ',', '""\n'],
    [['\ufeffname', 'b'], ',', '"\ufeffname",b\n'],
  ])('of %j with %j is %j', (cells, delimiter, line) => {
    expect(write([cells], delimiter)).toBe(line);
  });

  it('reads back as it was', () => {
    const table = fc.integer({ min: 1, max: 4 }).chain((width) => {
      return fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 });
    });
    fc.assert(
      fc.property(table, fc.constantFrom(...DELIMITERS), (records, delimiter) => {
        const text = Buffer.from(write(records, delimiter));
        expect(parse(text, parseOptions({ delimiter }))).toEqual(records);
        // As readers have it that skip empty lines.
        expect(parse(text, { bom: true, delimiter, skip_empty_lines: true })).toEqual(records);
      }),
      { numRuns: 300 },
    );
  });
});
