/** A plain aligned table: a header, a rule, the rows, and below another rule the totals. No box around it. */

import { printable } from '../text.js';
import type { Display, Paint } from './style.js';
import { clip, pad, textWidth } from './text.js';

export interface Column {
  readonly header: string;
  /** Numbers stand at the right. Left is the default. */
  readonly align?: 'left' | 'right';
}

/** A cell is text, or text and what it is painted with; escape codes inside the text are shown, not obeyed. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

export interface TableOptions {
  /** Rows below a second rule: totals. */
  readonly footer?: readonly (readonly Cell[])[];
  /** Spaces between columns; 2 unless said. */
  readonly gap?: number;
}

/**
 * The table as lines joined by `\n`, none with spaces at its end. Where it is wider than the display, the widest
 * column of text gives way first, then the widest of numbers; what is cut ends in an ellipsis.
 * A row with fewer cells than columns is filled up with empty ones.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, style, ascii = false }: Display,
  { footer = [], gap = 2 }: TableOptions = {},
): string {
  const header = columns.map((column): Cell => ({ text: column.header, paint: style.bold }));
  const all = [header, ...rows, ...footer];
  const texts = all.map((row) => columns.map((_, j) => printable(cellText(row[j] ?? ''))));
  const natural = columns.map((_, j) => texts.reduce((most, row) => Math.max(most, textWidth(row[j])), 1));
  const widths = shrink(columns, natural, width - gap * (columns.length - 1));
  const ellipsis = ascii ? '~' : '…';

  const lines = texts.map((row, i) => {
    const cells = row.map((text, j) => {
      const shown = clip(text, widths[j], ellipsis);
      const cell = all[i][j] ?? '';
      const painted = typeof cell === 'string' ? shown : cell.paint(shown);
      const spaces = pad('', widths[j] - textWidth(shown));
      return columns[j].align === 'right' ? spaces + painted : painted + spaces;
    });
    return cells.join(' '.repeat(gap)).trimEnd();
  });

  const rule = style.dim(
    (ascii ? '-' : '─').repeat(widths.reduce((sum, w) => sum + w, gap * (widths.length - 1))),
  );
  lines.splice(1, 0, rule);
  if (footer.length > 0) lines.splice(lines.length - footer.length, 0, rule);
  return lines.join('\n');
}

function cellText(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

/** Column widths whose sum fits `available`, as far as one column of text a column allows. */
function shrink(columns: readonly Column[], natural: readonly number[], available: number): number[] {
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
