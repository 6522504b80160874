/** Tables, which scroll by themselves where a screen is narrow. */
import { type Content, html, type Markup, name } from './markup.js';

export interface HtmlColumn {
  readonly header: Content;
  /** Numbers go to the right. */
  readonly isNumber?: boolean;
  /** Lists of values need room, where the table is wider than the screen. */
  readonly isWide?: boolean;
}

export interface HtmlTable {
  readonly caption?: Content;
  readonly columns: readonly HtmlColumn[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly Content[])[];
  readonly footer?: readonly (readonly Content[])[];
}

export function htmlTable({ caption, columns, rows, footer = [] }: HtmlTable): Markup {
  const kind = (j: number) =>
    columns[j].isNumber ? html` class="n"` : columns[j].isWide ? html` class="wide"` : html``;
  const line = (cells: readonly Content[]) => html`<tr>${cells.map((cell, j) =>
    j === 0 && !columns[0].isNumber ? html`<th scope="row">${cell}</th>` : html`<td${kind(j)}>${cell}</td>`,
  )}</tr>
`;
  return html`<div class="scroll"><table>
${caption && html`<caption>${caption}</caption>\n`}<thead><tr>${columns.map(({ header }, j) => html`<th scope="col"${kind(j)}>${header}</th>`)}</tr></thead>
<tbody>
${rows.map(line)}</tbody>
${footer.length > 0 && html`<tfoot>${footer.map(line)}</tfoot>`}</table></div>
`;
}

/** Names with their values. */
export function facts(pairs: readonly (readonly [what: Content, value: Content])[]): Markup {
  return html`<dl>${pairs.map(([what, value]) => html`<dt>${what}</dt><dd>${value}</dd>`)}</dl>`;
}

const LONGEST = 60;

/** A name from a file, cut if it is long; whoever points at it sees the whole. */
export function shortName(text: string): Markup {
  if (text.length <= LONGEST) return name(text);
  const end = /[\ud800-\udbff]/.test(text[LONGEST - 2]) ? LONGEST - 2 : LONGEST - 1;
  return html`<bdi title="${text.slice(0, 500)}">${text.slice(0, end)}…</bdi>`;
}
