/** Plain aligned tables: a header, a rule, the rows, another rule and the totals. */

import { printable } from '../text.js';
import type { Display, Paint } from './style.js';
import { clip, pad, textWidth } from './width.js';

export interface Column {
  readonly header: string;
  /** Left by default; numbers go to the right. */
  readonly align?: 'left' | 'right';
}

type Alignment = Pick<Column, 'align'>;

/** Text, or text and its paint. Escape codes inside the text are shown, not obeyed. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

export interface TableOptions {
  /** Rows below a second rule: totals. */
  readonly footer?: readonly (readonly Cell[])[];
  /** Spaces between columns; 2 by default. */
  readonly gap?: number;
}

/**
 * Header, rule, rows, rule, footer, joined by `\n`. If too wide, its widest column of text shrinks
 * first, then its widest column of numbers; an ellipsis marks each cut.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  display: Display,
  { footer = [], gap = 2 }: TableOptions = {},
): string {
  const { style, ascii } = display;
  const header = columns.map((column): Cell => ({ text: column.header, paint: style.bold }));
  const { lines, width } = alignRows(columns, [header, ...rows, ...footer], display, gap);
  const rule = style.dim((ascii ? '-' : '─').repeat(width));
  lines.splice(1, 0, rule);
  if (footer.length > 0) lines.splice(lines.length - footer.length, 0, rule);
  return lines.join('\n');
}

/** Rows in aligned columns, filled up with empty cells, no trailing spaces; and their width. */
export function alignRows(
  columns: readonly Alignment[],
  rows: readonly (readonly Cell[])[],
  { width, ascii = false }: Pick<Display, 'width' | 'ascii'>,
  gap: number,
): { lines: string[]; width: number } {
  const texts = rows.map((row) => columns.map((_, j) => printable(cellText(row[j] ?? ''))));
  const natural = columns.map((_, j) => texts.reduce((most, row) => Math.max(most, textWidth(row[j])), 1));
  const widths = shrink(columns, natural, width - gap * (columns.length - 1));

  const lines = texts.map((row, i) => {
    const cells = row.map((text, j) => {
      const shown = clip(text, widths[j], ascii);
      const cell = rows[i][j] ?? '';
      const painted = typeof cell === 'string' ? shown : cell.paint(shown);
      const spaces = pad('', widths[j] - textWidth(shown));
      return columns[j].align === 'right' ? spaces + painted : painted + spaces;
    });
    return cells.join(' '.repeat(gap)).trimEnd();
  });
  return { lines, width: widths.reduce((sum, w) => sum + w, gap * (widths.length - 1)) };
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

/** Column widths that add up to at most `available`, as long as each is at least 1. */
function shrink(columns: readonly Alignment[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, w) => sum + w, 0) - available;
  for (const [align, least] of [
    ['left', 8],
    ['right', 8],
    ['left', 1],
    ['right', 1],
  ] as const) {
    for (; excess > 0; excess--) {
      let widest = -1;
      for (let j = 0; j < widths.length; j++) {
        const fits = (columns[j].align ?? 'left') === align && widths[j] > least;
        if (fits && (widest < 0 || widths[j] > widths[widest])) widest = j;
      }
      if (widest < 0) break;
      widths[widest]--;
    }
  }
  return widths;
}
