/** Which columns of a file are features and which is the target, by name where there is a header, else by number. */
import { ExitCode, MlpError } from '../errors.js';
import { quote } from '../spec/show.js';
import { oneOf, suggest } from '../spec/suggest.js';
import type { DataConfig } from '../spec/train.js';
import { printable } from '../text.js';
import { parseDecimal } from './cell.js';
import { type ColumnKind, columnLabel } from './table.js';

/** Numbers of columns, from 0, in the file they were chosen for. */
export interface ColumnChoice {
  readonly features: readonly number[];
  readonly target: number;
}

/** A target given by name means that the file has a header, one given by number that it has none. */
export function hasHeader(data: DataConfig): boolean {
  return typeof data.target === 'string';
}

/**
 * All columns but the target and the excluded ones are features, in the order of the file.
 * An MlpError (78) where the config names a column that the file at `path` does not have; `place` precedes its message.
 */
export function chooseColumns(
  names: readonly string[],
  data: DataConfig,
  path: string,
  place: string,
): ColumnChoice {
  const find = (key: string, wanted: string | number) =>
    hasHeader(data)
      ? findName(names, wanted, `${place}${key}`, path)
      : findNumber(names, wanted, `${place}${key}`, path);
  const target = find('data.target', data.target);
  const excluded = new Set(data.exclude.map((column, i) => find(`data.exclude[${i}]`, column)));
  if (excluded.has(target)) {
    throw new MlpError(
      ExitCode.config,
      `${place}data.exclude: found the target ${columnLabel(hasHeader(data), names[target])}, expected other columns`,
      'the target is never a feature: leave it out of data.exclude',
    );
  }
  const features = names.map((_, i) => i).filter((i) => i !== target && !excluded.has(i));
  if (features.length === 0) {
    throw new MlpError(
      ExitCode.config,
      `${place}data: found no feature in ${path}: the target and data.exclude take all ${names.length} columns`,
      separatorHint(names),
    );
  }
  return { features, target };
}

/**
 * The same columns in a second file, matched by name in any order; further columns don't matter. Without a header
 * the number of columns must be the same. An MlpError (65) where one is not there.
 */
export function matchColumns(
  names: readonly string[],
  path: string,
  header: boolean,
  training: { names: readonly string[]; choice: ColumnChoice; path: string },
): ColumnChoice {
  if (!header) {
    if (names.length !== training.names.length) {
      throw new MlpError(
        ExitCode.data,
        `${path}:1: found ${names.length} columns, expected ${training.names.length} as in ${training.path}`,
      );
    }
    return training.choice;
  }
  const indexOf = new Map(names.map((name, i) => [name, i]));
  const find = (column: number) => {
    const name = training.names[column];
    const index = indexOf.get(name);
    if (index !== undefined) return index;
    throw new MlpError(
      ExitCode.data,
      `${path}:1: found no column ${quote(name)}, expected all that ${training.path} has`,
      suggestName(name, names),
    );
  };
  return { features: training.choice.features.map(find), target: find(training.choice.target) };
}

/** What a reader must make of each of `count` columns: features are numbers, the target is text until its task is known. */
export function columnKinds(count: number, { features, target }: ColumnChoice): ColumnKind[] {
  const kinds = new Array<ColumnKind>(count).fill('skipped');
  for (const feature of features) kinds[feature] = 'numeric';
  kinds[target] = 'text';
  return kinds;
}

function findName(names: readonly string[], wanted: string | number, where: string, path: string): number {
  if (typeof wanted !== 'string') {
    throw new MlpError(
      ExitCode.config,
      `${where}: found the number ${wanted}, expected a column's name`,
      'numbers are for files without a header, and data.target is a name here',
    );
  }
  const index = names.indexOf(wanted);
  if (index >= 0) return index;
  const shown = names.slice(0, 10).map(printable);
  throw new MlpError(
    ExitCode.config,
    `${where}: found no column ${quote(wanted)} in ${path}, expected ${oneOf(shown)}${names.length > 10 ? ', …' : ''}`,
    separatorHint(names) ?? headerHint(names) ?? suggestName(wanted, names),
  );
}

function findNumber(names: readonly string[], wanted: string | number, where: string, path: string): number {
  if (typeof wanted === 'number' && Number.isInteger(wanted) && wanted >= 0 && wanted < names.length) {
    return wanted;
  }
  throw new MlpError(
    ExitCode.config,
    `${where}: found ${typeof wanted === 'string' ? quote(wanted) : wanted}, ` +
      `expected a column's number from 0 to ${names.length - 1} in ${path}`,
    typeof wanted === 'string'
      ? 'names are for files with a header, and data.target is a number here'
      : separatorHint(names),
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
    ? 'where the first row is no header, give data.target as a column number, from 0'
    : undefined;
}

/** A file of one column is often one whose separator is not the comma. */
function separatorHint(names: readonly string[]): string | undefined {
  return names.length === 1
    ? 'columns are separated by commas; is there another separator in this file?'
    : undefined;
}
