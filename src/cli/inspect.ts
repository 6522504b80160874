/** mlp inspect: what a CSV contains, and what to look at before training. */
import {
  type ColumnProfile,
  type Level,
  profileTable,
  type TableProfile,
  type TargetProfile,
} from '../data/profile/profile.js';
import type { Display } from '../report/style.js';
import { type Column, formatTable, tableLines } from '../report/table.js';
import { clip } from '../report/width.js';
import { counted, formatCount, formatMetric, formatPercent, printable } from '../text.js';
import { note, print, printLines, toJson, warn } from './output.js';
import { readTable, type TableOptions } from './reading.js';
import { displayOf } from './terminal.js';

/** Names and levels are cut to these widths. */
const LONGEST_NAME = 40;
const LONGEST_LEVEL = 20;
const SHOWN_LEVELS = 3;
const SHOWN_CLASSES = 30;
const LONGEST_BAR = 30;

export async function run(paths: readonly string[], options: TableOptions): Promise<void> {
  const { profile, description } = await profileOf(paths, options);
  if (options.json) {
    print(toJson(profile, 2));
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  // Only a terminal limits the width.
  const width = process.stdout.isTTY ? display.width : Number.POSITIVE_INFINITY;
  printLines(renderProfile(profile, description, { ...display, width }));
  const { reason } = profile.target ?? {};
  if (reason !== undefined) note(printable(`${profile.path}: ${reason}`));
  for (const { text } of profile.warnings) warn(text);
}

/** Without the table: the profile is printed when its cells are no longer needed. */
async function profileOf(
  paths: readonly string[],
  options: TableOptions,
): Promise<{ profile: TableProfile; description: string }> {
  const { table, format, description, target, notes, indices } = await readTable(paths, {
    ...options,
    keepsOddCells: true,
  });
  return { profile: ofFile(profileTable(table, format, target, notes), indices), description };
}

/** The profile with the numbers that columns have in the file. */
function ofFile(profile: TableProfile, indices: readonly number[]): TableProfile {
  const { columns, target } = profile;
  return {
    ...profile,
    columns: columns.map((column) => ({ ...column, index: indices[column.index] })),
    ...(target && { target: { ...target, index: indices[target.index] } }),
  };
}

/** A column of the printed table, and its cell for each column of the data. */
interface Field extends Column {
  readonly cell: (column: ColumnProfile) => string;
}

function renderProfile(profile: TableProfile, description: string, display: Display): string[] {
  const { path, rows, columns, target } = profile;
  const counts = `${counted(rows, 'row')}, ${counted(columns.length, 'column')}`;
  return [
    `${printable(path)}: ${counts}, ${description}`,
    '',
    ...renderColumns(columns, target, display),
    ...(target ? ['', renderTarget(target, display)] : []),
  ];
}

function renderColumns(
  columns: readonly ColumnProfile[],
  target: TargetProfile | undefined,
  display: Display,
): string[] {
  const fields: Field[] = [
    { header: 'column', cell: ({ name }) => clip(printable(name), LONGEST_NAME, display.ascii) },
    { header: 'kind', cell: ({ kind, index }) => (index === target?.index ? `${kind}, target` : kind) },
    { header: 'distinct', align: 'right', cell: ({ distinct }) => formatCount(distinct) },
  ];
  // What no column of the data has is not shown; that saves room.
  if (columns.some(({ missing }) => missing > 0)) {
    fields.push({ header: 'missing', align: 'right', cell: ({ missing }) => formatCount(missing) });
  }
  if (columns.some(({ dates, range }) => (dates?.range ?? range) !== undefined)) {
    fields.push(
      { header: 'min', align: 'right', cell: (column) => boundOf(column, 'min') },
      { header: 'max', align: 'right', cell: (column) => boundOf(column, 'max') },
    );
  }
  if (columns.some(({ range }) => range !== undefined)) {
    fields.push(
      { header: 'mean', align: 'right', cell: ({ mean }) => (mean === undefined ? '' : formatMetric(mean)) },
      {
        header: 'deviation',
        align: 'right',
        cell: ({ deviation }) => (deviation === undefined ? '' : formatMetric(deviation)),
      },
    );
  }
  if (columns.some(({ frequent }) => frequent !== undefined)) {
    fields.push({
      header: 'most frequent',
      cell: ({ frequent = [] }) => formatLevels(frequent, display.ascii),
    });
  }
  return tableLines(
    fields,
    columns.map((column) => fields.map(({ cell }) => cell(column))),
    display,
  );
}

function renderTarget({ name, task, classes }: TargetProfile, display: Display): string {
  const head = `target ${clip(printable(name), LONGEST_NAME, display.ascii)}: ${task ?? 'nothing to learn'}`;
  if (classes === undefined) return head;
  const most = classes.reduce((rows, level) => Math.max(rows, level.rows), 0);
  const all = classes.reduce((rows, level) => rows + level.rows, 0);
  const block = display.ascii ? '#' : '█';
  const more = classes.length - SHOWN_CLASSES;
  const table = formatTable(
    [
      { header: 'class' },
      { header: 'rows', align: 'right' },
      { header: 'share', align: 'right' },
      { header: '' },
    ],
    classes
      .slice(0, SHOWN_CLASSES)
      .map((level) => [
        clip(printable(level.name), LONGEST_NAME, display.ascii),
        formatCount(level.rows),
        formatPercent(level.rows / all),
        { text: block.repeat(Math.ceil((level.rows / most) * LONGEST_BAR)), paint: display.style.training },
      ]),
    display,
  );
  return `${head}, ${counted(classes.length, 'class', 'classes')}\n\n${table}${more > 0 ? `\n${display.ascii ? '~' : '…'} and ${formatCount(more)} more` : ''}`;
}

/** `setosa 50, versicolor 50` */
function formatLevels(levels: readonly Level[], ascii?: boolean): string {
  return levels
    .slice(0, SHOWN_LEVELS)
    .map(({ name, rows }) => `${clip(printable(name), LONGEST_LEVEL, ascii)} ${formatCount(rows)}`)
    .join(', ');
}

/** The least or the greatest value: a number, or a date. */
function boundOf({ dates, range }: ColumnProfile, bound: 'min' | 'max'): string {
  if (dates?.range) return dates.range[bound];
  return range ? formatBound(range[bound]) : '';
}

/** A number of the file, rounded to six digits. */
function formatBound(value: number): string {
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 0.001 || size >= 1e9) ? formatMetric(value) : String(rounded);
}
