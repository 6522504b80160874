import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Notation, Rewriter } from '../../../src/data/source/rewrite.js';

const MYSQL: Notation = { delimiter: ',', quote: "'", escape: '\\', skipLines: 0 };
const BLANKS: Notation = { quote: '"', skipLines: 0 };

function rewrite(text: string, notation: Notation, chunk = 7): string {
  const rewriter = new Rewriter(notation);
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk) parts.push(rewriter.write(bytes.subarray(at, at + chunk)));
  return Buffer.concat([...parts, rewriter.end()]).toString();
}

describe('a table in another notation', () => {
  it.each<[string, string, string, Notation]>([
    ['single quotes', "a,'x, y'\n1,'it''s'\n", 'a,"x, y"\n1,"it\'s"\n', MYSQL],
    ['backslashes', "'it\\'s',a\\,b,c\\\\\n", '"it\'s","a,b",c\\\n', MYSQL],
    ['a missing cell', '\\N,N,\\Nx\n', ',N,Nx\n', MYSQL],
    ['a quote of ours', 'say "no","x\n', 'say "no","""x"\n', MYSQL],
    ['no quotes', '"a,"b\n', '"""a","""b"\n', { delimiter: ',', quote: '', skipLines: 0 }],
    ['blanks before a quote', "1, 'x' ,2\n", '1,"x",2\n', MYSQL],
    ['runs of blanks', '  1   2.5 x \n\t3\t4  y\n', '1\t2.5\tx\n3\t4\ty\n', BLANKS],
    ['quotes among blanks', '18.0 8 "chevrolet malibu"\r\n', '18.0\t8\t"chevrolet malibu"\r\n', BLANKS],
    ['empty lines', '1 2\n\n  \n3 4', '1\t2\n\n\n3\t4', BLANKS],
    ['a quote that is never closed', '1 "x\n2 3\n', '1\t"x\n2 3\n', BLANKS],
    ['text after a quote', '"x"y 2\n', '"x"y\t2\n', BLANKS],
    ['comments', "# it's\n1,2\n", "# it's\n1,2\n", { ...MYSQL, comment: '#' }],
    ['lines above', "it's 'a\n1,'2'\n", 'it\'s \'a\n1,"2"\n', { ...MYSQL, skipLines: 1 }],
  ])('becomes RFC 4180: %s', (_, text, expected, notation) => {
    for (const chunk of [1, 2, 100]) expect(rewrite(text, notation, chunk)).toBe(expected);
  });

  it('holds the same cells, whatever they are', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', "'", '"', '\\', ',', '\n', ' ', 'N', 'ä'),
      maxLength: 6,
    });
    const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 9 }), (rows, chunk) => {
        const write = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
        const text = rows.map((cells) => `${cells.map(write).join(',')}\n`).join('');
        expect(parse(rewrite(text, MYSQL, chunk))).toEqual(rows);
      }),
    );
  });

  it('is left open where a quote is never closed, and not kept in memory', () => {
    const text = `1 "${'x'.repeat(3 * 2 ** 20)}`;
    expect(rewrite(text, BLANKS, 2 ** 18)).toBe(text.replace(' ', '\t'));
  });
});
