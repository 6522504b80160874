/** What to look at before training, in sentences. */
import type { Task } from '../../spec/words.js';
import { counted, listed, quote } from '../../text.js';
import { isPlaceholder, LONG_INTEGERS } from '../cell.js';
import { readAs } from '../dates.js';
import { lookalikeSentences } from '../levels.js';
import { mixtureText } from '../mixture.js';
import { sentinelOf, sentinelSentence } from '../sentinel.js';
import { cellLocation, columnLabel, rowLabel, type Table } from '../table.js';
import { FAR, hasOutlier, namesOwner } from './columnProfile.js';
import type { Leak } from './leaks.js';
import type { ColumnProfile, Level, TargetProfile, Warning, WarningKind } from './tableProfile.js';
import { transformFor } from './targetSkew.js';

/** More levels make a wide input; grouping them may be better. */
const MANY_LEVELS = 100;
/** More numbers with fractions are hardly classes. */
const MOST_NUMERIC_CLASSES = 20;
/** Ids are shorter. */
const MOST_LONG = 1e38;
/** The largest finite float32. */
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;
/** A network may ignore the rarest class if the largest has this many times its rows. */
const IMBALANCE = 20;

const LEAKS: Readonly<Record<Leak, string>> = {
  value: 'each value goes with a single value of the target',
  missing: 'cells are missing in the rows of one class, and in no others',
  threshold: 'a threshold separates the classes',
  linear: 'it is a straight line over the target',
  order: 'it rises or falls with the target without exception',
};

/** Columns with something in common. */
interface Labels {
  readonly found: readonly ColumnProfile[];
  readonly columns: readonly string[];
  /** `column "a"`, or `columns "a", "b" and 7 more` */
  readonly text: string;
  readonly one: boolean;
}

export function columnWarnings(
  table: Table,
  columns: readonly ColumnProfile[],
  target: number | undefined,
): Warning[] {
  const warnings: Warning[] = [];
  const warn = (
    kind: WarningKind,
    applies: (column: ColumnProfile) => boolean,
    text: (found: Labels) => string,
  ): void => {
    const found = columns.filter(applies);
    if (found.length === 0) return;
    const labels = labelsOf(table, found);
    warnings.push({ kind, columns: labels.columns, text: text(labels) });
  };
  const isFeature = ({ index }: ColumnProfile) => index !== target;

  for (const { name, index, odd } of columns) {
    if (!odd) continue;
    const { cells, location, text } = odd;
    const more =
      cells === 1
        ? ''
        : ` and ${counted(cells - 1, 'more cell')} that ${cells === 2 ? 'is no number' : 'are no numbers'}`;
    const units =
      location === cellLocation(table, index, 0) ? ', data.skipRows leaves out a row of units' : '';
    warnings.push({
      kind: 'odd-cells',
      columns: [name],
      text:
        `${location}: found ${quote(text)}${more}, expected numbers: data.badRows "skip" leaves such rows out${units}` +
        (index === target
          ? ''
          : `, data.missingValues: {${JSON.stringify(name)}: [${JSON.stringify(text)}]} makes it a missing value`),
    });
  }
  for (const { name, mixture } of columns) {
    if (!mixture) continue;
    const { missingValues } = mixture;
    const advice = missingValues
      ? `to read these as missing values, set data.missingValues to ${JSON.stringify({ [name]: missingValues })}`
      : 'to read all as text, name it in data.categories';
    const text = `${columnLabel(table.header, name)} holds ${mixtureText(mixture)}: ${advice}`;
    warnings.push({ kind: 'mixture', columns: [name], text });
  }
  warn(
    'missing',
    (column) => isFeature(column) && column.missing > 0,
    ({ text, one, columns: names }) => {
      const missing = columns.reduce((sum, column) => sum + (isFeature(column) ? column.missing : 0), 0);
      const share = ((missing / (table.rows * names.length)) * 100).toPrecision(2);
      return `${text} ${one ? 'lacks' : 'lack'} ${missing} ${missing === 1 ? 'cell' : 'cells'} (${Number(share)} %): data.missing says how to fill them`;
    },
  );
  warn(
    'constant',
    (column) => isFeature(column) && column.kind === 'constant',
    ({ text, one, found }) => {
      const empty = found.filter(({ distinct }) => distinct === 0).length;
      const what = empty === 0 ? 'constant' : empty === found.length ? 'empty' : 'constant or empty';
      return `${text} ${one ? 'is' : 'are'} ${what}: ${one ? 'it carries' : 'they carry'} no information`;
    },
  );
  warn(
    'identifier',
    ({ kind }) => kind === 'identifier',
    ({ text, one }) =>
      `${text} ${one ? 'looks like an identifier' : 'look like identifiers'}: if so, name ${one ? 'it' : 'them'} in data.exclude`,
  );
  warn(
    'groups',
    (column) => isFeature(column) && repeatsOwners(column, table.rows),
    ({ text, one, columns: [name] }) =>
      `${text} ${one ? 'repeats its values, which seem' : 'repeat their values, which seem'} to say whose a row is: ` +
      `to keep the rows of one together, set data.validation to {"share": 0.2, "group": ${JSON.stringify(name)}}`,
  );
  warn(
    'levels',
    (column) => isFeature(column) && column.kind === 'category' && column.distinct > MANY_LEVELS,
    ({ text, one }) =>
      `${text} ${one ? 'has' : 'have'} more than ${MANY_LEVELS} levels, and each becomes an input of the network unless it is embedded (data.embedFrom, or the tabular preset)`,
  );
  warn(
    'overflow',
    ({ range }) => range !== undefined && Math.max(-range.min, range.max) > FLOAT32_MAX,
    ({ text, one }) =>
      `${text} ${one ? 'holds' : 'hold'} values beyond ±3.4e38, which float32 has no number for: ` +
      'set dtype to "float64", or take a larger unit',
  );
  warn(
    'outlier',
    ({ index, kind, range }) => {
      const column = table.columns[index];
      const isNumber = kind === 'numeric' || kind === 'integer';
      return (
        isNumber && column?.kind === 'numeric' && range !== undefined && hasOutlier(column.values, range)
      );
    },
    ({ text, one }) =>
      `${text} ${one ? 'holds' : 'hold'} a value more than ${FAR} interquartile ranges from the quartiles: ` +
      'a typing error, or a case for a logarithm',
  );
  return warnings;
}

/** Warns of cells that may stand for missing values, but are read as levels or numbers. */
export function gapWarnings(table: Table, columns: readonly ColumnProfile[]): Warning[] {
  return columns.flatMap(({ index, name, kind, range }): Warning[] => {
    const column = table.columns[index];
    const label = columnLabel(table.header, name);
    if (column?.kind === 'text') {
      const levels = column.levels.filter(isPlaceholder);
      if (levels.length === 0) return [];
      const [are, mean] = levels.length === 1 ? ['is', 'it means'] : ['are', 'they mean'];
      const text = `${label}: ${listed(levels.map(quote))} ${are} read as text: if ${mean} a missing value, set data.missingValues`;
      return [{ kind: 'placeholder', columns: [name], text }];
    }
    const isWhole = kind === 'integer' || kind === 'identifier';
    const largest = range ? Math.max(-range.min, range.max) : 0;
    // Larger ones are hardly written digit by digit.
    if (isWhole && largest > Number.MAX_SAFE_INTEGER && largest < MOST_LONG) {
      return [{ kind: 'long-integers', columns: [name], text: `${label} ${LONG_INTEGERS}` }];
    }
    const found = column && sentinelOf(column.values);
    if (found === undefined) return [];
    return [{ kind: 'sentinel', columns: [name], text: sentinelSentence(label, found) }];
  });
}

/** Says how dates are read, and which dates are not. */
export function dateWarnings(table: Table, columns: readonly ColumnProfile[]): Warning[] {
  return columns.flatMap(({ index, name, dates }): Warning[] => {
    const column = table.columns[index];
    if (dates === undefined || column === undefined) return [];
    const label = columnLabel(table.header, name);
    const warn = (kind: WarningKind, text: string): Warning => ({ kind, columns: [name], text });
    const { order, other } = dates;
    if (column.kind === 'numeric') {
      const example = column.values.find(Number.isFinite);
      return [
        warn('dates', `${label} holds days such as ${example}: name it in data.dates, or they are numbers`),
      ];
    }
    if (order === 'ambiguous') {
      const key = `{${JSON.stringify(name)}: {"order": "dmy"}}`;
      return [
        warn(
          'dates',
          `${label}: dates such as ${quote(other ?? '')} may have the day first, or the month: set data.dates to ${key}, or to "mdy" or "ymd"`,
        ),
      ];
    }
    if (other !== undefined) {
      const location = cellLocation(table, index, column.codes.indexOf(column.levels.indexOf(other)));
      return [
        warn(
          'dates',
          `${location}: ${quote(other)} is no date as most others are: correct it, list it in data.missingValues, or name the column in data.exclude`,
        ),
      ];
    }
    const read = order === 'ymd' ? undefined : readAs(column.levels, order);
    return read === undefined ? [] : [warn('reading', `${label}: ${read}`)];
  });
}

/** Warns of classes and levels that differ only in spelling. */
export function spellingWarnings(
  table: Table,
  columns: readonly ColumnProfile[],
  target: number | undefined,
  task: Task | undefined,
): Warning[] {
  return columns.flatMap(({ index, name, kind }): Warning[] => {
    const column = table.columns[index];
    const isTarget = index === target;
    if (!isTarget && (kind === 'identifier' || kind === 'date' || kind === 'boolean')) return [];
    const texts = column?.kind === 'numeric' ? column.written : column;
    if (texts === undefined || texts === 'many') return [];
    const isQuantity = isTarget && task === 'regression';
    if (isQuantity && texts.levels.length > MOST_NUMERIC_CLASSES) return [];
    const what = isQuantity ? 'numbers' : isTarget ? 'classes' : 'levels';
    return lookalikeSentences(columnLabel(table.header, name), what, texts.levels).map((text) => ({
      kind: 'spelling',
      columns: [name],
      text,
    }));
  });
}

/** Whether rows of one person or thing come up again: at least three of them, twice on average. */
function repeatsOwners({ name, kind, distinct, missing }: ColumnProfile, rows: number): boolean {
  const isKind = kind === 'integer' || kind === 'category' || kind === 'identifier';
  return isKind && namesOwner(name) && distinct > 2 && rows - missing >= 2 * distinct;
}

export function targetWarnings(
  table: Table,
  target: TargetProfile,
  { missing, distinct }: ColumnProfile,
  leaks: ReadonlyMap<Leak, readonly ColumnProfile[]>,
): Warning[] {
  const { name, classes, task, conflictingRows = 0 } = target;
  const warnings: Warning[] = [];
  const warn = (kind: WarningKind, columns: readonly string[], text: string): void => {
    warnings.push({ kind, columns, text });
  };
  if (task === undefined) {
    const what = distinct === 0 ? 'no' : 'a single';
    warn('target', [name], `the target holds ${what} value: there is nothing to learn`);
  }
  if (missing > 0) {
    warn(
      'target',
      [name],
      `the target is missing in ${missing} of ${table.rows} rows: remove or complete them`,
    );
  }
  for (const [leak, found] of leaks) {
    const { columns, text } = labelsOf(table, found);
    warn('leak', columns, `${text} may give the target away: ${LEAKS[leak]}`);
  }
  if (classes) warnings.push(...balanceWarnings(name, classes));
  if (conflictingRows > 0) {
    warn(
      'conflicts',
      [],
      `${conflictingRows} rows have the features of another row but not its class: no model gets all of them right`,
    );
  }
  return warnings;
}

/** A hint about numbers that are codes, by the target. */
export function codeWarnings(table: Table, found: readonly ColumnProfile[]): Warning[] {
  if (found.length === 0) return [];
  const { columns, text, one } = labelsOf(table, found);
  return [
    {
      kind: 'codes',
      columns,
      text: `${text} ${one ? 'seems' : 'seem'} to hold codes, since the target jumps from one number to the next: data.categories reads them as a category`,
    },
  ];
}

/** A hint about the values of a target that is a quantity. */
export function skewWarnings({ name }: TargetProfile, values: Float64Array): Warning[] {
  const transform = transformFor(values);
  if (!transform) return [];
  const text = `the target is strongly skewed over several decades: try data.targetTransform "${transform}", which trains on its logarithm`;
  return [{ kind: 'target', columns: [name], text }];
}

function balanceWarnings(target: string, classes: readonly Level[]): Warning[] {
  const warnings: Warning[] = [];
  const single = classes.filter(({ rows }) => rows === 1);
  if (single.length > 0) {
    const names = listed(single.map(({ name }) => quote(name)));
    const [label, has] = single.length === 1 ? ['class', 'has'] : ['classes', 'have'];
    const text = `the ${label} ${names} ${has} a single row, and a stratified split needs two of each`;
    warnings.push({ kind: 'single', columns: [target], text });
  }
  const rarest = classes.reduce((a, b) => (b.rows < a.rows ? b : a));
  const largest = classes.reduce((a, b) => (b.rows > a.rows ? b : a));
  if (largest.rows > IMBALANCE * rarest.rows) {
    const text =
      `the class ${quote(largest.name)} has ${Math.round(largest.rows / rarest.rows)} times the rows of ${quote(rarest.name)}: ` +
      'consider data.weights "balanced", and look beyond the accuracy';
    warnings.push({ kind: 'imbalance', columns: [target], text });
  }
  return warnings;
}

/** @param first [rows] the first row that equals each row */
export function duplicateWarnings(table: Table, first: Int32Array, duplicates: number): Warning[] {
  if (duplicates === 0) return [];
  const row = first.findIndex((other, i) => other !== i);
  const example = `${rowLabel(table, row)} is a duplicate of ${rowLabel(table, first[row])}`;
  const found = duplicates === 1 ? example : `${duplicates} rows are duplicates of earlier rows (${example})`;
  const text = `${found}: duplicates in both training and test rows make the test score too good`;
  return [{ kind: 'duplicates', columns: [], text }];
}

function labelsOf({ header }: Table, found: readonly ColumnProfile[]): Labels {
  const columns = found.map(({ name }) => name);
  const one = columns.length === 1;
  const shown = listed(columns.map((name) => (header ? quote(name) : name)));
  return { found, columns, text: `${one ? 'column' : 'columns'} ${shown}`, one };
}
