/** The confusion matrix: a table in counts and per cent, or a picture where classes are many. */
import { formatCount, formatPercent } from '../../text.js';
import { type Content, html, type Markup } from './markup.js';
import { image, shadeOf, shades } from './png.js';
import { htmlTable, shortName } from './table.js';

export interface Matrix {
  readonly classes: readonly string[];
  /** counts[actual][predicted] */
  readonly counts: readonly ArrayLike<number>[];
}

/** More columns fit no page. */
const MOST_IN_TABLE = 16;
const MOST_PAIRS = 12;
const WIDTH = 420;

export function matrixOf({ classes, counts }: Matrix): Content {
  const totals = counts.map((row) => sum(Array.from(row)));
  const pairs = confusedPairs(counts, totals);
  if (classes.length <= MOST_IN_TABLE) return table({ classes, counts }, totals);
  return html`<div class="pair">${picture({ classes, counts }, totals)}
<div>${
    pairs.length === 0
      ? html`<p>No class is mistaken for another.</p>`
      : htmlTable({
          caption: `The most confused of ${formatCount(pairs.length)} pairs`,
          columns: [
            { header: 'actual' },
            { header: 'predicted' },
            { header: 'rows', isNumber: true },
            { header: 'of actual', isNumber: true },
          ],
          rows: pairs
            .slice(0, MOST_PAIRS)
            .map(({ actual, predicted, count }) => [
              shortName(classes[actual]),
              shortName(classes[predicted]),
              formatCount(count),
              formatPercent(count / totals[actual]),
            ]),
        })
  }</div></div>`;
}

function table({ classes, counts }: Matrix, totals: readonly number[]): Markup {
  const predicted = classes.map((_, j) => sum(counts.map((row) => row[j] ?? 0)));
  const hits = classes.map((_, i) => counts[i]?.[i] ?? 0);
  const share = (part: number, whole: number) => formatPercent(part / whole);
  const cell = (count: number, total: number, isRight: boolean): Markup => {
    if (count === 0) return html`<td class="zero">0</td>`;
    const level = Math.min(10, Math.max(1, Math.ceil((count / total) * 10)));
    return html`<td class="${isRight ? 'g' : 'b'}${level}">${formatCount(count)}<small>${share(count, total)}</small></td>`;
  };
  return html`<p class="caption">Confusion matrix: actual classes in rows, predicted in columns; per cent of the row</p>
<div class="scroll"><table class="matrix">
<thead><tr><td></td>${classes.map((text) => html`<th scope="col">${shortName(text)}</th>`)}<th scope="col">rows</th><th scope="col">recall</th></tr></thead>
<tbody>
${classes.map(
  (
    text,
    i,
  ) => html`<tr><th scope="row">${shortName(text)}</th>${classes.map((_, j) => cell(counts[i]?.[j] ?? 0, totals[i], i === j))}<td>${formatCount(totals[i])}</td><td>${share(hits[i], totals[i])}</td></tr>
`,
)}</tbody>
<tfoot><tr><th scope="row">precision</th>${classes.map((_, j) => html`<td>${share(hits[j], predicted[j])}</td>`)}<td>${formatCount(sum(totals))}</td><td>${share(sum(hits), sum(totals))}</td></tr></tfoot>
</table></div>`;
}

/** A pixel for each pair: dark on the diagonal, and nowhere else, is good. */
function picture({ classes, counts }: Matrix, totals: readonly number[]): Markup {
  const size = classes.length;
  const indices = new Uint8Array(size * size);
  counts.forEach((row, i) => {
    for (let j = 0; j < size; j++) {
      const share = row[j] > 0 ? row[j] / totals[i] : 0;
      // A single row of many must be seen, too.
      indices[i * size + j] = share > 0 ? shadeOf(0.15 + 0.85 * share) : 0;
    }
  });
  const alt = `Confusion matrix of ${size} classes`;
  return html`<figure><figcaption>Actual class from top to bottom, predicted class from left to right</figcaption>
${image(indices, size, shades(31, 116, 196), { alt, zoom: Math.max(1, WIDTH / size), kind: 'sheet' })}</figure>`;
}

function confusedPairs(counts: readonly ArrayLike<number>[], totals: readonly number[]) {
  const pairs = counts.flatMap((row, actual) =>
    Array.from(row).flatMap((count, predicted) =>
      count > 0 && actual !== predicted ? [{ actual, predicted, count }] : [],
    ),
  );
  return pairs.sort(
    (a, b) =>
      b.count - a.count || b.count / totals[b.actual] - a.count / totals[a.actual] || a.actual - b.actual,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
