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

/** The lines of `tableLines`, joined by `\n`. */
export function formatTable(...table: Parameters<typeof tableLines>): string {
  return tableLines(...table).join('\n');
}

/**
 * Header, rule, rows, rule, footer. If too wide, its widest column of text shrinks
 * first, then its widest column of numbers; an ellipsis marks each cut.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  display: Display,
  { footer = [], gap = 2 }: TableOptions = {},
): string[] {
  const { style, ascii } = display;
  const header = columns.map((column): Cell => ({ text: column.header, paint: style.bold }));
  const { lines, width } = alignRows(columns, [header, ...rows, ...footer], display, gap);
  const rule = style.dim((ascii ? '-' : '─').repeat(width));
  lines.splice(1, 0, rule);
  if (footer.length > 0) lines.splice(lines.length - footer.length, 0, rule);
  return lines;
}

/** Rows in aligned columns, filled up with empty cells, no trailing spaces; and their width. */
export function alignRows(
  columns: readonly Alignment[],
  rows: readonly (readonly Cell[])[],
  { width, ascii = false }: Pick<Display, 'width' | 'ascii'>,
  gap: number,
): { lines: string[]; width: number } {
  // Made twice: a table may have 100,000 rows.
  const textAt = (row: readonly Cell[], j: number) => printable(cellText(row[j] ?? ''));
  const natural = columns.map((_, j) =>
    rows.reduce((most, row) => Math.max(most, textWidth(textAt(row, j))), 1),
  );
  const widths = shrink(columns, natural, width - gap * (columns.length - 1));

  const lines = rows.map((row) => {
    const cells = columns.map((_, j) => {
      const shown = clip(textAt(row, j), widths[j], ascii);
      const cell = row[j] ?? '';
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
