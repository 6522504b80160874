/** Chooses the columns: features, targets, weights, and marks of held-out rows. */
import { ExitCode, MlpError } from '../../errors.js';
import type { ColumnRef, DataConfig } from '../../spec/dataConfig.js';
import { columnsWithSetting, dateSettingOf, weightColumn } from '../../spec/dataConfig.js';
import { formatPath, oneOf, type Path, suggest, type Where } from '../../spec/messages.js';
import { isPattern, matches } from '../../spec/words.js';
import { printable, quote } from '../../text.js';
import { parseDecimal } from '../cell.js';
import { columnLabel } from '../table.js';
import type { TableSource } from '../tableSource.js';

/** Column numbers, from 0. */
export interface ColumnChoice {
  readonly features: readonly number[];
  /** One, or several for a regression. */
  readonly targets: readonly number[];
  /** Features whose numbers are categories. */
  readonly categories: readonly number[];
  readonly weights?: number;
  /** Columns that only number or name the rows: left out, though no key says so. */
  readonly rowNames: readonly number[];
  /** The columns that mark held-out rows. */
  readonly validation?: number;
  readonly test?: number;
}

/** The columns of a table, and what messages call it. */
export type NamedColumns = Pick<TableSource, 'path' | 'namesLocation' | 'header' | 'names' | 'rowNames'>;

/** The targets of a config as a list. */
export function targetsOf({ target }: DataConfig): ColumnRef[] {
  return Array.isArray(target) ? target : [target];
}

/**
 * Whether the training file has a header, if the config tells: a target given by name implies one.
 * @throws MlpError ExitCode.config if the config also says that there is none
 */
export function wantedHeader(data: DataConfig, where: Where): 'auto' | boolean {
  const name = targetsOf(data).find((target) => typeof target === 'string');
  if (name === undefined) return data.header;
  if (data.header !== false) return true;
  throw new MlpError(
    ExitCode.config,
    `${where(['data', 'target'])}: found the name ${quote(name)} with data.header false, expected a column's number from 0`,
    'only a header names columns: give the number, or set data.header to true',
  );
}

/**
 * Chooses the columns of the training table. All columns without another role are features, in the
 * order of the file.
 * @throws MlpError ExitCode.config for a column that the table does not have
 */
export function chooseColumns(file: NamedColumns, data: DataConfig, where: Where): ColumnChoice {
  const find = (key: Path, column: ColumnRef) => findColumn(file, column, () => where(['data', ...key]));
  const several = Array.isArray(data.target);
  const targets = targetsOf(data).map((target, i) => find(several ? ['target', i] : ['target'], target));
  const findAll = (key: 'features' | 'exclude' | 'categories') =>
    (data[key] ?? []).flatMap((column, i) => {
      const found = findColumns(file, column, () => where(['data', key, i]));
      // A pattern such as * does not mean the target.
      return found.length > 1 ? found.filter((index) => !targets.includes(index)) : found;
    });
  const excluded = findAll('exclude');
  const categories = findAll('categories');
  const named = data.features && new Set(findAll('features'));
  const weighing = data.weights === undefined ? undefined : weightColumn(data.weights);
  const weights = weighing === undefined ? undefined : find(['weights', 'column'], weighing);
  const ruled = (key: 'validation' | 'test') => {
    const rule = splitColumn(data[key]);
    return rule && find([key, rule.key], rule.column);
  };
  const validation = ruled('validation');
  const test = ruled('test');

  const all = new Set(targets);
  const repeated =
    all.size < targets.length ? targets.find((target, i) => targets.indexOf(target) !== i) : undefined;
  if (repeated !== undefined) throw misused(['data', 'target'], file, repeated, 'twice', where);
  const others = [
    [['features'], [...(named ?? [])]],
    [['exclude'], excluded],
    [['categories'], categories],
    [['weights', 'column'], [weights]],
    [['validation', splitColumn(data.validation)?.key ?? ''], [validation]],
    [['test', splitColumn(data.test)?.key ?? ''], [test]],
  ] as const;
  for (const [key, columns] of others) {
    const target = columns.find((column) => column !== undefined && all.has(column));
    if (target !== undefined) throw misused(['data', ...key], file, target, 'the target', where);
  }
  const keys = [
    'missing',
    'standardize',
    'embedFrom',
    'embedNumbersFrom',
    'numbers',
    'dates',
    'missingValues',
  ] as const;
  for (const key of keys) {
    for (const name of columnsWithSetting(data[key] ?? {})) {
      const place = () => where(['data', key], name);
      if (!isPattern(name) || indicesOf(file.names).has(name)) findName(file, name, place);
      else findColumns(file, name, place);
    }
  }

  const dated = categories.find((column) => dateSettingOf(data, file.names[column]) !== undefined);
  if (dated !== undefined) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'dates'])}: found ${columnLabel(file.header, file.names[dated])}, which data.categories names too, expected it in one of them`,
    );
  }

  // A column that only orders the rows may be a feature too.
  const isFeature = (key: 'validation' | 'test') => splitColumn(data[key])?.key === 'by';
  const taken = new Set<number | undefined>([
    ...targets,
    ...excluded,
    weights,
    ...(isFeature('validation') ? [] : [validation]),
    ...(isFeature('test') ? [] : [test]),
  ]);
  // A key that names such a column wants it.
  const wanted = new Set(categories.map((i) => file.names[i]));
  for (const key of ['missing', 'standardize', 'numbers', 'dates'] as const)
    for (const name of columnsWithSetting(data[key] ?? {})) wanted.add(name);
  const isNamed = (i: number) => named?.has(i) || wanted.has(file.names[i]);
  const rowNames = (file.rowNames ?? []).filter((i) => !taken.has(i) && !isNamed(i));
  for (const column of rowNames) taken.add(column);
  const features = file.names.map((_, i) => i).filter((i) => !taken.has(i) && (named?.has(i) ?? true));
  const isLearned = new Set(features);
  if (features.length === 0) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data'])}: found no feature in ${file.path}: the target and data.exclude take all ${file.names.length} columns`,
      separatorHint(file.names),
    );
  }
  return {
    features,
    targets,
    categories: categories.filter((column) => isLearned.has(column)),
    rowNames,
    ...(weights !== undefined && { weights }),
    ...(validation !== undefined && { validation }),
    ...(test !== undefined && { test }),
  };
}

/** The column that a rule for held-out rows names, and the key that names it. */
function splitColumn(
  rows: DataConfig['validation'],
): { readonly key: 'column' | 'by' | 'group'; readonly column: ColumnRef } | undefined {
  if (typeof rows !== 'object') return undefined;
  if ('column' in rows) return { key: 'column', column: rows.column };
  if ('by' in rows && rows.by !== undefined) return { key: 'by', column: rows.by };
  if ('last' in rows) return undefined;
  return rows.group === undefined ? undefined : { key: 'group', column: rows.group };
}

/**
 * Finds the same columns in a table of held-out rows, by name in any order; other columns are
 * ignored. Without a header the number of columns must be the same.
 * @throws MlpError ExitCode.data for a column that is not found
 */
export function matchColumns(
  file: NamedColumns,
  training: NamedColumns & { readonly choice: ColumnChoice },
): ColumnChoice {
  const { features, targets, categories, weights } = training.choice;
  if (!file.header) {
    if (file.names.length !== training.names.length) {
      throw new MlpError(
        ExitCode.data,
        `${file.namesLocation}: found ${file.names.length} columns, expected ${training.names.length} as in ${training.path}`,
      );
    }
    return { features, targets, categories, rowNames: [], ...(weights !== undefined && { weights }) };
  }
  const indexOf = new Map(file.names.map((name, i) => [name, i]));
  const find = (column: number) => {
    const name = training.names[column];
    const index = indexOf.get(name);
    if (index !== undefined) return index;
    throw new MlpError(
      ExitCode.data,
      `${file.namesLocation}: found no column ${quote(name)}, expected all columns of ${training.path}`,
      suggestName(name, file.names),
    );
  };
  return {
    features: features.map(find),
    targets: targets.map(find),
    categories: categories.map(find),
    rowNames: [],
    ...(weights !== undefined && { weights: find(weights) }),
  };
}

/** The column of that name or number, or all whose names fit a pattern. */
function findColumns(file: NamedColumns, column: ColumnRef, place: () => string): number[] {
  const { names, path } = file;
  if (typeof column === 'number' || !isPattern(column) || indicesOf(names).has(column)) {
    return [findColumn(file, column, place)];
  }
  const found = names.flatMap((name, i) => (matches(column, name) ? [i] : []));
  if (found.length > 0) return found;
  throw new MlpError(
    ExitCode.config,
    `${place()}: found no column that fits ${quote(column)} in ${path}, expected a pattern that fits ${oneOf(names.slice(0, 10).map(printable))}${names.length > 10 ? ', …' : ''}`,
    '* stands for any text',
  );
}

function findColumn(file: NamedColumns, column: ColumnRef, place: () => string): number {
  const { names, header, path } = file;
  if (typeof column === 'string' && header) return findName(file, column, place);
  if (typeof column === 'number' && column < names.length) return column;
  const hint =
    typeof column === 'string'
      ? 'only a header gives names: set data.header to true if the first row is one'
      : names.includes(String(column)) && header
        ? `to name the column ${column}, put quotes around it`
        : separatorHint(names);
  throw new MlpError(
    ExitCode.config,
    `${place()}: found ${typeof column === 'string' ? quote(column) : column}, ` +
      `expected a column's number from 0 to ${names.length - 1} in ${path}`,
    hint,
  );
}

/** Of lists of names: a config may name 100,000 columns, and each would be searched for. */
const indices = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The number of the first column of each name. */
function indicesOf(names: readonly string[]): ReadonlyMap<string, number> {
  let found = indices.get(names);
  if (found === undefined) {
    found = new Map(names.map((name, i) => [name, i] as const).reverse());
    indices.set(names, found);
  }
  return found;
}

function findName({ names, path, header }: NamedColumns, wanted: string, place: () => string): number {
  const index = indicesOf(names).get(wanted);
  if (index !== undefined) return index;
  const shown = names.slice(0, 10).map(printable);
  throw new MlpError(
    ExitCode.config,
    `${place()}: found no column ${quote(wanted)} in ${path}, expected ${oneOf(shown)}${names.length > 10 ? ', …' : ''}`,
    separatorHint(names) ?? (header ? headerHint(names) : undefined) ?? suggestName(wanted, names),
  );
}

function misused(key: Path, file: NamedColumns, column: number, what: string, where: Where): MlpError {
  const label = columnLabel(file.header, file.names[column]);
  return new MlpError(
    ExitCode.config,
    what === 'twice'
      ? `${where(key)}: found ${label} twice, expected different columns`
      : `${where(key)}: found ${what} ${label}, expected other columns`,
    what === 'twice' ? undefined : `a target has no other role: remove it from ${formatPath(key)}`,
  );
}

function suggestName(wanted: string, names: readonly string[]): string | undefined {
  const hint = suggest(wanted, names);
  return hint === undefined ? undefined : printable(hint);
}

/** Names that are mostly numbers are the first row of a file without a header. */
function headerHint(names: readonly string[]): string | undefined {
  const numbers = names.filter((name) => !Number.isNaN(parseDecimal(name)));
  return numbers.length > names.length / 2
    ? 'if the first row is not a header, give data.target as a column number, from 0'
    : undefined;
}

/** A file of one column is often one whose separator is another. */
function separatorHint(names: readonly string[]): string | undefined {
  return names.length === 1
    ? 'the file has a single column; columns are separated by commas, semicolons, tabs or bars'
    : undefined;
}
