/** The training rows: each column with its numbers and a small histogram. */
import { formatCount, formatMetric, formatPercent } from '../../text.js';
import { picture } from './evaluation.js';
import { type Content, html, type Markup, name } from './markup.js';
import { histogram, shareBar, sparkBars } from './plots.js';
import type { ColumnResults, DataResults } from './results.js';
import { htmlTable, shortName } from './table.js';

const PICTURE = 84;
const MOST_CLASSES = 24;

export function dataSection({ rows, columns, of, target, warnings, pictures }: DataResults): Content {
  const hasMissing = columns.some(({ missing }) => missing > 0);
  return html`<p>${formatCount(rows)} training rows of ${formatCount(of)} columns, as the network gets them.</p>
${warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
${target && targetFigure(target)}
${pictures && html`<h3>The mean image${pictures.length > 1 && ' of each class'}</h3><div class="gallery">${pictures.map((one) => html`<figure>${picture(one.picture, PICTURE / one.picture.width)}${name(one.name)}</figure>`)}</div>`}
${
  columns.length > 0 &&
  html`<h3>Columns</h3>${htmlTable({
    columns: [
      { header: 'column' },
      { header: 'kind' },
      ...(hasMissing ? [{ header: 'missing', isNumber: true }] : []),
      { header: 'least', isNumber: true },
      { header: 'mean ± deviation', isNumber: true },
      { header: 'greatest', isNumber: true },
      { header: 'values', isWide: true },
    ],
    rows: columns.map((column) => {
      const { least, mean, deviation, greatest, missing, kind } = column;
      return [
        shortName(column.name),
        KINDS[kind] ?? kind,
        ...(hasMissing
          ? [missing > 0 ? `${formatCount(missing)} (${formatPercent(missing / rows)})` : '']
          : []),
        bound(least, column.show),
        mean === undefined || column.show ? '' : `${formatMetric(mean)} ± ${formatMetric(deviation ?? 0, 3)}`,
        bound(greatest, column.show),
        valuesOf(column, rows),
      ];
    }),
  })}${of > columns.length && html`<p class="note">and ${formatCount(of - columns.length)} more columns: mlp inspect shows all</p>`}`
}`;
}

const KINDS: Readonly<Record<string, string>> = {
  numeric: 'number',
  boolean: 'yes or no',
  constant: 'single value',
};

function bound(value: number | undefined, show?: ColumnResults['show']): string {
  if (value === undefined) return '';
  return show ? show(value) : String(Number(value.toPrecision(6)));
}

const SHOWN_LEVELS = 3;

function valuesOf({ histogram, levels, levelCount = 0, value }: ColumnResults, rows: number): Content {
  if (value !== undefined) return html`only ${shortName(value)}, no input`;
  if (histogram) return sparkBars(histogram.counts);
  const shown = (levels ?? []).slice(0, SHOWN_LEVELS);
  const more = levelCount - shown.length;
  return html`${shown.map((level, i) => html`${i > 0 && ', '}${shortName(level.name)} ${formatPercent(level.rows / rows, 0)}`)}${more > 0 && `, ${formatCount(more)} more`}`;
}

function targetFigure(target: ColumnResults): Content {
  const { levels, histogram: bars, levelCount = 0, kind } = target;
  const title = html`Target ${name(target.name)}`;
  if (bars) {
    return html`<div class="pair">${histogram(bars, { title: html`${title}`, label: target.name, note: `mean ${formatMetric(target.mean ?? Number.NaN)}, deviation ${formatMetric(target.deviation ?? Number.NaN)}` })}</div>`;
  }
  if (!levels || levels.length === 0) return undefined;
  const shown = levels.slice(0, MOST_CLASSES);
  return html`<h3>${title}</h3>${levelTable(shown, kind === 'labels' ? 'label' : 'class')}${levelCount > shown.length && html`<p class="note">and ${formatCount(levelCount - shown.length)} more classes</p>`}`;
}

function levelTable(levels: NonNullable<ColumnResults['levels']>, what: string): Markup {
  const most = levels.reduce((largest, { rows }) => Math.max(largest, rows), 1);
  return htmlTable({
    columns: [{ header: what }, { header: 'rows', isNumber: true }, { header: '' }],
    rows: levels.map(({ name: text, rows }) => [shortName(text), formatCount(rows), shareBar(rows / most)]),
  });
}
