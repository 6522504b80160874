import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chalkStyle, plainStyle } from '../../src/report/style.js';
import { type Column, formatTable } from '../../src/report/table.js';
import { textWidth } from '../../src/report/width.js';
import { hostileText } from './hostile.js';

const layers: Column[] = [
  { header: 'layer' },
  { header: 'output', align: 'right' },
  { header: 'parameters', align: 'right' },
];
const rows = [
  ['linear', '32×1024', '31,744'],
  ['relu', '32×1024', '0'],
];
const footer = [['total', '', '31,744']];
const plain = { width: 80, style: plainStyle };

describe('formatTable', () => {
  it('aligns text at the left and numbers at the right, with rules around the rows', () => {
    expect(formatTable(layers, rows, plain, { footer }).split('\n')).toEqual([
      'layer    output  parameters',
      '───────────────────────────',
      'linear  32×1024      31,744',
      'relu    32×1024           0',
      '───────────────────────────',
      'total                31,744',
    ]);
  });

  it('draws with ASCII alone where that is asked for', () => {
    const text = formatTable([{ header: 'a long header' }], [['x']], { ...plain, width: 8, ascii: true });
    expect(text).toBe('a long ~\n--------\nx');
  });

  it('cuts text before it cuts numbers', () => {
    const names = [['a column with a very long name', '32×1024', '31,744']];
    const lines = formatTable(layers, names, { ...plain, width: 35 }).split('\n');
    expect(lines[2]).toBe('a column with…  32×1024      31,744');
  });

  it('shows escape codes in cells and headers, and counts them as shown', () => {
    const text = formatTable([{ header: '\x1b[2J' }, { header: 'n' }], [['a\nb', '1']], plain);
    expect(text.split('\n')).toEqual(['\\u001b[2J  n', '────────────', 'a\\nb       1']);
  });

  it('paints after measuring, so colours move nothing', () => {
    const coloured = { width: 80, style: chalkStyle(new Chalk({ level: 1 })) };
    const cells = [['linear', { text: '32', paint: coloured.style.good }, '1']];
    const text = formatTable(layers, cells, coloured);
    expect(text).toContain('\x1b[32m32\x1b[39m');
    expect(text.replace(/\x1b\[\d+m/g, '')).toBe(formatTable(layers, [['linear', '32', '1']], plain));
  });

  it('has rows of one width, none wider than the display, whatever the cells hold', () => {
    const table = fc.record({
      width: fc.integer({ min: 20, max: 120 }),
      headers: fc.array(hostileText, { minLength: 1, maxLength: 5 }),
      cells: fc.array(fc.array(hostileText, { maxLength: 5 }), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(table, ({ width, headers, cells }) => {
        const columns: Column[] = [...headers.map((header) => ({ header })), { header: '#', align: 'right' }];
        const numbered = cells.map((row, i) => [...headers.map((_, j) => row[j] ?? ''), String(i)]);
        const lines = formatTable(columns, numbered, { width, style: plainStyle }).split('\n');
        expect(lines).toHaveLength(numbered.length + 2);
        expect(new Set(lines.map(textWidth)).size).toBe(1);
        expect(textWidth(lines[0])).toBeLessThanOrEqual(width);
      }),
    );
  });
});
