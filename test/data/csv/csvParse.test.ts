import { describe, expect, it } from 'vitest';
import { closingQuote, countLineEnds, lineStart, PushParser } from '../../../src/data/csv/csvParse.js';

describe('countLineEnds', () => {
  it.each([
    ['', 0],
    ['a\nb\rc\r\nd', 3],
    ['\n\r', 2],
    ['\r\r\n\n', 3],
  ])('counts in %j', (text, count) => {
    expect(countLineEnds(text)).toBe(count);
  });
});

describe('lineStart', () => {
  it('is behind so many line ends', () => {
    const text = 'a\r\nb\rc\nd';
    expect([0, 1, 2, 3].map((lines) => text.slice(lineStart(text, lines)))).toEqual([
      text,
      'b\rc\nd',
      'c\nd',
      'd',
    ]);
  });

  it('is the end of a text that has not so many', () => {
    expect(lineStart('a\nb', 2)).toBe(3);
  });
});

describe('closingQuote', () => {
  it.each([
    ['"a"b', 2],
    ['""b', 1],
    ['"a""b"', 5],
    ['""""', 3],
    ['"a""', 4],
    ['"a', 2],
  ])('is found in %j', (text, end) => {
    expect(closingQuote(text, 0)).toBe(end);
    expect(closingQuote(`x${text}`, 1)).toBe(end + 1);
  });
});

describe('PushParser', () => {
  it('has no error made for each record of another length: a million of them took a minute', () => {
    const records: string[][] = [];
    const parser = new PushParser({ delimiter: ',' }, (cells) => records.push([...cells]));
    parser.feed(Buffer.from('a,b,c\n1\n2,3\n4,5,6,7\n'));
    parser.finish();
    expect(records).toEqual([['a', 'b', 'c'], ['1'], ['2', '3'], ['4', '5', '6', '7']]);
    expect(parser.info.invalid_field_length).toBe(0);
  });
});
