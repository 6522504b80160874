/** `inspect` and `suggestConfig`: what a CSV contains, and a config for it. */
import { formatOf, openTable, readWhole } from '../data/openTable.js';
import { profileTable, type TableProfile } from '../data/profile/profile.js';
import { type Suggestion, suggestConfig as suggestFor } from '../data/suggest/suggestConfig.js';
import { ExitCode, MlpError } from '../errors.js';
import { suggest } from '../spec/messages.js';
import type { TrainConfigInput } from '../spec/trainConfig.js';
import type { Delimiter, Preset } from '../spec/words.js';
import { listed, quote } from '../text.js';

/** How to read a CSV; what is left out is detected. */
export interface CsvOptions {
  /** The column to predict: its name, or its number from 0 if there is no header. */
  readonly target?: string | number | undefined;
  readonly delimiter?: Delimiter | undefined;
  readonly header?: boolean | undefined;
  /** Skip lines that start with this character. */
  readonly comment?: string | undefined;
  /** A label of `TextDecoder`. */
  readonly encoding?: string | undefined;
}

/**
 * Profiles a CSV: columns, types, ranges, classes, problems, as `mlp inspect --json`.
 * @throws MlpError ExitCode.noInput, noPermission, io; data for damage; usage for no such target
 */
export async function inspect(path: string, options: CsvOptions = {}): Promise<TableProfile> {
  const { target, delimiter = 'auto', header, comment, encoding } = options;
  // A target given by name implies a header.
  const isNamed = typeof target === 'string' && !/^\d+$/.test(target);
  const source = await openTable(path, {
    delimiter,
    header: header ?? (isNamed || 'auto'),
    ...(comment !== undefined && { comment }),
    ...(encoding !== undefined && { encoding }),
    suggest: true,
  });
  try {
    const column = target === undefined ? undefined : findTarget(target, source.names, source.path);
    const table = await readWhole(source, { target: column });
    return profileTable(table, formatOf(source), column, source.notes);
  } finally {
    source.close();
  }
}

/** A config, a reason for each key that needs one, and warnings about the data. */
export interface SuggestedTraining extends Omit<Suggestion, 'config'> {
  readonly config: TrainConfigInput;
}

/**
 * Suggests a train config for a CSV, with a reason for each key, as `mlp init`.
 * @throws MlpError as `inspect`, and ExitCode.data if there is nothing to learn
 */
export async function suggestConfig(
  path: string,
  options: CsvOptions & { readonly target: string | number; readonly preset?: Preset | undefined },
): Promise<SuggestedTraining> {
  const { config, reasons, warnings } = suggestFor(await inspect(path, options), {
    train: path,
    ...(options.preset && { preset: options.preset }),
  });
  return { config: config as TrainConfigInput, reasons, warnings };
}

function findTarget(target: string | number, names: readonly string[], file: string): number {
  const index = names.indexOf(String(target));
  if (index >= 0) return index;
  throw new MlpError(
    ExitCode.usage,
    `target: found no column ${quote(String(target))} in ${file}, expected one of ${listed(names.map(quote), 10)}`,
    suggest(String(target), names),
  );
}
