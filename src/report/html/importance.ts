/** How much each column matters to the network. */
import { formatCount, formatMetric } from '../../text.js';
import { picture } from './evaluation.js';
import { type Content, html } from './markup.js';
import { shareBar } from './plots.js';
import type { ImportanceResults } from './results.js';
import { htmlTable, shortName } from './table.js';

const MOST_COLUMNS = 30;
const PICTURE = 280;

export function importanceSection(importance: ImportanceResults | string): Content {
  if (typeof importance === 'string') return html`<p class="note">${importance}</p>`;
  const { rows, repeats, loss, columns, pictureWidth } = importance;
  const sorted = [...columns].sort((a, b) => b.mean - a.mean);
  const most = sorted.reduce((largest, { mean }) => Math.max(largest, Math.abs(mean)), 0);
  const intro = html`<p class="note">How much the loss of ${formatMetric(loss)} grows when the cells of a column are shuffled among ${formatCount(rows)} rows: ${repeats > 1 ? `the mean of ${repeats} times, a thin line for the deviation` : 'once'}. Columns that tell the same can each look unimportant.</p>`;
  if (!(most > 0)) return html`${intro}<p>No column changes the loss.</p>`;
  if (pictureWidth !== undefined) {
    // A pixel that never changes is no column here.
    const values = new Float64Array(pictureWidth ** 2);
    for (const { place, mean } of columns) values[place] = Math.max(0, mean) / most;
    return html`${intro}<figure><figcaption>By pixel, at most ${formatMetric(most, 3)}</figcaption>${picture({ width: pictureWidth, values }, PICTURE / pictureWidth, 'Importance of each pixel')}</figure>`;
  }
  const shown = sorted.slice(0, MOST_COLUMNS);
  const least = shown.reduce((smallest, { mean }) => Math.min(smallest, mean / most), 0);
  const more = sorted.length - shown.length;
  return html`${intro}${htmlTable({
    columns: [{ header: 'column' }, { header: 'loss', isNumber: true }, { header: '' }],
    rows: shown.map(({ column, mean, deviation }) => [
      shortName(column),
      `${mean < 0 ? '−' : '+'}${formatMetric(Math.abs(mean), 3)}`,
      shareBar(mean / most, deviation / most, least),
    ]),
  })}${more > 0 && html`<p class="note">and ${formatCount(more)} more, which matter less</p>`}`;
}
