/** The table of mlp runs, as wide as the terminal allows. */
import type { Display, Style } from '../report/style.js';
import { type Cell, type Column, formatTable } from '../report/table.js';
import { textWidth } from '../report/width.js';
import { formatDuration, formatMetric, listed, printable } from '../text.js';
import { isBetter } from '../training/monitor.js';
import { type Setting, shown } from '../training/run/differences.js';
import { type ListedRun, scoreNames, scoresOf } from '../training/run/list.js';

/** More settings would make no table. */
const MOST_SETTINGS = 20;
const VALIDATION = 'validation_';

export function runsTable(
  runs: readonly ListedRun[],
  settings: readonly Setting<ListedRun>[],
  display: Display,
): string {
  const { style } = display;
  const names = scoreNames(runs);
  const ofHeldOut = names.filter((name) => !name.startsWith('train_'));
  const whole = [
    ...factColumns(runs, style),
    ...(ofHeldOut.length > 0 ? ofHeldOut : names).map((name) => scoreColumn(name, runs, display)),
    {
      header: 'time',
      align: 'right' as const,
      cells: runs.map(({ summary }) => numberCell(summary?.trainSeconds, formatDuration)),
    },
    ...settings.slice(0, MOST_SETTINGS).map((setting) => settingColumn(setting, runs)),
  ];
  const columns = widthOf(whole) <= display.width ? whole : narrowed(whole, runs);
  let kept = columns.length;
  while (kept > 1 && widthOf(columns.slice(0, kept)) > display.width) kept--;
  const shownColumns = columns.slice(0, kept);
  const rows = runs.map((_, i) => shownColumns.map(({ cells }) => cells[i]));
  const legend = shownColumns.flatMap(({ header, key = header }) =>
    header === key ? [] : [key.startsWith(VALIDATION) ? `val_ is ${VALIDATION}` : `${header} is ${key}`],
  );
  const left = [
    ...columns.slice(kept).map(({ header, key = header }) => key),
    ...settings.slice(MOST_SETTINGS).map(({ key }) => key),
  ];
  const notes = [...legend, ...(left.length > 0 ? [`not shown: ${listed(left)} (--json shows all)`] : [])];
  return [formatTable(shownColumns, rows, display), ...notes.map((line) => style.dim(printable(line)))].join(
    '\n',
  );
}

function factColumns(runs: readonly ListedRun[], style: Style): TableColumn[] {
  const paints = new Map([
    ['unreadable', style.bad],
    ['interrupted', style.warn],
    ['unfinished', style.warn],
    ['running', style.good],
  ]);
  const statusCell = ({ status: text }: ListedRun): Cell => {
    const paint = paints.get(text);
    return paint ? { text, paint } : text;
  };
  return [
    { header: 'run', cells: runs.map(({ path }) => path) },
    { header: 'status', cells: runs.map(statusCell) },
    {
      header: 'epochs',
      align: 'right',
      cells: runs.map(({ summary }) => numberCell(summary?.epochs, String)),
    },
  ];
}

function settingColumn({ key, values }: Setting<ListedRun>, runs: readonly ListedRun[]): TableColumn {
  const areNumbers = [...values.values()].every((value) => typeof value === 'number');
  return {
    header: key,
    align: areNumbers ? 'right' : 'left',
    cells: runs.map((run) => (values.has(run) ? shown(values.get(run)) : '-')),
  };
}

/** For a narrow terminal: the last words of a key, `val_` for `validation_`, and no status if all completed. */
function narrowed(columns: readonly TableColumn[], runs: readonly ListedRun[]): TableColumn[] {
  const areCompleted = runs.every(({ status }) => status === 'completed');
  const endings = shortest(columns.map(({ header }) => header));
  return columns.flatMap((column, i) => {
    if (column.header === 'status' && areCompleted) return [];
    const header = endings[i].replace(VALIDATION, 'val_');
    return [{ ...column, key: column.header, header }];
  });
}

interface TableColumn extends Column {
  /** What the header stands for, if it is shorter. */
  readonly key?: string;
  readonly cells: readonly Cell[];
}

/** The best of several scores stands out. */
function scoreColumn(name: string, runs: readonly ListedRun[], { style }: Display): TableColumn {
  const scores = runs.map((run) => scoresOf(run).get(name));
  const given = scores.filter((score) => score !== undefined);
  const best = given.reduce<number | null>(
    (best, score) => (isBetter(name, score, best, 0) ? score : best),
    null,
  );
  const cells = scores.map((score): Cell => {
    const text = numberCell(score, formatMetric);
    return given.length > 1 && score === best ? { text, paint: style.good } : text;
  });
  return { header: name, align: 'right', cells };
}

function numberCell(value: unknown, format: (value: number) => string): string {
  return typeof value === 'number' ? format(value) : '-';
}

function widthOf(columns: readonly TableColumn[]): number {
  const gap = 2;
  const textOf = (cell: Cell) => printable(typeof cell === 'string' ? cell : cell.text);
  const widths = columns.map(({ header, cells }) =>
    cells.reduce((most, cell) => Math.max(most, textWidth(textOf(cell))), textWidth(printable(header))),
  );
  return widths.reduce((sum, width) => sum + width, gap * (columns.length - 1));
}

/** Of each key the shortest ending that no other key has: `learningRate`, `layers[0].units`. */
function shortest(keys: readonly string[]): string[] {
  return keys.map((key) => {
    const starts = [...key.matchAll(/\./g)].map(({ index }) => index + 1).reverse();
    const isClear = (ending: string) =>
      keys.filter((other) => other === ending || other.endsWith(`.${ending}`)).length === 1;
    return starts.map((start) => key.slice(start)).find(isClear) ?? key;
  });
}
