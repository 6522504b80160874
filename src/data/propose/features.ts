/** Which columns are features, and which of their numbers are categories. */
import { ExitCode, MlpError } from '../../errors.js';
import type { ColumnSummary } from '../summary/types.js';
import { listOf, type Reason, type Subject } from './types.js';

export interface FeatureChoice {
  readonly features: readonly ColumnSummary[];
  readonly exclude: readonly ColumnSummary[];
  /** Columns of numbers that are categories. */
  readonly categories: readonly ColumnSummary[];
  readonly reasons: readonly Reason[];
}

/** With more of its cells missing than this a column says little. */
const MOST_MISSING = 0.5;
/** A category with more levels than this needs so many rows for each of them. */
const FEW_LEVELS = 10;
const ROWS_PER_LEVEL = 5;
/** Codes with more values than this are left as numbers. */
const MOST_CODES = 50;

/** Last words of names whose numbers stand for something: their order and distance mean nothing. */
const CODE_NAMES: readonly string[] = [
  'id',
  'code',
  'type',
  'kind',
  'category',
  'group',
  'region',
  'zone',
  'district',
  'sector',
  'zip',
  'postcode',
  'month',
  'weekday',
];

/**
 * No features are identifiers, constants, columns with more than half of their cells missing, texts whose levels (more than ten)
 * come up less than five times on average, and repeated ids with more than fifty values. Only numbers that identify the
 * rows are features all the same where nothing else is.
 *
 * Whole numbers whose name says that they are codes are categories, where they have 3 to 50 values and five rows for each.
 *
 * @param candidates columns that may be features
 * @param pixels whether they are a picture: its constant pixels stay
 * @throws MlpError (65) where none of them can be one
 */
export function chooseFeatures(
  subject: Subject,
  candidates: readonly ColumnSummary[],
  pixels: boolean,
): FeatureChoice {
  const { summary } = subject;
  const excluded = excludedOf(
    summary.rows,
    pixels ? candidates.filter(({ kind }) => kind !== 'constant') : candidates,
  );
  const features = candidates.filter((column) => !excluded.has(column));
  if (features.length === 0) {
    throw new MlpError(
      ExitCode.data,
      `${summary.path}: found no column to learn from, expected one beside the target that is neither an identifier nor a constant`,
      'mlp inspect shows what the columns hold',
    );
  }
  const categories = features.filter((column) => isCode(column, summary.rows));
  return {
    features,
    exclude: [...excluded.keys()],
    categories,
    reasons: [...excludeReasons(subject, excluded), ...categoryReasons(subject, categories)],
  };
}

/** The columns that are no features, with what they do instead of telling something. */
function excludedOf(rows: number, candidates: readonly ColumnSummary[]): Map<ColumnSummary, string> {
  const excluded = new Map<ColumnSummary, string>();
  for (const column of candidates) {
    const why = whyExcluded(column, rows);
    if (why !== undefined) excluded.set(column, why);
  }
  if (excluded.size === candidates.length) {
    for (const column of candidates) {
      if (column.kind === 'identifier' && column.cells === 'numeric') excluded.delete(column);
    }
  }
  return excluded;
}

function whyExcluded(
  { name, kind, cells, distinct, missing }: ColumnSummary,
  rows: number,
): string | undefined {
  if (kind === 'identifier') return 'says which row it is rather than what it is like';
  if (kind === 'constant') return 'holds a single value';
  if (missing > MOST_MISSING * rows) return 'is empty in more than half of the rows';
  if (cells === 'text' && distinct > FEW_LEVELS && rows - missing < ROWS_PER_LEVEL * distinct) {
    return `holds texts that come up less than ${ROWS_PER_LEVEL} times on average`;
  }
  if (kind === 'integer' && lastWord(name) === 'id' && distinct > MOST_CODES) {
    return `holds more than ${MOST_CODES} different ids, whose order means nothing`;
  }
  return undefined;
}

/** Whether the numbers of a column stand for something, by its name. Two values are as good as a category. */
function isCode({ name, kind, distinct, missing }: ColumnSummary, rows: number): boolean {
  return (
    kind === 'integer' &&
    CODE_NAMES.includes(lastWord(name)) &&
    distinct > 2 &&
    distinct <= MOST_CODES &&
    rows - missing >= ROWS_PER_LEVEL * distinct
  );
}

/** `zone` of `Time-Zone`, `timeZone` and `time_zone`. */
function lastWord(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').match(/\p{L}+/gu);
  return words?.at(-1)?.toLowerCase() ?? '';
}

/** One reason, with the columns gathered by cause. */
function excludeReasons({ summary }: Subject, excluded: ReadonlyMap<ColumnSummary, string>): Reason[] {
  const causes = [...new Set(excluded.values())].map((why) => {
    const columns = [...excluded].flatMap(([column, cause]) => (cause === why ? [column] : []));
    return `${listOf(summary, columns)}, since ${columns.length === 1 ? 'it' : 'each'} ${why}`;
  });
  return causes.length === 0 ? [] : [{ key: 'data.exclude', text: causes.join('; ') }];
}

function categoryReasons({ summary }: Subject, categories: readonly ColumnSummary[]): Reason[] {
  if (categories.length === 0) return [];
  const names =
    categories.length === 1 ? 'its name says that its numbers are' : 'their names say that their numbers are';
  return [
    {
      key: 'data.categories',
      text: `${listOf(summary, categories)}, since ${names} codes, whose order means nothing`,
    },
  ];
}
