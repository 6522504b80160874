/** The profile of a table: columns, duplicate rows, target, and warnings. */
export type {
  ColumnProfile,
  ColumnRole,
  Level,
  TableProfile,
  TargetProfile,
  Warning,
  WarningKind,
} from './tableProfile.js';

import { formatPath } from '../../spec/messages.js';
import type { Task } from '../../spec/words.js';
import { rowNamesNote } from '../csv/readingNotes.js';
import { detectTargetEncoding, encodeTargets } from '../dataset/targets.js';
import { firstRows, type LocatedColumn, rowsWhere } from '../locatedColumn.js';
import { type Mixture, settleMixtures } from '../mixture.js';
import {
  type Column,
  cellLocation,
  columnLabel,
  numericColumn,
  type OddCells,
  selectCells,
  type Table,
} from '../table.js';
import type { TableFormat } from '../tableSource.js';
import { profileColumn } from './columnProfile.js';
import { type Codes, countCodes, encodeCells, RowHashes } from './equalCells.js';
import { agrees, type Leak, LeakSearch } from './leaks.js';
import { columnsOfCodes } from './numberCodes.js';
import {
  codeWarnings,
  columnWarnings,
  dateWarnings,
  duplicateWarnings,
  gapWarnings,
  skewWarnings,
  spellingWarnings,
  targetWarnings,
} from './profileWarnings.js';
import type { ColumnProfile, Level, TableProfile, TargetProfile, Warning } from './tableProfile.js';
import { isLikePrices } from './targetSkew.js';

/** Results of one pass over the columns. */
interface Findings {
  readonly columns: readonly ColumnProfile[];
  /** [rows] The first row with the same cells; itself if none comes before it. */
  readonly first: Int32Array;
  /** Of the features without identifiers. */
  readonly features: RowHashes;
  readonly targetCodes: Codes | undefined;
  /** Columns whose equal cells go with equal targets. */
  readonly agreeing: ReadonlySet<number>;
}

/**
 * Profiles a table that has all its columns.
 * @param target the number of the target column, from 0
 * @param notes how the file was read, if not as it is usual
 */
export function profileTable(
  read: Table,
  format: TableFormat,
  target?: number,
  notes: readonly string[] = [],
): TableProfile {
  const { table, mixtures } = settleMixtures(read, target, format.notations);
  const { path, rows } = table;
  const { delimiter, header, comment, encoding, reading, notations = new Map() } = format;
  const numbers = Object.fromEntries(
    [...notations].map(([index, notation]) => [table.names[index], notation]),
  );
  const rowNames = new Set((format.rowNames ?? []).filter((column) => column !== target));
  const findings = describeColumns(table, target, rowNames, mixtures);
  const { columns, first } = findings;
  const duplicateRows = first.reduce((count, other, row) => count + (other === row ? 0 : 1), 0);
  const described =
    target !== undefined && findings.targetCodes !== undefined
      ? describeTarget(table, target, findings, findings.targetCodes)
      : undefined;
  return {
    path,
    rows,
    dialect: {
      ...(delimiter !== undefined && { delimiter }),
      header,
      ...(comment !== undefined && { comment }),
      ...(encoding !== undefined && { encoding }),
      ...(notations.size > 0 && { numbers }),
      ...(reading && { reading }),
    },
    columns,
    duplicateRows,
    ...(described && { target: described.target }),
    warnings: [
      ...[...notes, ...(table.notes ?? []), ...rowNamesNote(path, table.names, [...rowNames])].map(
        (text): Warning => ({ kind: 'reading', columns: [], text }),
      ),
      ...(described?.warnings ?? []),
      ...dateWarnings(table, columns),
      ...spellingWarnings(table, columns, target, described?.target.task),
      ...gapWarnings(table, columns),
      ...columnWarnings(
        table,
        columns.filter(({ index }) => !rowNames.has(index)),
        target,
      ),
      ...duplicateWarnings(table, first, duplicateRows),
    ],
  };
}

function describeColumns(
  table: Table,
  target: number | undefined,
  rowNames: ReadonlySet<number>,
  mixtures: ReadonlyMap<number, Mixture>,
): Findings {
  const targetCodes = target === undefined ? undefined : encodeTarget(columnAt(table, target));
  const whole = new RowHashes(table.rows);
  const features = new RowHashes(table.rows);
  const agreeing = new Set<number>();
  const odd = new Map(table.odd?.map((found) => [found.index, found]));
  const columns = table.names.map((name, index) => {
    const column = columnAt(table, index);
    const isTarget = index === target;
    const encoded = isTarget && targetCodes ? targetCodes : encodeCells(column);
    const described = profileColumn(name, index, column, encoded, isTarget);
    const mixture = mixtures.get(index);
    const isPlain = !rowNames.has(index) && !odd.has(index) && !mixture;
    const profile: ColumnProfile = isPlain
      ? described
      : {
          ...described,
          ...(rowNames.has(index) && { kind: 'identifier' }),
          ...oddCells(table, described, odd.get(index)),
          ...(mixture && { mixture }),
        };
    whole.add(column, encoded.codes);
    if (!isTarget && profile.kind !== 'identifier') features.add(column, encoded.codes);
    if (!isTarget && targetCodes && agrees(encoded, targetCodes.codes)) agreeing.add(index);
    return profile;
  });
  return { columns, first: whole.firstEqual(), features, targetCodes, agreeing };
}

/** The odd cells of a column. They don't count as missing in its profile. */
function oddCells(
  table: Table,
  { index, missing }: ColumnProfile,
  found: OddCells | undefined,
): Partial<ColumnProfile> {
  if (!found) return {};
  const { cells, row, text } = found;
  return { missing: missing - cells, odd: { cells, location: cellLocation(table, index, row), text } };
}

/** Whole numbers by their spelling, for they may be classes. */
function encodeTarget(column: Column): Codes {
  const isNumeric = column.kind === 'numeric';
  if (!isNumeric || column.written === undefined || column.written === 'many') return encodeCells(column);
  const areWhole = column.values.every((value) => Number.isNaN(value) || Number.isInteger(value));
  return encodeCells(areWhole ? column.written : column);
}

function describeTarget(
  table: Table,
  index: number,
  { columns, first, features, agreeing }: Findings,
  targetCodes: Codes,
): { target: TargetProfile; warnings: Warning[] } {
  const { codes, distinct } = targetCodes;
  const rows = rowsWhere(firstRows(codes.length), (row) => codes[row] >= 0);
  // Text that is mostly numbers would not be taken for classes.
  const isText = columns[index].mixture !== undefined && columns[index].cells === 'text';
  const { task, classes, reason } = profileTarget(table, index, rows, distinct, isText);
  const target: TargetProfile = {
    name: table.names[index],
    index,
    task,
    ...(reason !== undefined && { reason }),
    ...(classes && { classes, conflictingRows: countConflicts(features, first, codes) }),
  };

  const leaks = new Map<Leak, ColumnProfile[]>();
  const quantity = task === 'regression' ? numericColumn(table, index).values : undefined;
  let numberCodes: readonly ColumnProfile[] = [];
  if (task !== undefined) {
    const others = columns.filter((column) => column.index !== index);
    numberCodes = columnsOfCodes(table, others, targetCodes, rows, quantity);
    const different = rowsWhere(rows, (row) => first[row] === row);
    const search = new LeakSearch(table, targetCodes, different, quantity);
    for (const column of columns) {
      if (column.index === index || column.kind === 'identifier') continue;
      const leak = search.find(column, agreeing.has(column.index));
      if (leak === undefined) continue;
      const known = leaks.get(leak);
      if (known) known.push(column);
      else leaks.set(leak, [column]);
    }
  }
  return {
    target: {
      ...target,
      ...(quantity && isLikePrices(quantity) && { likePrices: true }),
      ...(numberCodes.length > 0 && { codes: numberCodes.map(({ name }) => name) }),
    },
    warnings: [
      ...targetWarnings(table, target, columns[index], leaks),
      ...codeWarnings(table, numberCodes),
      ...(quantity ? skewWarnings(target, quantity) : []),
    ],
  };
}

/** Counts the rows in groups of equal features that have more than one class. */
function countConflicts(features: RowHashes, first: Int32Array, classes: Int32Array): number {
  if (features.width === 0) return 0;
  const firstFeatures = features.firstEqual(first);
  const groupClass = new Int32Array(classes.length).fill(-1);
  const mixed = new Uint8Array(classes.length);
  firstFeatures.forEach((group, row) => {
    if (classes[row] < 0) return;
    if (groupClass[group] < 0) groupClass[group] = classes[row];
    else if (groupClass[group] !== classes[row]) mixed[group] = 1;
  });
  return firstFeatures.reduce((count, group, row) => count + (classes[row] >= 0 ? mixed[group] : 0), 0);
}

function columnAt({ columns, path }: Table, index: number): Column {
  const column = columns[index];
  if (column === undefined) throw new TypeError(`column ${index} of ${path} was not read`);
  return column;
}

interface TargetClasses {
  readonly task: Task | undefined;
  readonly reason?: string;
  readonly classes?: readonly Level[];
}

/**
 * What `data.task: "auto"` makes of the target column, and the size of its classes. `rows` are
 * those with a target.
 */
function profileTarget(
  table: Table,
  index: number,
  rows: Int32Array,
  distinct: number,
  isText: boolean,
): TargetClasses {
  const column = table.columns[index];
  if (column === undefined || distinct < 2) return { task: undefined };
  const located: LocatedColumn = {
    name: table.names[index],
    column: columnOf(column, rows),
    path: table.path,
    label: columnLabel(table.header, table.names[index]),
    location: (i) => cellLocation(table, index, rows[i]),
  };
  const task = isText ? (distinct === 2 ? 'binary' : 'multiclass') : 'auto';
  const targetEncoding = detectTargetEncoding([located], { task }, formatPath);
  const { task: found, classes, reason = '' } = targetEncoding;
  if (classes === undefined) return { task: found, reason };
  const targets = encodeTargets([located], targetEncoding, Number.POSITIVE_INFINITY);
  if (!('labels' in targets)) throw new TypeError('classes without labels');
  const counts = countCodes({ codes: targets.labels, distinct: classes.names.length });
  return {
    task: found,
    reason,
    classes: classes.names.map((name, label) => ({ name, rows: counts[label] })),
  };
}

/** A column with these rows only; none of their cells is missing. */
function columnOf(column: Column, rows: Int32Array): Column {
  return column.missing === 0 ? column : selectCells(column, rows);
}
